// SPDX-License-Identifier: MIT OR Apache-2.0
//! Getting shared memory: create, open, open-or-create, from a descriptor; and removing it by name.
#![allow(
    clippy::too_many_arguments,
    clippy::fn_params_excessive_bools,
    clippy::struct_excessive_bools,
    reason = "keyword arguments in Python, each an independent switch"
)]

use std::os::fd::RawFd;
use std::sync::{Mutex, PoisonError};

use pyo3::exceptions::PyTypeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple, PyType};
use unipc::shm::{Options, Seals};
use unipc::{Error, ErrorKind, Mode, Name};

use super::SharedMemory;
use crate::buffer::duplicate;
use crate::error::raise;
use crate::name::NameArgument;

/// Carries what was opened from the class methods to `__new__` of the class that they were called on.
#[pyclass(frozen, module = "unipc._native")]
pub(crate) struct Opened(Mutex<Option<SharedMemory>>);

/// Where a handle came from, and so how another process can get one.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    Name,
    Descriptor,
}

/// The keyword arguments with which `open` and `from_fd` get the same view of the object again.
#[derive(Clone, Copy, Default, IntoPyObject)]
pub(crate) struct Reopen {
    size: Option<usize>,
    offset: u64,
    read_only: bool,
    private: bool,
    slack: bool,
    populate: bool,
    guard_pages: bool,
    executable: bool,
    locked: bool,
    own_only: bool,
    allow_removed: bool,
}

impl Reopen {
    /// All of the object, as large as it is.
    pub(super) fn whole(self) -> Self {
        Self { size: None, ..self }
    }

    fn options(self) -> Options {
        let options = Options::new()
            .offset(self.offset)
            .read_only(self.read_only)
            .private(self.private)
            .slack(self.slack)
            .populate(self.populate)
            .guard_pages(self.guard_pages)
            .executable(self.executable)
            .locked(self.locked)
            .own_only(self.own_only)
            .allow_removed(self.allow_removed);
        match self.size {
            Some(size) => options.size(size),
            None => options,
        }
    }
}

/// The seals with these bits.
pub(super) fn seals(bits: i32) -> PyResult<Seals> {
    Seals::from_bits(bits).ok_or_else(|| {
        let why = ErrorKind::InvalidArgument("not all bits are among unipc.Seals".into());
        raise(Error::new("seals", format_args!("{bits:#x}"), why))
    })
}

/// Opens detached from the interpreter, and makes an object of the class that was asked.
fn open<'py>(
    class: &Bound<'py, PyType>,
    source: Source,
    reopen: Reopen,
    work: impl FnOnce() -> unipc::Result<unipc::SharedMemory> + Send,
) -> PyResult<Bound<'py, PyAny>> {
    let shm = class.py().detach(work).map_err(raise)?;
    object(class, SharedMemory::new(shm, source, reopen))
}

/// As [`open`], for what is over before another thread could have been let in.
fn open_at_once<'py>(
    class: &Bound<'py, PyType>,
    reopen: Reopen,
    work: impl FnOnce() -> unipc::Result<unipc::SharedMemory>,
) -> PyResult<Bound<'py, PyAny>> {
    object(class, SharedMemory::new(work().map_err(raise)?, Source::Name, reopen))
}

fn object<'py>(class: &Bound<'py, PyType>, shm: SharedMemory) -> PyResult<Bound<'py, PyAny>> {
    let py = class.py();
    if class.is(py.get_type::<SharedMemory>()) {
        return Ok(Bound::new(py, shm)?.into_any());
    }
    let opened = Opened(Mutex::new(Some(shm)));
    class.call_method1(intern!(py, "__new__"), (class, opened))
}

/// What both ways of creating have in common.
fn creating(
    reopen: Reopen,
    mode: u32,
    huge_pages: Option<usize>,
    seals: Option<i32>,
) -> PyResult<Options> {
    let mut options = reopen.options().mode(Mode::new(mode).map_err(raise)?);
    if let Some(size) = huge_pages {
        options = options.huge_pages(size);
    }
    if let Some(bits) = seals {
        options = options.seals(self::seals(bits)?);
    }
    Ok(options)
}

#[pymethods]
impl SharedMemory {
    #[new]
    #[pyo3(signature = (*arguments, **keywords))]
    fn __new__(
        arguments: &Bound<'_, PyTuple>,
        keywords: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        let opened = match (arguments.get_item(0), keywords) {
            (Ok(first), None) => first.cast_into::<Opened>().ok(),
            _ => None,
        };
        opened
            .and_then(|opened| opened.get().0.lock().unwrap_or_else(PoisonError::into_inner).take())
            .ok_or_else(|| {
                PyTypeError::new_err(
                    "use SharedMemory.create(name, size), open(name), open_or_create(name, size) or from_fd(fd)",
                )
            })
    }

