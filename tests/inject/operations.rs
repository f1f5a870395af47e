// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is done while a system call fails, and what must be there afterwards.

use std::fs;
use std::io;
use std::mem::ManuallyDrop;
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;

use unipc::shm::{Options, Seals, SystemV, limits, usage};
use unipc::sysv::Change;
use unipc::{Advice, Error, ErrorKind, Mode, Result, SharedMemory};

use crate::object::{MODE, SMALLEST};
use crate::place::{Kind, Place};

/// The size beforehand, and those after growing and shrinking.
pub(super) const SIZE: usize = 3 * 4096;
const LARGER: usize = (2 << 20) + 5;
const SMALLER: usize = SMALLEST;

/// What an operation works on.
pub(super) struct Scene<'a> {
    pub(super) place: &'a Place,
    pub(super) shm: Option<SharedMemory>,
    pub(super) fd: Option<OwnedFd>,
}

/// What is there beforehand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Before {
    Nothing,
    /// An object, not open.
    Object,
    /// An object, and a handle to it.
    Handle,
    /// A handle, and a descriptor to give away.
    Descriptor,
}

pub(super) struct Operation {
    pub(super) name: &'static str,
    pub(super) before: Before,
    pub(super) kinds: &'static [Kind],
    pub(super) act: fn(&mut Scene) -> Result<Option<SharedMemory>>,
    /// The size of the object under the name after success; `None` when there is none.
    pub(super) after: Option<usize>,
    /// May the object be gone although the operation failed?
    pub(super) may_lose: bool,
    /// A call that fails always, and how, to get to what the library does instead.
    pub(super) always: Option<(i64, i32)>,
}

impl Operation {
    const fn new(
        name: &'static str,
        before: Before,
        kinds: &'static [Kind],
        after: Option<usize>,
        act: fn(&mut Scene) -> Result<Option<SharedMemory>>,
    ) -> Self {
        Self { name, before, kinds, act, after, may_lose: false, always: None }
    }
}

use Before::{Descriptor, Handle, Nothing, Object};
use Kind::{File, Memfd, Posix, SystemV as Segment};

const NAMED: &[Kind] = &[Posix, File, Segment];
const FILES: &[Kind] = &[Posix, File];
const SIZED: &[Kind] = &[Posix, File, Memfd];

