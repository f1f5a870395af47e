// SPDX-License-Identifier: MIT OR Apache-2.0
//! The things that can be waited for.

use std::ffi::{c_int, c_uint, c_void};
use std::ptr::null;

use unipc_core::poll::{Wait, Waitable};
use unipc_core::{Error, ErrorKind, Result};

use super::boundary::Caller;
use super::channel::{
    call_number, unipc_client, unipc_queue, unipc_service, unipc_subscriber, unipc_topic,
};
use super::mq::unipc_mq;
use super::sem::{unipc_sem, unipc_semset};
use super::sync::{unipc_event, unipc_mutex, unipc_once, unipc_rwlock, unipc_sync_semaphore};
use super::unipc_wait_for::{UNIPC_WAIT_READ, UNIPC_WAIT_WRITE};
use super::unipc_waitable;

const READ: c_uint = UNIPC_WAIT_READ as c_uint;
const WRITE: c_uint = UNIPC_WAIT_WRITE as c_uint;

const DESCRIPTOR: c_int = 1;
const QUEUE: c_int = 2;
const QUEUE_ROOM: c_int = 3;
const TOPIC: c_int = 4;
const SUBSCRIBER: c_int = 5;
const SERVICE: c_int = 6;
const CLIENT: c_int = 7;
const MUTEX: c_int = 8;
const RWLOCK_READ: c_int = 9;
const RWLOCK_WRITE: c_int = 10;
const SYNC_SEMAPHORE: c_int = 11;
const EVENT: c_int = 12;
const ONCE: c_int = 13;
const MQ: c_int = 14;
const SEM: c_int = 15;
const SEMSET: c_int = 16;
const CALL: c_int = 17;
const CLIENT_ROOM: c_int = 18;

fn of<T>(kind: c_int, object: *const T) -> unipc_waitable {
    unipc_waitable { object: object.cast::<c_void>(), kind, fd: -1, which: 0, reserved: 0 }
}

/// A descriptor of whatever sort: UNIPC_WAIT_READ, UNIPC_WAIT_WRITE, or both. Pipes, sockets, streams of
/// signals, processes and terminals have a function that gives it (unipc_pipe_fd() and its kin). Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn unipc_wait_fd(fd: c_int, events: c_uint) -> unipc_waitable {
    unipc_waitable { object: null(), kind: DESCRIPTOR, fd, which: events, reserved: 0 }
}

/// A queue: there is a message. Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn unipc_wait_queue(queue: *const unipc_queue) -> unipc_waitable {
    of(QUEUE, queue)
}

/// A queue, to send: there is room for the message for which there was none the last time. Since
/// 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn unipc_wait_queue_room(queue: *const unipc_queue) -> unipc_waitable {
    of(QUEUE_ROOM, queue)
}

/// A topic, to publish: there is room for the message for which there was none the last time. Since
/// 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn unipc_wait_topic(topic: *const unipc_topic) -> unipc_waitable {
    of(TOPIC, topic)
}

/// A subscriber: there is a message. Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn unipc_wait_subscriber(subscriber: *const unipc_subscriber) -> unipc_waitable {
    of(SUBSCRIBER, subscriber)
}

/// A service: there is a question. Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn unipc_wait_service(service: *const unipc_service) -> unipc_waitable {
    of(SERVICE, service)
}

/// A client: there is an answer to one of its open calls, or the server of one has died. Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn unipc_wait_client(client: *const unipc_client) -> unipc_waitable {
    of(CLIENT, client)
}

/// One call of a client, what unipc_client_begin() returned: there is an answer, or will be none. One to
/// another call of the client can be told as well, once. Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn unipc_wait_call(client: *const unipc_client, call: c_int) -> unipc_waitable {
    unipc_waitable { which: call.cast_unsigned(), ..of(CALL, client) }
}

/// A client, to ask: the service takes the question for which there was no room the last time. Since
/// 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn unipc_wait_client_room(client: *const unipc_client) -> unipc_waitable {
    of(CLIENT_ROOM, client)
}

/// A mutex: nobody holds it, or it is retired. Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn unipc_wait_mutex(mutex: *const unipc_mutex) -> unipc_waitable {
    of(MUTEX, mutex)
}

/// A read-write lock, to read: nobody writes, and a line for a reader is free. Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn unipc_wait_rwlock_read(lock: *const unipc_rwlock) -> unipc_waitable {
    of(RWLOCK_READ, lock)
}

