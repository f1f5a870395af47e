// SPDX-License-Identifier: MIT OR Apache-2.0
//! Records on a stream of bytes: `unipc.FrameReader` and `unipc.FrameWriter`.

use std::os::fd::{AsRawFd, OwnedFd, RawFd};

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyTuple};
use unipc::Timeout;
use unipc::pipe::OneByOne;
use unipc::stream::{self, FRAME_ATOMIC, FRAME_LIMIT};

use crate::buffer::Lent;
use crate::error::raise;
use crate::handle::{Handle, Open};
use crate::pipe::duplicate_of;
use crate::wait::{TimeoutArgument, wait};

const FOREVER: TimeoutArgument = TimeoutArgument(Timeout::Forever);

fn get<T>(open: &Handle<OneByOne<T>>) -> PyResult<Open<'_, OneByOne<T>>> {
    open.get(&"the stream of frames")
}

/// Does something with what is open, detached, when no other thread does; but others may while handlers of signals run.
fn call<T: Send, R: Send>(
    py: Python<'_>,
    open: &Handle<OneByOne<T>>,
    operation: &'static str,
    timeout: Timeout,
    mut work: impl FnMut(&mut T, Timeout) -> unipc::Result<R> + Send,
) -> PyResult<R> {
    let open = get(open)?;
    wait(py, timeout, |left| open.with(operation, left, &mut work))
}

/// Reads records from a stream: each goes with its length before it.
///
/// `file` is a descriptor or an object with `fileno()`: of a pipe, a FIFO, a stream socket, a terminal. It is duplicated;
/// the caller still owns the original. A frame of more than `limit` bytes is refused before memory is taken for it.
///
/// On the wire a frame is its length, a 32-bit number, lowest byte first, and then so many bytes. Nothing is read ahead,
/// and a timeout or signal in the middle of a frame loses nothing: the next call goes on. Threads may share a reader, and
/// wait for each other no longer than their timeouts; only one reader may read a stream of frames at a time.
///
/// >>> from unipc import FrameReader, FrameWriter
/// >>> from unipc.pipe import pipe
/// >>> ends = pipe()
/// >>> frames, writer = FrameReader(ends[0]), FrameWriter(ends[1])
/// >>> ends[1].close()
/// >>> writer.write(b"one record")
/// >>> writer.write(b"")
/// >>> writer.close()
/// >>> list(frames)
/// [b'one record', b'']
#[pyclass(frozen, weakref, module = "unipc")]
pub(crate) struct FrameReader {
    open: Handle<OneByOne<stream::FrameReader<OwnedFd>>>,
    fd: RawFd,
}

#[pymethods]
impl FrameReader {
    /// How long a frame may be unless said otherwise, in bytes: 16 MiB.
    #[classattr]
    const LIMIT: u32 = FRAME_LIMIT;

    #[new]
    #[pyo3(signature = (file, *, limit = FRAME_LIMIT), text_signature = "(file, *, limit=16777216)")]
    fn new(file: &Bound<'_, PyAny>, limit: u32) -> PyResult<Self> {
        let copy = duplicate_of(file)?;
        let fd = copy.as_raw_fd();
        let frames = stream::FrameReader::new(copy).map_err(raise)?.limit(limit);
        Ok(Self { open: Handle::new(OneByOne::new(frames)), fd })
    }

    /// The next frame as `bytes`; None at the end of the stream.
    ///
    /// Raises `OSError`: `EMSGSIZE` for a frame above the limit, after which the stream is of no use; `EBADMSG` when the
    /// stream ended inside a frame; `TimeoutError`, `BlockingIOError`: what came of a frame is kept for the next call.
    #[pyo3(signature = (timeout = FOREVER), text_signature = "($self, timeout=None)")]
    fn read<'py>(
        &self,
        py: Python<'py>,
        timeout: TimeoutArgument,
    ) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let frame = call(py, &self.open, "read frame", timeout.0, |frames, left| {
            frames.read(left).map(|frame| frame.map(<[u8]>::to_vec))
        })?;
        Ok(frame.map(|frame| PyBytes::new(py, &frame)))
    }

    fn __iter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyBytes>>> {
        self.read(py, FOREVER)
    }

    /// The descriptor, for `select` and its kin: ready when a frame has begun, or the stream has ended.
    fn fileno(&self) -> PyResult<RawFd> {
        get(&self.open).map(|_| self.fd)
    }

    /// Closes this reader's copy of the descriptor. Closing twice is fine.
    fn close(&self) {
        drop(self.open.close());
    }

    fn __enter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    #[pyo3(signature = (*_exception))]
    fn __exit__(&self, _exception: &Bound<'_, PyTuple>) {
        self.close();
    }

    fn __repr__(&self) -> String {
        format!("<unipc.FrameReader fd {}>", self.fd)
    }
}

