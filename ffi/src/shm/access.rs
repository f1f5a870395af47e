// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a handle knows, and its bytes.

use std::ffi::{c_char, c_int, c_uchar, c_void};
use std::os::fd::AsRawFd;

use unipc_core::shm::SystemV;
use unipc_core::{Error, ErrorKind};

use super::boundary::Caller;
use super::unipc_shm;

/// The first byte. Valid until the handle is closed, resized or refreshed.
///
/// shm: a handle
///
/// The bytes are shared with everybody who maps them: what others read meanwhile must be written by
/// atomics or under a lock. If the object is a file that others may truncate, touch it between
/// unipc_shm_begin_access() and unipc_shm_end_access(), or a lost page is SIGBUS.
///
/// Returns the address; NULL for NULL. Async-signal-safe. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_shm_data(shm: *const unipc_shm) -> *mut c_void {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("data") };
    caller.guard(|| Ok(caller.handle(shm)?.memory.as_ptr().cast()))
}

/// How many bytes may be touched: those asked for, cut at the end of the object.
///
/// shm: a handle
///
/// Returns the size in bytes; 0 for NULL. Async-signal-safe. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_shm_size(shm: *const unipc_shm) -> usize {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("size") };
    caller.guard(|| Ok(caller.handle(shm)?.memory.len()))
}

/// How much of the address space the mapping takes: whole pages.
///
/// shm: a handle
///
/// Returns the size in bytes; 0 for NULL. Async-signal-safe. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_shm_mapped_size(shm: *const unipc_shm) -> usize {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("mapped_size") };
    caller.guard(|| Ok(caller.handle(shm)?.memory.mapped_len()))
}

/// The address of a range, if all of it may be touched; see unipc_shm_data().
///
/// shm:    a handle
/// offset: first byte
/// len:    how many bytes
///
/// Returns the address; NULL with errno ERANGE when the range is not inside, EINVAL for NULL.
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_shm_at(
    shm: *const unipc_shm,
    offset: usize,
    len: usize,
) -> *mut c_void {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("at") };
    caller.guard(|| Ok(caller.handle(shm)?.memory.ptr_at(offset, len)?.cast()))
}

/// The name in its one spelling. sysv:private has become sysv:id=NUMBER; a descriptor has the name
/// that the kernel gives it.
///
/// shm: a handle
///
/// Returns a string that lives as long as the handle; NULL for NULL. Async-signal-safe. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_shm_name(shm: *const unipc_shm) -> *const c_char {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("name") };
    caller.guard(|| Ok(caller.handle(shm)?.name().as_ptr()))
}

/// What the memory consists of.
///
/// shm: a handle
///
/// Returns a UNIPC_BACKING_ constant, or
///   -EINVAL  shm is NULL
/// Async-signal-safe. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_shm_backing(shm: *const unipc_shm) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("backing") };
    caller.guard(|| Ok(caller.handle(shm)?.memory.backing() as c_int))
}

/// Is the mapping read-only?
///
/// shm: a handle
///
/// Returns 1 if it is, 0 if not, or
///   -EINVAL  shm is NULL
/// Async-signal-safe. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_shm_is_read_only(shm: *const unipc_shm) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("is_read_only") };
    caller.guard(|| Ok(c_int::from(caller.handle(shm)?.memory.is_read_only())))
}

/// The descriptor behind POSIX, file and memfd memory, to be passed on or asked about. Of a POSIX
/// object, the first call after opening puts the position at the first byte, also that of a duplicate.
///
/// shm: a handle
///
/// Returns a descriptor that belongs to the handle: close-on-exec, not to be closed. Or
///   -EOPNOTSUPP  System V and anonymous memory have none
///   -EINVAL      shm is NULL
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_shm_fd(shm: *const unipc_shm) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("fd") };
    caller.guard(|| {
        let shm = &caller.handle(shm)?.memory;
        shm.fd().map(|fd| fd.as_raw_fd()).ok_or_else(|| {
            let why = "System V and anonymous memory have no descriptor";
            Error::new("fd", shm.name(), ErrorKind::Unsupported(why.into()))
        })
    })
}

/// The identifier of a System V segment, for unipc_shm_sysv_stat() and its kin.
///
/// shm: a handle
///
/// Returns the identifier, or
///   -EOPNOTSUPP  other memory has none
///   -EINVAL      shm is NULL
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_shm_id(shm: *const unipc_shm) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("id") };
    caller.guard(|| {
        let shm = &caller.handle(shm)?.memory;
        shm.system_v().map(SystemV::id).ok_or_else(|| {
            let why = "only System V segments have an identifier";
            Error::new("id", shm.name(), ErrorKind::Unsupported(why.into()))
        })
    })
}

