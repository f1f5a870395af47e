// SPDX-License-Identifier: MIT OR Apache-2.0
//! Messages with what rides along, and descriptors alone.
#![allow(clippy::too_many_arguments, reason = "keyword arguments in Python")]

use std::os::fd::{AsFd, BorrowedFd, IntoRawFd, OwnedFd};

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyTuple};
use unipc::Name;
use unipc::shm::Seals;
use unipc::socket::{DESCRIPTORS_MAX, DescriptorKind, Expect};

use super::open::number;
use super::transfer::{receive, soon, with_bytes, with_room};
use super::{Socket, helper, unknown};
use crate::buffer::duplicate;
use crate::name::NameArgument;
use crate::wait::{TimeoutArgument, limit};

/// Descriptors of an iterable of numbers or of objects that have a `fileno`, as duplicates: those of the caller might be
/// closed by another thread meanwhile.
fn duplicates(fds: &Bound<'_, PyAny>) -> PyResult<Vec<OwnedFd>> {
    fds.try_iter()?.map(|fd| duplicate(number(&fd?)?)).collect()
}

fn borrowed(fds: &[OwnedFd]) -> Vec<BorrowedFd<'_>> {
    fds.iter().map(AsFd::as_fd).collect()
}

/// Which descriptors are accepted.
fn expect(
    most: usize,
    least: usize,
    kind: Option<&str>,
    seals: i32,
    size: u64,
    readable: bool,
    writable: bool,
) -> PyResult<Expect> {
    let kind = match kind {
        None => DescriptorKind::Any,
        Some("memfd") => DescriptorKind::Memfd,
        Some("file") => DescriptorKind::File,
        Some("pipe") => DescriptorKind::Pipe,
        Some("socket") => DescriptorKind::Socket,
        Some("directory") => DescriptorKind::Directory,
        Some("device") => DescriptorKind::Device,
        Some("event") => DescriptorKind::Event,
        Some(other) => {
            let words = "memfd, file, pipe, socket, directory, device, event";
            return Err(unknown("fd_kind", other, words));
        }
    };
    let seals = Seals::from_bits(seals)
        .ok_or_else(|| unknown("require_seals", &format!("{seals:#x}"), "unipc.Seals"))?;
    let mut expect = Expect::between(least, most).kind(kind).seals(seals).size_at_least(size);
    if readable {
        expect = expect.readable();
    }
    if writable {
        expect = expect.writable();
    }
    Ok(expect)
}

fn numbers(fds: Vec<OwnedFd>) -> Vec<i32> {
    fds.into_iter().map(IntoRawFd::into_raw_fd).collect()
}

#[pymethods]
impl Socket {
    /// Sends bytes together with descriptors (numbers, or objects that have a `fileno`), and returns how many bytes went.
    ///
    /// The receiver gets duplicates, which live when this process is gone. On a stream at least one byte must go with them.
    /// `to` is the receiver of a datagram; None is the peer. UNIX sockets only.
    ///
    /// Raises as `send`; `OSError`: `EINVAL` for more than 253 descriptors, `EOPNOTSUPP` for TCP and UDP. See `sendmsg(2)`.
    ///
    /// >>> import os, unipc
    /// >>> one, other = unipc.Socket.pair()
    /// >>> with unipc.SharedMemory.create("memfd:frame", 4096) as memory:
    /// ...     memory.write_at(0, b"seen by both")
    /// ...     one.send_message(b"frame 1", [memory])
    /// 7
    /// >>> with other.recv_message(max_fds=1, fd_kind="memfd", require_seals=unipc.Seals.SHRINK) as message:
    /// ...     memory = unipc.SharedMemory.from_fd(message.fds[0])
    /// >>> message.data, memory.read_at(0, 12)
    /// (b'frame 1', b'seen by both')
    /// >>> memory.close(); one.close(); other.close()
    #[pyo3(signature = (data, fds = None, *, to = None, timeout = None))]
    #[allow(clippy::needless_pass_by_value, reason = "what pyo3 extracts is ours")]
    fn send_message(
        &self,
        py: Python<'_>,
        data: &Bound<'_, PyAny>,
        fds: Option<&Bound<'_, PyAny>>,
        to: Option<NameArgument>,
        timeout: Option<TimeoutArgument>,
    ) -> PyResult<usize> {
        let socket = self.get()?;
        let fds = fds.map(duplicates).transpose()?.unwrap_or_default();
        let (fds, to) = (borrowed(&fds), to.as_ref().map(|name| &name.0));
        with_bytes(data, |data| {
            soon(py, limit(timeout), |left| socket.send_message(data, &fds, to, left))
        })
    }

