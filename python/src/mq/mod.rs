// SPDX-License-Identifier: MIT OR Apache-2.0
//! `unipc.MessageQueue`.

mod msgbuf;
mod open;
mod system_v;
mod transfer;

use std::ffi::OsString;
use std::os::fd::{AsRawFd, RawFd};
use std::sync::atomic::AtomicU8;

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyString, PyTuple};
use unipc::mq::{Backing, PosixStatus};
use unipc::{Error, ErrorKind, Name};

pub(crate) use system_v::{
    mq_limits, mq_usage, system_v_queue_list, system_v_queue_remove, system_v_queue_set,
    system_v_queue_stat,
};

use crate::error::raise;
use crate::handle::{Handle, Open};

/// A message queue: POSIX (`/demo`) or System V (`sysv:...`), by its name.
///
/// Get one from `create`, `open` or `open_or_create`. A message is bytes and a tag: the type (System V, 1 or more) or the
/// priority (POSIX, 0 to 32767). Both kinds keep the boundaries of messages, and each message goes to one receiver. A
/// POSIX queue gives the highest priority first, and the oldest of it; a System V queue the oldest, or what `receive` asks
/// for.
///
/// Lifetime: `close` never removes; `with` closes at its end. The queue and what waits in it stay until `unlink` or
/// `remove`, or a reboot, whoever ends.
///
/// Waiting: `timeout` is in seconds, on the monotonic clock; None is for ever, 0 a try (`BlockingIOError`). Other threads
/// run meanwhile, signal handlers too, and Ctrl-C ends it. A wait that ends without success has moved no message.
///
/// asyncio: a POSIX queue has a descriptor: `loop.add_reader(queue, callback)`; in the callback receive with `timeout=0`.
///
/// Threads: any thread may call any method at any time. `close` during a call in another thread lets that call finish.
///
/// fork: the child's handle goes on working; closing it affects the child alone. exec: the descriptor is close-on-exec.
///
/// pickle: gives the name and opens the queue again on the other side.
///
/// >>> import os
/// >>> from unipc import MessageQueue
/// >>> name = f"/class-mq-{os.getpid()}"
/// >>> sender = MessageQueue.create(name)
/// >>> sender.send(b"soon", 1)
/// >>> sender.send(b"at once", 9)
/// >>> receiver = MessageQueue.open(name)       # in any process, in any language
/// >>> receiver.receive()
/// (b'at once', 9)
/// >>> receiver.receive(timeout=0.5)
/// (b'soon', 1)
/// >>> receiver.receive(timeout=0)
/// Traceback (most recent call last):
///     ...
/// BlockingIOError: [Errno 11] it cannot be done without waiting: '/class-mq-...'
/// >>> receiver.close()
/// >>> sender.close()                           # closing never removes
/// >>> MessageQueue.unlink(name)
#[pyclass(frozen, weakref, module = "unipc")]
pub(crate) struct MessageQueue {
    handle: Handle<unipc::MessageQueue>,
    /// For how many calls receiving waits at once, because trying first was in vain.
    in_vain: AtomicU8,
    /// With which keyword arguments another process opens it.
    access: (bool, bool),
    // What stays true after closing.
    name: Name,
    backing: Backing,
    lowest_tag: i64,
    id: Option<i32>,
}

/// What is written in Python, in `unipc.mq`.
fn helper<'py>(py: Python<'py>, name: &Bound<'py, PyString>) -> PyResult<Bound<'py, PyAny>> {
    static MODULE: PyOnceLock<Py<PyModule>> = PyOnceLock::new();
    let module = MODULE.get_or_try_init(py, || py.import("unipc.mq").map(Bound::unbind))?;
    module.bind(py).getattr(name)
}

/// All that is known of a POSIX queue, as a dictionary.
#[derive(IntoPyObject)]
struct Status {
    max_messages: u64,
    max_size: u64,
    messages: u64,
    non_blocking: bool,
    bytes: Option<u64>,
    notification: Option<(i32, i32, i32)>,
    uid: u32,
    gid: u32,
    mode: u32,
    access_time: i64,
    change_time: i64,
}

