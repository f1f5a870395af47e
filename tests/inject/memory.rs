// SPDX-License-Identifier: MIT OR Apache-2.0
//! Shared memory: each operation over each backing, with a look at the object afterwards.

use std::fs::File;

use unipc::SharedMemory;

use super::audit::Holdings;
use super::operations::{Operation, SIZE, Scene};
use super::{Always, FINE, Injection, Made, NEAR, Observed, Report, Told, Whose, explore, observe};
use crate::place::{Kind, Place, Seen};
use crate::tracer;

pub(super) fn each_failure(kind: Kind, operation: &Operation) -> Report {
    let place = Place::new(kind);
    // Memfds live in a file system that can allocate, always.
    let possible = |injection: Injection| {
        kind != Kind::Memfd
            || (injection.call, injection.errno) != (libc::SYS_fallocate, libc::EOPNOTSUPP)
    };
    explore(operation.name, NEAR, &possible, &|injections| perform(&place, operation, injections))
}

/// Runs the operation in a child, with these failures besides the one that it always has.
fn perform(
    place: &Place,
    operation: &Operation,
    injections: &[Injection],
) -> Result<Vec<Made>, String> {
    let always = operation.always.map(|(call, errno)| Always { call, errno, each: false });
    let work = |told: &Told| act(place, operation, told);
    let Observed { pid, outcome, .. } = observe(work, Whose::Own, always.as_slice(), injections);
    let strays = place.clear_strays(pid);
    let _ = SharedMemory::unlink(place.name.as_str());
    let made = outcome?;
    // A clean-up that fails may leave something.
    if strays.is_empty() || injections.len() > 1 {
        return Ok(made);
    }
    Err(format!("left behind: {}", strays.join(", ")))
}

/// In the child: the operation between two marks, and what became of it. `fine`, or what is wrong.
fn act(place: &Place, operation: &Operation, told: &Told) -> String {
    let pid = std::process::id().cast_signed();
    // The paths that the audit itself takes the first time must not look like a leak.
    Holdings::now();
    let at_first = Holdings::now();
    let mut scene = Scene::prepare(place, operation);
    let before = place.look();
    tracer::mark(pid);
    let result = (operation.act)(&mut scene);
    tracer::mark(pid);

    let injections = &told.happened()[..];
    let mut wrong = Vec::new();
    match &result {
        Ok(shm) => wrong.extend(shm.as_ref().and_then(|shm| unusable(shm, shm.len()))),
        Err(error) => {
            wrong.extend(unexpected(error, injections));
            wrong.extend(scene.shm.as_ref().and_then(|shm| unusable(shm, SIZE)));
        }
    }
    let succeeded = result.is_ok();
    drop(result);
    drop(scene);
    wrong.extend(Holdings::now().more_than(&at_first));
    if place.kind.is_named() && told.injections.len() < 2 {
        wrong.extend(misplaced(operation, succeeded, before, place.look()));
    }
    if wrong.is_empty() { FINE.to_owned() } else { wrong.join("; ") }
}

/// After success a new handle works; after a failure an old one still does.
fn unusable(shm: &SharedMemory, size: usize) -> Option<String> {
    let behind = shm.fd().map(|fd| File::from(fd.try_clone_to_owned().expect("a descriptor")));
    let behind = behind.map(|file| file.metadata().expect("fstat").len());
    if shm.len() != size || behind.is_some_and(|behind| behind != size as u64) {
        let len = shm.len();
        return Some(format!("the handle has {len} bytes, its file {behind:?}, not {size}"));
    }
    shm.read_at(0, &mut vec![0; size]).err().map(|error| format!("the handle is broken: {error}"))
}

/// The error must be the one that was injected, and say on what it happened.
fn unexpected(error: &unipc::Error, injections: &[Injection]) -> Option<String> {
    let explains = |&Injection { errno, .. }: &Injection| {
        error.errno() == errno || translated(errno) == Some(error.errno())
    };
    let explained = injections.iter().any(explains) && !error.object().is_empty();
    (!explained).then(|| format!("the error is {error}"))
}

/// Success shows under the name, and failure leaves it alone.
fn misplaced(
    operation: &Operation,
    succeeded: bool,
    before: Option<Seen>,
    after: Option<Seen>,
) -> Option<String> {
    let fine = if succeeded {
        after.map(|seen| seen.size) == operation.after
    } else {
        after == before || (operation.may_lose && after.is_none())
    };
    (!fine).then(|| {
        let word = if succeeded { "success" } else { "failure" };
        format!("{word} turned {before:?} into {after:?}")
    })
}

/// What the library makes of an error to which it gives a meaning of its own.
fn translated(errno: i32) -> Option<i32> {
    match errno {
        // From madvise: this kernel has no MADV_POPULATE_WRITE.
        libc::EINVAL => Some(libc::EOPNOTSUPP),
        // From fallocate: then the C library writes zeros, and calls any trouble with that EBADF.
        libc::EOPNOTSUPP => Some(libc::EBADF),
        _ => None,
    }
}
