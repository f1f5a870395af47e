// SPDX-License-Identifier: MIT OR Apache-2.0
//! Getting a handle and giving it back.

use std::ffi::{c_char, c_int, c_uint};

use unipc_core::sem::Options;
use unipc_core::{Result, Semaphore};

use super::super::shm::unipc_shm;
use super::boundary::Caller;
use super::unipc_sem_flag as flag;
use super::{unipc_sem, unipc_sem_opts};

/// Flags that mean something for a set.
pub(super) const OF_SETS: c_uint = flag::UNIPC_SEM_REPLACE as c_uint
    | flag::UNIPC_SEM_REMOVE_ON_CLOSE as c_uint
    | flag::UNIPC_SEM_OWN_ONLY as c_uint;

const KNOWN: c_uint = OF_SETS | IN_MEMORY;

/// Flags that mean something for a semaphore in shared memory.
const IN_MEMORY: c_uint = flag::UNIPC_SEM_BINARY as c_uint | flag::UNIPC_SEM_UNDO as c_uint;

/// Creates a semaphore.
///
/// out:   where the handle goes; NULL on failure. Close it with unipc_sem_close().
/// name:  "/demo": POSIX; "sysv:PATH,PROJ", "sysv:0x1234", "sysv:private": a System V set of one;
///        see unipc/name.h
/// value: how many units it begins with
/// flags: UNIPC_SEM_ flags, or 0
/// opts:  NULL for the defaults
///
/// The semaphore appears under its name only when it is complete: nobody ever sees another value
/// than this one first, even if the creator dies meanwhile. It stays when the handle is closed, until
/// it is unlinked. Using it needs permission to read and to write.
///
/// A holder that dies keeps what he has acquired, and whoever waits for it waits on. Of System V
/// semaphores the kernel gives it back, if UNIPC_SEM_UNDO is set. Nobody knows who holds a POSIX
/// semaphore: what must survive its holder belongs on System V.
///
/// Example:
///
///     unipc_sem *sem;
///     if (unipc_sem_open_or_create(&sem, "sysv:/etc/hosts,7", 1, UNIPC_SEM_UNDO, NULL) < 0 ||
///         unipc_sem_acquire(sem, NULL) < 0) {
///         fprintf(stderr, "%s\n", unipc_last_error());
///         return 1;
///     }
///     puts("one at a time");
///     unipc_sem_release(sem);
///     unipc_sem_close(sem);
///
/// Returns 0.
/// Errors:
///   -EEXIST        the name is taken
///   -EINVAL        no name, unknown flags, contradicting options, a name that cannot be created
///                  (sysv:id=42), a value above SEM_VALUE_MAX (2147483647) or, for System V, SEMVMX
///                  (32767); out or name is NULL
///   -ENOSPC        SEMMNI or SEMMNS is reached; no room in /dev/shm
///   -EACCES        /dev/shm may not be written
///   -ENAMETOOLONG  a POSIX name has at most 251 bytes after its slash
///   -EOPNOTSUPP    another kind of name; UNIPC_SEM_UNDO for a POSIX name
///   -EINTR         a signal handler ran
///   -E2BIG         opts uses fields that this version of the library does not know
/// Since 0.1. See sem_open(3), semget(2).
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_sem_create(
    out: *mut *mut unipc_sem,
    name: *const c_char,
    value: c_uint,
    flags: c_uint,
    opts: *const unipc_sem_opts,
) -> c_int {
    // SAFETY: the header asks for a place for the handle, a string, and options that know their size.
    let caller = unsafe { Caller::trusted("create") };
    caller.construct(out, || {
        let options = options(&caller, flags, KNOWN, opts)?;
        options.create(caller.name(name)?, value).map(unipc_sem::new)
    })
}

/// Opens a semaphore that exists, whoever made it: this library, sem_open(), semget(), ipcmk.
///
/// out:   where the handle goes; NULL on failure. Close it with unipc_sem_close().
/// name:  as for unipc_sem_create(), and "sysv:id=42"
/// flags: UNIPC_SEM_ flags, or 0
/// opts:  NULL for the defaults; opts.index says which of a System V set
///
/// A System V set that this library's creator has not finished is waited for, see
/// opts.creator_timeout; a set that another program makes is waited for while it is new and untouched,
/// for a second at most.
///
/// Returns 0.
/// Errors:
///   -ENOENT      there is none
///   -EACCES      its mode does not let this user in; a System V set tells that only to who operates
///                on it
///   -EPROTO      the file under the name is too short for a semaphore
///   -ETIMEDOUT   the set's creator is alive and does not finish (-EAGAIN for {0, 0})
///   -EPERM       it belongs to another user, and UNIPC_SEM_OWN_ONLY is set; or it was left behind
///                unfinished by another user
///   -EMEDIUMTYPE a directory, FIFO, socket, link or device lies under the name
///   -EINVAL      no name, unknown flags, no set has this identifier, the set has no such index; out
///                or name is NULL
///   -EOPNOTSUPP  another kind of name; UNIPC_SEM_UNDO for a POSIX name
///   -EINTR       a signal handler ran
///   -E2BIG       opts uses fields that this version of the library does not know
/// Since 0.1. See sem_open(3), semget(2).
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_sem_open(
    out: *mut *mut unipc_sem,
    name: *const c_char,
    flags: c_uint,
    opts: *const unipc_sem_opts,
) -> c_int {
    // SAFETY: the header asks for a place for the handle, a string, and options that know their size.
    let caller = unsafe { Caller::trusted("open") };
    caller.construct(out, || {
        let options = options(&caller, flags, KNOWN, opts)?;
        options.open(caller.name(name)?).map(unipc_sem::new)
    })
}

