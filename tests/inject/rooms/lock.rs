// SPDX-License-Identifier: MIT OR Apache-2.0
//! File locks of the three kinds.

use std::rc::Rc;
use std::time::Duration;

use unipc::lock::{FileLock, Kind, Sharing};
use unipc::{Mode, Result, Timeout};

use super::{ANY, Act, Case, Room, Yard};

const SHORT: Timeout = Timeout::After(Duration::from_millis(2));

/// Making a file needs none of the looks that follow its naming, nor the descriptor that they would give.
const MADE: &[(i64, i32)] = &[
    // Without O_TMPFILE there is a temporary name.
    (libc::SYS_openat, libc::EOPNOTSUPP),
    // The file was made; opened again by its name it would look better.
    (libc::SYS_openat, ANY),
    (libc::SYS_newfstatat, ANY),
    // There is another way, through /proc.
    (libc::SYS_linkat, libc::ENOENT),
    // Somebody else was first, so it is opened. Only open_or_create takes that.
    (libc::SYS_linkat, libc::EEXIST),
];

pub(super) const ROOM: Room = Room {
    name: "lock",
    cases: &[
        Case::new("open", |yard| {
            let name = existing(yard);
            Box::new(move || FileLock::open(&name).map(drop))
        }),
        Case::new("open read-only", |yard| {
            let name = existing(yard);
            Box::new(move || FileLock::options().read_only(true).open(&name).map(drop))
        }),
        Case::new("create", |yard| creates(yard, |name| FileLock::create(name))).forgives(MADE),
        Case::new("create, no O_TMPFILE", |yard| creates(yard, |name| FileLock::create(name)))
            .first_fails(&[(libc::SYS_openat, libc::EOPNOTSUPP)])
            // Where renameat2 cannot, a hard link can.
            .forgives(&[
                (libc::SYS_openat, ANY),
                (libc::SYS_newfstatat, ANY),
                (libc::SYS_renameat2, libc::EINVAL),
            ]),
        Case::new("open_or_create new", |yard| {
            creates(yard, |name| FileLock::open_or_create(name))
        })
        .forgives(MADE),
        Case::new("open_or_create old", |yard| {
            let name = existing(yard);
            Box::new(move || FileLock::open_or_create(&name).map(drop))
        })
        // Not there, it seems: it is made, and found to be there.
        .forgives(&[(libc::SYS_openat, libc::ENOENT)]),
        Case::new("from_fd", |yard| {
            let name = existing(yard);
            let file = std::fs::File::open(name.trim_start_matches("file:")).expect("it is there");
            Box::new(move || {
                let copy = file.try_clone().map_err(|error| {
                    let errno = error.raw_os_error().unwrap_or(libc::EIO);
                    unipc::Error::new("try_clone", "the file", unipc::ErrorKind::Os(errno))
                })?;
                FileLock::from_fd(copy.into()).map(drop)
            })
        })
        // Only the name is not known then.
        .forgives(&[(libc::SYS_readlink, ANY)]),
        Case::new("ofd: try", |yard| takes(yard, Kind::Ofd, Timeout::TRY)),
        Case::new("ofd: wait", |yard| takes(yard, Kind::Ofd, Timeout::Forever)),
        Case::new("ofd: wait for a while", |yard| takes(yard, Kind::Ofd, SHORT))
            .forgives(TRIED_AGAIN),
        Case::new("posix: try", |yard| takes(yard, Kind::Posix, Timeout::TRY)),
        Case::new("posix: wait", |yard| takes(yard, Kind::Posix, Timeout::Forever)),
        Case::new("posix: wait for a while", |yard| takes(yard, Kind::Posix, SHORT))
            .forgives(TRIED_AGAIN),
        Case::new("flock: try", |yard| takes(yard, Kind::Flock, Timeout::TRY)),
        Case::new("flock: wait", |yard| takes(yard, Kind::Flock, Timeout::Forever)),
        Case::new("flock: wait for a while", |yard| takes(yard, Kind::Flock, SHORT))
            .forgives(TRIED_AGAIN),
        Case::new("ofd: time over", |yard| runs_out(yard, Kind::Ofd)).forgives(TRIED_AGAIN),
        Case::new("flock: time over", |yard| runs_out(yard, Kind::Flock)).forgives(TRIED_AGAIN),
        Case::new("ofd: convert", |yard| converts(yard, Kind::Ofd)),
        Case::new("flock: convert", |yard| converts(yard, Kind::Flock)),
        Case::new("ofd: holder", |yard| asks(yard, Kind::Ofd)),
        Case::new("posix: holder", |yard| asks(yard, Kind::Posix)),
        Case::new("flock: holder", |yard| asks(yard, Kind::Flock)),
    ],
    forgives: &[],
    translates: &[],
    impossible: &[],
};

