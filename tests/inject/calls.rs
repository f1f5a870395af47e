// SPDX-License-Identifier: MIT OR Apache-2.0
//! The system calls that the library makes, and the errors that each may give.
//!
//! A family of calls is a table of its own. A row is `SYS_name: ERROR ERROR ...;`, without an error for calls that
//! must not be left out: a `close` that is not made is a leak of the test's own making.

/// A system call: its number, its name, and the errors to inject.
pub(super) struct Call(pub(super) i64, pub(super) &'static str, pub(super) &'static [i32]);

macro_rules! calls {
    ($($number:ident: $($errno:ident)*;)*) => {
        &[$(super::Call(
            libc::$number,
            stringify!($number).split_at(4).1,
            &[$(libc::$errno),*],
        )),*]
    };
}

mod files;
mod memory;
mod objects;
mod processes;
mod sockets;

const FAMILIES: [&[Call]; 5] =
    [files::CALLS, memory::CALLS, objects::CALLS, processes::CALLS, sockets::CALLS];

const ALLOCATION: Call = Call(libc::SYS_mmap, "mmap", &[]);

const IS_OPEN: Call = Call(libc::SYS_fcntl, "fcntl", &[]);

const ASKED_ACTION: Call = Call(libc::SYS_rt_sigaction, "rt_sigaction", &[]);

/// The kernel cannot refuse to wake; the C library and the standard library have no second try, and whoever sleeps on one of their
/// locks sleeps on.
const WAKE: Call = Call(libc::SYS_futex, "futex", &[]);

const RECORD_LOCKS: [i32; 6] = [
    libc::F_GETLK,
    libc::F_SETLK,
    libc::F_SETLKW,
    libc::F_OFD_GETLK,
    libc::F_OFD_SETLK,
    libc::F_OFD_SETLKW,
];

/// `fcntl` where it locks.
const RECORD_LOCK: Call = Call(
    libc::SYS_fcntl,
    "fcntl",
    &[libc::EAGAIN, libc::EDEADLK, libc::EINTR, libc::EINVAL, libc::ENOLCK],
);

/// The call with this number; `None` is a gap in the tables.
pub(super) fn known(number: i64, arguments: &[u64; 6]) -> Option<&'static Call> {
    // When the memory allocator gets nothing a Rust program ends, whatever the library does.
    let private = u64::from((libc::MAP_PRIVATE | libc::MAP_ANONYMOUS).cast_unsigned());
    if number == libc::SYS_mmap && arguments[3] == private {
        return Some(&ALLOCATION);
    }
    // What is done at a signal can be asked of each that there is.
    if number == libc::SYS_rt_sigaction && arguments[1] == 0 {
        return Some(&ASKED_ACTION);
    }
    let operation = i32::try_from(arguments[1]).map(|which| which & libc::FUTEX_CMD_MASK);
    if number == libc::SYS_futex && operation == Ok(libc::FUTEX_WAKE) {
        return Some(&WAKE);
    }
    if number == libc::SYS_fcntl {
        match i32::try_from(arguments[1]) {
            Ok(command) if RECORD_LOCKS.contains(&command) => return Some(&RECORD_LOCK),
            // Debug builds of the standard library ask this before each close.
            Ok(libc::F_GETFD) => return Some(&IS_OPEN),
            _ => {}
        }
    }
    FAMILIES.iter().copied().flatten().find(|call| call.0 == number)
}

/// The call's name, for people.
pub(super) fn name(number: i64) -> &'static str {
    FAMILIES.iter().copied().flatten().find(|call| call.0 == number).map_or("?", |call| call.1)
}
