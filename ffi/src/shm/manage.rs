// SPDX-License-Identifier: MIT OR Apache-2.0
//! Removing, resizing, and what is done to whole pages and to a memfd.

use std::ffi::{c_char, c_int, c_uint};
use std::os::fd::IntoRawFd;

use unipc_core::{Advice, SharedMemory};

use super::boundary::Caller;
use super::open::seals;
use super::{unipc_flush_flag, unipc_shm, unipc_shm_flag};

/// Removes the object of a name. Who has it open keeps it until he leaves.
///
/// name: any name but memfd: and anon:
///
/// Returns 0.
/// Errors:
///   -ENOENT         there is none
///   -EINVAL         no name, NULL, sysv:private; no segment has this identifier
///   -EACCES, -EPERM it is somebody else's
///   -EOPNOTSUPP     memfd: and anon: have no name to remove; they go with their last user
/// Since 0.1. See shm_unlink(3), shmctl(2) IPC_RMID, unlink(2).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_shm_unlink(name: *const c_char) -> c_int {
    // SAFETY: the header asks for a string.
    let caller = unsafe { Caller::trusted("unlink") };
    caller.guard(|| SharedMemory::unlink(caller.name(name)?).map(|()| 0))
}

/// Removes this very object, not another one that has taken its name before the call. It stays usable here
/// and for all who have it open.
///
/// shm:   a handle
/// flags: UNIPC_SHM_IF_UNUSED, or 0
///
/// Returns 0.
/// Errors:
///   -ESTALE         the name belongs to another object now, which stays
///   -ENOENT         it is gone already (-EINVAL for System V)
///   -EMEDIUMTYPE    the name is a symbolic link that leads to the file
///   -EBUSY          others are attached, and UNIPC_SHM_IF_UNUSED is set
///   -EACCES, -EPERM it is somebody else's
///   -EOPNOTSUPP     memfd: and anon: have no name to remove; only System V counts who is attached
///   -EINVAL         unknown flags; shm is NULL
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_shm_remove(shm: *const unipc_shm, flags: c_uint) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("remove") };
    caller.guard(|| {
        let if_unused = unipc_shm_flag::UNIPC_SHM_IF_UNUSED as c_uint;
        let flags = caller.flags(flags, if_unused)?;
        let shm = &caller.handle(shm)?.memory;
        if flags.has(if_unused) { shm.remove_if_unused() } else { shm.remove() }.map(|()| 0)
    })
}

/// Makes the object so large and maps all of it from this mapping's offset on.
///
/// shm:  a handle that no other thread is using
/// size: of the object, in bytes
///
/// New bytes are zero, and their memory is taken at once. Addresses from before are void. Other
/// processes keep their view until unipc_shm_refresh(); what is cut off is gone for them too.
///
/// Returns 0.
/// Errors:
///   -EOPNOTSUPP  System V and anonymous memory keep their size; a mapping at opts.address or
///                between guard pages cannot grow
///   -EACCES      the mapping is read-only
///   -EPERM       a seal of the memfd forbids it
///   -ENODATA     size is 0
///   -EINVAL      nothing would remain behind the offset; shm is NULL
///   -ENOSPC, -ENOMEM, -EFBIG  there is no room; the size is as before
/// Since 0.1. See ftruncate(2), mremap(2).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_shm_resize(shm: *mut unipc_shm, size: usize) -> c_int {
    // SAFETY: the header asks for an open handle that nobody else is using.
    let caller = unsafe { Caller::trusted("resize") };
    caller.guard(|| caller.handle_mut(shm)?.memory.resize(size).map(|()| 0))
}

/// Maps the object as large as it is now, after another process has changed its size.
///
/// shm: a handle that no other thread is using
///
/// Addresses from before are void.
///
/// Returns 0.
/// Errors:
///   -ENODATA  it is empty now
///   -EINVAL   this mapping's offset lies behind its end; shm is NULL
///   -ENOMEM   no room in the address space
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_shm_refresh(shm: *mut unipc_shm) -> c_int {
    // SAFETY: the header asks for an open handle that nobody else is using.
    let caller = unsafe { Caller::trusted("refresh") };
    caller.guard(|| caller.handle_mut(shm)?.memory.refresh().map(|()| 0))
}

