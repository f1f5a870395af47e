# SPDX-License-Identifier: MIT OR Apache-2.0
"""Calls of a service in tasks of asyncio: many at once, cancelled, late, of dead servers."""

import asyncio
import errno
import gc
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

import unipc
from unipc import Client, Poller, Question, Service

SOON = 30


@pytest.fixture
def service() -> Iterator[Service]:
    with Service.create("memfd:calls", 4096) as service:
        yield service


@pytest.fixture
def client(service: Service) -> Iterator[Client]:
    with Client.from_fd(service.memory_fd) as client:
        # A server keeps the way to who has asked once.
        call = client.begin(b"first")
        service.recv().reply()
        assert call.wait() == (b"", False)
        yield client


def descriptors() -> set[str]:
    gc.collect()
    return set(os.listdir("/proc/self/fd"))


@contextmanager
def nothing_left() -> Iterator[None]:
    before = descriptors()
    yield
    assert descriptors() <= before


async def sleeping(*tasks: asyncio.Future[bytes]) -> None:
    """Lets tasks run until they wait."""
    done, _ = await asyncio.wait(tasks, timeout=0.01)
    assert not done


async def questions(service: Service, count: int) -> list[Question]:
    return [await service.recv_async() for _ in range(count)]


@pytest.mark.usefixtures("waking")
def test_answers_come_to_those_who_asked(service: Service, client: Client) -> None:
    async def main() -> None:
        calls = [asyncio.ensure_future(client.call_async(bytes([it]), SOON)) for it in range(8)]
        for question in reversed(await questions(service, 8)):
            question.reply(question.data * 3)
        assert await asyncio.gather(*calls) == [bytes([it]) * 3 for it in range(8)]

    service.fileno()
    with nothing_left():
        asyncio.run(main())


@pytest.mark.usefixtures("waking")
def test_more_calls_than_there_are_places_take_turns(service: Service, client: Client) -> None:
    async def serve(count: int) -> None:
        async for question in service:
            await asyncio.sleep(0)
            question.reply(question.data)
            count -= 1
            if not count:
                return

    async def main() -> None:
        serving = asyncio.ensure_future(serve(200))
        numbers = [str(it).encode() for it in range(200)]
        assert await asyncio.gather(*(client.call_async(it) for it in numbers)) == numbers
        await serving

    asyncio.run(asyncio.wait_for(main(), SOON))


@pytest.mark.usefixtures("waking")
def test_an_answer_that_another_call_finds_is_told(service: Service, client: Client) -> None:
    async def main() -> None:
        for _ in range(20):
            first = asyncio.ensure_future(client.call_async(b"first", SOON))
            await sleeping(first)
            service.recv().reply(b"1")
            # Its try takes the other's answer out of the ring, and finds none of its own.
            other = client.begin(b"other")
            with pytest.raises(BlockingIOError):
                other.wait(0)
            assert await first == b"1"
            service.recv().reply(b"2")
            assert await asyncio.wait_for(other.wait_async(), SOON) == (b"2", False)

    asyncio.run(main())


def test_one_call_is_waited_for_beside_others(service: Service, client: Client) -> None:
    first, second = client.begin(b"first"), client.begin(b"second")
    service.recv().reply(b"1")
    later = service.recv()
    with pytest.raises(BlockingIOError):
        second.wait(0)
    with pytest.raises(TimeoutError):
        unipc.wait([second], 0.02)
    assert unipc.wait([second, first], SOON) == [first]
    assert unipc.wait([client], SOON) == [client]
    later.reply(b"2")
    assert unipc.wait([second], SOON) == [second] and first.is_pending
    assert second.wait(0) == (b"2", False) and not second.is_pending
    assert first.wait(0) == (b"1", False)
    # What is over is not waited for.
    assert unipc.wait([second], SOON) == [second]
    with pytest.raises(OSError, match="over") as caught:
        second.wait(0)
    assert caught.value.errno == errno.EINVAL


@pytest.mark.usefixtures("waking")
def test_cancelling_leaves_nothing_behind(service: Service, client: Client) -> None:
    async def main() -> None:
        for _ in range(20):
            calls = [asyncio.ensure_future(client.call_async(b"nobody waits")) for _ in range(12)]
            await sleeping(*calls)
            taken = await questions(service, 8)
            for it in calls:
                it.cancel()
            results = await asyncio.gather(*calls, return_exceptions=True)
            assert all(isinstance(it, asyncio.CancelledError) for it in results), results
            for question in taken:
                question.reply(b"late")
        # No place is taken, and no late answer is mistaken for one.
        calls = [asyncio.ensure_future(client.call_async(b"again", SOON)) for _ in range(8)]
        for question in await questions(service, 8):
            assert question.data == b"again"
            question.reply(b"in time")
        assert await asyncio.gather(*calls) == [b"in time"] * 8

    service.fileno()
    with nothing_left():
        asyncio.run(main())
    assert len([client.begin(b"?") for _ in range(8)]) == 8


