// SPDX-License-Identifier: MIT OR Apache-2.0
//! Records on a stream of bytes: each goes with its length before it.
//!
//! On the wire a frame is its length, a 32-bit number, lowest byte first, and then so many bytes. A length of 0 is a
//! frame. A length above the limit ([`FRAME_LIMIT`] unless set) is refused when it is read, before memory is taken for
//! it; memory grows with what has really come. A stream that ends between two frames has ended; inside a frame it is an
//! error of its own (`EBADMSG`).
//!
//! A frame of up to [`FRAME_ATOMIC`] bytes is one write of at most `PIPE_BUF`, which a pipe or FIFO takes together: any
//! number of processes may write such frames into one. Longer frames of several writers would mix, unless each of them
//! is [exclusive](FrameWriter::exclusive).
//!
//! Nothing is read ahead, so that the descriptor stays the truth for `poll`, and for whoever gets it next.

use std::os::fd::{AsFd, OwnedFd};

use nix::fcntl::{FcntlArg, fcntl};

use super::{Limit, Stream, behind, uninit};
use crate::error::{Error, ErrorKind, Result};
use crate::interrupt;
use crate::time::Timeout;

/// How long a frame may be unless said otherwise: 16 MiB.
pub const FRAME_LIMIT: u32 = 16 << 20;

/// The longest frame that several writers of one pipe may write without mixing: `PIPE_BUF` less the length's 4 bytes.
pub const FRAME_ATOMIC: usize = libc::PIPE_BUF - HEADER;

/// Bytes of the length.
const HEADER: usize = 4;

/// Frames of at most so many bytes are copied behind their length: two parts cost the kernel more.
const JOINED: usize = 256;

/// How much memory is taken before bytes have come for it.
const STEP: usize = 256 << 10;

/// Reads frames from a stream. A time limit or signal in the middle of a frame loses nothing: the next call goes on.
///
/// Only one reader may read a stream of frames at a time.
///
/// ```
/// use unipc::Timeout;
/// use unipc::stream::{FrameReader, FrameWriter};
///
/// # fn main() -> unipc::Result<()> {
/// let (reader, writer) = unipc::pipe::pipe()?;
/// let mut writer = FrameWriter::new(writer)?;
/// let mut reader = FrameReader::new(reader)?;
/// writer.write(b"one record", Timeout::Forever)?;
/// assert_eq!(reader.read(Timeout::Forever)?, Some(b"one record".as_slice()));
/// drop(writer);
/// assert_eq!(reader.read(Timeout::Forever)?, None);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct FrameReader<S = OwnedFd> {
    stream: Stream<S>,
    limit: u32,
    header: [u8; HEADER],
    body: Vec<u8>,
    /// How many bytes of header and body have come.
    have: usize,
    /// The last frame was handed out: what is in `body` is old.
    complete: bool,
}

impl<S: AsFd> FrameReader<S> {
    /// Reads from `stream`, which may be a descriptor, owned or borrowed, or anything that has one.
    ///
    /// Errors: those of `fstat(2)`.
    pub fn new(stream: S) -> Result<Self> {
        let stream = Stream::new(stream).map_err(|errno| failed("frame reader", errno.into()))?;
        let (header, body) = ([0; HEADER], Vec::new());
        Ok(Self { stream, limit: FRAME_LIMIT, header, body, have: 0, complete: false })
    }

    /// Refuses frames of more than `limit` bytes.
    #[must_use]
    pub fn limit(mut self, limit: u32) -> Self {
        self.limit = limit;
        self
    }

    /// The next frame, which stays in this reader until the next call; `None` at the end of the stream.
    ///
    /// Errors: `EMSGSIZE` for a frame above the limit: the stream is of no use any more; `EBADMSG` when it ended inside a
    /// frame; `EAGAIN`, `ETIMEDOUT`, `EINTR`: what came of a frame is kept for the next call.
    #[inline]
    pub fn read(&mut self, timeout: Timeout) -> Result<Option<&[u8]>> {
        let whole = self.fill(&mut Limit::new(timeout));
        let whole = whole.map_err(|kind| failed("read frame", kind))?;
        Ok(whole.then_some(&self.body))
    }

