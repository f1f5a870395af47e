// SPDX-License-Identifier: MIT OR Apache-2.0
//! Getting a socket: connect, bind, pair, from a descriptor; and removing its file by name.
#![allow(
    clippy::doc_markdown,
    clippy::too_many_arguments,
    clippy::fn_params_excessive_bools,
    reason = "keyword arguments in Python, each an independent switch; docstrings of Python"
)]
#![allow(clippy::needless_pass_by_value, reason = "what pyo3 extracts is ours")]

use pyo3::exceptions::PyTypeError;
use pyo3::intern;
use pyo3::prelude::*;
use unipc::Mode;
use unipc::socket::{self, Options};

use super::{Socket, kind_of};
use crate::buffer::duplicate;
use crate::error::raise;
use crate::name::NameArgument;
use crate::wait::{TimeoutArgument, limit, wait};

/// What all ways have in common.
pub(super) fn options(
    kind: Option<&str>,
    pass_credentials: bool,
    delay: bool,
    send_buffer: Option<usize>,
    receive_buffer: Option<usize>,
) -> PyResult<Options> {
    let options = Options::new().pass_credentials(pass_credentials).delay(delay);
    let options = kind.map(kind_of).transpose()?.into_iter().fold(options, Options::kind);
    let options = send_buffer.into_iter().fold(options, Options::send_buffer);
    Ok(receive_buffer.into_iter().fold(options, Options::receive_buffer))
}

/// What both ways of binding have in common.
pub(super) fn binding(
    options: Options,
    mode: u32,
    keep_stale: bool,
    remove_on_close: bool,
) -> PyResult<Options> {
    let options = options.mode(Mode::new(mode).map_err(raise)?);
    Ok(options.keep_stale(keep_stale).remove_on_drop(remove_on_close))
}

/// The descriptor of a number or of what has a `fileno`.
pub(super) fn number(fd: &Bound<'_, PyAny>) -> PyResult<i32> {
    if let Ok(number) = fd.extract() {
        return Ok(number);
    }
    let method = fd.getattr(intern!(fd.py(), "fileno")).map_err(|_| {
        PyTypeError::new_err("a descriptor is a number, or an object that has a fileno method")
    })?;
    method.call0()?.extract()
}