/// Copies bytes out. A file that another process has truncated is an error here, not SIGBUS.
///
/// shm:    a handle
/// offset: first byte of the memory
/// buf:    where they go; may be NULL when len is 0
/// len:    how many bytes
///
/// The copy is not atomic: a writer at work at the same time may be seen half-way.
///
/// Returns 0.
/// Errors:
///   -ERANGE  the range is not inside; nothing was copied
///   -EFAULT  the file was truncated, or its file system is full: what buf holds is void
///   -EINVAL  shm or buf is NULL
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_shm_read_at(
    shm: *const unipc_shm,
    offset: usize,
    buf: *mut c_void,
    len: usize,
) -> c_int {
    // SAFETY: the header asks for an open handle and room for `len` bytes.
    let caller = unsafe { Caller::trusted("read_at") };
    caller.guard(|| {
        let buffer = caller.room(buf.cast(), len)?;
        caller.handle(shm)?.memory.read_at(offset, buffer).map(|()| 0)
    })
}

/// Copies bytes in. A file that another process has truncated is an error here, not SIGBUS.
///
/// shm:    a handle
/// offset: first byte of the memory
/// buf:    where they come from; may be NULL when len is 0
/// len:    how many bytes
///
/// Returns 0.
/// Errors:
///   -ERANGE  the range is not inside; nothing was copied
///   -EACCES  the mapping is read-only
///   -EFAULT  the file was truncated, or its file system is full: what was copied may be lost
///   -EINVAL  shm or buf is NULL
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_shm_write_at(
    shm: *const unipc_shm,
    offset: usize,
    buf: *const c_void,
    len: usize,
) -> c_int {
    // SAFETY: the header asks for an open handle and `len` readable bytes.
    let caller = unsafe { Caller::trusted("write_at") };
    caller.guard(|| {
        let bytes = caller.bytes(buf, len)?;
        caller.handle(shm)?.memory.write_at(offset, bytes).map(|()| 0)
    })
}

/// Sets bytes, as memset() does.
///
/// shm:    a handle
/// offset: first byte
/// len:    how many bytes
/// byte:   what each becomes
///
/// Returns 0.
/// Errors: as unipc_shm_write_at()
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_shm_fill(
    shm: *const unipc_shm,
    offset: usize,
    len: usize,
    byte: c_uchar,
) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("fill") };
    caller.guard(|| caller.handle(shm)?.memory.fill(offset, len, byte).map(|()| 0))
}

/// Compares bytes, as memcmp() does.
///
/// shm:    a handle
/// offset: first byte of the memory
/// buf:    what it is compared with; may be NULL when len is 0
/// len:    how many bytes
/// order:  gets -1, 0 or 1: the memory is less than buf, equal, greater
///
/// Returns 0, which says nothing about the order.
/// Errors: as unipc_shm_read_at()
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_shm_compare(
    shm: *const unipc_shm,
    offset: usize,
    buf: *const c_void,
    len: usize,
    order: *mut c_int,
) -> c_int {
    // SAFETY: the header asks for an open handle, `len` readable bytes and a place for the order.
    let caller = unsafe { Caller::trusted("compare") };
    caller.guard(|| {
        let bytes = caller.bytes(buf, len)?;
        let order = caller.output("order", order)?;
        order.set(caller.handle(shm)?.memory.compare(offset, bytes)? as c_int);
        Ok(0)
    })
}

/// Begins a stretch in which the memory may be touched by its address although its file may shrink.
///
/// shm: a handle
///
/// Until unipc_shm_end_access() a page that the file has lost reads as zeros instead of killing the
/// process by SIGBUS. Covers all threads; stretches may nest and overlap. SIGBUS for other addresses
/// goes to the handler that was there before; a handler that is installed later must pass on what it
/// does not know. A thread that touches the memory must not block SIGBUS: the kernel ends a process
/// that faults while it is blocked, also in an array, a lock or a channel. Not needed for the functions
/// that copy, nor where nothing can shrink: System V, anonymous memory, a memfd with UNIPC_SEAL_SHRINK.
/// unipc_shm_resize() and unipc_shm_refresh() end all stretches.
///
/// Example:
///
///     unipc_shm *shm;
///     char first = 0;
///     if (unipc_shm_open(&shm, "file:/tmp/records", UNIPC_SHM_READ_ONLY, NULL) < 0)
///         return 1;
///     if (unipc_shm_begin_access(shm) < 0)
///         return 1;
///     first = *(const char *)unipc_shm_data(shm);
///     if (unipc_shm_end_access(shm) < 0)
///         fprintf(stderr, "%s\n", unipc_last_error());
///     else
///         printf("%c\n", first);
///     unipc_shm_close(shm);
///
/// Returns 0.
/// Errors:
///   -EINVAL  shm is NULL
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_shm_begin_access(shm: *const unipc_shm) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("begin_access") };
    caller.guard(|| {
        // Ended by the call of the other function, since C cannot hold the borrow.
        std::mem::forget(caller.handle(shm)?.memory.begin_access());
        Ok(0)
    })
}

/// Ends what unipc_shm_begin_access() began, from any thread.
///
/// shm: a handle
///
/// Returns 0.
/// Errors:
///   -EFAULT  the file lost pages meanwhile: what was read or written since the beginning is void
///   -EINVAL  shm is NULL; nothing was begun (noticed only where the file can shrink)
/// Since 0.1.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_shm_end_access(shm: *const unipc_shm) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("end_access") };
    caller.guard(|| caller.handle(shm)?.memory.end_access().map(|()| 0))
}
