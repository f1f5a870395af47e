// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a socket is like: its peer, its names, its queues; ending one direction; and leaving for another owner.

use std::ffi::OsString;
use std::os::fd::{AsFd, AsRawFd, IntoRawFd, RawFd};

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyString, PyTuple};
use unipc::socket::Shutdown;
use unipc::{Error, ErrorKind, Name};

use super::{Socket, helper, unknown};
use crate::error::{closed, raise};

#[pymethods]
impl Socket {
    /// What it carries: a `SocketKind`, which equals its word "stream", "datagram" or "seqpacket".
    #[getter]
    fn kind<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        helper(py, intern!(py, "SocketKind"))?.call1((self.kind.to_string(),))
    }

    /// The descriptor: close-on-exec, valid until `close`.
    fn fileno(&self) -> PyResult<RawFd> {
        Ok(self.get()?.as_raw_fd())
    }

    /// Closes the handle and gives its descriptor away: it is yours to close. For `socket.socket(fileno=s.detach())`.
    ///
    /// A call that another thread is in goes on to its end, with the descriptor that it has.
    fn detach(&self) -> PyResult<RawFd> {
        let socket = self.handle.close().ok_or_else(|| closed(&"the socket"))?;
        let copy = socket.as_fd().try_clone_to_owned().map_err(|error| {
            let errno = error.raw_os_error().unwrap_or(libc::EMFILE);
            raise(Error::new("detach", "the socket", ErrorKind::Os(errno)))
        })?;
        Ok(copy.into_raw_fd())
    }

    /// Ends one direction of the connection, or both, for all who share the socket. What is under way arrives.
    ///
    /// - `how`: "send": the peer receives what is under way, then the end; "receive"; or "both".
    ///
    /// Raises `OSError` with `ENOTCONN` without a peer. See `shutdown(2)`.
    #[pyo3(signature = (how = "both"))]
    fn shutdown(&self, how: &str) -> PyResult<()> {
        let direction = match how {
            "send" => Shutdown::Send,
            "receive" => Shutdown::Receive,
            "both" => Shutdown::Both,
            _ => return Err(unknown("how", how, "send, receive, both")),
        };
        self.get()?.shutdown(direction).map_err(raise)
    }

    /// This socket's own name, with the port that was free; None when it has none.
    #[getter]
    fn local_name(&self) -> PyResult<Option<OsString>> {
        let name = self.get()?.local_name().map_err(raise)?;
        Ok(name.as_ref().map(Name::to_os_string))
    }

    /// The peer's name; None when it has none or there is no peer.
    #[getter]
    fn peer_name(&self) -> PyResult<Option<OsString>> {
        let name = self.get()?.peer_name().map_err(raise)?;
        Ok(name.as_ref().map(Name::to_os_string))
    }

    /// Who is at the other end of a UNIX stream or seqpacket, as the kernel says: `Credentials`.
    ///
    /// Raises `OSError` with `EOPNOTSUPP` for TCP, UDP, and datagrams without a fixed peer: their messages can tell.
    ///
    /// >>> import os, unipc
    /// >>> one, other = unipc.Socket.pair()
    /// >>> one.peer_credentials.pid == os.getpid()
    /// True
    /// >>> one.close(); other.close()
    #[getter]
    fn peer_credentials<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let who = self.get()?.peer_credentials().map_err(raise)?;
        helper(py, intern!(py, "Credentials"))?.call1((who.pid, who.uid, who.gid))
    }

    /// Lets each message bring its sender's credentials from now on, or not; see `recv_message`.
    ///
    /// Raises `OSError` with `EOPNOTSUPP` for TCP and UDP.
    #[pyo3(signature = (on = true))]
    fn pass_credentials(&self, on: bool) -> PyResult<()> {
        self.get()?.pass_credentials(on).map_err(raise)
    }

    /// How many bytes can be received now. Of messages: how long the next one is.
    #[getter]
    fn waiting(&self) -> PyResult<usize> {
        self.get()?.waiting().map_err(raise)
    }

    /// How much of what was sent the other side has not received, in bytes. UNIX sockets count the memory that it takes,
    /// which is more than its bytes.
    #[getter]
    fn unsent(&self) -> PyResult<usize> {
        self.get()?.unsent().map_err(raise)
    }

    /// How much memory what was sent and not received may take, in bytes.
    #[getter]
    fn send_buffer(&self) -> PyResult<usize> {
        self.get()?.send_buffer().map_err(raise)
    }

    /// Asks for another size of the send buffer and returns what it is now: the kernel doubles the number, and cuts it at
    /// `net.core.wmem_max`.
    fn set_send_buffer(&self, size: usize) -> PyResult<usize> {
        self.get()?.set_send_buffer(size).map_err(raise)
    }

    /// How much memory what was received and not fetched may take, in bytes: of TCP and UDP.
    #[getter]
    fn receive_buffer(&self) -> PyResult<usize> {
        self.get()?.receive_buffer().map_err(raise)
    }

    /// Asks for another size of the receive buffer and returns what it is now: doubled, and cut at `net.core.rmem_max`.
    fn set_receive_buffer(&self, size: usize) -> PyResult<usize> {
        self.get()?.set_receive_buffer(size).map_err(raise)
    }

    /// Does TCP hold small pieces back to put them together? Not unless told to. Can be set.
    ///
    /// Raises `OSError` with `EOPNOTSUPP` for all but TCP.
    #[getter]
    fn delay(&self) -> PyResult<bool> {
        self.get()?.delay().map_err(raise)
    }

    #[setter]
    fn set_delay(&self, delay: bool) -> PyResult<()> {
        self.get()?.set_delay(delay).map_err(raise)
    }

    /// Removes the file of this very socket, of a datagram socket that was bound to a path.
    ///
    /// Raises `OSError`: `ESTALE` when another has the name by now, `ENOENT` when it is gone, `EOPNOTSUPP` without a file.
    fn remove(&self) -> PyResult<()> {
        self.get()?.remove().map_err(raise)
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let Some(socket) = self.handle.open() else {
            return Ok(format!("<unipc.Socket {} closed>", self.kind));
        };
        let told = |what: &str, name: unipc::Result<Option<Name>>| match name {
            Ok(Some(name)) => {
                let name = PyString::new(py, &name.to_string());
                Ok::<_, PyErr>(format!(" {what} {}", name.repr()?))
            }
            _ => Ok(String::new()),
        };
        let local = told("at", socket.local_name())?;
        let peer = told("to", socket.peer_name())?;
        Ok(format!("<unipc.Socket {} fd {}{local}{peer}>", self.kind, socket.as_raw_fd()))
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyTuple>> {
        let py = slf.py();
        slf.get().get()?;
        let descriptor = helper(py, intern!(py, "_descriptor_for_child"))?.call1((slf,))?;
        let function = helper(py, intern!(py, "_receive"))?;
        (function, (slf.get_type(), descriptor)).into_pyobject(py)
    }
}
