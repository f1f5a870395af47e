// SPDX-License-Identifier: MIT OR Apache-2.0
//! Records: making arrays, cells and directories, finding them, changing what is in them.

use unipc::record::{Array, Cell, Directory, Layout};
use unipc::{Error, ErrorKind, Result, SharedMemory, Timeout};

use super::{ANY, Act, Case, MADE, MADE_OR_THERE, Room, Yard};

const SIZE: usize = 64 << 10;
const COUNT: usize = 10;

pub(super) const ROOM: Room = Room {
    name: "record",
    cases: &[
        Case::new("create an array", |yard| named(yard, array_new)).forgives(MADE),
        Case::new("create a cell", |yard| named(yard, cell_new)).singly().forgives(MADE),
        Case::new("create a directory", |yard| named(yard, directory_new)).singly().forgives(MADE),
        Case::new("open_or_create an array, new", |yard| {
            named(yard, |name| Array::open_or_create(name, &people(), COUNT).map(drop))
        })
        .singly()
        .forgives(MADE_OR_THERE)
        .may_leave(),
        Case::new("open_or_create a cell, old", |yard| {
            let name = existing(yard, cell_new);
            Box::new(move || Cell::open_or_create(name.as_str(), &people()).map(drop))
        })
        .singly()
        .forgives(MADE_OR_THERE),
        Case::new("open_or_create a directory, old", |yard| {
            let name = existing(yard, directory_new);
            Box::new(move || Directory::open_or_create(name.as_str(), SIZE).map(drop))
        })
        .singly()
        .forgives(MADE_OR_THERE),
        Case::new("open an array", |yard| {
            let name = existing(yard, array_new);
            Box::new(move || Array::open(name.as_str(), Some(&people())).map(drop))
        }),
        Case::new("open a cell", |yard| {
            let name = existing(yard, cell_new);
            Box::new(move || Cell::open(name.as_str(), None).map(drop))
        })
        .singly(),
        Case::new("open a directory", |yard| {
            let name = existing(yard, directory_new);
            Box::new(move || Directory::open(name.as_str()).map(drop))
        })
        .singly(),
        Case::new("an array from a descriptor", |_| {
            let made = Array::create("memfd:array", &people(), COUNT).expect("memory");
            Box::new(move || {
                let fd = made.fd().expect("a memfd").try_clone_to_owned().map_err(|error| {
                    let errno = error.raw_os_error().unwrap_or(libc::EIO);
                    Error::new("dup", "the array", ErrorKind::Os(errno))
                })?;
                Array::from_fd(fd, None).map(drop)
            })
        })
        .singly()
        // A memfd whose seals are not known is one that may shrink.
        .forgives(&[(libc::SYS_fcntl, ANY)]),
        Case::new("unlink", |yard| {
            let name = existing(yard, array_new);
            Box::new(move || Array::unlink(name.as_str()))
        }),
        Case::new("create each kind in memory", |_| {
            let memory = SharedMemory::create("anon:", SIZE).expect("memory");
            Box::new(move || {
                // What a failure has left half-made is zeros again.
                memory.fill(0, SIZE, 0)?;
                Array::create((&memory, 0), &people(), COUNT)?;
                Cell::create((&memory, 4096), &people())?;
                Directory::create((&memory, 8192), SIZE - 8192).map(drop)
            })
        }),
        Case::new("cell: write, read", |yard| {
            let name = existing(yard, cell_new);
            let cell = Cell::open(name.as_str(), None).expect("it is there");
            Box::new(move || {
                cell.write(b"ann\0\x15\0\0\0", Timeout::Forever)?;
                let mut bytes = [0; 8];
                cell.read(&mut bytes)?;
                assert_eq!(&bytes, b"ann\0\x15\0\0\0", "a whole value");
                Ok(())
            })
        }),
        Case::new("directory: place, find, list, remove", |yard| {
            let name = existing(yard, directory_new);
            let directory = Directory::open(name.as_str()).expect("it is there");
            Box::new(move || {
                let (place, _) = directory.find_or_place("frames", 4096)?;
                assert_eq!(directory.find("frames")?.offset(), place.offset(), "where it lies");
                assert_eq!(directory.list()?.len(), 1, "and nothing else");
                directory.remove("frames")
            })
        }),
    ],
    forgives: &[
        // A wait that ended early looks again.
        (libc::SYS_futex, libc::EAGAIN),
        // Who this is, from /proc. Who cannot be told is taken for alive.
        (libc::SYS_openat, ANY),
        (libc::SYS_read, ANY),
        (libc::SYS_readlink, ANY),
        (libc::SYS_statx, ANY),
        (libc::SYS_tgkill, ANY),
        // The size, for which there is another call.
        (libc::SYS_lseek, ANY),
    ],
    // posix_fallocate of the C library, where the file system cannot allocate.
    translates: &[(libc::SYS_fcntl, ANY, libc::EBADF), (libc::SYS_newfstatat, ANY, libc::EBADF)],
    // The handler of SIGBUS; and a thread that is alive is there.
    impossible: &[(libc::SYS_rt_sigaction, libc::EINVAL), (libc::SYS_tgkill, libc::ESRCH)],
};

fn people() -> Layout {
    Layout::parse("T{4s:name:i:age:}").expect("a layout")
}

fn array_new(name: &str) -> Result<()> {
    Array::create(name, &people(), COUNT).map(drop)
}

fn cell_new(name: &str) -> Result<()> {
    Cell::create(name, &people()).map(drop)
}

fn directory_new(name: &str) -> Result<()> {
    Directory::create(name, SIZE).map(drop)
}

/// A creation: whatever has the name is whole. (That a failure leaves nothing, unless it may, is seen by all cases.)
fn named(yard: &mut Yard, create: fn(&str) -> Result<()>) -> Act {
    let (name, same, end) = (yard.posix("record"), yard.posix("record"), yard.posix("record"));
    yard.check(move |result| {
        let there = Array::open(same.as_str(), None)
            .map(drop)
            .or_else(|_| Cell::open(same.as_str(), None).map(drop))
            .or_else(|_| Directory::open(same.as_str()).map(drop));
        let whole = match (result, &there) {
            (Ok(()), there) => there.is_ok(),
            (Err(_), there) => there.as_ref().err().is_none_or(|why| why.errno() == libc::ENOENT),
        };
        (!whole).then(|| format!("{result:?}, and there: {there:?}"))
    });
    yard.at_end(move || drop(SharedMemory::unlink(end.as_str())));
    Box::new(move || create(&name))
}

fn existing(yard: &mut Yard, create: fn(&str) -> Result<()>) -> String {
    let (name, end) = (yard.posix("record"), yard.posix("record"));
    create(&name).expect("the name is free");
    yard.at_end(move || drop(SharedMemory::unlink(end.as_str())));
    name
}