/// The try says that it is taken, and the wait that follows gets it at once.
const TRIED_AGAIN: &[(i64, i32)] =
    &[(libc::SYS_fcntl, libc::EAGAIN), (libc::SYS_flock, libc::EAGAIN)];

/// A lock file, which goes with the yard.
fn existing(yard: &mut Yard) -> String {
    let (name, path) = (yard.file("lock"), yard.path("lock"));
    drop(FileLock::create(&name).expect("the name is free"));
    yard.at_end(move || std::fs::remove_file(path).expect("it is there"));
    name
}

/// Two handles on one file.
fn two(yard: &mut Yard, kind: Kind) -> (FileLock, FileLock) {
    let name = existing(yard);
    let open = || FileLock::options().kind(kind).open(&name).expect("it is there");
    (open(), open())
}

fn creates(yard: &mut Yard, create: fn(&str) -> Result<FileLock>) -> Act {
    let (name, path) = (yard.file("new"), yard.path("new"));
    let new = path.clone();
    yard.check(move |result| {
        let mode = std::fs::metadata(&new)
            .map(|status| std::os::unix::fs::PermissionsExt::mode(&status.permissions()) & 0o777);
        let expected = result.is_ok().then_some(Mode::PRIVATE.bits());
        (mode.as_ref().ok() != expected.as_ref()).then(|| format!("the file has the mode {mode:?}"))
    });
    yard.at_end(move || {
        let _ = std::fs::remove_file(path);
    });
    Box::new(move || create(&name).map(drop))
}

/// Locks and unlocks with nobody in the way. After a failure to lock, nothing is.
fn takes(yard: &mut Yard, kind: Kind, timeout: Timeout) -> Act {
    let (lock, other) = two(yard, kind);
    let (lock, other) = (Rc::new(lock), other);
    yard.check(move |result| {
        let free =
            kind == Kind::Posix || other.acquire(.., Sharing::Exclusive, Timeout::TRY).is_ok();
        // A failure to unlock leaves it locked, and says so.
        let unlocking = matches!(result, Err(error) if error.operation() == "unlock");
        let _ = other.release(..);
        (free == unlocking && kind != Kind::Posix).then(|| format!("free: {free} after {result:?}"))
    });
    Box::new(move || {
        lock.acquire(.., Sharing::Exclusive, timeout)?;
        lock.release(..)
    })
}

/// A wait that ends with its time, and leaves neither timer nor signal mask behind.
fn runs_out(yard: &mut Yard, kind: Kind) -> Act {
    let (lock, other) = two(yard, kind);
    other.acquire(.., Sharing::Exclusive, Timeout::TRY).expect("nobody has it");
    Box::new(move || {
        let _keeps = &other;
        match lock.acquire(.., Sharing::Exclusive, SHORT) {
            Err(error) if error.errno() == libc::ETIMEDOUT => Ok(()),
            other => other,
        }
    })
}

fn converts(yard: &mut Yard, kind: Kind) -> Act {
    let (mut lock, _) = two(yard, kind);
    Box::new(move || {
        let mut guard = lock.lock(Sharing::Shared, Timeout::TRY)?;
        guard.convert(Sharing::Exclusive, Timeout::Forever)?;
        guard.release()
    })
}

fn asks(yard: &mut Yard, kind: Kind) -> Act {
    let (lock, other) = two(yard, kind);
    other.acquire(.., Sharing::Shared, Timeout::TRY).expect("nobody has it");
    Box::new(move || {
        let _keeps = &other;
        let found = lock.holder(.., Sharing::Exclusive)?;
        assert_eq!(found.is_some(), kind != Kind::Posix, "who is in the way");
        Ok(())
    })
}
