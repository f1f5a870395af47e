// SPDX-License-Identifier: MIT OR Apache-2.0
//! Getting a handle, asking it what it is, and giving it back.

use std::ffi::{c_char, c_int, c_uint};
use std::os::fd::{AsFd, AsRawFd};

use unipc_core::lock::{FileLock, Kind, Options};
use unipc_core::{Mode, Result};

use super::boundary::Caller;
use super::{unipc_lock, unipc_lock_flag, unipc_lock_kind as kind, unipc_lock_opts};

/// Opens a file for locking, or creates it, empty, when there is none. What is in it stays.
///
/// out:   where the handle goes; NULL on failure. Close it with unipc_lock_close().
/// name:  "file:PATH"
/// flags: 0
/// opts:  NULL for the defaults: OFD locks, mode 0600
///
/// A symbolic link is not followed. The file is never removed, neither by closing nor otherwise: one
/// who waits for the old file and one who made a new one of its name would both get "the" lock.
///
/// Example:
///
///     unipc_lock *lock;
///     struct timespec second = {1, 0};
///     if (unipc_lock_open_or_create(&lock, "file:/run/demo.lock", 0, NULL) < 0 ||
///         unipc_lock_acquire(lock, UNIPC_LOCK_EXCLUSIVE, 0, 0, &second) < 0) {
///         fprintf(stderr, "%s\n", unipc_last_error());
///         return 1;
///     }
///     puts("nobody else has it now");
///     unipc_lock_close(lock);
///
/// Returns 0.
/// Errors:
///   -EACCES       its mode or the directory does not let this user in
///   -EMEDIUMTYPE  a symbolic link, directory, FIFO, socket or device lies under the name
///   -EOPNOTSUPP   the name is not that of a file
///   -EINVAL       no name, unknown flags, kind or mode; out or name is NULL
///   -ENOSPC, -EROFS  it cannot be created
///   -EBUSY        others create and remove the name all the time
///   -E2BIG        opts uses fields that this version of the library does not know
///   and what open(2) gives besides
/// Since 0.1.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_lock_open_or_create(
    out: *mut *mut unipc_lock,
    name: *const c_char,
    flags: c_uint,
    opts: *const unipc_lock_opts,
) -> c_int {
    // SAFETY: the header asks for a place for the handle, a string, and options that know their size.
    let caller = unsafe { Caller::trusted("open_or_create") };
    caller.construct(out, || {
        let options = options(&caller, flags, 0, opts)?;
        options.open_or_create(caller.name(name)?).map(unipc_lock::new)
    })
}

/// Creates a file for locking, which must not exist. It appears with its mode already set.
///
/// The arguments are those of unipc_lock_open_or_create().
///
/// Returns 0.
/// Errors: as unipc_lock_open_or_create(), and
///   -EEXIST  something has the name, be it a symbolic link
/// Since 0.1.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_lock_create(
    out: *mut *mut unipc_lock,
    name: *const c_char,
    flags: c_uint,
    opts: *const unipc_lock_opts,
) -> c_int {
    // SAFETY: the header asks for a place for the handle, a string, and options that know their size.
    let caller = unsafe { Caller::trusted("create") };
    caller.construct(out, || {
        let options = options(&caller, flags, 0, opts)?;
        options.create(caller.name(name)?).map(unipc_lock::new)
    })
}

/// Opens an existing file for locking.
///
/// flags: UNIPC_LOCK_READ_ONLY, or 0
/// The other arguments are those of unipc_lock_open_or_create().
///
/// Returns 0.
/// Errors: as unipc_lock_open_or_create(), and
///   -ENOENT  there is none
/// Since 0.1.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_lock_open(
    out: *mut *mut unipc_lock,
    name: *const c_char,
    flags: c_uint,
    opts: *const unipc_lock_opts,
) -> c_int {
    // SAFETY: the header asks for a place for the handle, a string, and options that know their size.
    let caller = unsafe { Caller::trusted("open") };
    caller.construct(out, || {
        let read_only = unipc_lock_flag::UNIPC_LOCK_READ_ONLY as c_uint;
        let options = options(&caller, flags, read_only, opts)?;
        options.open(caller.name(name)?).map(unipc_lock::new)
    })
}

