// SPDX-License-Identifier: MIT OR Apache-2.0
//! Getting a queue: create, open, open-or-create; and removing it by name.
#![allow(
    clippy::too_many_arguments,
    clippy::fn_params_excessive_bools,
    reason = "keyword arguments in Python, each an independent switch"
)]
#![allow(clippy::needless_pass_by_value, reason = "what pyo3 extracts is ours")]

use pyo3::prelude::*;
use unipc::Mode;
use unipc::mq::Options;

use super::MessageQueue;
use crate::error::raise;
use crate::name::NameArgument;

/// What the three ways have in common.
fn options(send_only: bool, receive_only: bool, remove_on_close: bool) -> Options {
    Options::new().send_only(send_only).receive_only(receive_only).remove_on_drop(remove_on_close)
}

/// What both ways of creating have in common.
fn creating(
    options: Options,
    max_messages: Option<usize>,
    max_size: Option<usize>,
    mode: u32,
) -> PyResult<Options> {
    let options = options.mode(Mode::new(mode).map_err(raise)?);
    let options = max_messages.into_iter().fold(options, Options::max_messages);
    Ok(max_size.into_iter().fold(options, Options::max_size))
}

#[pymethods]
impl MessageQueue {
    /// Creates the queue `name`, empty, for sending and receiving.
    ///
    /// - `max_messages`, `max_size`: how many messages a POSIX queue can hold, and the bytes of one; None is the system's
    ///   default, usually 10 and 8192. Not for System V, whose queues have one limit: `queue.system_v.set(max_bytes=...)`.
    /// - `mode`: the permission bits, exact whatever the umask, from the first moment on.
    /// - `replace`: remove a queue that has the name, then create.
    /// - `send_only`, `receive_only`: what this handle is for, if not for both.
    /// - `remove_on_close`: remove the queue when this handle is closed (not in a child of fork).
    ///
    /// Raises `OSError`: `EEXIST` (`FileExistsError`) when the name is taken; `EINVAL` for a POSIX queue that is larger than the
    /// system allows, and for a name that cannot be created; `ENOSPC` when there are too many queues, `EMFILE` when
    /// `RLIMIT_MSGQUEUE` or the number of descriptors does not allow it; the text names the limit. See `mq_open(3)`, `msgget(2)`.
    ///
    /// >>> import os, unipc
    /// >>> name = f"/create-mq-{os.getpid()}"
    /// >>> with unipc.MessageQueue.create(name, max_messages=4, max_size=64, remove_on_close=True) as queue:
    /// ...     queue.max_size
    /// 64
    #[staticmethod]
    #[pyo3(signature = (
        name, *, max_messages = None, max_size = None, mode = 0o600, replace = false, send_only = false,
        receive_only = false, remove_on_close = false,
    ))]
    fn create(
        py: Python<'_>,
        name: NameArgument,
        max_messages: Option<usize>,
        max_size: Option<usize>,
        mode: u32,
        replace: bool,
        send_only: bool,
        receive_only: bool,
        remove_on_close: bool,
    ) -> PyResult<Self> {
        let options = options(send_only, receive_only, remove_on_close).replace(replace);
        let options = creating(options, max_messages, max_size, mode)?;
        let queue = py.detach(|| options.create(&name.0)).map_err(raise)?;
        Ok(Self::new(queue, (send_only, receive_only)))
    }

    /// Opens the queue `name`, for sending and receiving.
    ///
    /// - `send_only`, `receive_only`: what it is for, if not for both; needs less permission.
    /// - `own_only`: refuse a queue that belongs to neither this user nor root (`EPERM`).
    /// - `remove_on_close`: remove the queue when this handle is closed (not in a child of fork).
    ///
    /// Raises `OSError`: `ENOENT` (`FileNotFoundError`) when there is none, `EINVAL` for a System V identifier; `EACCES` when
    /// its mode does not let this user; by identifier only reading is checked here.
    #[staticmethod]
    #[pyo3(signature = (
        name, *, send_only = false, receive_only = false, own_only = false, remove_on_close = false,
    ))]
    fn open(
        name: NameArgument,
        send_only: bool,
        receive_only: bool,
        own_only: bool,
        remove_on_close: bool,
    ) -> PyResult<Self> {
        let options = options(send_only, receive_only, remove_on_close).own_only(own_only);
        let queue = options.open(&name.0).map_err(raise)?;
        Ok(Self::new(queue, (send_only, receive_only)))
    }

    /// Opens the queue, or creates it when there is none. The arguments are those of both.
    ///
    /// Raises `OSError`: as both; `EINVAL` when a POSIX queue exists and holds less than is asked for.
    #[staticmethod]
    #[pyo3(signature = (
        name, *, max_messages = None, max_size = None, mode = 0o600, send_only = false, receive_only = false,
        own_only = false, remove_on_close = false,
    ))]
    fn open_or_create(
        py: Python<'_>,
        name: NameArgument,
        max_messages: Option<usize>,
        max_size: Option<usize>,
        mode: u32,
        send_only: bool,
        receive_only: bool,
        own_only: bool,
        remove_on_close: bool,
    ) -> PyResult<Self> {
        let options = options(send_only, receive_only, remove_on_close).own_only(own_only);
        let options = creating(options, max_messages, max_size, mode)?;
        let queue = py.detach(|| options.open_or_create(&name.0)).map_err(raise)?;
        Ok(Self::new(queue, (send_only, receive_only)))
    }

    /// Removes the queue of this name. A System V queue is gone at once, and who waits at it gets `RemovedError`; who has a
    /// POSIX queue open keeps it, with its messages, until he leaves.
    ///
    /// Raises `OSError`: `ENOENT` (`EINVAL` for a System V identifier) when there is none, `EACCES` or `EPERM` when it is
    /// somebody else's. See `mq_unlink(3)`, `msgctl(2)`.
    #[staticmethod]
    fn unlink(name: NameArgument) -> PyResult<()> {
        unipc::MessageQueue::unlink(&name.0).map_err(raise)
    }
}
