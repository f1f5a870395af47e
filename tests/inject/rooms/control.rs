// SPDX-License-Identifier: MIT OR Apache-2.0
//! The controls: a room that must pass, and one whose every carelessness must be caught.
#![allow(unsafe_code, reason = "what is careless here has no safe form")]

use std::fs::{self, File};
use std::mem::{ManuallyDrop, MaybeUninit};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::ptr;

use unipc::{Error, ErrorKind, SharedMemory};

use super::{ANY, Case, Room};

const SIZE: usize = 4096;

pub(super) const CAREFUL: Room = Room {
    name: "control",
    cases: &[
        Case::new("open by name", |yard| {
            let name = yard.posix("object");
            let object = SharedMemory::create(&name, SIZE).expect("the name is free");
            yard.at_end(move || object.remove().expect("it is there"));
            Box::new(move || SharedMemory::open(&name).map(drop))
        })
        // The size, for which there is another call.
        .forgives(&[(libc::SYS_lseek, ANY)]),
        Case::new("create by key", |yard| {
            let (name, same) = (yard.key(1), yard.key(1));
            yard.check(move |result| {
                let there = SharedMemory::unlink(&same).is_ok();
                (result.is_ok() != there).then(|| format!("{result:?}, and there: {there}"))
            });
            yard.at_end({
                let name = name.clone();
                move || drop(SharedMemory::unlink(&name))
            });
            Box::new(move || SharedMemory::create(&name, SIZE).map(drop))
        }),
    ],
    forgives: &[],
    translates: &[],
    impossible: &[],
};

/// How each is to be caught.
pub(crate) const CAUGHT: &[&str] = &[
    "nobody was told",
    "the error is careless(",
    "failure has left /dev/shm",
    "still held: ",
    "still held: ID:",
    "left behind: System V sem",
    "left behind: System V sem 0x0",
    "(mkdir) fails with",
    "a thread spins",
    "after the failure: ",
];

pub(super) const CARELESS: Room = Room {
    name: "careless",
    cases: &[
        // On failure the descriptor and the file stay; the second time the file is in the way.
        Case::new("file", |yard| {
            let path = yard.path("file");
            Box::new(move || {
                let file =
                    ManuallyDrop::new(File::create_new(&path).map_err(|e| error(&path, &e))?);
                file.set_permissions(mode()).map_err(|e| error(&path, &e))?;
                drop(ManuallyDrop::into_inner(file));
                fs::remove_file(&path).map_err(|e| error(&path, &e))
            })
        }),
        // A failure is hidden, and another one has no object.
        Case::new("errors", |yard| {
            let path = yard.path("file");
            let file = File::create(&path).expect("a file");
            yard.at_end(move || fs::remove_file(path).expect("it is there"));
            Box::new(move || {
                let _ = file.set_len(1);
                file.set_permissions(mode()).map_err(|e| error(Path::new(""), &e))
            })
        }),
        // Even success leaves something.
        Case::new("timer", |_| {
            Box::new(|| {
                let mut timer = MaybeUninit::<libc::timer_t>::uninit();
                let clock = libc::CLOCK_MONOTONIC;
                // SAFETY: makes a timer without settings; its identifier is written to the local.
                unsafe { libc::timer_create(clock, ptr::null_mut(), timer.as_mut_ptr()) };
                Ok(())
            })
        }),
        Case::new("semaphore", |yard| {
            let key = yard.raw_key(1);
            Box::new(move || {
                // SAFETY: makes a set; it has no pointers.
                unsafe { libc::semget(key, 1, libc::IPC_CREAT | 0o600) };
                Ok(())
            })
        }),
        Case::new("private semaphore", |_| {
            Box::new(|| {
                // SAFETY: makes a set; it has no pointers.
                unsafe { libc::semget(libc::IPC_PRIVATE, 1, 0o600) };
                Ok(())
            })
        }),
        // Nobody hears of what fails in a thread.
        Case::new("thread", |yard| {
            let path = yard.path("directory");
            Box::new(move || {
                let path = path.clone();
                let thread = std::thread::spawn(move || fs::create_dir(path));
                drop(thread.join().expect("it does not panic"));
                Ok(())
            })
        })
        .in_helper()
        // The standard library ends a program when a thread gets no stack for its signal handlers.
        .impossible(&[(libc::SYS_mmap, ANY)]),
        // It tries for ever what fails for ever.
        Case::new("spinning thread", |yard| {
            let path = yard.path("directory");
            Box::new(move || {
                let path = path.clone();
                let thread = std::thread::spawn(move || while fs::create_dir(&path).is_err() {});
                thread.join().expect("it does not panic");
                Ok(())
            })
        })
        .in_helper()
        .without(&[(libc::SYS_mkdir, libc::EINTR)]),
    ],
    forgives: &[],
    translates: &[],
    impossible: &[],
};

fn mode() -> fs::Permissions {
    fs::Permissions::from_mode(0o600)
}

fn error(path: &Path, error: &std::io::Error) -> Error {
    let errno = error.raw_os_error().unwrap_or(libc::EIO);
    Error::new("careless", path.display(), ErrorKind::Os(errno))
}