/// Takes locks on a file that is open already.
///
/// out:   where the handle goes; NULL on failure. Close it with unipc_lock_close().
/// fd:    a descriptor, which is duplicated; the caller still owns the original
/// flags: 0
/// opts:  NULL for the defaults; mode is not used
///
/// OFD locks and flock belong to the open file, so to the original descriptor too. With
/// UNIPC_LOCK_POSIX, closing the handle ends all locks that this process has on the file.
///
/// Returns 0.
/// Errors:
///   -EBADF   not an open descriptor, or one that only names a path (O_PATH)
///   -EMFILE  no descriptor is free
///   -EINVAL  unknown flags or kind; out is NULL
///   -E2BIG   opts uses fields that this version of the library does not know
/// Since 0.1.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_lock_from_fd(
    out: *mut *mut unipc_lock,
    fd: c_int,
    flags: c_uint,
    opts: *const unipc_lock_opts,
) -> c_int {
    // SAFETY: the header asks for a place for the handle, and options that know their size.
    let caller = unsafe { Caller::trusted("from_fd") };
    caller.construct(out, || {
        let options = options(&caller, flags, 0, opts)?;
        options.from_fd(caller.duplicate(fd)?).map(unipc_lock::new)
    })
}

/// The name of the file; of a descriptor what the kernel calls it.
///
/// lock: a handle
///
/// Returns a string that lives as long as the handle, NULL if lock is NULL. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_lock_name(lock: *const unipc_lock) -> *const c_char {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("name") };
    caller.guard(|| Ok(caller.handle(lock)?.name.as_ptr()))
}

/// Which kind of locks the handle takes.
///
/// lock: a handle
///
/// Returns a UNIPC_LOCK_ kind, -EINVAL if lock is NULL. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_lock_kind_of(lock: *const unipc_lock) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("kind_of") };
    caller.guard(|| Ok(caller.handle(lock)?.lock.kind() as c_int))
}

/// The descriptor of the file: close-on-exec, valid until the handle is closed, not to be closed.
///
/// lock: a handle
///
/// Returns the descriptor, -EINVAL if lock is NULL. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_lock_fd(lock: *const unipc_lock) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("fd") };
    caller.guard(|| Ok(caller.handle(lock)?.lock.as_fd().as_raw_fd()))
}

/// Closes the file, which ends its locks; the file stays. With UNIPC_LOCK_POSIX all locks end that this
/// process has on the file, by whatever handle.
///
/// lock: a handle that is not used again; NULL is nothing
///
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_lock_close(lock: *mut unipc_lock) {
    // SAFETY: the header asks for a handle that is given up here.
    let caller = unsafe { Caller::trusted("close") };
    caller.destroy(lock);
}

fn options(
    caller: &Caller,
    flags: c_uint,
    known: c_uint,
    opts: *const unipc_lock_opts,
) -> Result<Options> {
    let read_only = caller.flags(flags, known)?;
    let opts = caller.options(opts)?;
    let mut options = FileLock::options()
        .read_only(read_only.has(unipc_lock_flag::UNIPC_LOCK_READ_ONLY as c_uint));
    if opts.kind != 0 {
        options = options.kind(self::kind(caller, opts.kind)?);
    }
    if opts.mode != 0 {
        options = options.mode(Mode::new(opts.mode)?);
    }
    Ok(options)
}

fn kind(caller: &Caller, number: u32) -> Result<Kind> {
    [
        (kind::UNIPC_LOCK_OFD, Kind::Ofd),
        (kind::UNIPC_LOCK_POSIX, Kind::Posix),
        (kind::UNIPC_LOCK_FLOCK, Kind::Flock),
    ]
    .into_iter()
    .find_map(|(known, kind)| (known as u32 == number).then_some(kind))
    .ok_or_else(|| caller.invalid("opts.kind", format!("{number} is no kind of lock")))
}
