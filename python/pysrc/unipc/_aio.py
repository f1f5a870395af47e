# SPDX-License-Identifier: MIT OR Apache-2.0
"""Coroutines behind the methods whose names end in `_async`: tries, and waits for descriptors in asyncio's loop."""

import asyncio
import select
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from . import _native

_T = TypeVar("_T")
_Futures = list[asyncio.Future[None]]

# Of each loop: who waits for which descriptor. A loop knows one reader of each.
_waiting: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[int, _Futures]] = WeakKeyDictionary()

# So often in a row something was readable and could not be had; then it is another process's for a while.
_IN_VAIN = 3
_PAUSE = 0.002


def _wake(loop: asyncio.AbstractEventLoop, waiting: dict[int, _Futures], fd: int) -> None:
    loop.remove_reader(fd)
    for future in waiting.pop(fd, ()):
        if not future.done():
            future.set_result(None)


async def readable(fd: int) -> None:
    """Waits until the descriptor is readable. Any number of tasks may; one that is cancelled leaves nothing behind."""
    loop = asyncio.get_running_loop()
    waiting = _waiting.setdefault(loop, {})
    future: asyncio.Future[None] = loop.create_future()
    if fd in waiting:
        waiting[fd].append(future)
    else:
        loop.add_reader(fd, _wake, loop, waiting, fd)
        waiting[fd] = [future]
    try:
        await future
    finally:
        others = waiting.get(fd)
        if others is not None and future in others:
            others.remove(future)
            if not others:
                del waiting[fd]
                loop.remove_reader(fd)


async def _when_readable(fd: Callable[[], int], attempt: Callable[[], _T]) -> _T:
    """An end of a channel: each try that finds nothing lets its descriptor tell of the next chance."""
    in_vain = 0
    while True:
        try:
            return attempt()
        except BlockingIOError:
            pass
        if in_vain >= _IN_VAIN:
            await asyncio.sleep(_PAUSE)
        await readable(fd())
        in_vain += 1


async def recv(end: Any) -> Any:
    return await _when_readable(end.fileno, lambda: end.recv(0))


async def answer(call: _native.Call) -> tuple[bytes, bool]:
    return await _when_readable(call.fileno, lambda: call.wait(0))


async def send(queue: _native.Queue, data: Any) -> None:
    await _when_readable(queue.send_fileno, lambda: queue.send(data, 0))


async def publish(topic: _native.Topic, data: Any) -> None:
    await _when_readable(topic.fileno, lambda: topic.publish(data, 0))


async def _take(thing: Any, attempt: Callable[[], bool]) -> None:
    """What has no descriptor: a doorbell stands for it while it is waited for."""
    if attempt():
        return
    with _native.Doorbell(thing) as bell:
        while not attempt():
            bell.arm()
            await readable(bell.fileno())


async def acquire(lock: Any) -> None:
    await _take(lock, lambda: bool(lock.acquire(0)))


async def passing(thing: Any) -> None:
    await _take(thing, lambda: bool(thing.wait(0)))


async def read_lock(lock: _native.RwLock) -> None:
    await _take(lock, lambda: lock.read_lock(0))


async def write_lock(lock: _native.RwLock) -> None:
    await _take((lock, "w"), lambda: lock.write_lock(0))


def _gather(things: list[Any], stack: ExitStack) -> tuple[select.epoll, list[_native.Doorbell]]:
    """One descriptor for all of them."""
    epoll = stack.enter_context(select.epoll())
    events: dict[int, int] = {}
    bells = []
    for thing in things:
        polled = _native.poll_descriptor(thing)
        if polled is None:
            bell = stack.enter_context(_native.Doorbell(thing))
            bells.append(bell)
            polled = bell.fileno(), True, False
        fd, read, write = polled
        wanted = (select.EPOLLIN if read else 0) | (select.EPOLLOUT if write else 0)
        events[fd] = events.get(fd, 0) | wanted
    for fd, wanted in events.items():
        epoll.register(fd, wanted)
    return epoll, bells


async def wait_any(things: list[Any], look: Callable[[], list[Any]]) -> list[Any]:
    """Waits until `look` sees something ready among `things`."""
    ready = look()
    if ready:
        return ready
    with ExitStack() as stack:
        epoll, bells = _gather(things, stack)
        while True:
            for bell in bells:
                bell.arm()
            ready = look()
            if ready:
                return ready
            await readable(epoll.fileno())