impl From<PosixStatus> for Status {
    fn from(status: PosixStatus) -> Self {
        let notification = status.notification;
        Self {
            max_messages: status.max_messages,
            max_size: status.max_size,
            messages: status.messages,
            non_blocking: status.non_blocking,
            bytes: status.bytes,
            notification: notification.map(|given| (given.pid, given.method, given.signal)),
            uid: status.uid,
            gid: status.gid,
            mode: status.mode,
            access_time: status.access_time,
            change_time: status.change_time,
        }
    }
}

impl MessageQueue {
    fn new(queue: unipc::MessageQueue, access: (bool, bool)) -> Self {
        Self {
            in_vain: AtomicU8::new(0),
            access,
            name: queue.name().clone(),
            backing: queue.backing(),
            lowest_tag: queue.lowest_tag(),
            id: queue.id(),
            handle: Handle::new(queue),
        }
    }

    /// The queue, kept for the time of one call whatever other threads do with the handle.
    pub(crate) fn get(&self) -> PyResult<Open<'_, unipc::MessageQueue>> {
        self.handle.get(&self.name)
    }

    /// The backing as `unipc.Backing` has it.
    fn backing_word(&self) -> &'static str {
        match self.backing {
            Backing::SystemV => "sysv",
            Backing::Posix => "posix",
        }
    }
}

#[pymethods]
impl MessageQueue {
    /// The name in its one spelling; of a private System V queue `sysv:id=NUMBER`.
    #[getter]
    fn name(&self) -> OsString {
        self.name.to_os_string()
    }

