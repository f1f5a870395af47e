# SPDX-License-Identifier: MIT OR Apache-2.0
"""Coroutines behind the methods whose names end in `_async`: tries, and waits for descriptors in asyncio's loop."""

import asyncio
import select
from collections.abc import Callable
from contextlib import ExitStack, suppress
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from . import _native

_T = TypeVar("_T")
_Futures = list[asyncio.Future[None]]

# Of each loop: who waits for which descriptor. A loop knows one reader of each.
_waiting: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[int, _Futures]] = WeakKeyDictionary()

# Of each loop: how many more calls a client may begin.
_calling: WeakKeyDictionary[asyncio.AbstractEventLoop, WeakKeyDictionary[_native.Client, asyncio.Semaphore]] = (
    WeakKeyDictionary()
)
_CALLS = 8

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


async def _when_readable(fd: Callable[[], int], attempt: Callable[[], _T], contested: bool = True) -> _T:
    """An end of a channel: each try that finds nothing lets its descriptor tell of the next chance."""
    in_vain = 0
    while True:
        try:
            return attempt()
        except BlockingIOError:
            pass
        if contested and in_vain >= _IN_VAIN:
            await asyncio.sleep(_PAUSE)
        await readable(fd())
        in_vain += 1


async def _when_rung(thing: Any, attempt: Callable[[], _T], contested: bool = True) -> _T:
    """What has no descriptor: a doorbell stands for it while it is waited for."""
    try:
        return attempt()
    except BlockingIOError:
        pass
    with _native.Doorbell(thing) as bell:

        def armed() -> int:
            bell.arm()
            return bell.fileno()

        return await _when_readable(armed, attempt, contested)


async def recv(end: Any) -> Any:
    return await _when_readable(end.fileno, lambda: end.recv(0))


async def recv_many(end: Any, count: int) -> Any:
    return await _when_readable(end.fileno, lambda: end.recv_many(count, timeout=0))


async def answer(call: _native.Call) -> tuple[bytes, bool]:
    def attempt() -> tuple[bytes, bool] | BlockingIOError:
        try:
            return call.wait(0)
        except BlockingIOError as error:
            if call.is_pending:
                raise
            return error  # what the server said: not a reason to wait

    # The answers are this client's alone; what is told in vain is one to another call.
    result = await _when_rung(call, attempt, contested=False)
    if isinstance(result, BlockingIOError):
        raise result
    return result


def _places(client: _native.Client) -> asyncio.Semaphore:
    """As many as this loop's tasks may have calls of the client under way."""
    of_loop = _calling.setdefault(asyncio.get_running_loop(), WeakKeyDictionary())
    return of_loop.setdefault(client, asyncio.Semaphore(_CALLS))


async def call(client: _native.Client, question: Any, timeout: float | None) -> bytes:
    if timeout is not None and timeout <= 0:
        return client.call(question, timeout)
    loop = asyncio.get_running_loop()
    end = None if timeout is None else loop.time() + timeout

    def begin() -> _native.Call:
        left = None if end is None else max(end - loop.time(), 1e-9)
        return client.begin_until(question, 0, left)

    async with asyncio.timeout_at(end), _places(client):
        began = await _when_rung((client, "w"), begin)
        try:
            whole, more = await answer(began)
            while more:
                part, more = await answer(began)
                whole += part
        finally:
            with suppress(ValueError):  # closed meanwhile
                began.cancel()
    return whole


async def send(queue: _native.Queue, data: Any) -> None:
    await _when_readable(queue.send_fileno, lambda: queue.send(data, 0))


async def publish(topic: _native.Topic, data: Any) -> None:
    await _when_readable(topic.fileno, lambda: topic.publish(data, 0))


async def _take(thing: Any, attempt: Callable[[], bool]) -> None:
    """A lock, or its kin, of which a try in vain is no error."""
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
