// SPDX-License-Identifier: MIT OR Apache-2.0
//! Sending and receiving bytes. What need not wait does not let other threads run in between, which costs time.

use std::cell::Cell;
use std::ffi::OsString;
use std::mem::MaybeUninit;
use std::sync::atomic::Ordering;

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use unipc::{Name, Timeout};

use super::{Socket, after, raise_with};
use crate::buffer::{Lent, new_bytes};
use crate::error::raise;
use crate::name::NameArgument;
use crate::wait::{TimeoutArgument, limit, wait};

/// How much of a stream is received at once unless said otherwise.
const STREAM: usize = 64 << 10;

/// The longest message that is received unless said otherwise.
pub(super) const MESSAGE: usize = 1 << 20;

/// Up to so many bytes are received into a small place.
const SMALL: usize = 4096;

/// How often a receive waits at once after a try that came to nothing.
const PATIENCE: u8 = 31;

/// Up to so many bytes the kernel copies faster than threads take turns.
const AT_ONCE: usize = 64 << 10;

thread_local! {
    /// Room for what is received. The pages that are never touched cost nothing.
    static ROOM: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// Lends room for `size` bytes. A signal handler that receives too, in the middle of it, gets room of its own.
pub(super) fn with_room<R>(size: usize, work: impl FnOnce(&mut [u8]) -> R) -> R {
    if size > MESSAGE {
        return work(&mut vec![0; size]);
    }
    let mut room = ROOM.take();
    if room.len() < size {
        room = vec![0; MESSAGE];
    }
    let result = work(&mut room[..size]);
    ROOM.set(room);
    result
}

/// Does at once what can be done at once, and else waits for it.
pub(super) fn soon<R: Send>(
    py: Python<'_>,
    timeout: Timeout,
    mut work: impl FnMut(Timeout) -> unipc::Result<R> + Send,
) -> PyResult<R> {
    match work(Timeout::TRY) {
        Err(error) if timeout != Timeout::TRY && error.errno() == libc::EAGAIN => {
            wait(py, timeout, work)
        }
        other => other.map_err(raise),
    }
}

/// Receives. Without a limit it is likely to have to wait: a try before would be a system call more.
pub(super) fn receive<R: Send>(
    py: Python<'_>,
    timeout: Timeout,
    work: impl FnMut(Timeout) -> unipc::Result<R> + Send,
) -> PyResult<R> {
    if timeout == Timeout::Forever { wait(py, timeout, work) } else { soon(py, timeout, work) }
}

/// A new object with these bytes, which must hold values.
fn copied<'py>(py: Python<'py>, room: &[MaybeUninit<u8>]) -> PyResult<Bound<'py, PyBytes>> {
    new_bytes(py, room.len(), |bytes| {
        bytes.copy_from_slice(room);
        Ok(())
    })
}

/// Calls with the bytes of an object that has the buffer protocol.
pub(super) fn with_bytes<R>(
    data: &Bound<'_, PyAny>,
    work: impl FnOnce(&[u8]) -> PyResult<R>,
) -> PyResult<R> {
    match data.cast_exact::<PyBytes>() {
        Ok(bytes) => work(bytes.as_bytes()),
        Err(_) => work(Lent::readable(data)?.bytes()),
    }
}

fn send(
    py: Python<'_>,
    socket: &unipc::socket::Socket,
    data: &[u8],
    timeout: Timeout,
) -> PyResult<usize> {
    if data.len() > AT_ONCE && timeout != Timeout::TRY {
        return wait(py, timeout, |left| socket.send(data, left));
    }
    match socket.send(data, Timeout::TRY) {
        // Without a limit all of it goes.
        Ok(sent) if sent < data.len() && timeout == Timeout::Forever => {
            let rest = &data[sent..];
            // An error now comes again with the next call, which has sent nothing then.
            Ok(sent
                + wait(py, timeout, |left| {
                    socket.send(rest, left).or_else(|error| {
                        if error.errno() == libc::EINTR { Err(error) } else { Ok(0) }
                    })
                })?)
        }
        Err(error) if timeout != Timeout::TRY && error.errno() == libc::EAGAIN => {
            wait(py, timeout, |left| socket.send(data, left))
        }
        other => other.map_err(raise),
    }
}

fn send_all(
    py: Python<'_>,
    socket: &unipc::socket::Socket,
    data: &[u8],
    timeout: Timeout,
) -> PyResult<()> {
    let mut done = 0;
    let mut attempt = |left| {
        let sent = socket.send_all(&data[done..], left);
        if let Err(error) = &sent {
            done += error.kind().done();
        }
        sent
    };
    let large = data.len() > AT_ONCE && timeout != Timeout::TRY;
    let at_once = if large { None } else { Some(attempt(Timeout::TRY)) };
    let result = match at_once {
        None => go_on(py, timeout, attempt)?,
        Some(Err(error)) if error.errno() == libc::EAGAIN && timeout != Timeout::TRY => {
            go_on(py, timeout, attempt)?
        }
        Some(other) => other,
    };
    result.map_err(|error| {
        raise_with(py, after(&error, done, data.len()), intern!(py, "characters_written"), done)
    })
}

