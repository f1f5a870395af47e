// SPDX-License-Identifier: MIT OR Apache-2.0
//! Atomic integers at offsets. Written out for each width, since cbindgen does not expand macros.

use std::ffi::c_int;

use super::boundary::Caller;
use super::unipc_shm;

/// Reads an integer atomically, sequentially consistent; so are all of its kin.
///
/// shm:    a handle
/// offset: a multiple of 4, as the integer's address must be
/// value:  where the integer goes
///
/// Returns 0.
/// Errors:
///   -ERANGE  the integer is not inside
///   -EINVAL  it is not aligned; a pointer is NULL
///   -EFAULT  the file was truncated
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_shm_load_u32(
    shm: *const unipc_shm,
    offset: usize,
    value: *mut u32,
) -> c_int {
    // SAFETY: the header asks for an open handle and a place for the integer.
    let caller = unsafe { Caller::trusted("load_u32") };
    caller.guard(|| {
        let value = caller.output("value", value)?;
        value.set(caller.handle(shm)?.memory.load_u32(offset)?);
        Ok(0)
    })
}

/// Writes an integer atomically.
///
/// shm:    a handle
/// offset: a multiple of 4
/// value:  the integer
///
/// Returns 0.
/// Errors: as unipc_shm_load_u32(), and
///   -EACCES  the mapping is read-only
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_shm_store_u32(
    shm: *const unipc_shm,
    offset: usize,
    value: u32,
) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("store_u32") };
    caller.guard(|| caller.handle(shm)?.memory.store_u32(offset, value).map(|()| 0))
}

/// Adds to an integer atomically, wrapping around.
///
/// shm:      a handle
/// offset:   a multiple of 4
/// addend:   what is added
/// previous: gets the integer as it was before; may be NULL
///
/// Returns 0.
/// Errors: as unipc_shm_store_u32()
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_shm_add_u32(
    shm: *const unipc_shm,
    offset: usize,
    addend: u32,
    previous: *mut u32,
) -> c_int {
    // SAFETY: the header asks for an open handle, and for a place for the integer or NULL.
    let caller = unsafe { Caller::trusted("add_u32") };
    caller.guard(|| {
        let before = caller.handle(shm)?.memory.add_u32(offset, addend)?;
        caller.give(previous, before);
        Ok(0)
    })
}

/// Stores an integer atomically if it has the value that is expected.
///
/// shm:      a handle
/// offset:   a multiple of 4
/// expected: what the integer must be
/// desired:  what it becomes
/// previous: gets the integer as it was before, in both cases; may be NULL
///
/// Returns 1 when it was stored, 0 when it was not.
/// Errors: as unipc_shm_store_u32()
/// Since 0.1.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_shm_compare_exchange_u32(
    shm: *const unipc_shm,
    offset: usize,
    expected: u32,
    desired: u32,
    previous: *mut u32,
) -> c_int {
    // SAFETY: the header asks for an open handle, and for a place for the integer or NULL.
    let caller = unsafe { Caller::trusted("compare_exchange_u32") };
    caller.guard(|| {
        let shm = &caller.handle(shm)?.memory;
        let result = shm.compare_exchange_u32(offset, expected, desired)?;
        let (exchanged, before) = outcome(result);
        caller.give(previous, before);
        Ok(exchanged)
    })
}

/// Reads a 64-bit integer atomically.
///
/// shm:    a handle
/// offset: a multiple of 8, as the integer's address must be
/// value:  where the integer goes
///
/// Returns 0.
/// Errors: as unipc_shm_load_u32()
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_shm_load_u64(
    shm: *const unipc_shm,
    offset: usize,
    value: *mut u64,
) -> c_int {
    // SAFETY: the header asks for an open handle and a place for the integer.
    let caller = unsafe { Caller::trusted("load_u64") };
    caller.guard(|| {
        let value = caller.output("value", value)?;
        value.set(caller.handle(shm)?.memory.load_u64(offset)?);
        Ok(0)
    })
}

/// Writes a 64-bit integer atomically.
///
/// shm:    a handle
/// offset: a multiple of 8
/// value:  the integer
///
/// Returns 0.
/// Errors: as unipc_shm_store_u32()
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_shm_store_u64(
    shm: *const unipc_shm,
    offset: usize,
    value: u64,
) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("store_u64") };
    caller.guard(|| caller.handle(shm)?.memory.store_u64(offset, value).map(|()| 0))
}

/// Adds to a 64-bit integer atomically, wrapping around.
///
/// shm:      a handle
/// offset:   a multiple of 8
/// addend:   what is added
/// previous: gets the integer as it was before; may be NULL
///
/// Returns 0.
/// Errors: as unipc_shm_store_u32()
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_shm_add_u64(
    shm: *const unipc_shm,
    offset: usize,
    addend: u64,
    previous: *mut u64,
) -> c_int {
    // SAFETY: the header asks for an open handle, and for a place for the integer or NULL.
    let caller = unsafe { Caller::trusted("add_u64") };
    caller.guard(|| {
        let before = caller.handle(shm)?.memory.add_u64(offset, addend)?;
        caller.give(previous, before);
        Ok(0)
    })
}

/// Stores a 64-bit integer atomically if it has the value that is expected.
///
/// shm:      a handle
/// offset:   a multiple of 8
/// expected: what the integer must be
/// desired:  what it becomes
/// previous: gets the integer as it was before, in both cases; may be NULL
///
/// Returns 1 when it was stored, 0 when it was not.
/// Errors: as unipc_shm_store_u32()
/// Since 0.1.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_shm_compare_exchange_u64(
    shm: *const unipc_shm,
    offset: usize,
    expected: u64,
    desired: u64,
    previous: *mut u64,
) -> c_int {
    // SAFETY: the header asks for an open handle, and for a place for the integer or NULL.
    let caller = unsafe { Caller::trusted("compare_exchange_u64") };
    caller.guard(|| {
        let shm = &caller.handle(shm)?.memory;
        let result = shm.compare_exchange_u64(offset, expected, desired)?;
        let (exchanged, before) = outcome(result);
        caller.give(previous, before);
        Ok(exchanged)
    })
}

/// 1 and the integer that was replaced, or 0 and the one that was found instead.
fn outcome<T>(result: Result<T, T>) -> (c_int, T) {
    match result {
        Ok(before) => (1, before),
        Err(before) => (0, before),
    }
}