/// Opens a semaphore, or creates it with this value when there is none.
///
/// out:   where the handle goes; NULL on failure. Close it with unipc_sem_close().
/// name:  as for unipc_sem_create()
/// value: how many units a new one begins with
/// flags: UNIPC_SEM_ flags, or 0
/// opts:  NULL for the defaults
///
/// Returns 0.
/// Errors: as unipc_sem_create() without -EEXIST, as unipc_sem_open() without -ENOENT, and
///   -EBUSY  others create and remove it all the time
/// Since 0.1.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_sem_open_or_create(
    out: *mut *mut unipc_sem,
    name: *const c_char,
    value: c_uint,
    flags: c_uint,
    opts: *const unipc_sem_opts,
) -> c_int {
    // SAFETY: the header asks for a place for the handle, a string, and options that know their size.
    let caller = unsafe { Caller::trusted("open_or_create") };
    caller.construct(out, || {
        let options = options(&caller, flags, KNOWN, opts)?;
        options.open_or_create(caller.name(name)?, value).map(unipc_sem::new)
    })
}

/// Makes a semaphore in shared memory, as sem_init(3) does: a sem_t of this C library, which
/// programs that do not know this library use by its address.
///
/// out:    where the handle goes; NULL on failure. Close it with unipc_sem_close().
/// shm:    writable shared memory, which must stay open and keep its size until the semaphore is
///         closed
/// offset: of unipc_sem_size() bytes in it; the address must be a multiple of 8
/// value:  how many units it begins with
/// flags:  UNIPC_SEM_BINARY, or 0
///
/// Once, before anybody uses it, who must find out about that by other means: a second call resets
/// it. A holder that dies keeps what he has acquired. The semaphore goes with the memory.
///
/// Returns 0.
/// Errors:
///   -EINVAL      the address is not aligned, a value above SEM_VALUE_MAX, unknown flags; out or shm
///                is NULL
///   -ERANGE      the bytes are not all inside
///   -EACCES      the mapping is read-only
///   -EOPNOTSUPP  UNIPC_SEM_UNDO
/// Since 0.1. See sem_init(3).
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_sem_create_at(
    out: *mut *mut unipc_sem,
    shm: *const unipc_shm,
    offset: usize,
    value: c_uint,
    flags: c_uint,
) -> c_int {
    // SAFETY: the header asks for a place for the handle and an open handle that outlives it.
    let caller = unsafe { Caller::trusted("create_at") };
    caller.construct(out, || {
        let options = with_flags(&caller, flags, IN_MEMORY)?;
        let memory = caller.handle(shm)?.memory();
        let region = caller.region(memory, offset, Semaphore::SIZE)?;
        options.create_in(region, value).map(unipc_sem::new)
    })
}

/// Uses a semaphore that somebody made in shared memory, with sem_init(3) or unipc_sem_create_at().
///
/// out:    where the handle goes; NULL on failure. Close it with unipc_sem_close().
/// shm:    as for unipc_sem_create_at()
/// offset: as for unipc_sem_create_at()
/// flags:  UNIPC_SEM_BINARY, or 0
///
/// Returns 0.
/// Errors: as unipc_sem_create_at()
/// Since 0.1.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_sem_open_at(
    out: *mut *mut unipc_sem,
    shm: *const unipc_shm,
    offset: usize,
    flags: c_uint,
) -> c_int {
    // SAFETY: the header asks for a place for the handle and an open handle that outlives it.
    let caller = unsafe { Caller::trusted("open_at") };
    caller.construct(out, || {
        let options = with_flags(&caller, flags, IN_MEMORY)?;
        let memory = caller.handle(shm)?.memory();
        let region = caller.region(memory, offset, Semaphore::SIZE)?;
        options.open_in(region).map(unipc_sem::new)
    })
}

/// How many bytes a semaphore takes in shared memory: sizeof(sem_t).
///
/// Returns the size. Async-signal-safe. Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn unipc_sem_size() -> usize {
    Semaphore::SIZE
}

/// Closes the handle. The semaphore itself stays, with what was acquired; see unipc_sem_unlink().
///
/// sem: a handle, gone afterwards with its name; NULL is fine
///
/// Nobody may be in a call on it. A child of fork() that closes its copy does not affect its parent.
/// Since 0.1. See sem_close(3).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_sem_close(sem: *mut unipc_sem) {
    // SAFETY: the header asks for a handle that is closed once.
    let caller = unsafe { Caller::trusted("close") };
    caller.destroy(sem);
}

pub(super) fn options(
    caller: &Caller,
    flags: c_uint,
    known: c_uint,
    opts: *const unipc_sem_opts,
) -> Result<Options> {
    let options = with_flags(caller, flags, known)?;
    let opts = caller.options(opts)?;
    let index = u16::try_from(opts.index)
        .map_err(|_| caller.invalid("opts.index", "a set has at most 65535 semaphores"))?;
    let options = options.mode(caller.mode(opts.mode)?).index(index);
    if opts.creator_timeout.is_null() {
        return Ok(options);
    }
    Ok(options.creator_timeout(caller.timeout(opts.creator_timeout)?))
}

fn with_flags(caller: &Caller, flags: c_uint, known: c_uint) -> Result<Options> {
    let flags = caller.flags(flags, known)?;
    let has = |flag: flag| flags.has(flag as c_uint);
    let options = Semaphore::options()
        .replace(has(flag::UNIPC_SEM_REPLACE))
        .remove_on_drop(has(flag::UNIPC_SEM_REMOVE_ON_CLOSE))
        .own_only(has(flag::UNIPC_SEM_OWN_ONLY))
        .binary(has(flag::UNIPC_SEM_BINARY));
    Ok(if has(flag::UNIPC_SEM_UNDO) { options.undo(true) } else { options })
}