    /// The stream; reading from it directly takes bytes from the frames.
    pub fn get_ref(&self) -> &S {
        &self.stream.fd
    }

    /// Gives the stream back. What came of a frame that is not complete is lost.
    pub fn into_inner(self) -> S {
        self.stream.into_fd()
    }

    /// Reads until a frame is complete; false at the end.
    #[inline]
    fn fill(&mut self, limit: &mut Limit) -> Result<bool, ErrorKind> {
        if self.complete {
            self.complete = false;
            self.have = 0;
            if self.body.capacity() > STEP {
                // A long frame shall not keep its memory for ever.
                self.body = Vec::new();
            }
        }
        while self.have < HEADER {
            let more = self.stream.read_within(uninit(&mut self.header[self.have..]), limit)?;
            match (more, self.have) {
                (0, 0) => return Ok(false),
                (0, have) => return Err(ErrorKind::Cut { done: have, total: HEADER }),
                _ => self.have += more,
            }
        }
        let length = u32::from_le_bytes(self.header);
        if length > self.limit {
            return Err(ErrorKind::TooLong { length: length.into(), limit: self.limit.into() });
        }
        let total = length as usize;
        self.body.resize(total.min((self.have - HEADER).next_multiple_of(STEP).max(STEP)), 0);
        while self.have - HEADER < total {
            let at = self.have - HEADER;
            if at == self.body.len() {
                self.body.resize(total.min(at + STEP), 0);
            }
            match self.stream.read_within(uninit(&mut self.body[at..]), limit)? {
                0 => return Err(ErrorKind::Cut { done: at, total }),
                more => self.have += more,
            }
        }
        self.complete = true;
        Ok(true)
    }
}

/// Writes frames to a stream.
///
/// A frame of which only a part could be written is finished by the next call: it has begun, and must not be written
/// again. The error that tells so has the number of bytes that went ([`ErrorKind::Partial`]).
#[derive(Debug)]
pub struct FrameWriter<S = OwnedFd> {
    stream: Stream<S>,
    limit: u32,
    exclusive: bool,
    /// The rest of a frame that has begun.
    rest: Vec<u8>,
}

impl<S: AsFd> FrameWriter<S> {
    /// Writes to `stream`, which may be a descriptor, owned or borrowed, or anything that has one.
    ///
    /// Errors: those of `fstat(2)`.
    pub fn new(stream: S) -> Result<Self> {
        let stream = Stream::new(stream).map_err(|errno| failed("frame writer", errno.into()))?;
        Ok(Self { stream, limit: FRAME_LIMIT, exclusive: false, rest: Vec::new() })
    }

    /// Refuses frames of more than `limit` bytes; the reader's limit should be the same.
    #[must_use]
    pub fn limit(mut self, limit: u32) -> Self {
        self.limit = limit;
        self
    }

    /// Holds a record lock on the pipe or FIFO while a frame is written (`F_SETLKW`), so that frames of any length from
    /// several processes do not mix: if all of them do so.
    ///
    /// The lock belongs to the process: threads share one writer instead. It is lost when the process closes any
    /// descriptor of the same pipe meanwhile, and a writer that is killed inside a long frame spoils the stream for all.
    #[must_use]
    pub fn exclusive(mut self) -> Self {
        self.exclusive = true;
        self
    }

    /// Lets a write that waits raise SIGPIPE, which is faster for those who ignore the signal for good: see
    /// [`End::set_sigpipe`](crate::pipe::End::set_sigpipe).
    #[must_use]
    pub fn sigpipe(self) -> Self {
        self.stream.set_sigpipe(true);
        self
    }

    /// Writes a frame.
    ///
    /// Errors: `EMSGSIZE` above the limit; `EPIPE` when nobody reads any more; `EAGAIN`, `ETIMEDOUT`, `EINTR`. As
    /// [`ErrorKind::Partial`] the frame has begun, and the next `write` or [`FrameWriter::finish`] writes its rest; else
    /// nothing of it was written.
    #[inline]
    pub fn write(&mut self, payload: &[u8], timeout: Timeout) -> Result<()> {
        self.write_within(payload, &mut Limit::new(timeout))
            .map_err(|kind| failed("write frame", kind))
    }

