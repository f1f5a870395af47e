// SPDX-License-Identifier: MIT OR Apache-2.0
//! One thing to wait for.

use std::fmt;
use std::marker::PhantomData;
use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::sync::Arc;

use super::looked;
use crate::channel::{
    Call, Client, Queue, QueueReceiver, QueueSender, Service, ServiceReceiver, Subscriber, Topic,
};
use crate::error::{ErrorKind, Result};
use crate::signal::{Counter, PidFd, Stream};
use crate::watch::Source;
use crate::{MessageQueue, Semaphore, SemaphoreSet, pipe, socket, sync};

/// One thing to wait for, made of a reference to it.
#[derive(Clone)]
pub struct Waitable<'a> {
    pub(super) what: What,
    of: PhantomData<&'a ()>,
}

/// How it is waited for.
#[derive(Clone)]
pub(super) enum What {
    Descriptor { fd: RawFd, events: i16 },
    Source(Arc<dyn Source>),
}

/// What can be waited for. See the table of [`super`].
pub trait Wait {
    /// This, to wait for.
    ///
    /// Errors: `EACCES` when it may not be looked at; `EOPNOTSUPP` for locks in the pthread form, which have no word for it.
    fn waitable(&self) -> Result<Waitable<'_>>;
}

impl<'a> Waitable<'a> {
    /// That a descriptor can be read, is at its end, or in error.
    pub fn readable(fd: &'a impl AsFd) -> Self {
        Self::raw(fd.as_fd().as_raw_fd(), true, false)
    }

    /// That a descriptor can be written, or is in error.
    pub fn writable(fd: &'a impl AsFd) -> Self {
        Self::raw(fd.as_fd().as_raw_fd(), false, true)
    }

    /// That a descriptor can be read, or written, of which the caller sees to it that it stays open; one that does not is `EBADF`.
    pub fn raw(fd: RawFd, read: bool, write: bool) -> Self {
        let mut events = 0;
        if read {
            events |= libc::POLLIN;
        }
        if write {
            events |= libc::POLLOUT;
        }
        Self { what: What::Descriptor { fd, events }, of: PhantomData }
    }

    /// That nobody reads or writes. Errors: `EOPNOTSUPP` in the pthread form.
    pub fn to_write(lock: &'a sync::RwLock) -> Result<Self> {
        lock.source(true).map(Self::of)
    }

    /// That a queue has room for the message for which there was none the last time.
    pub fn room(queue: &'a Queue) -> Self {
        Self::of(queue.room())
    }

    /// That there is an answer to this call, or will be none. One to another call of the client can be told as well, once.
    pub fn answer(client: &'a Client, call: Call) -> Self {
        Self::of(client.source(Some(call)))
    }

    /// That a service takes the question for which there was no room the last time.
    pub fn to_ask(client: &'a Client) -> Self {
        Self::of(client.room())
    }

    /// That one semaphore of a set has a value of more than 0.
    ///
    /// Errors: `EINVAL` when the set has no such semaphore, `EIDRM`, `EACCES`.
    pub fn of_set(set: &'a SemaphoreSet, index: u16) -> Result<Self> {
        let set = set.again();
        looked::at(move || Ok(set.value(index)? > 0)).map(Self::of)
    }

    /// The same for as long as the caller wants, who sees to it that a descriptor stays open: as in [`Waitable::raw`].
    pub fn detached(self) -> Waitable<'static> {
        Waitable { what: self.what, of: PhantomData }
    }

    /// The descriptor that is polled, whether it is to be read, and written; nothing when there is none.
    pub fn descriptor(&self) -> Option<(RawFd, bool, bool)> {
        match self.what {
            What::Descriptor { fd, events } => {
                Some((fd, events & libc::POLLIN != 0, events & libc::POLLOUT != 0))
            }
            What::Source(_) => None,
        }
    }

    fn of(source: Arc<dyn Source>) -> Self {
        Self { what: What::Source(source), of: PhantomData }
    }
}

impl fmt::Debug for Waitable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.what {
            What::Descriptor { fd, events } => write!(f, "Waitable(descriptor {fd}, {events:#x})"),
            What::Source(_) => f.write_str("Waitable(without a descriptor)"),
        }
    }
}

macro_rules! have_sources {
    ($($kind:ty: $source:expr;)*) => {$(
        impl Wait for $kind {
            fn waitable(&self) -> Result<Waitable<'_>> {
                let source: fn(&Self) -> Result<Arc<dyn Source>> = $source;
                source(self).map(Waitable::of)
            }
        }
    )*};
}

have_sources! {
    Queue: |it| Ok(it.source());
    QueueReceiver: |it| Ok(it.source());
    QueueSender: |it| Ok(it.source());
    Topic: |it| Ok(it.source());
    Subscriber: |it| Ok(it.source());
    Service: |it| Ok(it.source());
    ServiceReceiver: |it| Ok(it.source());
    Client: |it| Ok(it.source(None));
    sync::Mutex: Self::source;
    sync::RwLock: |it| it.source(false);
    sync::Semaphore: Self::source;
    sync::Event: |it| Ok(it.source());
    sync::Once: |it| Ok(it.source());
    Semaphore: |it| {
        let again = it.again();
        looked::at(move || Ok(again.value()? > 0))
    };
}

macro_rules! are_descriptors {
    ($($kind:ty: $which:ident;)*) => {$(
        impl Wait for $kind {
            fn waitable(&self) -> Result<Waitable<'_>> {
                Ok(Waitable::$which(self))
            }
        }
    )*};
}

are_descriptors! {
    pipe::Reader: readable;
    pipe::Writer: writable;
    socket::Socket: readable;
    socket::Listener: readable;
    Stream: readable;
    Counter: readable;
    PidFd: readable;
}

impl Wait for pipe::Process {
    /// That it has ended.
    fn waitable(&self) -> Result<Waitable<'_>> {
        // One that ended before it could be had is told by nothing, and needs no wait.
        let gone = ErrorKind::Os(libc::ESRCH);
        let pidfd = self.pidfd().ok_or_else(|| gone.during("poll", self.pid()))?;
        Ok(Waitable::raw(pidfd.as_raw_fd(), true, false))
    }
}

impl Wait for MessageQueue {
    fn waitable(&self) -> Result<Waitable<'_>> {
        match (self.fd(), self.system_v()) {
            (Some(fd), _) => Ok(Waitable::raw(fd.as_raw_fd(), true, false)),
            (None, queue) => {
                let messages =
                    move || queue.map_or(Ok(0), |queue| queue.stat().map(|it| it.messages));
                looked::at(move || Ok(messages()? > 0)).map(Waitable::of)
            }
        }
    }
}
