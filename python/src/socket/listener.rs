// SPDX-License-Identifier: MIT OR Apache-2.0
//! `unipc.Listener`.
#![allow(
    clippy::too_many_arguments,
    clippy::fn_params_excessive_bools,
    reason = "keyword arguments in Python, each an independent switch"
)]

use std::ffi::OsString;
use std::os::fd::{AsRawFd, RawFd};

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyString, PyTuple};
use unipc::Name;
use unipc::socket::Kind;

use super::open::{binding, number, options};
use super::transfer::receive;
use super::{Socket, helper};
use crate::buffer::duplicate;
use crate::error::raise;
use crate::handle::{Handle, Open};
use crate::name::NameArgument;
use crate::wait::{TimeoutArgument, limit};

/// A socket that accepts connections: UNIX streams and sequenced packets, TCP.
///
/// Lifetime: `close` never removes; `with` closes at its end. The file of a path stays until `Socket.unlink` or `remove`;
/// the next server takes it over. It is as safe as its directory: in `/tmp` anybody may have taken the name first, which
/// `Socket.connect(own_only=True)` notices.
///
/// Threads and processes may accept on one listener at once: each connection goes to one of them. Waiting, fork, exec,
/// pickle and asyncio are as with `Socket`.
///
/// >>> from unipc import Listener, Socket
/// >>> with Listener.bind("tcp:127.0.0.1:0") as listener:        # port 0: a free one
/// ...     client = Socket.connect(listener.local_name)
/// ...     with listener.accept(timeout=5) as server, client:
/// ...         client.send_all(b"over TCP")
/// ...         server.recv_exact(8)
/// b'over TCP'
#[pyclass(frozen, weakref, module = "unipc")]
pub(crate) struct Listener {
    handle: Handle<unipc::socket::Listener>,
    // What stays true after closing.
    kind: Kind,
    name: Name,
}

impl Listener {
    fn new(listener: unipc::socket::Listener) -> Self {
        Self { kind: listener.kind(), name: listener.name().clone(), handle: Handle::new(listener) }
    }

    fn get(&self) -> PyResult<Open<'_, unipc::socket::Listener>> {
        self.handle.get(&self.name)
    }
}

