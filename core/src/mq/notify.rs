// SPDX-License-Identifier: MIT OR Apache-2.0
//! Being told of a message instead of waiting for it: `mq_notify`, POSIX queues alone.
//!
//! One process can ask for it at a time, and is told once: when a message comes to a queue that was empty, and nobody
//! waits for it. Then it asks again, and after that receives, with [`crate::Timeout::TRY`], until the queue is empty; the
//! other way round a message could come in between, unnoticed. The queue's descriptor ([`MessageQueue::fd`]) needs none of this.
//!
//! Closing any descriptor of the queue ends what this process asked for, which is the kernel's rule.

use std::os::fd::{AsFd, OwnedFd};

use nix::errno::Errno;
use nix::sys::signal::{SigSet, SigmaskHow, pthread_sigmask};

use super::MessageQueue;
use crate::error::Result;
use crate::sys::mqueue;

impl MessageQueue {
    /// Asks for `signal` when a message comes to the empty queue, with `value` in its `si_value` and the sender's pid in
    /// `si_pid`. Block the signal and wait for it (`sigwaitinfo`, `signalfd`), or have a handler for it.
    ///
    /// Errors: `EBUSY` when this or another process has asked already, `EINVAL` for a number that is no signal,
    /// `EOPNOTSUPP` for a System V queue.
    ///
    /// [mq_notify(3)](https://man7.org/linux/man-pages/man3/mq_notify.3.html)
    #[doc(alias = "mq_notify")]
    #[doc(alias = "SIGEV_SIGNAL")]
    pub fn notify_signal(&self, signal: i32, value: i32) -> Result<()> {
        let queue = self.posix("notify_signal")?;
        mqueue::mq_notify_signal(queue.fd.as_fd(), signal, value)
            .map_err(|errno| self.not_notified("notify_signal", errno))
    }

    /// Runs `callback` once, on a thread of its own, when a message comes to the empty queue. The thread has all signals
    /// blocked. It ends without calling when the notification is cancelled or the queue closed.
    ///
    /// Errors: as [`MessageQueue::notify_signal`]; `EAGAIN` when there can be no more threads, `EMFILE` when there can be no
    /// more descriptors.
    ///
    /// ```
    /// # fn main() -> unipc::Result<()> {
    /// use std::sync::mpsc;
    /// use unipc::{MessageQueue, Timeout};
    /// # let name = format!("/doc-notify-{}", std::process::id());
    /// let queue = MessageQueue::options().remove_on_drop(true).create(name.as_str())?;
    /// let (told, news) = mpsc::channel();
    /// queue.notify_thread(move || told.send("a message came").unwrap())?;
    /// queue.send(0, b"x", Timeout::Forever)?;
    /// assert_eq!(news.recv().unwrap(), "a message came");
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "mq_notify")]
    #[doc(alias = "SIGEV_THREAD")]
    pub fn notify_thread(&self, callback: impl FnOnce() + Send + 'static) -> Result<()> {
        let queue = self.posix("notify_thread")?;
        let failed = |errno| self.not_notified("notify_thread", errno);
        let socket = mqueue::netlink_socket().map_err(failed)?;
        mqueue::mq_notify_socket(queue.fd.as_fd(), socket.as_fd()).map_err(failed)?;
        spawn(socket, callback).map_err(|error| {
            // Nobody would hear of it.
            let _ = mqueue::mq_notify_nothing(queue.fd.as_fd());
            failed(errno_of(&error))
        })
    }

    /// Ends the notification that this process has asked for; nothing happens if it has not.
    ///
    /// Errors: `EOPNOTSUPP` for a System V queue.
    pub fn cancel_notification(&self) -> Result<()> {
        let queue = self.posix("cancel_notification")?;
        mqueue::mq_notify_nothing(queue.fd.as_fd())
            .map_err(|errno| self.failed("cancel_notification", errno))
    }

    fn not_notified(&self, operation: &'static str, errno: Errno) -> crate::Error {
        let error = self.failed(operation, errno);
        if errno != Errno::EBUSY {
            return error;
        }
        match self.posix_stat().ok().and_then(|status| status.notification) {
            Some(other) => error.with_advice(format!("process {} has asked already", other.pid)),
            None => error.with_advice("a process has asked already"),
        }
    }
}

/// Waits on a thread that no signal disturbs, and calls if a message came.
fn spawn(news: OwnedFd, callback: impl FnOnce() + Send + 'static) -> std::io::Result<()> {
    let mut before = SigSet::empty();
    let none = pthread_sigmask(SigmaskHow::SIG_SETMASK, Some(&SigSet::all()), Some(&mut before));
    let thread = std::thread::Builder::new().name("unipc-mq-notify".into()).spawn(move || {
        let came = mqueue::notified(news.as_fd());
        drop(news);
        if came == Ok(true) {
            callback();
        }
    });
    if none.is_ok() {
        let _ = pthread_sigmask(SigmaskHow::SIG_SETMASK, Some(&before), None);
    }
    thread.map(drop)
}

fn errno_of(error: &std::io::Error) -> Errno {
    Errno::from_raw(error.raw_os_error().unwrap_or(libc::EAGAIN))
}