    /// Writes the rest of a frame that has begun; nothing where there is none.
    ///
    /// Errors: as [`FrameWriter::write`].
    pub fn finish(&mut self, timeout: Timeout) -> Result<()> {
        self.finish_within(&mut Limit::new(timeout)).map_err(|kind| failed("finish frame", kind))
    }

    /// Is there a frame that has begun and is not finished?
    pub fn is_unfinished(&self) -> bool {
        !self.rest.is_empty()
    }

    /// The stream; writing to it directly tears the frames.
    pub fn get_ref(&self) -> &S {
        &self.stream.fd
    }

    /// Gives the stream back. The rest of a frame that has begun is lost.
    pub fn into_inner(self) -> S {
        self.stream.into_fd()
    }

    fn finish_within(&mut self, limit: &mut Limit) -> Result<(), ErrorKind> {
        let written = self.stream.write_all_within(&self.rest, limit);
        let done = written.as_ref().map_or_else(|(_, done)| *done, |()| self.rest.len());
        self.rest.drain(..done);
        written.map_err(|(cause, _)| cause)?;
        self.unlock();
        Ok(())
    }

    fn write_within(&mut self, payload: &[u8], limit: &mut Limit) -> Result<(), ErrorKind> {
        let length = u32::try_from(payload.len()).ok().filter(|length| *length <= self.limit);
        let Some(length) = length else {
            let (length, limit) = (payload.len() as u64, self.limit.into());
            return Err(ErrorKind::TooLong { length, limit });
        };
        if self.is_unfinished() {
            self.finish_within(limit)?;
        }
        self.lock(limit)?;
        let header = length.to_le_bytes();
        let total = HEADER + payload.len();
        let mut joined = [0; JOINED];
        let written = if let Some(whole) = joined.get_mut(..total) {
            whole[..HEADER].copy_from_slice(&header);
            whole[HEADER..].copy_from_slice(payload);
            self.stream.write_all_within(whole, limit)
        } else {
            self.stream.write_all_parts_within([&header, payload], limit)
        };
        match written {
            Ok(()) => {}
            Err((cause, 0)) => {
                self.unlock();
                return Err(cause);
            }
            Err((cause, done)) => {
                // The lock stays: nobody else may write before the rest.
                self.rest.extend(behind([&header, payload], done).into_iter().flatten());
                return Err(cause.after(done, total));
            }
        }
        self.unlock();
        Ok(())
    }

    #[inline]
    fn lock(&self, limit: &mut Limit) -> Result<(), ErrorKind> {
        if !self.exclusive {
            return Ok(());
        }
        let lock = record_lock(libc::F_WRLCK);
        match fcntl(&self.stream, FcntlArg::F_SETLK(&lock)) {
            Err(nix::errno::Errno::EAGAIN | nix::errno::Errno::EACCES) => {}
            other => return Ok(other.map(drop)?),
        }
        if limit.deadline().has_passed() {
            return Err(limit.expired());
        }
        let wait = || fcntl(&self.stream, FcntlArg::F_SETLKW(&lock)).map(drop);
        interrupt::until(limit.deadline(), wait)
    }

    #[inline]
    fn unlock(&self) {
        if self.exclusive {
            // It cannot fail: the range was locked.
            let _ = fcntl(&self.stream, FcntlArg::F_SETLK(&record_lock(libc::F_UNLCK)));
        }
    }
}

/// The whole of the file, as far as locks go.
#[allow(clippy::cast_possible_truncation, reason = "the constants are small numbers")]
fn record_lock(kind: libc::c_int) -> libc::flock {
    libc::flock {
        l_type: kind as libc::c_short,
        l_whence: libc::SEEK_SET as libc::c_short,
        l_start: 0,
        l_len: 0,
        l_pid: 0,
    }
}

#[cold]
fn failed(operation: &'static str, kind: ErrorKind) -> Error {
    kind.during(operation, "stream")
}
