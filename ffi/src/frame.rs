// SPDX-License-Identifier: MIT OR Apache-2.0
//! unipc/frame.h: records on a stream of bytes.

use std::ffi::{c_int, c_uint, c_void};
use std::os::fd::OwnedFd;

use libc::timespec;
use unipc_core::stream::{FRAME_LIMIT, FrameReader, FrameWriter};

use super::boundary::Caller;

/// Reads frames from a descriptor.
#[derive(Debug)]
pub struct unipc_frame_reader {
    frames: FrameReader<OwnedFd>,
}

/// Writes frames to a descriptor.
#[derive(Debug)]
pub struct unipc_frame_writer {
    frames: FrameWriter<OwnedFd>,
}

/// Numbers.
#[derive(Debug)]
#[repr(C)]
pub enum unipc_frame_constant {
    /// The longest frame that several writers of one pipe may write without mixing.
    UNIPC_FRAME_ATOMIC = 4092,
    /// How long a frame may be unless said otherwise: 16 MiB.
    UNIPC_FRAME_LIMIT = 1 << 24,
}

/// Flags of unipc_frame_writer_open().
#[derive(Debug)]
#[repr(C)]
pub enum unipc_frame_flag {
    /// Hold a record lock on the pipe or FIFO while a frame is written (F_SETLKW), so that frames of any
    /// length from several processes do not mix: if all of them do so. The lock belongs to the process:
    /// threads share one writer. It is lost when the process closes any descriptor of the same pipe
    /// meanwhile, and a writer that is killed inside a long frame spoils the stream for all.
    UNIPC_FRAME_EXCLUSIVE = 1 << 0,
    /// Let a write without a time limit raise SIGPIPE when nobody reads any more, which is faster: for
    /// programs that ignore the signal for good, see unipc_pipe_set_sigpipe().
    UNIPC_FRAME_SIGPIPE = 1 << 1,
}

fn limit(limit: u32) -> u32 {
    if limit == 0 { FRAME_LIMIT } else { limit }
}

/// Reads frames from a descriptor: of a pipe, a FIFO, a stream socket, a terminal.
///
/// out:       gets the handle
/// fd:        is duplicated, and stays the caller's
/// max_frame: refuse frames of more bytes; 0: UNIPC_FRAME_LIMIT
///
/// Only one reader may read a stream of frames at a time. Nothing is read ahead.
///
/// Returns 0.
/// Errors:
///   -EBADF   fd is not open
///   -EMFILE  no descriptors are left
///   -EINVAL  out is NULL
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_frame_reader_open(
    out: *mut *mut unipc_frame_reader,
    fd: c_int,
    max_frame: u32,
) -> c_int {
    // SAFETY: the header asks for a place for a handle.
    let caller = unsafe { Caller::trusted("frame reader") };
    caller.construct(out, || {
        let frames = FrameReader::new(caller.duplicate(fd)?)?.limit(limit(max_frame));
        Ok(unipc_frame_reader { frames })
    })
}

/// Reads the next frame.
///
/// reader:  a handle that no other thread is using
/// data:    gets the address of the frame's bytes, valid until the next call with this handle
/// len:     gets their number, which may be 0
/// timeout: for all of it; NULL: for ever; {0, 0}: not at all
///
/// Returns 1 with a frame, and 0 at the end of the stream, where data and len are left alone.
/// Errors:
///   -EAGAIN, -ETIMEDOUT, -EINTR  what came of a frame is kept: the next call goes on
///   -EMSGSIZE  a frame is too long; the stream is of no use any more
///   -EBADMSG   the stream ended inside a frame
///   -EINVAL    no timeout; a pointer is NULL
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_frame_read(
    reader: *mut unipc_frame_reader,
    data: *mut *const c_void,
    len: *mut usize,
    timeout: *const timespec,
) -> c_int {
    // SAFETY: the header asks for an open handle that nobody else is using, places for results, and NULL or a timespec.
    let caller = unsafe { Caller::trusted("read frame") };
    caller.guard(|| {
        let reader = caller.handle_mut(reader)?;
        let (data, len) = (caller.output("data", data)?, caller.output("len", len)?);
        let Some(frame) = reader.frames.read(caller.timeout(timeout)?)? else {
            return Ok(0);
        };
        data.set(frame.as_ptr().cast());
        len.set(frame.len());
        Ok(1)
    })
}