    /// What the queue is to the kernel: `Backing.POSIX` or `Backing.SYSTEM_V`.
    #[getter]
    fn backing<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        helper(py, intern!(py, "Backing"))?.call1((self.backing_word(),))
    }

    /// The System V queue, with what only System V has; None for a POSIX queue.
    #[getter]
    fn system_v<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.id.map(|id| helper(py, intern!(py, "SystemVQueue"))?.call1((id,))).transpose()
    }

    /// The identifier of a System V queue, as `ipcs -q` shows it; None for a POSIX queue.
    #[getter]
    fn id(&self) -> Option<i32> {
        self.id
    }

    /// How many messages wait to be received.
    #[getter]
    fn messages(&self) -> PyResult<u64> {
        self.get()?.messages().map_err(raise)
    }

    /// The largest message that can be sent, in bytes: of a POSIX queue for ever the same, of all System V queues `MSGMAX`.
    #[getter]
    fn max_size(&self) -> PyResult<usize> {
        self.get()?.max_size().map_err(raise)
    }

    /// The lowest tag that a message can have, which `send` uses if it is given none: type 1 of System V, priority 0 of POSIX.
    #[getter]
    fn lowest_tag(&self) -> i64 {
        self.lowest_tag
    }

    /// All that is known of a POSIX queue: its attributes, its bytes, its owner, who is to be notified.
    ///
    /// Raises `OSError` with `EOPNOTSUPP` for a System V queue, of which `queue.system_v.stat()` tells. See `mq_getattr(3)`.
    ///
    /// >>> import os, unipc
    /// >>> name = f"/stat-mq-{os.getpid()}"
    /// >>> with unipc.MessageQueue.create(name, max_messages=4, max_size=64, remove_on_close=True) as queue:
    /// ...     queue.send(b"x" * 30)
    /// ...     status = queue.posix_stat()
    /// >>> status.max_messages, status.max_size, status.messages, status.bytes, oct(status.mode)
    /// (4, 64, 1, 30, '0o600')
    fn posix_stat<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let status = Status::from(self.get()?.posix_stat().map_err(raise)?);
        helper(py, intern!(py, "_posix_status"))?.call1((status,))
    }

    /// Was it closed?
    #[getter]
    fn closed(&self) -> bool {
        self.handle.is_closed()
    }

    /// The descriptor of a POSIX queue: close-on-exec, valid until `close`. Readable when there is a message, writable when
    /// there is room for one.
    ///
    /// It may be ready and the call still have to wait, when somebody else was faster: use `timeout=0`.
    ///
    /// Raises `OSError` with `EOPNOTSUPP` for a System V queue, which has none.
    fn fileno(&self) -> PyResult<RawFd> {
        let queue = self.get()?;
        queue.fd().map(|fd| fd.as_raw_fd()).ok_or_else(|| {
            let why = "a System V queue has no descriptor";
            raise(Error::new("fileno", &self.name, ErrorKind::Unsupported(why.into())))
        })
    }

    /// Asks for `signal` when a message comes to the POSIX queue while it is empty and nobody waits at it, with `value` in
    /// its `si_value`.
    ///
    /// It comes once. Then ask again, and after that receive, with `timeout=0`, until the queue is empty; the other way round
    /// a message could come in between, unnoticed. `fileno` needs none of this. Closing any handle of the queue ends it.
    ///
    /// Raises `OSError`: `EBUSY` when this or another process has asked already, `EINVAL` for a number that is no signal,
    /// `EOPNOTSUPP` for a System V queue. See `mq_notify(3)`.
    #[pyo3(signature = (signal, value = 0))]
    fn notify_signal(&self, signal: i32, value: i32) -> PyResult<()> {
        self.get()?.notify_signal(signal, value).map_err(raise)
    }

    /// Calls `callback()` when a message comes to the POSIX queue while it is empty and nobody waits at it: once, on a thread
    /// of its own. What the callback raises goes to `sys.unraisablehook`.
    ///
    /// It is never called when the notification is cancelled or a handle of the queue closed before.
    ///
    /// Raises `OSError`: as `notify_signal`, and `EAGAIN` when there can be no more threads, `EMFILE`.
    ///
    /// >>> import os, threading, unipc
    /// >>> name = f"/notify-mq-{os.getpid()}"
    /// >>> came = threading.Event()
    /// >>> with unipc.MessageQueue.create(name, remove_on_close=True) as queue:
    /// ...     queue.notify_thread(came.set)
    /// ...     queue.send(b"x")
    /// ...     came.wait(30)
    /// True
    fn notify_thread(&self, callback: Bound<'_, PyAny>) -> PyResult<()> {
        if !callback.is_callable() {
            let why = "the callback cannot be called";
            return Err(pyo3::exceptions::PyTypeError::new_err(why));
        }
        let callback = callback.unbind();
        let call = move || {
            // Nothing is called while the interpreter ends.
            Python::try_attach(|py| {
                if let Err(error) = callback.bind(py).call0() {
                    error.write_unraisable(py, Some(callback.bind(py)));
                }
                drop(callback);
            });
        };
        self.get()?.notify_thread(call).map_err(raise)
    }

    /// Ends the notification of a POSIX queue that this process has asked for; fine if it has not.
    ///
    /// Raises `OSError` with `EOPNOTSUPP` for a System V queue.
    fn cancel_notification(&self) -> PyResult<()> {
        self.get()?.cancel_notification().map_err(raise)
    }

    /// Removes this very queue, not another one that has taken its name.
    ///
    /// Raises `OSError`: `ESTALE` when the name belongs to another POSIX queue by now, `ENOENT` (`EINVAL` for System V) when
    /// it is gone already, `EACCES` or `EPERM` when it is somebody else's.
    fn remove(&self) -> PyResult<()> {
        self.get()?.remove().map_err(raise)
    }

    /// Closes the handle. Closing twice is fine; the queue itself stays, with its messages.
    ///
    /// A call that another thread is in goes on to its end.
    fn close(&self) {
        drop(self.handle.close());
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
        Ok(format!("<unipc.MessageQueue {} {}{closed}>", name.repr()?, self.backing_word()))
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        self.get()?;
        let (send_only, receive_only) = self.access;
        let function = helper(py, intern!(py, "_open"))?;
        (function, (self.name.to_os_string(), send_only, receive_only)).into_pyobject(py)
    }
}