@pytest.mark.usefixtures("waking")
def test_places_that_others_have_are_not_waited_for(client: Client) -> None:
    calls = [client.begin(b"?") for _ in range(8)]
    with pytest.raises(OSError) as caught:
        asyncio.run(client.call_async(b"one more", SOON))
    assert caught.value.errno == errno.EBUSY
    calls[3].cancel()
    with pytest.raises(TimeoutError):
        asyncio.run(client.call_async(b"nobody answers", 0.02))


@pytest.mark.usefixtures("waking")
def test_time_limits(service: Service, client: Client) -> None:
    with pytest.raises(TimeoutError):
        asyncio.run(client.call_async(b"limit", timeout=0.02))
    question = service.recv()
    assert question.data == b"limit" and question.has_expired
    with pytest.raises(BlockingIOError):
        asyncio.run(client.call_async(b"try", timeout=0))
    with pytest.raises(OSError, match="timeout"):
        asyncio.run(client.call_async(b"nonsense", timeout=-1))
    with pytest.raises(TypeError):
        asyncio.run(client.call_async("no bytes"))  # type: ignore[arg-type]
    assert service.recv().data == b"try"


@pytest.mark.usefixtures("waking")
def test_questions_wait_for_room(service: Service, client: Client) -> None:
    async def main() -> None:
        large = [bytes([it]) * 1000 for it in range(8)]
        calls = [asyncio.ensure_future(client.call_async(it, SOON)) for it in large]
        await sleeping(*calls)
        assert not has_room(client)
        for _ in large:
            question = await service.recv_async()
            question.reply(question.data[:1])
        assert await asyncio.gather(*calls) == [bytes([it]) for it in range(8)]

    asyncio.run(main())
    assert has_room(client)


def has_room(client: Client) -> bool:
    with Poller() as poller:
        poller.register((client, "w"))
        try:
            return bool(poller.wait(0))
        except BlockingIOError:
            return False


@pytest.mark.parametrize(("number", "kind"), [(errno.EDOM, OSError), (errno.EAGAIN, BlockingIOError)])
@pytest.mark.usefixtures("waking")
def test_what_the_server_says(service: Service, client: Client, number: int, kind: type[OSError]) -> None:
    async def main() -> None:
        call = asyncio.ensure_future(client.call_async(b"?", SOON))
        (await service.recv_async()).fail(number, "not today")
        with pytest.raises(kind, match="not today") as caught:
            await call
        assert caught.value.errno == number

    asyncio.run(main())


@pytest.mark.usefixtures("waking")
def test_an_answer_in_parts_comes_whole(service: Service, client: Client) -> None:
    async def main() -> None:
        call = asyncio.ensure_future(client.call_async(b"?", SOON))
        question = await service.recv_async()
        for part in (b"one ", b"two "):
            question.part(part)
            await sleeping(call)
        question.reply(b"three")
        assert await call == b"one two three"

    asyncio.run(main())


@pytest.mark.usefixtures("waking")
def test_a_dead_server_is_an_error(service: Service, client: Client) -> None:
    program = f"""
import os, signal, unipc
server = unipc.Service.from_fd({service.memory_fd})
server.recv()
print("taken", flush=True)
signal.pause()
"""
    arguments = [sys.executable, "-c", program]
    server = subprocess.Popen(arguments, pass_fds=[service.memory_fd], stdout=subprocess.PIPE)
    assert server.stdout

    async def main() -> None:
        call = asyncio.ensure_future(client.call_async(b"?", SOON))
        await sleeping(call)
        assert await asyncio.to_thread(server.stdout.readline) == b"taken\n"
        await sleeping(call)
        server.kill()
        with pytest.raises(BrokenPipeError):
            await call
        # The next server answers.
        call = asyncio.ensure_future(client.call_async(b"again", SOON))
        (await service.recv_async()).reply(b"here")
        assert await call == b"here"

    asyncio.run(main())
    server.communicate()


def test_calls_that_nobody_has_any_more_leave_their_places(service: Service, client: Client) -> None:
    kept = client.begin(b"kept")
    of_kept = service.recv()
    for _ in range(20):
        client.begin(b"forgotten")
        service.recv().reply(b"in vain")
    of_kept.reply(b"kept")
    assert kept.wait(SOON) == (b"kept", False)
    calls = [client.begin(b"open") for _ in range(8)]
    with pytest.raises(OSError, match="8 calls") as caught:
        client.begin(b"one too many")
    assert caught.value.errno == errno.EBUSY
    for call in calls:
        service.recv().reply(b"open")
        assert call.wait(SOON) == (b"open", False)


@pytest.mark.parametrize("timeout", [-1.0, float("nan")])
def test_what_is_no_timeout_is_refused_by_tasks_as_well(service: Service, client: Client, timeout: float) -> None:
    for attempt in (client.call_async(b"?", timeout), unipc.wait_async([service], timeout)):
        with pytest.raises(OSError, match="a timeout is") as caught:
            asyncio.run(asyncio.wait_for(attempt, SOON))
        assert caught.value.errno == errno.EINVAL
    with pytest.raises(BlockingIOError):
        asyncio.run(unipc.wait_async([service], 0))