/// A read-write lock, to write: nobody reads or writes. Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn unipc_wait_rwlock_write(lock: *const unipc_rwlock) -> unipc_waitable {
    of(RWLOCK_WRITE, lock)
}

/// A semaphore of sync.h: a permit is free. Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn unipc_wait_sync_semaphore(
    semaphore: *const unipc_sync_semaphore,
) -> unipc_waitable {
    of(SYNC_SEMAPHORE, semaphore)
}

/// An event: it is set. Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn unipc_wait_event(event: *const unipc_event) -> unipc_waitable {
    of(EVENT, event)
}

/// A once: it is done, or nobody does it. Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn unipc_wait_once(once: *const unipc_once) -> unipc_waitable {
    of(ONCE, once)
}

/// A message queue: there is a message. Of System V it is looked at every 10 ms. Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn unipc_wait_mq(mq: *const unipc_mq) -> unipc_waitable {
    of(MQ, mq)
}

/// A semaphore of sem.h: its value is more than 0. It is looked at every 10 ms. Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn unipc_wait_sem(sem: *const unipc_sem) -> unipc_waitable {
    of(SEM, sem)
}

/// One semaphore of a set: its value is more than 0. It is looked at every 10 ms. Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn unipc_wait_semset(set: *const unipc_semset, index: c_uint) -> unipc_waitable {
    unipc_waitable { which: index, ..of(SEMSET, set) }
}

/// What the core waits for. Errors: `EINVAL` for NULL, for events that there are not, and for what no function made.
pub(super) fn waitable(caller: &Caller, thing: unipc_waitable) -> Result<Waitable<'_>> {
    let unipc_waitable { object, kind, fd, which, .. } = thing;
    match kind {
        DESCRIPTOR if which == 0 => Err(caller.invalid("events", "it is waited for nothing")),
        DESCRIPTOR => {
            let events = caller.flags(which, READ | WRITE)?;
            if fd < 0 {
                return Err(Error::new("wait", fd, ErrorKind::Os(libc::EBADF)));
            }
            Ok(Waitable::raw(fd, events.has(READ), events.has(WRITE)))
        }
        QUEUE => {
            let it = caller.handle(object.cast::<unipc_queue>())?;
            it.queue.waitable()
        }
        QUEUE_ROOM => {
            let it = caller.handle(object.cast::<unipc_queue>())?;
            Ok(Waitable::room(&it.queue))
        }
        TOPIC => {
            let it = caller.handle(object.cast::<unipc_topic>())?;
            it.topic.waitable()
        }
        SUBSCRIBER => {
            let it = caller.handle(object.cast::<unipc_subscriber>())?;
            it.subscriber.waitable()
        }
        SERVICE => {
            let it = caller.handle(object.cast::<unipc_service>())?;
            it.service.waitable()
        }
        CLIENT => {
            let it = caller.handle(object.cast::<unipc_client>())?;
            it.client.waitable()
        }
        CALL => {
            let call = call_number(caller, which.cast_signed())?;
            let it = caller.handle(object.cast::<unipc_client>())?;
            Ok(Waitable::answer(&it.client, call))
        }
        CLIENT_ROOM => {
            let it = caller.handle(object.cast::<unipc_client>())?;
            Ok(Waitable::to_ask(&it.client))
        }
        MUTEX => {
            let it = caller.handle(object.cast::<unipc_mutex>())?;
            it.object.waitable()
        }
        RWLOCK_READ => {
            let it = caller.handle(object.cast::<unipc_rwlock>())?;
            it.object.waitable()
        }
        RWLOCK_WRITE => {
            let it = caller.handle(object.cast::<unipc_rwlock>())?;
            Waitable::to_write(&it.object)
        }
        SYNC_SEMAPHORE => {
            let it = caller.handle(object.cast::<unipc_sync_semaphore>())?;
            it.object.waitable()
        }
        EVENT => {
            let it = caller.handle(object.cast::<unipc_event>())?;
            it.object.waitable()
        }
        ONCE => {
            let it = caller.handle(object.cast::<unipc_once>())?;
            it.object.waitable()
        }
        MQ => {
            let it = caller.handle(object.cast::<unipc_mq>())?;
            it.queue.waitable()
        }
        SEM => {
            let it = caller.handle(object.cast::<unipc_sem>())?;
            it.semaphore.waitable()
        }
        SEMSET => {
            let index = u16::try_from(which).unwrap_or(u16::MAX);
            Waitable::of_set(&caller.handle(object.cast::<unipc_semset>())?.set, index)
        }
        _ => Err(caller.invalid("thing", "no unipc_wait_ function made it")),
    }
}