/// Closes a reader and its copy of the descriptor; NULL is fine.
///
/// reader: a handle, not used after this
///
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_frame_reader_close(reader: *mut unipc_frame_reader) {
    // SAFETY: the header asks for NULL or an open handle that is not used any more.
    unsafe { Caller::trusted("close") }.destroy(reader);
}

/// Writes frames to a descriptor: of a pipe, a FIFO, a stream socket, a terminal.
///
/// out:       gets the handle
/// fd:        is duplicated, and stays the caller's; readers see the end when both are closed
/// flags:     UNIPC_FRAME_EXCLUSIVE, UNIPC_FRAME_SIGPIPE, both or 0
/// max_frame: refuse frames of more bytes; 0: UNIPC_FRAME_LIMIT
///
/// Returns 0.
/// Errors:
///   -EBADF   fd is not open
///   -EMFILE  no descriptors are left
///   -EINVAL  unknown flags; out is NULL
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_frame_writer_open(
    out: *mut *mut unipc_frame_writer,
    fd: c_int,
    flags: c_uint,
    max_frame: u32,
) -> c_int {
    // SAFETY: the header asks for a place for a handle.
    let caller = unsafe { Caller::trusted("frame writer") };
    caller.construct(out, || {
        let exclusive = unipc_frame_flag::UNIPC_FRAME_EXCLUSIVE as c_uint;
        let sigpipe = unipc_frame_flag::UNIPC_FRAME_SIGPIPE as c_uint;
        let flags = caller.flags(flags, exclusive | sigpipe)?;
        let frames = FrameWriter::new(caller.duplicate(fd)?)?.limit(limit(max_frame));
        let frames = if flags.has(exclusive) { frames.exclusive() } else { frames };
        let frames = if flags.has(sigpipe) { frames.sigpipe() } else { frames };
        Ok(unipc_frame_writer { frames })
    })
}

/// Writes a frame.
///
/// writer:  a handle that no other thread is using
/// buf:     the bytes
/// len:     how many; 0 is a frame
/// timeout: for all of it; NULL: for ever; {0, 0}: not at all
///
/// A frame of which only a part could be written has begun: unipc_frame_unfinished() says so. Do not
/// write it again; the next call, or unipc_frame_finish(), writes its rest.
///
/// Returns 0.
/// Errors:
///   -EAGAIN, -ETIMEDOUT, -EINTR  nothing was written, unless unipc_frame_unfinished()
///   -EMSGSIZE  above the limit
///   -EPIPE     nobody can read any more; there is no SIGPIPE, see UNIPC_FRAME_SIGPIPE
///   -EINVAL    no timeout; writer, or buf of more than 0 bytes, is NULL
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_frame_write(
    writer: *mut unipc_frame_writer,
    buf: *const c_void,
    len: usize,
    timeout: *const timespec,
) -> c_int {
    // SAFETY: the header asks for an open handle that nobody else is using, `len` bytes, and NULL or a timespec.
    let caller = unsafe { Caller::trusted("write frame") };
    caller.guard(|| {
        let writer = caller.handle_mut(writer)?;
        let bytes = caller.bytes(buf, len)?;
        writer.frames.write(bytes, caller.timeout(timeout)?).map(|()| 0)
    })
}

/// Writes the rest of a frame that has begun; nothing where there is none.
///
/// writer:  a handle that no other thread is using
/// timeout: for all of it; NULL: for ever; {0, 0}: not at all
///
/// Returns 0.
/// Errors:
///   as unipc_frame_write()
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_frame_finish(
    writer: *mut unipc_frame_writer,
    timeout: *const timespec,
) -> c_int {
    // SAFETY: the header asks for an open handle that nobody else is using, and NULL or a timespec.
    let caller = unsafe { Caller::trusted("finish frame") };
    caller.guard(|| caller.handle_mut(writer)?.frames.finish(caller.timeout(timeout)?).map(|()| 0))
}

/// Is there a frame that has begun and is not finished?
///
/// writer: a handle
///
/// Returns 1 or 0.
/// Errors:
///   -EINVAL  writer is NULL
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_frame_unfinished(writer: *const unipc_frame_writer) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("unfinished frame") };
    caller.guard(|| Ok(caller.handle(writer)?.frames.is_unfinished().into()))
}

/// Closes a writer and its copy of the descriptor; NULL is fine. The rest of a frame that has begun is lost.
///
/// writer: a handle, not used after this
///
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_frame_writer_close(writer: *mut unipc_frame_writer) {
    // SAFETY: the header asks for NULL or an open handle that is not used any more.
    unsafe { Caller::trusted("close") }.destroy(writer);
}
