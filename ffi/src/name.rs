// SPDX-License-Identifier: MIT OR Apache-2.0
//! unipc/name.h: names of objects, and System V keys.

use std::ffi::{c_char, c_int};
use std::os::unix::ffi::OsStringExt;

use unipc_core::sysv::Key;
use unipc_core::{Error, ErrorKind};

use super::boundary::Caller;

/// Is this a name? Looks at the grammar alone; the object need not exist.
///
/// name: as in the table above
///
/// Returns 0.
/// Errors:
///   -EINVAL  it is not; unipc_last_error() says why, and what may have been meant
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_name_check(name: *const c_char) -> c_int {
    // SAFETY: the header asks for a string.
    let caller = unsafe { Caller::trusted("name_check") };
    caller.guard(|| caller.name(name).map(|_| 0))
}

/// The one spelling of a name: of "posix:/demo" it is "/demo", of "sysv:0x00AB" "sysv:0xab".
///
/// name: a name
/// buf:  where the spelling goes, always ending in NUL unless cap is 0; may be NULL when cap is 0
/// cap:  how many bytes buf has
///
/// Returns the length of the spelling in bytes without the NUL, as snprintf() does: when it is cap
/// or more, buf holds only its beginning.
/// Errors:
///   -EINVAL  name is no name, or a pointer is NULL
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_name_canonical(
    name: *const c_char,
    buf: *mut c_char,
    cap: usize,
) -> c_int {
    // SAFETY: the header asks for a string and for room of `cap` bytes.
    let caller = unsafe { Caller::trusted("name_canonical") };
    caller.guard(|| {
        let spelling = caller.name(name)?.to_os_string().into_vec();
        let room = caller.room(buf.cast::<u8>(), cap)?;
        if let Some(last) = cap.checked_sub(1) {
            let fitting = last.min(spelling.len());
            room[..fitting].copy_from_slice(&spelling[..fitting]);
            room[fitting] = 0;
        }
        c_int::try_from(spelling.len())
            .map_err(|_| Error::new("name_canonical", "name", ErrorKind::Os(libc::EOVERFLOW)))
    })
}

/// The System V key of a path and a project number; the same as the C library's ftok().
///
/// path: an existing file or directory
/// proj: of which the lowest 8 bits count
/// out:  where the key goes, a key_t
///
/// Unlike ftok(), it tells a key of -1 from a failure. Two paths can have one key.
///
/// Returns 0.
/// Errors:
///   -ENOENT, -EACCES, -ENOTDIR, -ENAMETOOLONG, -ELOOP  the path cannot be looked up
///   -EINVAL  the key would be 0, which is IPC_PRIVATE; or a pointer is NULL
/// Since 0.1. See ftok(3).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_ftok(path: *const c_char, proj: c_int, out: *mut i32) -> c_int {
    // SAFETY: the header asks for a string and a place for the key.
    let caller = unsafe { Caller::trusted("ftok") };
    caller.guard(|| {
        let path = caller.text("path", path)?;
        let out = caller.output("out", out)?;
        let [project, ..] = proj.to_le_bytes();
        out.set(Key::ftok(path, project)?.raw());
        Ok(0)
    })
}
