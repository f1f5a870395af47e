# SPDX-License-Identifier: MIT OR Apache-2.0
"""Waiting for any of several things: channels, locks, queues, semaphores, and whatever has a descriptor.

    >>> import os, unipc
    >>> jobs = unipc.Queue.create("memfd:jobs")
    >>> orders = unipc.MessageQueue.create("sysv:private", remove_on_close=True)
    >>> reader, writer = os.pipe()
    >>> jobs.send(b"hello")
    >>> unipc.wait([jobs, orders, reader]) == [jobs]
    True
    >>> jobs.recv(timeout=0)
    b'hello'
    >>> orders.close(); os.close(reader); os.close(writer)

What is waited for is one of

    Queue, Subscriber, Service, Client    there is a message, a question, an answer
    a Call                                there is an answer to it, or will be none
    Topic, (queue, "w"), (client, "w")    there is room for the message for which there was none the last time
    Mutex, RwLock, (rwlock, "w")          nobody holds it; to read: nobody writes, and not all `readers` read
    sync.Semaphore, Event, Once           a permit is free; it is set; it is done, or nobody does it
    MessageQueue                          there is a message; of System V that is looked at every 10 ms
    Semaphore, (semaphore_set, index)     its value is more than 0; that is looked at every 10 ms
    a descriptor, what has `fileno()`     poll(2) says so: pipes, sockets, files, signal streams, processes
    (descriptor, "w"), (descriptor, "rw") it can be written

Waiting takes nothing: between the wait and the call that takes, somebody else may be faster, so take with `timeout=0`.
What is removed, or in error, is ready as well: the call that takes says what became of it.

For what has no descriptor a thread of this library sleeps, one for the whole process, only while something is waited
for and up to a second longer; for a task that awaits one of them by its own method, the thread of its event loop, where
io_uring can be had (Linux 6.7, not in all containers). Waiting idly takes less than a thousandth of a processor; what
is looked at takes one to four.

asyncio: `await unipc.wait_async([...])`, `async for message in queue`, `await queue.recv_async()`,
`await client.call_async(b"...")`, `await mutex.acquire_async()`. They use the loop's own `add_reader`, no thread for a
wait, and leave nothing behind when they are cancelled. A task that is told goes on within the loop's callback, not in
its next round. Whoever has an event loop of another kind gives it `queue.fileno()` or a `Doorbell`.
"""

import asyncio
from collections.abc import Iterable
from types import TracebackType
from typing import Any

from . import _aio, _native
from ._native import Doorbell

__all__ = ["Doorbell", "Poller", "wait", "wait_async"]


class Poller:
    """Waits for the same things again and again. See `unipc.poll` for what they can be.

    >>> import os
    >>> from unipc import Event, Poller, SharedMemory
    >>> event = Event(SharedMemory.create("anon:", 4096))
    >>> reader, writer = os.pipe()
    >>> with Poller() as poller:
    ...     poller.register(event)
    ...     poller.register(reader)
    ...     event.set()
    ...     poller.wait() == [event]
    True
    >>> os.close(reader); os.close(writer)

    Threads: one waits at a time; another that calls a method meanwhile gets `RuntimeError`. fork: a poller that waits
    for things without a descriptor is the parent's.
    """

    def __init__(self) -> None:
        self._poller = _native.Poller()
        self._things: dict[int, Any] = {}
        self._next = 0

    def register(self, thing: Any) -> None:
        """Waits for this as well.

        Raises `TypeError` for what cannot be waited for; `OSError`: `EOPNOTSUPP` for locks in the pthread form,
        `EACCES`.
        """
        self._poller.add(thing, self._next)
        self._things[self._next] = thing
        self._next += 1

    def unregister(self, thing: Any) -> None:
        """No longer waits for this; do that before closing it. Raises `KeyError` when it was not registered."""
        for key, it in self._things.items():
            if it is thing or it == thing:
                self._poller.remove(key)
                del self._things[key]
                return
        raise KeyError(thing)

    def wait(self, timeout: float | None = None) -> list[Any]:
        """Waits until something is ready: all that is, as it was registered.

        `timeout` in seconds; None for ever, 0 a try.

        Raises `TimeoutError`, or `BlockingIOError` when it was a try; `OSError`: `EINVAL` when there is nothing to
        wait for, and in a child of fork, `EBADF` when a descriptor is not open.
        """
        return [self._things[key] for key in self._poller.wait(timeout)]

    def close(self) -> None:
        """Waits for nothing any more; the things stay."""
        self._poller = _native.Poller()
        self._things.clear()

    def __len__(self) -> int:
        return len(self._things)

    def __enter__(self) -> "Poller":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def _several(things: Iterable[Any]) -> list[Any]:
    # A queue can be iterated too, which would wait for its messages.
    if hasattr(things, "fileno"):
        raise TypeError(f"it waits for several things: put {things!r} into a list")
    return list(things)


def wait(things: Iterable[Any], timeout: float | None = None) -> list[Any]:
    """Waits until one of several things is ready: all that are, as they were given. See `unipc.poll` for what they are.

    `timeout` in seconds; None for ever, 0 a try. Signal handlers run meanwhile, and Ctrl-C ends it. Raises as
    `Poller.wait`.
    """
    with Poller() as poller:
        for thing in _several(things):
            poller.register(thing)
        return poller.wait(timeout)


async def wait_async(things: Iterable[Any], timeout: float | None = None) -> list[Any]:
    """As `wait`, in a task of asyncio: other tasks run meanwhile. Cancelled, it leaves nothing behind."""
    with Poller() as poller:
        given = _several(things)
        for thing in given:
            poller.register(thing)

        def look() -> list[Any]:
            try:
                return poller.wait(0)
            except BlockingIOError:
                return []

        if timeout is not None and not timeout > 0:
            return poller.wait(timeout)  # a try, or no time at all, as NaN
        async with asyncio.timeout(timeout):
            return await _aio.wait_any(given, look)