pub(super) const OPERATIONS: &[Operation] = &[
    Operation::new("create", Nothing, &Kind::ALL, Some(SIZE), |scene| {
        options().create(scene.name(), SIZE).map(Some)
    }),
    Operation::new("create populated, locked", Nothing, &Kind::ALL, Some(SIZE), |scene| {
        options().populate(true).locked(true).create(scene.name(), SIZE).map(Some)
    }),
    Operation::new("create between guards", Nothing, &Kind::ALL, Some(SIZE), |scene| {
        options().guard_pages(true).create(scene.name(), SIZE).map(Some)
    }),
    Operation {
        always: Some((libc::SYS_openat, libc::EOPNOTSUPP)),
        ..Operation::new("create, no O_TMPFILE", Nothing, FILES, Some(SIZE), |scene| {
            options().create(scene.name(), SIZE).map(Some)
        })
    },
    Operation {
        always: Some((libc::SYS_fallocate, libc::EOPNOTSUPP)),
        ..Operation::new("create, no fallocate", Nothing, FILES, Some(SIZE), |scene| {
            options().create(scene.name(), SIZE).map(Some)
        })
    },
    Operation {
        may_lose: true,
        ..Operation::new("replace", Object, NAMED, Some(SIZE), |scene| {
            options().replace(true).create(scene.name(), SIZE).map(Some)
        })
    },
    Operation::new("open_or_create new", Nothing, NAMED, Some(SIZE), |scene| {
        options().open_or_create(scene.name(), SIZE).map(Some)
    }),
    Operation::new("open_or_create old", Object, NAMED, Some(SIZE), |scene| {
        options().open_or_create(scene.name(), SIZE).map(Some)
    }),
    Operation::new("open", Object, NAMED, Some(SIZE), |scene| {
        options().own_only(true).open(scene.name()).map(Some)
    }),
    Operation::new("open read-only", Object, NAMED, Some(SIZE), |scene| {
        options().read_only(true).open(scene.name()).map(Some)
    }),
    Operation::new("from_fd", Descriptor, SIZED, Some(SIZE), |scene| {
        scene.fd.take().map(|fd| options().from_fd(fd)).transpose()
    }),
    Operation::new("grow", Handle, SIZED, Some(LARGER), |scene| scene.resize(LARGER)),
    Operation::new("shrink", Handle, FILES, Some(SMALLER), |scene| scene.resize(SMALLER)),
    Operation::new("refresh", Handle, SIZED, Some(SIZE), |scene| {
        scene.shm.as_mut().map_or(Ok(None), |shm| shm.refresh().map(|()| None))
    }),
    Operation::new("flush", Handle, &Kind::ALL, Some(SIZE), |scene| {
        scene.on_handle(|shm| {
            shm.flush(0, SIZE)?;
            shm.flush_async(1, 1)?;
            shm.flush_invalidate(0, SIZE, false)
        })
    }),
    Operation::new("advise", Handle, &Kind::ALL, Some(SIZE), |scene| {
        scene.on_handle(|shm| shm.advise(0, SIZE, Advice::Sequential))
    }),
    Operation::new("lock", Handle, &Kind::ALL, Some(SIZE), |scene| {
        scene.on_handle(|shm| shm.lock().and_then(|()| shm.unlock()))
    }),
    Operation::new("read and write", Handle, SIZED, Some(SIZE), |scene| {
        scene.on_handle(|shm| {
            shm.write_at(0, b"bytes")?;
            shm.read_at(0, &mut [0; 5])?;
            shm.add_u32(8, 1).map(drop)
        })
    }),
    Operation::new("unlink", Object, NAMED, None, |scene| {
        SharedMemory::unlink(scene.name()).map(|()| None)
    }),
    Operation::new("remove", Handle, NAMED, None, |scene| scene.on_handle(SharedMemory::remove)),
    Operation::new("remove_if_unused", Handle, &[Segment], None, |scene| {
        scene.on_handle(SharedMemory::remove_if_unused)
    }),
    Operation::new("seal", Handle, &[Memfd], Some(SIZE), |scene| {
        scene.on_handle(|shm| shm.add_seals(Seals::GROW).and_then(|()| shm.seals()).map(drop))
    }),
    Operation::new("read_only_fd", Handle, &[Memfd], Some(SIZE), |scene| {
        scene.on_handle(|shm| shm.read_only_fd().map(drop))
    }),
    Operation::new("stat, set", Handle, &[Segment], Some(SIZE), |scene| {
        scene.on_handle(|shm| {
            shm.system_v()
                .map_or(Ok(()), |segment| segment.stat().and(segment.set(Change::default())))
        })
    }),
    Operation::new("lock the segment", Handle, &[Segment], Some(SIZE), |scene| {
        scene.on_handle(|shm| {
            shm.system_v().map_or(Ok(()), |segment| segment.lock().and_then(|()| segment.unlock()))
        })
    }),
    Operation::new("list, limits, usage", Object, &[Segment], Some(SIZE), |_| {
        SystemV::list()?;
        limits()?;
        usage().map(|_| None)
    }),
];

/// The control: when it fails it keeps a descriptor and leaves a file, and must be caught at both.
pub(super) const CARELESS: Operation =
    Operation::new("careless", Nothing, &[File], Some(SIZE), |scene| {
        let path = scene.name().trim_start_matches("file:");
        let file = ManuallyDrop::new(make(path).map_err(|error| {
            let errno = error.raw_os_error().unwrap_or(libc::EIO);
            Error::new("careless", path, ErrorKind::Os(errno))
        })?);
        let shm = SharedMemory::open(scene.name())?;
        drop(ManuallyDrop::into_inner(file));
        Ok(Some(shm))
    });

fn make(path: &str) -> io::Result<fs::File> {
    let file = fs::File::create_new(path)?;
    file.set_permissions(fs::Permissions::from_mode(MODE))?;
    file.set_len(SIZE as u64)?;
    Ok(file)
}

fn options() -> Options {
    SharedMemory::options().mode(Mode::new(MODE).expect("nine bits"))
}

impl<'a> Scene<'a> {
    pub(super) fn prepare(place: &'a Place, operation: &Operation) -> Self {
        let create = || {
            let shm = options().create(place.name.as_str(), SIZE).expect("the name is free");
            shm.fill(0, SIZE, 1).expect("new memory");
            shm
        };
        let shm = (operation.before != Nothing).then(create);
        let fd = (operation.before == Descriptor)
            .then(|| shm.as_ref()?.fd()?.try_clone_to_owned().ok())
            .flatten();
        let keeps = matches!(operation.before, Handle | Descriptor);
        Self { place, shm: shm.filter(|_| keeps), fd }
    }

    fn name(&self) -> &str {
        self.place.name.as_str()
    }

    fn resize(&mut self, size: usize) -> Result<Option<SharedMemory>> {
        self.shm.as_mut().map_or(Ok(()), |shm| shm.resize(size)).map(|()| None)
    }

    fn on_handle(
        &mut self,
        act: impl FnOnce(&SharedMemory) -> Result<()>,
    ) -> Result<Option<SharedMemory>> {
        self.shm.as_ref().map_or(Ok(()), act).map(|()| None)
    }
}