/// As `wait`, but the last error is given as it is.
fn go_on(
    py: Python<'_>,
    timeout: Timeout,
    mut attempt: impl FnMut(Timeout) -> unipc::Result<()> + Send,
) -> PyResult<unipc::Result<()>> {
    wait(py, timeout, |left| match attempt(left) {
        Err(error) if error.errno() == libc::EINTR => Err(error),
        other => Ok(other),
    })
}

#[pymethods]
impl Socket {
    /// Sends bytes, or anything that has the buffer protocol, and returns how many went: a message goes whole. Down a stream
    /// all go without a `timeout`, unless a signal comes; with one, what fits at once.
    ///
    /// Waits while the peer does not receive (UDP never does).
    ///
    /// Raises `BrokenPipeError` when the peer has gone or receives no more; `OSError` with `EMSGSIZE` for a message that is
    /// too long; `TimeoutError`, `BlockingIOError`: nothing was sent then. See `send(2)`.
    #[pyo3(signature = (data, timeout = None))]
    fn send(
        &self,
        py: Python<'_>,
        data: &Bound<'_, PyAny>,
        timeout: Option<TimeoutArgument>,
    ) -> PyResult<usize> {
        let socket = self.get()?;
        with_bytes(data, |data| send(py, &socket, data, limit(timeout)))
    }

    /// Sends all bytes.
    ///
    /// Raises as `send`. On a stream the exception's attribute `characters_written` tells how many bytes went before it.
    #[pyo3(signature = (data, timeout = None))]
    fn send_all(
        &self,
        py: Python<'_>,
        data: &Bound<'_, PyAny>,
        timeout: Option<TimeoutArgument>,
    ) -> PyResult<()> {
        let socket = self.get()?;
        with_bytes(data, |data| send_all(py, &socket, data, limit(timeout)))
    }

    /// Receives one message, or what a stream has: at most `size` bytes; without it a message of up to 1 MiB, or up to
    /// 64 KiB of a stream. Waits for the first.
    ///
    /// `b""` is the end of a stream or seqpacket, when the peer has closed or sends no more; and an empty message, which
    /// `recv_message` tells apart.
    ///
    /// Raises `OSError` with `EMSGSIZE` for a message that is longer, which is lost then (`next_size` tells beforehand);
    /// `ConnectionResetError`; `TimeoutError`, `BlockingIOError`. See `recv(2)`.
    #[pyo3(signature = (size = None, timeout = None))]
    fn recv<'py>(
        &self,
        py: Python<'py>,
        size: Option<usize>,
        timeout: Option<TimeoutArgument>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let (socket, size, timeout) = (self.get()?, self.room(size), limit(timeout));
        if size <= SMALL {
            let mut place = [MaybeUninit::uninit(); SMALL];
            let room = &mut place[..size];
            let length = self.receive(py, timeout, |left| socket.recv_uninit(room, left))?;
            return copied(py, &room[..length]);
        }
        // SYNC: a guess alone, which only costs time when it is wrong.
        if !self.full.load(Ordering::Relaxed) {
            return with_room(size, |room| {
                let length = self.receive(py, timeout, |left| socket.recv(room, left))?;
                self.full.store(length == size, Ordering::Relaxed);
                Ok(PyBytes::new(py, &room[..length]))
            });
        }
        // As much again, so that it goes straight into the object.
        let mut length = 0;
        let bytes = new_bytes(py, size, |room| {
            length = self.receive(py, timeout, |left| socket.recv_uninit(room, left))?;
            for byte in &mut room[length..] {
                byte.write(0);
            }
            Ok(())
        })?;
        self.full.store(length == size, Ordering::Relaxed);
        Ok(if length == size { bytes } else { PyBytes::new(py, &bytes.as_bytes()[..length]) })
    }

    /// Receives into `buffer`, as `recv`, and returns how many bytes came.
    ///
    /// Raises as `recv`; `BufferError` when `buffer` cannot be written.
    #[pyo3(signature = (buffer, timeout = None))]
    fn recv_into(
        &self,
        py: Python<'_>,
        buffer: &Bound<'_, PyAny>,
        timeout: Option<TimeoutArgument>,
    ) -> PyResult<usize> {
        let socket = self.get()?;
        let mut buffer = Lent::writable(buffer)?;
        let room = buffer.bytes_mut();
        self.receive(py, limit(timeout), |left| socket.recv(room, left))
    }

    /// Receives exactly `size` bytes from a stream.
    ///
    /// Raises `OSError`: `ENODATA` when the stream has ended, `EBADMSG` when it ended after some bytes; as `recv` besides. The
    /// exception's attribute `partial` has the bytes that came.
    #[pyo3(signature = (size, timeout = None))]
    fn recv_exact<'py>(
        &self,
        py: Python<'py>,
        size: usize,
        timeout: Option<TimeoutArgument>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let (socket, timeout) = (self.get()?, limit(timeout));
        if size <= SMALL {
            let mut place = [MaybeUninit::uninit(); SMALL];
            let room = &mut place[..size];
            self.fill(py, &socket, room, timeout)?;
            return copied(py, room);
        }
        new_bytes(py, size, |room| self.fill(py, &socket, room, timeout))
    }

    /// Sends a datagram to `name`, whatever this socket is connected to, and returns how many bytes it has.
    ///
    /// Raises as `send`; `OSError`: `ENOENT`, `ECONNREFUSED` when nobody has the name, `EPERM` when that socket is connected
    /// to another. See `sendto(2)`.
    #[pyo3(signature = (data, name, timeout = None))]
    #[allow(clippy::needless_pass_by_value, reason = "what pyo3 extracts is ours")]
    fn send_to(
        &self,
        py: Python<'_>,
        data: &Bound<'_, PyAny>,
        name: NameArgument,
        timeout: Option<TimeoutArgument>,
    ) -> PyResult<usize> {
        let (socket, name) = (self.get()?, &name.0);
        with_bytes(data, |data| soon(py, limit(timeout), |left| socket.send_to(data, name, left)))
    }

    /// Receives a datagram, and the name of who sent it; None for a sender without a name. `size` is as in `recv`.
    ///
    /// Raises as `recv`. See `recvfrom(2)`.
    #[pyo3(signature = (size = None, timeout = None))]
    fn recv_from<'py>(
        &self,
        py: Python<'py>,
        size: Option<usize>,
        timeout: Option<TimeoutArgument>,
    ) -> PyResult<(Bound<'py, PyBytes>, Option<OsString>)> {
        let socket = self.get()?;
        with_room(self.room(size), |room| {
            let (length, sender) =
                receive(py, limit(timeout), |left| socket.recv_from(room, left))?;
            Ok((PyBytes::new(py, &room[..length]), sender.as_ref().map(Name::to_os_string)))
        })
    }

    /// How long the next message is; on a stream, how many bytes can be received at once. Waits for one, and leaves it where
    /// it is. 0: an empty message, or the end.
    ///
    /// Raises `TimeoutError`, `BlockingIOError`.
    #[pyo3(signature = (timeout = None))]
    fn next_size(&self, py: Python<'_>, timeout: Option<TimeoutArgument>) -> PyResult<usize> {
        let socket = self.get()?;
        self.receive(py, limit(timeout), |left| socket.next_size(left))
    }
}