    /// Creates the object `name` with `size` bytes, all zero, and maps it for reading and writing.
    ///
    /// The memory is taken at once. The object appears under its name only when it is complete.
    ///
    /// - `mode`: the permission bits, exact whatever the umask.
    /// - `replace`: remove an object that has the name, then create; others keep the old one.
    /// - `remove_on_close`: remove the object when this handle is closed (not in a child of fork).
    /// - `offset`: begin the mapping at this byte of the object.
    /// - `private`: copy-on-write; what is written stays with this mapping. Not for System V and `anon:`.
    /// - `slack`: let `size` reach to the end of the file's last page; the file never gets those bytes.
    /// - `populate`: fault in every page now (Linux 5.14). `locked`: lock the mapping in memory, see `lock`.
    /// - `guard_pages`: an inaccessible page before and after, so that an overrun is SIGSEGV at once.
    /// - `executable`: allow execution.
    /// - `huge_pages`: for System V, memfd and anonymous memory, the size of the pages in bytes.
    /// - `seals`: for a memfd; `Seals.SHRINK` unless given.
    ///
    /// Raises `OSError`: `EEXIST` (`FileExistsError`) when the name is taken, `ENOSPC` or `ENOMEM` when there is no memory,
    /// `EACCES`, `EINVAL` for size 0 or a name that cannot be created. See
    /// `shm_open(3)`, `shmget(2)`, `memfd_create(2)`.
    ///
    /// >>> import os, unipc
    /// >>> name = f"/create-{os.getpid()}"
    /// >>> with unipc.SharedMemory.create(name, 4096, remove_on_close=True) as shm:
    /// ...     len(shm)
    /// 4096
    #[classmethod]
    #[pyo3(signature = (
        name, size, *, mode = 0o600, replace = false, remove_on_close = false, offset = 0, private = false,
        slack = false, populate = false, locked = false, guard_pages = false, executable = false,
        huge_pages = None, seals = None,
    ))]
    fn create<'py>(
        cls: &Bound<'py, PyType>,
        name: NameArgument,
        size: usize,
        mode: u32,
        replace: bool,
        remove_on_close: bool,
        offset: u64,
        private: bool,
        slack: bool,
        populate: bool,
        locked: bool,
        guard_pages: bool,
        executable: bool,
        huge_pages: Option<usize>,
        seals: Option<i32>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let reopen = Reopen {
            offset,
            private,
            slack,
            populate,
            guard_pages,
            executable,
            locked,
            ..Reopen::default()
        };
        let options = creating(reopen, mode, huge_pages, seals)?
            .replace(replace)
            .remove_on_drop(remove_on_close);
        open(cls, Source::Name, reopen, move || options.create(name.0, size))
    }

    /// Opens the object `name` as large as it is, for reading and writing.
    ///
    /// - `size`: map this many bytes, cut at the end of the object. None: all from `offset` on. A System V segment that is
    ///   opened by its key need not be asked for its size then.
    /// - `offset`: begin at this byte; it need not be on a page boundary.
    /// - `read_only`: map for reading only; needs no write permission.
    /// - `own_only`: refuse an object that belongs to neither this user nor root (`EPERM`).
    /// - `allow_removed`: open a System V segment by identifier even when it is marked for removal.
    /// - the others: as in `create`.
    ///
    /// Raises `OSError`: `ENOENT` (`FileNotFoundError`), `EACCES` (`PermissionError`), `ENODATA` when the object is empty,
    /// `EIDRM` (`RemovedError`) for a segment that is marked for removal, `EOPNOTSUPP` for `memfd:` and `anon:`, which have
    /// no name that could be opened. See `shm_open(3)`, `shmat(2)`, `mmap(2)`.
    ///
    /// >>> import unipc
    /// >>> with unipc.SharedMemory.open("file:/etc/passwd", read_only=True) as shm:
    /// ...     shm.compare(0, b"zzz")
    /// -1
    #[classmethod]
    #[pyo3(name = "open", signature = (
        name, *, size = None, offset = 0, read_only = false, private = false, slack = false, populate = false,
        locked = false, guard_pages = false, executable = false, own_only = false, allow_removed = false,
        remove_on_close = false,
    ))]
    fn open_existing<'py>(
        cls: &Bound<'py, PyType>,
        name: NameArgument,
        size: Option<usize>,
        offset: u64,
        read_only: bool,
        private: bool,
        slack: bool,
        populate: bool,
        locked: bool,
        guard_pages: bool,
        executable: bool,
        own_only: bool,
        allow_removed: bool,
        remove_on_close: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let reopen = Reopen {
            size,
            offset,
            read_only,
            private,
            slack,
            populate,
            guard_pages,
            executable,
            locked,
            own_only,
            allow_removed,
        };
        let options = reopen.options().remove_on_drop(remove_on_close);
        // Neither waits for a disk.
        let in_memory = matches!(name.0, Name::Posix(_) | Name::SystemV(_));
        if in_memory && !populate && !locked {
            return open_at_once(cls, reopen, || options.open(name.0));
        }
        open(cls, Source::Name, reopen, move || options.open(name.0))
    }

    /// Opens the object, or creates it with `size` bytes when there is none; never truncates what is there. Of a larger
    /// object the first `size` bytes are mapped.
    ///
    /// The arguments are those of `create` and `open`; `mode`, `huge_pages` and `seals` matter only when it creates.
    ///
    /// Raises `OSError` as both do; `EINVAL` when the object exists and is smaller than `size`.
    ///
    /// >>> import os, unipc
    /// >>> name = f"/either-{os.getpid()}"
    /// >>> first = unipc.SharedMemory.open_or_create(name, 100)
    /// >>> second = unipc.SharedMemory.open_or_create(name, 100)
    /// >>> first.store_u32(0, 7); second.load_u32(0)
    /// 7
    /// >>> unipc.SharedMemory.unlink(name)
    #[classmethod]
    #[pyo3(signature = (
        name, size, *, mode = 0o600, own_only = false, remove_on_close = false, offset = 0, private = false,
        slack = false, populate = false, locked = false, guard_pages = false, executable = false,
        huge_pages = None, seals = None,
    ))]
    fn open_or_create<'py>(
        cls: &Bound<'py, PyType>,
        name: NameArgument,
        size: usize,
        mode: u32,
        own_only: bool,
        remove_on_close: bool,
        offset: u64,
        private: bool,
        slack: bool,
        populate: bool,
        locked: bool,
        guard_pages: bool,
        executable: bool,
        huge_pages: Option<usize>,
        seals: Option<i32>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let reopen = Reopen {
            offset,
            private,
            slack,
            populate,
            guard_pages,
            executable,
            locked,
            own_only,
            ..Reopen::default()
        };
        let options = creating(reopen, mode, huge_pages, seals)?.remove_on_drop(remove_on_close);
        let opened = move || options.open_or_create(name.0, size);
        let shm = cls.py().detach(opened).map_err(raise)?;
        // The object may be larger.
        let reopen = Reopen { size: Some(shm.len()), ..reopen };
        object(cls, SharedMemory::new(shm, Source::Name, reopen))
    }

    /// Maps what a descriptor refers to: a memfd that was received, an open file.
    ///
    /// `fd` is a number or an object with `fileno()`. It is duplicated; the caller still owns the original.
    ///
    /// - `require_seals`: refuse it (`EPERM`) unless it is sealed against all of these.
    /// - the others: as in `open`.
    ///
    /// Raises `OSError`: `EBADF`, `EMEDIUMTYPE` for anything but a regular file, `EACCES` when it was not opened for reading
    /// (and writing, unless `read_only` or `private`), `ENODATA` when it is empty.
    ///
    /// >>> import unipc
    /// >>> from unipc import Seals, SharedMemory
    /// >>> with SharedMemory.create("memfd:passed", 4096) as ours:
    /// ...     with SharedMemory.from_fd(ours.fileno(), require_seals=Seals.SHRINK) as theirs:
    /// ...         ours.store_u32(0, 7)
    /// ...         theirs.load_u32(0)
    /// 7
    #[classmethod]
    #[pyo3(signature = (
        fd, *, size = None, offset = 0, read_only = false, private = false, slack = false, populate = false,
        locked = false, guard_pages = false, executable = false, own_only = false, require_seals = 0,
    ))]
    fn from_fd<'py>(
        cls: &Bound<'py, PyType>,
        fd: &Bound<'py, PyAny>,
        size: Option<usize>,
        offset: u64,
        read_only: bool,
        private: bool,
        slack: bool,
        populate: bool,
        locked: bool,
        guard_pages: bool,
        executable: bool,
        own_only: bool,
        require_seals: i32,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = cls.py();
        let number: RawFd = match fd.getattr_opt(intern!(py, "fileno"))? {
            Some(fileno) => fileno.call0()?.extract()?,
            None => fd.extract()?,
        };
        let fd = duplicate(number)?;
        let reopen = Reopen {
            size,
            offset,
            read_only,
            private,
            slack,
            populate,
            guard_pages,
            executable,
            locked,
            own_only,
            allow_removed: false,
        };
        let options = reopen.options().require_seals(seals(require_seals)?);
        open(cls, Source::Descriptor, reopen, move || options.from_fd(fd))
    }

    /// Removes the object of this name. Whoever has it open keeps it.
    ///
    /// Raises `OSError`: `ENOENT` (`EINVAL` for a System V identifier) when there is none, `EACCES` or `EPERM` when it is
    /// somebody else's, `EOPNOTSUPP` for `memfd:` and `anon:`. See
    /// `shm_unlink(3)`, `shmctl(2)`, `unlink(2)`.
    #[staticmethod]
    #[allow(clippy::needless_pass_by_value, reason = "what pyo3 extracts is ours")]
    fn unlink(py: Python<'_>, name: NameArgument) -> PyResult<()> {
        py.detach(|| unipc::SharedMemory::unlink(&name.0)).map_err(raise)
    }
}