/// Writes records to a stream: each goes with its length before it. See `FrameReader`.
///
/// `file` is a descriptor or an object with `fileno()`. It is duplicated; readers see the end when both are closed.
///
/// A frame of up to `FrameWriter.ATOMIC` bytes goes into a pipe or FIFO together, so any number of processes may write such
/// frames into one. Longer frames of several processes do not mix if each writer is `exclusive`: it holds a record lock on
/// the pipe while it writes a frame. That lock belongs to the process, so threads share one writer.
///
/// `sigpipe` lets a write that waits raise SIGPIPE, which is faster where the signal is ignored, as Python does unless told
/// otherwise: see `PipeEnd.set_sigpipe`.
#[pyclass(frozen, weakref, module = "unipc")]
pub(crate) struct FrameWriter {
    open: Handle<OneByOne<stream::FrameWriter<OwnedFd>>>,
    fd: RawFd,
}

#[pymethods]
impl FrameWriter {
    /// The longest frame that several writers of one pipe may write without mixing, in bytes.
    #[classattr]
    const ATOMIC: usize = FRAME_ATOMIC;
    /// How long a frame may be unless said otherwise, in bytes: 16 MiB.
    #[classattr]
    const LIMIT: u32 = FRAME_LIMIT;

    #[new]
    #[pyo3(
        signature = (file, *, exclusive = false, limit = FRAME_LIMIT, sigpipe = false),
        text_signature = "(file, *, exclusive=False, limit=16777216, sigpipe=False)",
    )]
    fn new(file: &Bound<'_, PyAny>, exclusive: bool, limit: u32, sigpipe: bool) -> PyResult<Self> {
        let copy = duplicate_of(file)?;
        let fd = copy.as_raw_fd();
        let frames = stream::FrameWriter::new(copy).map_err(raise)?.limit(limit);
        let frames = if exclusive { frames.exclusive() } else { frames };
        let frames = if sigpipe { frames.sigpipe() } else { frames };
        Ok(Self { open: Handle::new(OneByOne::new(frames)), fd })
    }

    /// Writes a frame.
    ///
    /// Raises `OSError`: `EMSGSIZE` above the limit; `BrokenPipeError` when nobody reads any more; `TimeoutError`,
    /// `BlockingIOError`. If `unfinished` is true then, the frame has begun: do not write it again, the next `write` or
    /// `finish` writes its rest. Else nothing of it was written.
    #[pyo3(signature = (data, timeout = FOREVER), text_signature = "($self, data, timeout=None)")]
    fn write(
        &self,
        py: Python<'_>,
        data: &Bound<'_, PyAny>,
        timeout: TimeoutArgument,
    ) -> PyResult<()> {
        let lent = Lent::readable(data)?;
        let bytes = lent.bytes();
        // After an interruption the frame may have begun.
        let mut begun = false;
        call(py, &self.open, "write frame", timeout.0, |frames, left| {
            if begun {
                return frames.finish(left);
            }
            frames.write(bytes, left).inspect_err(|error| begun = error.kind().done() > 0)
        })
    }

    /// Writes the rest of a frame that has begun; nothing where there is none.
    ///
    /// Raises as `write`.
    #[pyo3(signature = (timeout = FOREVER), text_signature = "($self, timeout=None)")]
    fn finish(&self, py: Python<'_>, timeout: TimeoutArgument) -> PyResult<()> {
        call(py, &self.open, "finish frame", timeout.0, stream::FrameWriter::finish)
    }

    /// Is there a frame that has begun and is not finished?
    #[getter]
    fn unfinished(&self, py: Python<'_>) -> PyResult<bool> {
        call(py, &self.open, "unfinished", Timeout::Forever, |frames, _| Ok(frames.is_unfinished()))
    }

    /// The descriptor, for `select` and its kin.
    fn fileno(&self) -> PyResult<RawFd> {
        get(&self.open).map(|_| self.fd)
    }

    /// Closes this writer's copy of the descriptor. The rest of a frame that has begun is lost. Closing twice is fine.
    fn close(&self) {
        drop(self.open.close());
    }

    fn __enter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    #[pyo3(signature = (*_exception))]
    fn __exit__(&self, _exception: &Bound<'_, PyTuple>) {
        self.close();
    }

    fn __repr__(&self) -> String {
        format!("<unipc.FrameWriter fd {}>", self.fd)
    }
}