impl Socket {
    /// Receives. Without a limit it is made to wait at once where the last try was in vain: a try costs a system call,
    /// and letting others run costs time where there is nothing to wait for.
    pub(super) fn receive<R: Send>(
        &self,
        py: Python<'_>,
        timeout: Timeout,
        mut work: impl FnMut(Timeout) -> unipc::Result<R> + Send,
    ) -> PyResult<R> {
        if timeout != Timeout::Forever {
            return soon(py, timeout, work);
        }
        // SYNC: a guess alone, which only costs time when it is wrong.
        match self.patience.load(Ordering::Relaxed) {
            0 => match work(Timeout::TRY) {
                Err(error) if error.errno() == libc::EAGAIN => {
                    self.patience.store(PATIENCE, Ordering::Relaxed);
                }
                other => return other.map_err(raise),
            },
            times => self.patience.store(times - 1, Ordering::Relaxed),
        }
        wait(py, timeout, work)
    }

    /// Fills the room from a stream.
    fn fill(
        &self,
        py: Python<'_>,
        socket: &unipc::socket::Socket,
        room: &mut [MaybeUninit<u8>],
        timeout: Timeout,
    ) -> PyResult<()> {
        let (size, mut done) = (room.len(), 0);
        let attempt = |left| {
            let filled = socket.recv_exact_uninit(&mut room[done..], left);
            if let Err(error) = &filled {
                done += error.kind().done();
            }
            // Told as an error only where the wait has to begin, or go on.
            match filled {
                Err(error) if error.errno() == libc::EINTR || error.errno() == libc::EAGAIN => {
                    Err(error)
                }
                other => Ok(other),
            }
        };
        match self.receive(py, timeout, attempt) {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => {
                let partial = copied(py, &room[..done])?;
                let name = intern!(py, "partial");
                Err(raise_with(py, after(&error, done, size), name, partial))
            }
            Err(error) => {
                let partial = copied(py, &room[..done])?;
                let _ = error.value(py).setattr(intern!(py, "partial"), partial);
                Err(error)
            }
        }
    }

    /// How much is received at most.
    pub(super) fn room(&self, size: Option<usize>) -> usize {
        size.unwrap_or(if self.kind.keeps_boundaries() { MESSAGE } else { STREAM })
    }
}
