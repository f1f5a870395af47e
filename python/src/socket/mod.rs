// SPDX-License-Identifier: MIT OR Apache-2.0
//! `unipc.Socket` and `unipc.Listener`.

mod listener;
mod message;
mod open;
mod state;
mod transfer;

use std::sync::atomic::{AtomicBool, AtomicU8};

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyString, PyTuple};
use unipc::socket::Kind;
use unipc::{Error, ErrorKind};

pub(crate) use listener::Listener;
pub(crate) use message::{recv_fds, send_fds};

use crate::error::raise;
use crate::handle::{Handle, Open};

/// A socket that is connected, or that sends and receives datagrams.
///
/// Get one from `connect`, `bind`, `pair`, `from_fd`, or from `Listener.accept`. It is a stream (`unix:` and `tcp:`
/// names), or carries messages with boundaries: datagrams (`unix:`, `udp:`) or sequenced packets (`unix:`).
///
/// Messages: one that is longer than what was asked for is an `OSError` (`EMSGSIZE`), never cut in silence. Records on a
/// stream: `unipc.FrameReader` and `FrameWriter` take a socket too.
///
/// Waiting: `timeout` is in seconds, on the monotonic clock; None is for ever, 0 a try (`BlockingIOError`). Other threads
/// run meanwhile, signal handlers too, and Ctrl-C ends it. It works on blocking and non-blocking descriptors alike.
///
/// A peer that has gone is a `BrokenPipeError`, never SIGPIPE, and never a crash of the process.
///
/// Beside the module `socket`: `Socket.from_fd(sock)` takes what has a `fileno`, `socket.socket(fileno=s.detach())`
/// gives it back, and `send_fds` and `recv_fds` work on either.
///
/// asyncio: `loop.add_reader(s, callback)`; in the callback receive with `timeout=0`.
///
/// Lifetime: `with` closes at its end. The file of a bound socket stays until `unlink` or `remove`.
///
/// Threads: any thread may call any method at any time; each message goes to one of those that wait. `close` during a call
/// in another thread lets that call finish: `shutdown` ends it.
///
/// fork: the child shares the socket; the peer sees the end when both have closed it. exec: close-on-exec. pickle: only
/// on the way to a `multiprocessing` process.
///
/// >>> from unipc import Listener, Socket
/// >>> listener = Listener.bind("unix:@")              # a free name in the abstract name space
/// >>> client = Socket.connect(listener.local_name)
/// >>> server = listener.accept(timeout=5)
/// >>> client.send_all(b"hello")
/// >>> server.recv()
/// b'hello'
/// >>> client.close()
/// >>> server.recv()                                   # the end
/// b''
/// >>> server.close(); listener.close()
#[pyclass(frozen, weakref, module = "unipc")]
pub(crate) struct Socket {
    handle: Handle<unipc::socket::Socket>,
    /// After a try that came to nothing: how many times to wait at once before the next try.
    patience: AtomicU8,
    /// The last receive filled the room that it had.
    full: AtomicBool,
    // What stays true after closing.
    kind: Kind,
}

/// What is written in Python, in `unipc.socket`.
fn helper<'py>(py: Python<'py>, name: &Bound<'py, PyString>) -> PyResult<Bound<'py, PyAny>> {
    static MODULE: PyOnceLock<Py<PyModule>> = PyOnceLock::new();
    let module = MODULE.get_or_try_init(py, || py.import("unipc.socket").map(Bound::unbind))?;
    module.bind(py).getattr(name)
}

impl Socket {
    fn new(socket: unipc::socket::Socket) -> Self {
        Self {
            patience: AtomicU8::new(0),
            full: AtomicBool::new(false),
            kind: socket.kind(),
            handle: Handle::new(socket),
        }
    }

    /// The socket, kept for the time of one call whatever other threads do with the handle.
    fn get(&self) -> PyResult<Open<'_, unipc::socket::Socket>> {
        self.handle.get(&"the socket")
    }
}

#[pymethods]
impl Socket {
    /// Closes the handle. Closing twice is fine; a file that it has stays.
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
}

/// The kind of this word.
fn kind_of(word: &str) -> PyResult<Kind> {
    match word {
        "stream" => Ok(Kind::Stream),
        "datagram" => Ok(Kind::Datagram),
        "seqpacket" => Ok(Kind::SeqPacket),
        _ => Err(unknown("kind", word, "stream, datagram, seqpacket")),
    }
}

fn unknown(what: &str, word: &str, words: &str) -> PyErr {
    PyValueError::new_err(format!("{what} is one of {words}, not {word:?}"))
}

/// How many bytes of `total` a call has moved that was made again after signals, whatever its last error counted.
fn after(error: &Error, done: usize, total: usize) -> Error {
    let kind = match error.kind() {
        _ if done == 0 => return error.clone(),
        ErrorKind::EndOfStream | ErrorKind::Cut { .. } => ErrorKind::Cut { done, total },
        ErrorKind::Partial { cause, .. } => {
            ErrorKind::Partial { done, total, cause: cause.clone() }
        }
        other => ErrorKind::Partial { done, total, cause: Box::new(other.clone()) },
    };
    let told = Error::new(error.operation(), error.object(), kind);
    match error.advice() {
        Some(advice) => told.with_advice(advice.to_owned()),
        None => told,
    }
}

/// An exception with one attribute more.
fn raise_with<'py>(
    py: Python<'py>,
    error: Error,
    attribute: &Bound<'py, PyString>,
    value: impl IntoPyObject<'py>,
) -> PyErr {
    let exception = raise(error);
    // Nothing but a lack of memory prevents it, and then the exception says enough.
    let _ = exception.value(py).setattr(attribute, value);
    exception
}