#[pymethods]
impl Listener {
    /// Listens at `name`.
    ///
    /// - `kind`: "stream" (the default) or "seqpacket"; see `SocketKind`.
    /// - `mode`: the permission bits of the file, exact whatever the umask; who may write to it may connect.
    /// - `backlog`: how many connections may wait to be accepted; None: as many as `net.core.somaxconn` allows.
    /// - `keep_stale`: fail where a file lies that a dead server has left, instead of replacing it.
    /// - `remove_on_close`: remove the file when this handle is closed (not in a child of fork).
    /// - `pass_credentials`, `delay`, `send_buffer`, `receive_buffer`: for each connection, as in `Socket.connect`.
    ///
    /// Port 0 and `unix:@` take what is free, which `local_name` tells. The file of a living server is never replaced, and
    /// asking whether it lives does not disturb it.
    ///
    /// Raises `OSError`: `EADDRINUSE` when a living socket has the name, `EEXIST` (`FileExistsError`) for something that is
    /// no socket, `EPERM` for a dead socket of somebody else, `EADDRNOTAVAIL`. See `bind(2)`, `listen(2)`.
    #[staticmethod]
    #[pyo3(signature = (
        name, *, kind = None, mode = 0o600, backlog = None, keep_stale = false, remove_on_close = false,
        pass_credentials = false, delay = false, send_buffer = None, receive_buffer = None,
    ))]
    #[allow(clippy::needless_pass_by_value, reason = "what pyo3 extracts is ours")]
    fn bind(
        py: Python<'_>,
        name: NameArgument,
        kind: Option<&str>,
        mode: u32,
        backlog: Option<u32>,
        keep_stale: bool,
        remove_on_close: bool,
        pass_credentials: bool,
        delay: bool,
        send_buffer: Option<usize>,
        receive_buffer: Option<usize>,
    ) -> PyResult<Self> {
        let options = options(kind, pass_credentials, delay, send_buffer, receive_buffer)?;
        let options = binding(options, mode, keep_stale, remove_on_close)?;
        let options = backlog.into_iter().fold(options, unipc::socket::Options::backlog);
        py.detach(|| options.listen(&name.0)).map(Self::new).map_err(raise)
    }

    /// A listening socket that is open already, from a service manager for example. `fd` is a number or has a `fileno`; it is
    /// duplicated, stays yours, and becomes non-blocking.
    ///
    /// Raises `OSError`: `EBADF`, `ENOTSOCK`, `EOPNOTSUPP`; `EINVAL` when it does not listen.
    #[staticmethod]
    fn from_fd(fd: &Bound<'_, PyAny>) -> PyResult<Self> {
        let fd = duplicate(number(fd)?)?;
        unipc::socket::Listener::from_fd(fd).map(Self::new).map_err(raise)
    }

    /// Waits for a client and returns the `Socket` to it.
    ///
    /// Raises `TimeoutError`; `BlockingIOError` when nobody waits and `timeout` is 0; `OSError` with `EMFILE`. See `accept(2)`.
    #[pyo3(signature = (timeout = None))]
    fn accept(&self, py: Python<'_>, timeout: Option<TimeoutArgument>) -> PyResult<Socket> {
        let listener = self.get()?;
        receive(py, limit(timeout), |left| listener.accept(left)).map(Socket::new)
    }

    /// What its connections carry: a `SocketKind`.
    #[getter]
    fn kind<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        helper(py, intern!(py, "SocketKind"))?.call1((self.kind.to_string(),))
    }

    /// The name that it was made with.
    #[getter]
    fn name(&self) -> OsString {
        self.name.to_os_string()
    }

    /// The name that it really has, with the port that was free.
    #[getter]
    fn local_name(&self) -> PyResult<OsString> {
        let name = self.get()?.local_name().map_err(raise)?;
        Ok(name.as_ref().unwrap_or(&self.name).to_os_string())
    }

    /// The descriptor: close-on-exec, valid until `close`; it can be read when a client waits.
    fn fileno(&self) -> PyResult<RawFd> {
        Ok(self.get()?.as_raw_fd())
    }

    /// Removes this very listener's file. Nobody finds it any more, but those who wait can still be accepted.
    ///
    /// Raises `OSError`: `ESTALE` when another has the name by now, `ENOENT` when it is gone, `EOPNOTSUPP` without a file.
    fn remove(&self) -> PyResult<()> {
        self.get()?.remove().map_err(raise)
    }

    /// Closes the handle. Closing twice is fine; connections stay, and the file.
    ///
    /// A call that another thread is in goes on to its end.
    fn close(&self) {
        drop(self.handle.close());
    }

    /// Was it closed?
    #[getter]
    fn closed(&self) -> bool {
        self.handle.is_closed()
    }

    fn __enter__(slf: Bound<'_, Self>) -> PyResult<Bound<'_, Self>> {
        slf.get().get()?;
        Ok(slf)
    }

    #[pyo3(signature = (*_exception))]
    fn __exit__(&self, _exception: &Bound<'_, PyTuple>) {
        self.close();
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let closed = if self.closed() { " closed" } else { "" };
        let name = PyString::new(py, &self.name.to_string());
        Ok(format!("<unipc.Listener {} {}{closed}>", self.kind, name.repr()?))
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyTuple>> {
        let py = slf.py();
        slf.get().get()?;
        let descriptor = helper(py, intern!(py, "_descriptor_for_child"))?.call1((slf,))?;
        let function = helper(py, intern!(py, "_receive"))?;
        (function, (slf.get_type(), descriptor)).into_pyobject(py)
    }
}
