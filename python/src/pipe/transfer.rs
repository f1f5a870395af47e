// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reading and writing. What needs no waiting is done without leaving the interpreter.

use std::mem::MaybeUninit;

use pyo3::prelude::*;
use pyo3::types::PyBytes;
use unipc::pipe::End;
use unipc::{Error, Timeout};

use super::PipeEnd;
use crate::buffer::{Lent, new_bytes};
use crate::error::raise;
use crate::wait::{TimeoutArgument, wait};

/// Up to so many bytes are read into a small place.
const SMALL: usize = 4096;

/// What is read at once at most, unless more waits.
const LARGE: usize = 65536;

const FOREVER: TimeoutArgument = TimeoutArgument(Timeout::Forever);

/// The bytes to write; those of a `bytes` object are lent without ceremony.
enum Data<'a, 'py> {
    Bytes(&'a [u8]),
    Lent(Lent<'py>),
}

impl<'a, 'py> Data<'a, 'py> {
    fn of(data: &'a Bound<'py, PyAny>) -> PyResult<Self> {
        match data.cast::<PyBytes>() {
            Ok(bytes) => Ok(Self::Bytes(bytes.as_bytes())),
            Err(_) => Lent::readable(data).map(Self::Lent),
        }
    }

    fn bytes(&self) -> &[u8] {
        match self {
            Self::Bytes(bytes) => bytes,
            Self::Lent(lent) => lent.bytes(),
        }
    }
}

/// Reads what is there, at first without waiting.
fn read_into(
    py: Python<'_>,
    end: &End,
    room: &mut [MaybeUninit<u8>],
    timeout: Timeout,
) -> PyResult<usize> {
    if let Some(count) = end.read_now(room).map_err(raise)? {
        return Ok(count);
    }
    wait(py, timeout, |left| end.read_uninit(room, left))
}

/// Reads through a place of its own, which who needs a smaller one does not pay for, and gives `bytes` of what came.
#[inline(never)]
fn read_through<'py, const PLACE: usize>(
    py: Python<'py>,
    end: &End,
    size: usize,
    timeout: Timeout,
) -> PyResult<Bound<'py, PyBytes>> {
    let mut place = [MaybeUninit::uninit(); PLACE];
    let room = &mut place[..size.min(PLACE)];
    let count = read_into(py, end, room, timeout)?;
    new_bytes(py, count, |bytes| {
        bytes.copy_from_slice(&room[..count]);
        Ok(())
    })
}

/// How many bytes went before an exception is told in it, as `BlockingIOError` always has it.
fn with_count<'py>(
    py: Python<'py>,
    error: PyErr,
    name: &str,
    value: impl IntoPyObject<'py>,
) -> PyErr {
    // An exception that takes no attribute says less; it is raised nevertheless.
    let _ = error.value(py).setattr(name, value);
    error
}

