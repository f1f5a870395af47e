// SPDX-License-Identifier: MIT OR Apache-2.0
//! FIFOs by name.

use std::ffi::{c_char, c_int, c_uint};

use libc::timespec;
use unipc_core::Mode;
use unipc_core::pipe::Fifo;

use super::boundary::Caller;
use super::{unipc_fifo_flag, unipc_pipe};

/// Creates a FIFO with exactly this mode, whatever the umask is.
///
/// name:  file:PATH
/// flags: UNIPC_FIFO_EXIST_OK, or 0
/// mode:  permission bits; 0: 0600
///
/// It is never visible with another mode, and a symbolic link does not lead its creation elsewhere.
///
/// Returns 0.
/// Errors:
///   -EEXIST       something has the name
///   -EMEDIUMTYPE  something else than a FIFO has it, and flags has UNIPC_FIFO_EXIST_OK
///   -EACCES, -ENAMETOOLONG, -ENOENT, -ENOSPC, -ENOTDIR, -EROFS  from the file system
///   -EOPNOTSUPP   a name that is no file
///   -EINVAL       no name, no mode, unknown flags; name is NULL
/// Since 0.1. See mkfifo(3).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_fifo_create(name: *const c_char, flags: c_uint, mode: u32) -> c_int {
    // SAFETY: the header asks for a string.
    let caller = unsafe { Caller::trusted("create") };
    caller.guard(|| {
        let name = caller.name(name)?;
        let exist_ok = unipc_fifo_flag::UNIPC_FIFO_EXIST_OK as c_uint;
        let flags = caller.flags(flags, exist_ok)?;
        let mode = if mode == 0 { Mode::PRIVATE } else { Mode::new(mode)? };
        if flags.has(exist_ok) {
            Fifo::open_or_create(name, mode)
        } else {
            Fifo::create_with(name, mode)
        }
        .map(|_| 0)
    })
}

/// Opens a FIFO for reading. Waits until somebody has it open for writing; {0, 0} does not wait and
/// succeeds at once: then reading waits for the first writer.
///
/// out:     gets the handle
/// name:    file:PATH
/// timeout: how long to wait; NULL: for ever; {0, 0}: not at all
///
/// While it waits this process counts as a reader: a writer that opens the FIFO in the moment in which
/// the time is over finds nobody, and its first write is -EPIPE.
///
/// Returns 0.
/// Errors:
///   -ETIMEDOUT    nobody opened it for writing in time
///   -EINTR        a signal came
///   -ENOENT       there is none
///   -EACCES       this user may not
///   -EMEDIUMTYPE  it is no FIFO
///   -EOPNOTSUPP   a name that is no file
///   -EINVAL       no name, no timeout; out or name is NULL
/// Since 0.1. See open(2), fifo(7).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_fifo_reader(
    out: *mut *mut unipc_pipe,
    name: *const c_char,
    timeout: *const timespec,
) -> c_int {
    // SAFETY: the header asks for a place for a handle, a string, and NULL or a timespec.
    let caller = unsafe { Caller::trusted("open for reading") };
    caller.construct(out, || {
        let fifo = Fifo::open(caller.name(name)?)?;
        Ok(unipc_pipe::new(fifo.reader(caller.timeout(timeout)?)?))
    })
}

/// Opens a FIFO for writing. Waits until somebody has it open for reading.
///
/// out:     gets the handle
/// name:    file:PATH
/// timeout: how long to wait; NULL: for ever; {0, 0}: not at all
///
/// Returns 0.
/// Errors:
///   -ENXIO        nobody has it open for reading, and timeout is {0, 0}
///   -ETIMEDOUT    nobody opened it for reading in time
///   else as unipc_fifo_reader()
/// Since 0.1. See open(2), fifo(7).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_fifo_writer(
    out: *mut *mut unipc_pipe,
    name: *const c_char,
    timeout: *const timespec,
) -> c_int {
    // SAFETY: the header asks for a place for a handle, a string, and NULL or a timespec.
    let caller = unsafe { Caller::trusted("open for writing") };
    caller.construct(out, || {
        let fifo = Fifo::open(caller.name(name)?)?;
        Ok(unipc_pipe::new(fifo.writer(caller.timeout(timeout)?)?))
    })
}

/// Removes the name of a FIFO. Who has it open goes on using it.
///
/// name: file:PATH
///
/// Returns 0.
/// Errors:
///   -ENOENT       there is none
///   -EMEDIUMTYPE  something else has the name, which stays
///   -EACCES, -EPERM, -EROFS  from the file system
///   -EOPNOTSUPP   a name that is no file
///   -EINVAL       no name; name is NULL
/// Since 0.1. See unlink(2).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_fifo_unlink(name: *const c_char) -> c_int {
    // SAFETY: the header asks for a string.
    let caller = unsafe { Caller::trusted("unlink") };
    caller.guard(|| Fifo::unlink(caller.name(name)?).map(|()| 0))
}
