# SPDX-License-Identifier: MIT OR Apache-2.0
"""Coroutines behind the methods whose names end in `_async`: tries, and waits for descriptors in asyncio's loop."""

import asyncio
import select
from collections.abc import Callable
from contextlib import ExitStack, suppress
from typing import Any
from weakref import WeakKeyDictionary, WeakValueDictionary

from . import _native

_Futures = list[asyncio.Future[None]]

# Of each loop: who waits for which descriptor. A loop knows one reader of each.
_waiting: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[int, _Futures]] = WeakKeyDictionary()

# Of each loop, by the client's id: how many more calls it may begin. A semaphore holds its loop, and is held by the
# calls alone.
_calling: WeakKeyDictionary[asyncio.AbstractEventLoop, WeakValueDictionary[int, asyncio.Semaphore]] = (
    WeakKeyDictionary()
)
_CALLS = 8


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


# By io_uring, where that can be had.
DIRECT = True

# Of each loop: what rings in it for all that has no descriptor.
_bells: WeakKeyDictionary[asyncio.AbstractEventLoop, _native.LoopBell] = WeakKeyDictionary()


def bell() -> tuple[asyncio.AbstractEventLoop, _native.LoopBell]:
    loop = asyncio.get_running_loop()
    bell = _bells.get(loop)
    if bell is None:
        bell = _native.LoopBell(direct=DIRECT)
        loop.add_reader(bell.fileno(), bell.rung)
        _bells[loop] = bell
    return loop, bell


async def answer(call: _native.Call) -> tuple[bytes, bool]:
    def attempt() -> tuple[bytes, bool] | BlockingIOError:
        try:
            return call.wait(0)
        except BlockingIOError as error:
            if call.is_pending:
                raise
            return error  # what the server said: not a reason to wait

    # The answers are this client's alone; what is told in vain is one to another call.
    result = await _native.Waiter(call, attempt, (), contested=False)
    if isinstance(result, BlockingIOError):
        raise result
    return result


def _places(client: _native.Client) -> asyncio.Semaphore:
    """As many as this loop's tasks may have calls of the client under way."""
    of_loop = _calling.setdefault(asyncio.get_running_loop(), WeakValueDictionary())
    return of_loop.setdefault(id(client), asyncio.Semaphore(_CALLS))


async def call(client: _native.Client, question: Any, timeout: float | None) -> bytes:
    if timeout is not None and not timeout > 0:
        return client.call(question, timeout)  # a try, or no time at all, as NaN
    loop = asyncio.get_running_loop()
    end = None if timeout is None else loop.time() + timeout

    def begin() -> _native.Call:
        left = None if end is None else max(end - loop.time(), 1e-9)
        return client.begin_until(question, 0, left)

    async with asyncio.timeout_at(end), _places(client):
        began = await _native.Waiter((client, "w"), begin, ())
        try:
            whole, more = await answer(began)
            while more:
                part, more = await answer(began)
                whole += part
        finally:
            with suppress(ValueError):  # closed meanwhile
                began.cancel()
    return whole


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