#[pymethods]
impl Socket {
    /// Connects to the listener `name`; or, with datagrams, to the one peer with whom they are exchanged.
    ///
    /// - `kind`: "stream" (the default of `unix:`), "seqpacket" or "datagram"; see `SocketKind`.
    /// - `local`: the name that this socket has itself. A UNIX datagram socket gets a free abstract one, so that it can be
    ///   answered.
    /// - `own_only`: refuse a server that runs neither as this user nor as root (`EPERM`).
    /// - `pass_credentials`: let each message bring its sender's credentials, see `recv_message`.
    /// - `delay`: let TCP hold small pieces back to put them together.
    /// - `send_buffer`, `receive_buffer`: ask for that many bytes, see `set_send_buffer`.
    ///
    /// Finding the address of a host by its name is not bounded by `timeout`.
    ///
    /// Raises `OSError`: `ECONNREFUSED` (`ConnectionRefusedError`) when nobody listens, `ENOENT` (`FileNotFoundError`),
    /// `EACCES` (`PermissionError`) when the file may not be written to, `EPROTOTYPE` when the listener is of another kind,
    /// `EHOSTUNREACH` for a host that is not known; `TimeoutError`, `BlockingIOError`. See `connect(2)`.
    ///
    /// >>> import unipc
    /// >>> unipc.Socket.connect("unix:/no/server", timeout=1)
    /// Traceback (most recent call last):
    ///     ...
    /// FileNotFoundError: [Errno 2] No such file or directory (ENOENT); no server has made it: 'unix:/no/server'
    #[staticmethod]
    #[pyo3(signature = (
        name, timeout = None, *, kind = None, local = None, own_only = false,
        pass_credentials = false, delay = false, send_buffer = None, receive_buffer = None,
    ))]
    fn connect(
        py: Python<'_>,
        name: NameArgument,
        timeout: Option<TimeoutArgument>,
        kind: Option<&str>,
        local: Option<NameArgument>,
        own_only: bool,
        pass_credentials: bool,
        delay: bool,
        send_buffer: Option<usize>,
        receive_buffer: Option<usize>,
    ) -> PyResult<Self> {
        let options = options(kind, pass_credentials, delay, send_buffer, receive_buffer)?;
        let mut options = options.own_only(own_only);
        if let Some(name) = local {
            options = options.local(name.0).map_err(raise)?;
        }
        // Looks for the host, which takes as long as it takes.
        let mut connecting = py.detach(|| options.start(&name.0)).map_err(raise)?;
        let socket = wait(py, limit(timeout), |left| connecting.finish(left))?;
        Ok(Self::new(socket))
    }

    /// Makes a datagram socket of this name, to receive what is sent to it and to answer.
    ///
    /// - `mode`: the permission bits of the file, exact whatever the umask; who may write to it may send.
    /// - `keep_stale`: fail where a file lies that a dead socket has left, instead of replacing it.
    /// - `remove_on_close`: remove the file when this handle is closed (not in a child of fork).
    /// - the others: as in `connect`.
    ///
    /// Port 0 and `unix:@` take what is free, which `local_name` tells.
    ///
    /// Raises `OSError`: `EADDRINUSE` when a living socket has the name, `EEXIST` (`FileExistsError`) for something that is
    /// no socket, `EPERM` for a dead socket of somebody else, `EADDRNOTAVAIL`. See `bind(2)`.
    ///
    /// >>> import unipc
    /// >>> with unipc.Socket.bind("udp:127.0.0.1:0") as server, unipc.Socket.connect(server.local_name) as client:
    /// ...     client.send(b"ping")
    /// ...     data, sender = server.recv_from()
    /// ...     server.send_to(b"pong", sender)
    /// ...     client.recv()
    /// 4
    /// 4
    /// b'pong'
    #[staticmethod]
    #[pyo3(signature = (
        name, *, mode = 0o600, keep_stale = false, remove_on_close = false, pass_credentials = false,
        send_buffer = None, receive_buffer = None,
    ))]
    fn bind(
        py: Python<'_>,
        name: NameArgument,
        mode: u32,
        keep_stale: bool,
        remove_on_close: bool,
        pass_credentials: bool,
        send_buffer: Option<usize>,
        receive_buffer: Option<usize>,
    ) -> PyResult<Self> {
        let options = options(None, pass_credentials, false, send_buffer, receive_buffer)?;
        let options = binding(options, mode, keep_stale, remove_on_close)?;
        py.detach(|| options.bind(&name.0)).map(Self::new).map_err(raise)
    }

    /// Two UNIX sockets that are connected to each other, for threads or for fork.
    ///
    /// Raises `OSError`: `EMFILE`, `ENFILE`. See `socketpair(2)`.
    ///
    /// >>> import unipc
    /// >>> one, other = unipc.Socket.pair("seqpacket")
    /// >>> one.send(b"first"), one.send(b"second")
    /// (5, 6)
    /// >>> other.recv(), other.recv()
    /// (b'first', b'second')
    /// >>> one.close(); other.close()
    #[staticmethod]
    #[pyo3(signature = (kind = "stream", *, pass_credentials = false, send_buffer = None))]
    fn pair(
        kind: &str,
        pass_credentials: bool,
        send_buffer: Option<usize>,
    ) -> PyResult<(Self, Self)> {
        let options = options(None, pass_credentials, false, send_buffer, None)?;
        let (one, other) = options.pair(kind_of(kind)?).map_err(raise)?;
        Ok((Self::new(one), Self::new(other)))
    }

    /// A socket that is open already: inherited, received, or a `socket.socket`. `fd` is a number or has a `fileno`; it is
    /// duplicated, and stays yours.
    ///
    /// Raises `OSError`: `EBADF`, `ENOTSOCK`; `EOPNOTSUPP` when it is neither a UNIX nor a TCP or UDP socket, `EINVAL` when it
    /// listens, see `Listener.from_fd`.
    #[staticmethod]
    fn from_fd(fd: &Bound<'_, PyAny>) -> PyResult<Self> {
        let fd = duplicate(number(fd)?)?;
        socket::Socket::from_fd(fd).map(Self::new).map_err(raise)
    }

    /// Removes the file of a UNIX socket. Connections stay, but who listens cannot be found any more.
    ///
    /// Raises `OSError`: `ENOENT` (`FileNotFoundError`), `EINVAL` for a file that is no socket, `EOPNOTSUPP` for a name without
    /// a file. See `unlink(2)`.
    #[staticmethod]
    fn unlink(name: NameArgument) -> PyResult<()> {
        socket::unlink(name.0).map_err(raise)
    }
}