#[pymethods]
impl PipeEnd {
    /// Reads what is there, at most `size` bytes; waits for the first. b"" is the end of the stream: the last writing end
    /// was closed, and all was read.
    ///
    /// Raises `OSError`: `TimeoutError`, `BlockingIOError`; `EBADF` for an end that only writes.
    #[pyo3(signature = (size = LARGE, timeout = FOREVER), text_signature = "($self, size=65536, timeout=None)")]
    fn read<'py>(
        &self,
        py: Python<'py>,
        size: usize,
        timeout: TimeoutArgument,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let end = self.get()?;
        if size <= SMALL {
            return read_through::<SMALL>(py, &end, size, timeout.0);
        }
        let waiting = end.waiting().map_err(raise)?.min(size);
        if waiting <= SMALL {
            return read_through::<LARGE>(py, &end, size, timeout.0);
        }
        // Into the object itself; unless another reader was faster, it becomes full.
        let mut count = 0;
        let bytes = new_bytes(py, waiting, |bytes| {
            count = read_into(py, &end, bytes, timeout.0)?;
            for byte in &mut bytes[count..] {
                byte.write(0);
            }
            Ok(())
        })?;
        Ok(if count == waiting { bytes } else { PyBytes::new(py, &bytes.as_bytes()[..count]) })
    }

    /// As `read`, into a writable buffer; returns how many bytes came, 0 at the end of the stream.
    ///
    /// Raises also `BufferError` for a buffer that is read-only or scattered.
    #[pyo3(signature = (buffer, timeout = FOREVER), text_signature = "($self, buffer, timeout=None)")]
    fn read_into(
        &self,
        py: Python<'_>,
        buffer: &Bound<'_, PyAny>,
        timeout: TimeoutArgument,
    ) -> PyResult<usize> {
        let end = self.get()?;
        let mut lent = Lent::writable(buffer)?;
        let room = lent.bytes_mut();
        wait(py, timeout.0, |left| end.read(room, left))
    }

    /// Reads exactly `size` bytes.
    ///
    /// Raises `OSError`: `ENODATA` when the stream has ended, `EBADMSG` when it ended after some bytes; else as `read`.
    /// The bytes that came before it are in the exception's `partial`.
    #[pyo3(signature = (size, timeout = FOREVER), text_signature = "($self, size, timeout=None)")]
    fn read_exact<'py>(
        &self,
        py: Python<'py>,
        size: usize,
        timeout: TimeoutArgument,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let end = self.get()?;
        let mut done = 0;
        let mut partial = None;
        let read = PyBytes::new_with(py, size, |room| {
            let read = wait(py, timeout.0, |left| {
                counted(&mut done, |done| end.read_exact(&mut room[done..], left))
            });
            read.inspect_err(|_| partial = Some(room[..done].to_vec()))
        });
        read.map_err(|error| {
            let came = PyBytes::new(py, &partial.unwrap_or_default());
            with_count(py, error, "partial", came)
        })
    }

    /// Writes and returns how many bytes went. Without a timeout all go; with one, what fits at once, but at least one.
    /// Up to `PIPE_BUF` bytes go into a pipe together or not at all.
    ///
    /// Raises `OSError`: `BrokenPipeError` when nobody can read any more; `TimeoutError`, `BlockingIOError`: nothing was
    /// written; `EBADF` for an end that only reads. Without a timeout some bytes may have gone before an exception; their
    /// number is in its `characters_written`.
    #[pyo3(signature = (data, timeout = FOREVER), text_signature = "($self, data, timeout=None)")]
    fn write(
        &self,
        py: Python<'_>,
        data: &Bound<'_, PyAny>,
        timeout: TimeoutArgument,
    ) -> PyResult<usize> {
        let end = self.get()?;
        let lent = Data::of(data)?;
        let bytes = lent.bytes();
        let mut done = end.write_now(bytes).map_err(raise)?.unwrap_or(0);
        if done == bytes.len() || (done > 0 && timeout.0 != Timeout::Forever) {
            return Ok(done);
        }
        if timeout.0 != Timeout::Forever {
            return wait(py, timeout.0, |left| end.write(bytes, left));
        }
        let written = wait(py, timeout.0, |left| {
            counted(&mut done, |done| end.write_all(&bytes[done..], left))
        });
        written.map_err(|error| with_count(py, error, "characters_written", done))?;
        Ok(bytes.len())
    }

    /// Writes all bytes. Those of several writers may mix when there are more than `PIPE_BUF`.
    ///
    /// Raises as `write`; how many bytes went before it is in the exception's `characters_written`.
    #[pyo3(signature = (data, timeout = FOREVER), text_signature = "($self, data, timeout=None)")]
    fn write_all(
        &self,
        py: Python<'_>,
        data: &Bound<'_, PyAny>,
        timeout: TimeoutArgument,
    ) -> PyResult<()> {
        let end = self.get()?;
        let lent = Data::of(data)?;
        let bytes = lent.bytes();
        let mut done = end.write_now(bytes).map_err(raise)?.unwrap_or(0);
        if done == bytes.len() {
            return Ok(());
        }
        let written = wait(py, timeout.0, |left| {
            counted(&mut done, |done| end.write_all(&bytes[done..], left))
        });
        written.map_err(|error| with_count(py, error, "characters_written", done))
    }

    /// Writes all bytes together: never mixed with those of other writers, and all or nothing.
    ///
    /// Raises `OSError`: `EMSGSIZE` for more than `PIPE_BUF` bytes, `EOPNOTSUPP` for one of a duplex; else as `write`.
    #[pyo3(signature = (data, timeout = FOREVER), text_signature = "($self, data, timeout=None)")]
    fn write_atomic(
        &self,
        py: Python<'_>,
        data: &Bound<'_, PyAny>,
        timeout: TimeoutArgument,
    ) -> PyResult<()> {
        let end = self.get()?;
        let lent = Data::of(data)?;
        let bytes = lent.bytes();
        wait(py, timeout.0, |left| end.write_atomic(bytes, left))
    }
}

/// A step of a transfer that goes on after an interruption where it stopped.
fn counted(done: &mut usize, step: impl FnOnce(usize) -> Result<(), Error>) -> Result<(), Error> {
    step(*done).inspect_err(|error| *done += error.kind().done())
}
