# SPDX-License-Identifier: MIT OR Apache-2.0
"""What the methods whose names end in `_async` give: coroutines like any, and a bell for each loop."""

import asyncio
import contextvars
import gc
import os
import threading
import weakref
from collections.abc import Coroutine
from typing import Any

import pytest

from unipc import Event, Mutex, Queue, SharedMemory, _aio

SOON = 30

pytestmark = pytest.mark.usefixtures("waking")


@pytest.fixture
def queue() -> Queue:
    return Queue.create("memfd:aio", 1 << 16)


async def waits(task: asyncio.Task[Any]) -> None:
    """Returns when the task has nothing to do but wait."""
    _, bell = _aio.bell()
    while len(bell) == 0:
        await asyncio.sleep(0)
    assert not task.done()


def test_they_are_coroutines_for_whatever_takes_one(queue: Queue) -> None:
    async def main() -> None:
        coroutine = queue.recv_async()
        assert asyncio.iscoroutine(coroutine) and isinstance(coroutine, Coroutine)
        assert not asyncio.isfuture(coroutine)
        task = asyncio.create_task(coroutine)
        await waits(task)
        queue.send(b"to a task")
        assert await task == b"to a task"
        for number in range(3):
            queue.send(bytes([number]))
        both = await asyncio.gather(queue.recv_async(), asyncio.ensure_future(queue.recv_async()))
        assert sorted(both) == [b"\0", b"\1"]
        assert await asyncio.wait_for(asyncio.shield(queue.recv_async()), SOON) == b"\2"
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(queue.recv_async(), 0.01)
        with pytest.raises(RuntimeError, match="awaited already"):
            await coroutine

    asyncio.run(main())
    queue.send(b"x")
    assert asyncio.run(queue.recv_async()) == b"x"
    with pytest.warns(RuntimeWarning, match="never awaited"):
        del [queue.recv_async()][0]
    queue.recv_async().close()  # which is no reason to warn


def test_what_comes_of_it_is_what_it_was(queue: Queue) -> None:
    """Also where the end of a coroutine would take it to pieces, or a lock says that it had it."""

    async def main() -> None:
        records = Queue.create("memfd:aio", layout="T{i:n:}")
        records.send((3,))
        assert (await records.recv_async())["n"] == 3
        for message in (b"one", b"two"):
            queue.send(message)
        async for batch in queue.batches(10):
            assert batch == [b"one", b"two"]
            break
        mutex = Mutex(SharedMemory.create("memfd:aio", 4096))
        result: object = await mutex.acquire_async()
        assert result is None
        mutex.unlock()
        closed = Queue.create("memfd:aio", 4096)
        closed.close()
        with pytest.raises(ValueError, match="closed"):
            await closed.recv_async()

    asyncio.run(main())


def test_a_task_goes_on_in_its_own_context_and_as_itself(queue: Queue) -> None:
    variable = contextvars.ContextVar("variable", default="the loop's")

    async def consume(number: int) -> tuple[str, bytes]:
        variable.set(f"task {number}")
        message = await queue.recv_async()
        task = asyncio.current_task()
        assert task is not None and task.get_name() == str(number)
        return variable.get(), message

    async def main() -> None:
        tasks = [asyncio.create_task(consume(number), name=str(number)) for number in range(3)]
        _, bell = _aio.bell()
        while len(bell) < 3:
            await asyncio.sleep(0)
        for _ in tasks:
            queue.send(b"x")
        assert await asyncio.gather(*tasks) == [(f"task {number}", b"x") for number in range(3)]
        assert variable.get() == "the loop's"

    asyncio.run(main())


def test_one_task_may_end_the_loop_and_the_others_hear_of_it(queue: Queue) -> None:
    """What goes through a task, as Ctrl-C does, goes through the loop's callback; who was told with it is told."""
    loop = asyncio.new_event_loop()
    other = Queue.create("memfd:aio", 4096)

    async def ends() -> None:
        await queue.recv_async()
        raise KeyboardInterrupt

    interrupted, told = loop.create_task(ends()), loop.create_task(other.recv_async())
    loop.run_until_complete(asyncio.sleep(0))
    loop.call_soon(queue.send, b"end")
    loop.call_soon(other.send, b"told")
    with pytest.raises(KeyboardInterrupt):
        loop.run_forever()
    assert loop.run_until_complete(asyncio.wait_for(told, SOON)) == b"told"
    with pytest.raises(KeyboardInterrupt):
        interrupted.result()
    loop.close()


def test_cancelling_in_the_moment_of_being_told_loses_no_message(queue: Queue) -> None:
    async def main() -> None:
        for number in range(100):
            task = asyncio.create_task(queue.recv_async())
            await waits(task)
            queue.send(bytes([number]))
            if number % 2:
                await asyncio.sleep(0)
            cancelled = task.cancel("enough")
            try:
                message = await task
                assert not cancelled
            except asyncio.CancelledError:
                message = await asyncio.wait_for(queue.recv_async(), SOON)
            assert message == bytes([number])

    asyncio.run(main())


def test_a_loop_that_is_closed_leaves_nothing(queue: Queue) -> None:
    async def main() -> weakref.ref[asyncio.AbstractEventLoop]:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(queue.recv_async(), 0.001)
        return weakref.ref(asyncio.get_running_loop())

    gc.collect()
    before = set(os.listdir("/proc/self/fd"))
    for _ in range(5):
        loop = asyncio.run(main())
        gc.collect()
        assert loop() is None
    assert set(os.listdir("/proc/self/fd")) <= before


def test_loops_of_several_threads_and_one_that_moves(queue: Queue) -> None:
    answers = Queue.create("memfd:aio", 1 << 16)

    def serve() -> None:
        asyncio.run(serve_all())

    async def serve_all() -> None:
        async for message in queue:
            if message == b"end":
                return
            await answers.send_async(message)

    threads = [threading.Thread(target=serve) for _ in range(3)]
    for thread in threads:
        thread.start()
    for _ in range(300):
        queue.send(b"?")
    for _ in range(300):
        assert answers.recv(SOON) == b"?"
    for _ in threads:
        queue.send(b"end")
    for thread in threads:
        thread.join()

    event = Event(SharedMemory.create("memfd:aio", 4096))
    loop = asyncio.new_event_loop()
    task = loop.create_task(event.wait_async())
    first = threading.Thread(target=lambda: loop.run_until_complete(asyncio.sleep(0.01)))
    first.start()
    first.join()
    event.set()
    loop.run_until_complete(asyncio.wait_for(task, SOON))
    loop.close()