    /// Receives one message, or what a stream has, with what rides along, as a `SocketMessage`; None at the end.
    ///
    /// - `size`: as in `recv`.
    /// - `max_fds`, `min_fds`: how many descriptors may and must come.
    /// - `fd_kind`: what each must be: a `DescriptorKind`, "memfd", "file", "pipe", "socket", "directory", "device" or "event".
    /// - `require_seals`, `fd_size`: the `Seals` that each must have, and how many bytes at least.
    /// - `readable`, `writable`: how each must be open.
    ///
    /// Descriptors that are not as asked for, or more, are a `PermissionError`: all that came are closed, and the message is
    /// lost. A peer that is not trusted can send any descriptor: before its memory is mapped ask for `Seals.SHRINK`.
    ///
    /// Raises as `recv`; `OSError` with `EMFILE` when this process may not have so many. See `recvmsg(2)`.
    #[pyo3(signature = (
        size = None, *, max_fds = 0, min_fds = 0, fd_kind = None, require_seals = 0, fd_size = 0, readable = false,
        writable = false, timeout = None,
    ))]
    fn recv_message<'py>(
        &self,
        py: Python<'py>,
        size: Option<usize>,
        max_fds: usize,
        min_fds: usize,
        fd_kind: Option<&str>,
        require_seals: i32,
        fd_size: u64,
        readable: bool,
        writable: bool,
        timeout: Option<TimeoutArgument>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let socket = self.get()?;
        let expect = expect(max_fds, min_fds, fd_kind, require_seals, fd_size, readable, writable)?;
        with_room(self.room(size), |room| {
            let message =
                self.receive(py, limit(timeout), |left| socket.recv_message(room, &expect, left))?;
            if message.ended {
                return Ok(None);
            }
            let class = helper(py, intern!(py, "SocketMessage"))?;
            let data = PyBytes::new(py, &room[..message.length]);
            let who = message.credentials.map(|who| (who.pid, who.uid, who.gid));
            let sender = message.sender.as_ref().map(Name::to_os_string);
            // From here on they are numbers, which the object closes.
            let fds = PyTuple::new(py, numbers(message.descriptors))?;
            class.call_method1(intern!(py, "_make"), (data, fds, who, sender)).map(Some)
        })
    }
}

/// Sends descriptors (numbers, or objects that have a `fileno`), and nothing else, over a connected UNIX socket: a
/// `Socket`, a `socket.socket`, or the number of one.
///
/// One byte goes with them, their number modulo 256, as `multiprocessing.reduction.sendfds` does.
///
/// Raises `OSError`: `EINVAL` for none or more than 253, `ENOTSOCK`, `EOPNOTSUPP` for something else than a UNIX socket;
/// `BrokenPipeError`, `TimeoutError`, `BlockingIOError`.
///
/// >>> import os, socket, unipc
/// >>> one, other = socket.socketpair()
/// >>> reader, writer = os.pipe()
/// >>> unipc.send_fds(one, [reader])
/// >>> [received] = unipc.recv_fds(other, fd_kind="pipe")
/// >>> os.write(writer, b"through")
/// 7
/// >>> os.read(received, 100)
/// b'through'
/// >>> for fd in reader, writer, received: os.close(fd)
/// >>> one.close(); other.close()
#[pyfunction]
#[pyo3(signature = (sock, fds, timeout = None))]
pub(crate) fn send_fds(
    py: Python<'_>,
    sock: &Bound<'_, PyAny>,
    fds: &Bound<'_, PyAny>,
    timeout: Option<TimeoutArgument>,
) -> PyResult<()> {
    let (sock, fds) = (duplicate(number(sock)?)?, duplicates(fds)?);
    let fds = borrowed(&fds);
    soon(py, limit(timeout), |left| unipc::socket::send_descriptors(&sock, &fds, left))
}

/// Receives descriptors that `send_fds` or another program sent, with at most one byte, over a connected UNIX socket: a
/// `Socket`, a `socket.socket`, or the number of one. They are yours to close; `[]` when the peer has closed.
///
/// The arguments say what is accepted, as in `Socket.recv_message`. Everything else is a `PermissionError`, and all that
/// came are closed.
///
/// Raises `OSError`: `EMFILE` when this process may not have so many, `EMSGSIZE` when a longer message came with them;
/// `ENOTSOCK`, `EOPNOTSUPP`; `TimeoutError`, `BlockingIOError`.
#[pyfunction]
#[pyo3(signature = (
    sock, max_fds = 1, *, min_fds = 0, fd_kind = None, require_seals = 0, fd_size = 0, readable = false,
    writable = false, timeout = None,
))]
pub(crate) fn recv_fds(
    py: Python<'_>,
    sock: &Bound<'_, PyAny>,
    max_fds: usize,
    min_fds: usize,
    fd_kind: Option<&str>,
    require_seals: i32,
    fd_size: u64,
    readable: bool,
    writable: bool,
    timeout: Option<TimeoutArgument>,
) -> PyResult<Vec<i32>> {
    let sock = duplicate(number(sock)?)?;
    let most = max_fds.min(DESCRIPTORS_MAX);
    let expect = expect(most, min_fds, fd_kind, require_seals, fd_size, readable, writable)?;
    let work = |left| unipc::socket::recv_descriptors(&sock, &expect, left);
    receive(py, limit(timeout), work).map(numbers)
}