/// Writes changed pages of a file to its disk and waits for it. Other processes see them without.
///
/// shm:    a handle
/// offset: first byte
/// len:    how many bytes; 0: all to the end
/// flags:  UNIPC_FLUSH_ flags, or 0
///
/// Returns 0.
/// Errors:
///   -ERANGE  the range is not inside
///   -EIO     the disk failed
///   -EBUSY   UNIPC_FLUSH_INVALIDATE, and pages are locked in memory
///   -EINVAL  unknown flags; shm is NULL
/// Since 0.1. See msync(2).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_shm_flush(
    shm: *const unipc_shm,
    offset: usize,
    len: usize,
    flags: c_uint,
) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("flush") };
    caller.guard(|| {
        let asynchronous = unipc_flush_flag::UNIPC_FLUSH_ASYNC as c_uint;
        let invalidate = unipc_flush_flag::UNIPC_FLUSH_INVALIDATE as c_uint;
        let flags = caller.flags(flags, asynchronous | invalidate)?;
        let shm = &caller.handle(shm)?.memory;
        let len = or_to_end(shm, offset, len);
        match (flags.has(asynchronous), flags.has(invalidate)) {
            (asynchronous, true) => shm.flush_invalidate(offset, len, asynchronous),
            (true, false) => shm.flush_async(offset, len),
            (false, false) => shm.flush(offset, len),
        }
        .map(|()| 0)
    })
}

/// Tells the kernel what to expect of the pages of a range.
///
/// shm:    a handle
/// offset: first byte
/// len:    how many bytes; 0: all to the end
/// advice: a UNIPC_ADVICE_ constant
///
/// Returns 0.
/// Errors:
///   -ERANGE  the range is not inside
///   -EINVAL  unknown advice, or not for this kind of memory; shm is NULL
///   and what madvise(2) gives besides
/// Since 0.1. See madvise(2).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_shm_advise(
    shm: *const unipc_shm,
    offset: usize,
    len: usize,
    advice: c_int,
) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("advise") };
    caller.guard(|| {
        let shm = &caller.handle(shm)?.memory;
        let known = Advice::from_raw(advice)
            .ok_or_else(|| caller.invalid("advice", format!("unknown advice {advice}")))?;
        shm.advise(offset, or_to_end(shm, offset, len), known).map(|()| 0)
    })
}

/// Keeps this mapping's pages in memory until unipc_shm_unlock() or the handle is closed. Not
/// inherited by fork(). See unipc_shm_sysv_lock() for a whole segment.
///
/// shm: a handle
///
/// Returns 0.
/// Errors:
///   -ENOMEM, -EPERM, -EAGAIN  RLIMIT_MEMLOCK does not allow it
///   -EINVAL  shm is NULL
/// Since 0.1. See mlock(2).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_shm_lock(shm: *const unipc_shm) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("lock") };
    caller.guard(|| caller.handle(shm)?.memory.lock().map(|()| 0))
}

/// Undoes unipc_shm_lock().
///
/// shm: a handle
///
/// Returns 0.
/// Errors:
///   -EINVAL  shm is NULL
/// Since 0.1. See munlock(2).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_shm_unlock(shm: *const unipc_shm) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("unlock") };
    caller.guard(|| caller.handle(shm)?.memory.unlock().map(|()| 0))
}

/// The seals of a memfd: what nobody can do to it any more.
///
/// shm: a handle
///
/// Returns UNIPC_SEAL_ bits, or
///   -EOPNOTSUPP  it is not a memfd
///   -EINVAL      shm is NULL
/// Since 0.1. See fcntl(2) F_GET_SEALS.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_shm_seals(shm: *const unipc_shm) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("seals") };
    caller.guard(|| Ok(caller.handle(shm)?.memory.seals()?.bits()))
}

/// Seals a memfd, for everybody and for good. Sealing twice is fine.
///
/// shm:   a handle
/// seals: UNIPC_SEAL_ bits
///
/// Returns 0.
/// Errors:
///   -EPERM       it is sealed against sealing
///   -EBUSY       UNIPC_SEAL_WRITE while a writable mapping exists, this one included
///   -EOPNOTSUPP  it is not a memfd
///   -EINVAL      unknown seals; shm is NULL
/// Since 0.1. See fcntl(2) F_ADD_SEALS.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_shm_add_seals(shm: *const unipc_shm, seals: c_uint) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("add_seals") };
    caller.guard(|| {
        let seals = self::seals(&caller, "seals", seals)?;
        caller.handle(shm)?.memory.add_seals(seals).map(|()| 0)
    })
}

/// A new descriptor of a memfd that nobody can write through, for a peer that must only read.
///
/// shm: a handle
///
/// The memfd is sealed against future writing, shrinking and growing first: a descriptor that is
/// merely opened read-only could be opened for writing again by a peer of the same user. Mappings
/// that exist stay writable, this one too.
///
/// Returns a descriptor, close-on-exec, which is the caller's to close. Or
///   -EPERM       it is sealed against sealing and lacks these seals
///   -EOPNOTSUPP  it is not a memfd
///   -EMFILE      too many descriptors are open
///   -EINVAL      shm is NULL
/// Since 0.1.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_shm_read_only_fd(shm: *const unipc_shm) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("read_only_fd") };
    caller.guard(|| Ok(caller.handle(shm)?.memory.read_only_fd()?.into_raw_fd()))
}

/// A length of 0 stands for all bytes from the offset on.
fn or_to_end(shm: &SharedMemory, offset: usize, len: usize) -> usize {
    if len == 0 { shm.len().saturating_sub(offset) } else { len }
}
