// SPDX-License-Identifier: MIT OR Apache-2.0
//! Structs that grow: their first field says how large the caller's compiler thought they are.

use std::mem::MaybeUninit;

use unipc_core::ErrorKind;

/// More than this is a size that was never set, not a struct of the future.
const LIMIT: usize = 4096;

/// A struct of options.
///
/// # Safety
///
/// `repr(C)`, its first field is `sz: usize`, it has no padding, and all bits zero are a value: the defaults.
pub(crate) unsafe trait SizeFirst: Copy {}

/// The options at `options`, or the defaults where that is NULL.
///
/// A caller older than this library gives fewer bytes, and the fields that he does not know keep their defaults.
/// A younger one gives more, which is fine as long as he does not use them.
///
/// # Safety
///
/// `options` is NULL or points to as many readable bytes as its first field says.
pub(super) unsafe fn read<T: SizeFirst>(options: *const T) -> Result<T, ErrorKind> {
    let mut value = MaybeUninit::<T>::zeroed();
    if !options.is_null() {
        // SAFETY: by contract the first field is there.
        let size = unsafe { options.cast::<usize>().read_unaligned() };
        check(size)?;
        // SAFETY: by contract `size` bytes may be read, and they are bytes of C, which are all initialised.
        let given = unsafe { std::slice::from_raw_parts(options.cast::<u8>(), size) };
        let (known, tail) = given.split_at(size.min(size_of::<T>()));
        if tail.iter().any(|&byte| byte != 0) {
            return Err(ErrorKind::Os(libc::E2BIG));
        }
        // SAFETY: `known` is no longer than `value`, and the two do not overlap.
        unsafe { value.as_mut_ptr().cast::<u8>().copy_from(known.as_ptr(), known.len()) };
    }
    // SAFETY: a `SizeFirst` may be all zeros, and has no padding or other bits that would not be a value.
    Ok(unsafe { value.assume_init() })
}

fn check(size: usize) -> Result<(), ErrorKind> {
    if size < size_of::<usize>() {
        return Err(ErrorKind::InvalidArgument(
            "sz is not set: make options with the OPTS macro".into(),
        ));
    }
    if size > LIMIT {
        return Err(ErrorKind::Os(libc::E2BIG));
    }
    Ok(())
}
