# SPDX-License-Identifier: MIT OR Apache-2.0
"""Waiting for any of several things, with threads and with asyncio."""

import asyncio
import gc
import os
import select
import signal as python_signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from waiting import interrupt

import unipc
from unipc import (
    Client,
    Doorbell,
    Event,
    MessageQueue,
    Mutex,
    Once,
    Poller,
    Queue,
    RwLock,
    Semaphore,
    SemaphoreSet,
    Service,
    SharedMemory,
    Subscriber,
    Topic,
    _aio,
    sync,
)

SOON = 30


class Kinds:
    """One of each kind, none of them ready, and what makes each ready."""

    def __init__(self) -> None:
        shm = SharedMemory.create("memfd:kinds", 1 << 16)
        self.mutex, self.lock, self.once = Mutex(shm, 0), RwLock(shm, 4096), Once(shm, 8192)
        self.event, self.permits = Event(shm, 12288), sync.Semaphore(shm, 0, 16384)
        self.jobs, self.full = Queue.create("memfd:kinds", 4096), Queue.create("memfd:kinds", 4096)
        with pytest.raises(BlockingIOError):
            while True:
                self.full.send(bytes(64), timeout=0)
        self.topic = Topic.create("memfd:kinds", 4096)
        self.subscriber = Subscriber.from_fd(self.topic.memory_fd)
        self.service = Service.create("memfd:kinds", 4096)
        self.client = Client.from_fd(self.service.memory_fd)
        self.asker = Client.from_fd(self.service.memory_fd)
        self.orders = MessageQueue.create("sysv:private", remove_on_close=True)
        name = f"/unipc-test-poll-{os.getpid()}"
        self.posix = MessageQueue.create(name, max_messages=2, max_size=64, remove_on_close=True)
        self.semaphore = Semaphore.create("sysv:private", 0, remove_on_close=True)
        self.set = SemaphoreSet.create("sysv:private", [0, 0], remove_on_close=True)
        self.reader, self.writer = os.pipe()
        self.left, self.right = socket.socketpair()
        self.program = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
        self.process = os.pidfd_open(self.program.pid)
        self.release, held = threading.Event(), threading.Event()

        def hold() -> None:
            self.mutex.lock()
            self.lock.write_lock()
            self.once.begin()
            held.set()
            self.release.wait(SOON)
            self.mutex.unlock()
            self.lock.unlock()
            self.once.complete()

        self.holder = threading.Thread(target=hold)
        self.holder.start()
        assert held.wait(SOON)
        self.things: list[Any] = [
            self.jobs,
            (self.full, "w"),
            self.subscriber,
            self.service,
            self.client,
            self.mutex,
            self.lock,
            (self.lock, "w"),
            self.once,
            self.event,
            self.permits,
            self.orders,
            self.semaphore,
            (self.set, 1),
            self.reader,
            self.left,
            self.process,
            self.posix,
        ]

    def works(self) -> Iterator[tuple[Callable[[], object], list[Any]]]:
        """What makes something ready, and what."""
        at = self.things
        yield lambda: self.jobs.send(b"job"), at[0:1]
        yield lambda: self.full.recv(), at[1:2]
        yield lambda: self.topic.publish(b"news"), at[2:3]
        yield lambda: self.asker.begin(b"?"), at[3:4]
        yield lambda: self.release.set(), at[5:9]
        yield lambda: self.event.set(), at[9:10]
        yield lambda: self.permits.post(), at[10:11]
        yield lambda: self.orders.send(b"order"), at[11:12]
        yield lambda: self.semaphore.release(), at[12:13]
        yield lambda: self.set.release(1), at[13:14]
        yield lambda: os.write(self.writer, b"x"), at[14:15]
        yield lambda: self.right.send(b"x"), at[15:16]
        yield lambda: self.program.kill(), at[16:17]
        yield lambda: self.posix.send(b"order"), at[17:18]

    def close(self) -> None:
        self.release.set()
        self.holder.join()
        self.program.kill()
        self.program.communicate()
        for fd in (self.reader, self.writer, self.process):
            os.close(fd)
        self.left.close()
        self.right.close()
        for it in (self.orders, self.posix, self.semaphore, self.set):
            it.close()


@pytest.fixture
def kinds() -> Iterator[Kinds]:
    kinds = Kinds()
    yield kinds
    kinds.close()


def test_each_of_many_kinds_is_told_of_and_no_other(kinds: Kinds) -> None:
    with pytest.raises(BlockingIOError):
        unipc.wait(kinds.things, timeout=0)
    with pytest.raises(TimeoutError):
        unipc.wait(kinds.things, timeout=0.02)
    ready: list[Any] = []
    with Poller() as poller:
        for thing in kinds.things:
            poller.register(thing)
        assert len(poller) == len(kinds.things)
        for work, things in kinds.works():
            work()
            ready += things
            late = time.monotonic() + SOON
            while (told := poller.wait(SOON)) != [thing for thing in kinds.things if thing in ready]:
                assert time.monotonic() < late, (told, ready)
        poller.unregister(kinds.event)
        assert kinds.event not in poller.wait(SOON)
        with pytest.raises(KeyError):
            poller.unregister(kinds.event)


@pytest.mark.usefixtures("waking")
def test_each_of_many_kinds_wakes_a_task(kinds: Kinds) -> None:
    async def main() -> None:
        with pytest.raises(TimeoutError):
            await unipc.wait_async(kinds.things, timeout=0.02)
        remaining = list(kinds.things)
        for work, things in kinds.works():
            waiting = asyncio.ensure_future(unipc.wait_async(remaining, SOON))
            await asyncio.sleep(0)
            work()
            told = await waiting
            # The holder gives up one after the other.
            assert told and all(thing in things for thing in told), (told, things)
            remaining = [thing for thing in remaining if thing not in things]

    asyncio.run(main())


def test_what_cannot_be_waited_for() -> None:
    for nonsense in (object(), "text", (1, 2, 3), None):
        with pytest.raises((TypeError, ValueError)):
            unipc.wait([nonsense], timeout=0)
    with pytest.raises(ValueError, match="no descriptor"):
        unipc.wait([-1], timeout=0)
    with pytest.raises(ValueError, match='"r", "w" or "rw"'):
        unipc.wait([(0, "x")], timeout=0)
    with pytest.raises(OSError, match="nothing to wait for"):
        unipc.wait([])
    jobs = unipc.Queue.create("memfd:jobs")
    with pytest.raises(TypeError, match=r"several things: put <unipc\.Queue .*> into a list"):
        unipc.wait(jobs)
    with pytest.raises(TypeError, match="into a list"):
        asyncio.run(unipc.wait_async(jobs))
    with pytest.raises(OSError, match="descriptor 999999"):
        unipc.wait([999999], timeout=0)
    event = Event(SharedMemory.create("memfd:event", 4096))
    with pytest.raises(TimeoutError, match="nothing that was waited for is ready: '1 thing'"):
        unipc.wait([event], timeout=0.001)
    with pytest.raises(BlockingIOError, match="'2 things'"):
        unipc.wait([event, event], timeout=0)
    foreign = Mutex(SharedMemory.create("memfd:foreign", 4096), form="pthread")
    with pytest.raises(OSError, match="robust form"):
        unipc.wait([foreign])


def test_ctrl_c_ends_the_wait() -> None:
    program = """
        import os, unipc
        queue = unipc.Queue.create("memfd:int", 4096)
        reader, writer = os.pipe()
        print("READY", flush=True)
        unipc.wait([queue, reader], {timeout})
    """
    for timeout in (None, 60):
        assert interrupt(program.format(timeout=timeout)) < 10


def test_a_doorbell_is_readable_while_the_thing_is_ready() -> None:
    event = Event(SharedMemory.create("memfd:bell", 4096))
    with Doorbell(event) as bell:
        assert not select.select([bell], [], [], 0)[0]
        event.set()
        assert select.select([bell], [], [], SOON)[0]
        event.reset()
        bell.arm()
        assert not select.select([bell], [], [], 0)[0]
        fd = bell.fileno()
    with pytest.raises(ValueError, match="closed"):
        bell.fileno()
    with pytest.raises(OSError):
        os.fstat(fd)


@pytest.mark.usefixtures("waking")
def test_a_task_consumes_what_another_process_sends() -> None:
    queue = Queue.create("memfd:consume", 4096)
    answers = Queue.create("memfd:consume", 4096)
    count = 2000
    program = f"""
import unipc
queue, answers = unipc.Queue.from_fd({queue.memory_fd}), unipc.Queue.from_fd({answers.memory_fd})
for number in range({count}):
    queue.send(str(number).encode())
    if number % 100 == 0:
        assert answers.recv(timeout={SOON}) == b"go on"
"""
    fds = (queue.memory_fd, answers.memory_fd)
    sender = subprocess.Popen([sys.executable, "-c", program], pass_fds=fds)

    async def main() -> list[bytes]:
        got = []
        async for message in queue:
            got.append(message)
            if (len(got) - 1) % 100 == 0:
                await answers.send_async(b"go on")
            if len(got) == count:
                return got
        raise AssertionError

    assert asyncio.run(main()) == [str(number).encode() for number in range(count)]
    assert sender.wait(SOON) == 0


@pytest.mark.usefixtures("waking")
def test_tasks_take_turns_at_one_queue_and_at_full_ones() -> None:
    queue = Queue.create("memfd:turns", 4096)

    async def receive() -> list[int]:
        got: list[int] = []
        while True:
            number = int.from_bytes(await queue.recv_async(), "big")
            if number == 0:
                return got
            got.append(number)
            await asyncio.sleep(0)

    async def main() -> None:
        receivers = [asyncio.ensure_future(receive()) for _ in range(3)]
        for number in [*range(1, 501), 0, 0, 0]:
            await queue.send_async(number.to_bytes(64, "big"))
        numbers = await asyncio.wait_for(asyncio.gather(*receivers), SOON)
        assert sorted(it for some in numbers for it in some) == list(range(1, 501))

    asyncio.run(main())


@pytest.mark.usefixtures("waking")
def test_topics_services_and_calls_in_tasks() -> None:
    topic = Topic.create("memfd:tasks", 4096, reliable=True)
    subscriber = Subscriber.from_fd(topic.memory_fd)
    service = Service.create("memfd:tasks", 4096)
    client = Client.from_fd(service.memory_fd)

    async def serve() -> None:
        async for question in service:
            question.reply(question.data * 2)
            if question.data == b"end":
                return

    async def publish() -> None:
        for number in range(300):
            await topic.publish_async(number.to_bytes(60, "big"))

    async def main() -> None:
        tasks = [asyncio.ensure_future(serve()), asyncio.ensure_future(publish())]
        for number in range(300):
            assert int.from_bytes(await subscriber.recv_async(), "big") == number
        calls = [client.begin(b"one"), client.begin(b"end")]
        assert await calls[1].wait_async() == (b"endend", False)
        assert await calls[0].wait_async() == (b"oneone", False)
        await asyncio.gather(*tasks)

    asyncio.run(asyncio.wait_for(main(), SOON))


@pytest.mark.usefixtures("waking")
def test_locks_and_events_in_tasks(kinds: Kinds) -> None:
    async def main() -> None:
        wanted = [
            asyncio.ensure_future(it)
            for it in (
                kinds.mutex.acquire_async(),
                kinds.lock.write_lock_async(),
                kinds.event.wait_async(),
                kinds.permits.acquire_async(),
            )
        ]
        done, _ = await asyncio.wait(wanted, timeout=0.02)
        assert not done
        kinds.release.set()
        kinds.event.set()
        kinds.permits.post()
        await asyncio.wait_for(asyncio.gather(*wanted), SOON)
        kinds.mutex.unlock()
        kinds.lock.unlock()
        await kinds.lock.read_lock_async()
        kinds.lock.unlock()
        kinds.permits.release()
        await kinds.permits.wait_async()

    asyncio.run(main())


def descriptors() -> set[str]:
    gc.collect()  # what earlier tests have left to the collector goes now, not in between
    return set(os.listdir("/proc/self/fd"))


@pytest.mark.usefixtures("waking")
def test_cancelling_leaves_nothing_behind(kinds: Kinds) -> None:
    async def main() -> None:
        for end in (kinds.jobs, kinds.full, kinds.subscriber, kinds.service):
            end.fileno()
        kinds.full.send_fileno()
        _, bell = _aio.bell()
        before = descriptors()
        for _ in range(20):
            tasks = [
                asyncio.ensure_future(it)
                for it in (
                    kinds.jobs.recv_async(),
                    kinds.jobs.recv_async(),
                    kinds.full.send_async(bytes(64)),
                    kinds.subscriber.recv_async(),
                    kinds.service.recv_async(),
                    kinds.mutex.acquire_async(),
                    kinds.event.wait_async(),
                    unipc.wait_async(kinds.things),
                )
            ]
            await asyncio.sleep(0.001)
            for task in tasks:
                task.cancel()
            results = await asyncio.gather(*tasks, return_exceptions=True)
            assert all(isinstance(it, asyncio.CancelledError) for it in results), results
            assert descriptors() <= before
            assert len(bell) == 0
            loop = asyncio.get_running_loop()
            assert not loop.remove_reader(kinds.jobs.fileno()), "a reader stays in the loop"
        # Nothing was taken by those who were cancelled.
        kinds.jobs.send(b"first")
        assert await kinds.jobs.recv_async() == b"first"

    asyncio.run(main())
    for end in (kinds.jobs, kinds.full, kinds.subscriber, kinds.service):
        end.close()
    late = time.monotonic() + SOON
    while any("unipc-watch" in thread_name(it) for it in os.listdir("/proc/self/task")):
        assert time.monotonic() < late, "the thread stays"
        time.sleep(0.01)


def thread_name(task: str) -> str:
    try:
        with open(f"/proc/self/task/{task}/comm") as file:
            return file.read()
    except OSError:
        return ""


def test_a_sender_pays_nothing_while_nobody_is_armed() -> None:
    """strace counts the system calls of a sender: as many with a descriptor that was never armed since, as without."""
    try:
        subprocess.run(["strace", "-V"], capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("strace is not installed")
    program = """
import os, sys, unipc
queue = unipc.Queue.create("memfd:strace", 1 << 20)
receiver = unipc.Queue.from_fd(queue.memory_fd)
receiver.fileno()
queue.send(b"rings")
unipc.wait([receiver.fileno()])
# Rung, and not armed since: there are messages all the time.
os.write(1, b"BEGIN")
for number in range(1000):
    queue.send(b"message")
    receiver.recv(timeout=0)
os.write(1, b"END")
"""
    traced = subprocess.run(
        ["strace", "-f", "-e", "trace=futex,write,sendto,sendmsg,membarrier", sys.executable, "-c", program],
        capture_output=True,
        text=True,
        timeout=120,
    )
    if "Operation not permitted" in traced.stderr and "BEGIN" not in traced.stderr:
        pytest.skip("nobody may be traced here")
    assert traced.returncode == 0, traced.stderr[-2000:]
    between = traced.stderr.split('"BEGIN"')[1].split('"END"')[0].splitlines()[1:]
    # The thread that sleeps for the others looks now and then; the sender calls nothing.
    calls = [line for line in between if "futex_waitv" not in line and "resumed" not in line and "= " in line]
    assert len(calls) < 50, calls[:10]


def test_waiting_idly_burns_nearly_nothing() -> None:
    program = """
import asyncio, resource, time, unipc
queue = unipc.Queue.create("memfd:idle", 4096)
event = unipc.Event(unipc.SharedMemory.create("memfd:idle", 4096))
async def main():
    try:
        await unipc.wait_async([queue, event], timeout=3)
    except TimeoutError:
        return
used = lambda: sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
before = used()
asyncio.run(main())
print(used() - before)
"""
    burnt = float(subprocess.run([sys.executable, "-c", program], capture_output=True, check=True).stdout)
    # Of three seconds; it is some milliseconds, and starting a loop is in it. A loaded machine takes longer for a look.
    assert burnt < 0.15, burnt


def test_a_child_of_fork_waits_for_itself() -> None:
    queue = Queue.create("memfd:fork", 4096)
    with Poller() as poller:
        poller.register(queue)
        with pytest.raises(TimeoutError):
            poller.wait(0.01)
        child = os.fork()
        if child == 0:
            try:
                poller.wait(0.01)
            except OSError as error:
                own = Queue.from_fd(queue.memory_fd)
                own.send(b"from the child")
                told = unipc.wait([own], SOON) == [own]
                os._exit(0 if told and not isinstance(error, TimeoutError) else 1)
            os._exit(2)
        assert poller.wait(SOON) == [queue]
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def receiving(queue: Queue) -> threading.Thread:
    """A thread that waits for a message of a queue, and has what receives meanwhile."""
    receiver = threading.Thread(target=queue.recv, daemon=True)
    receiver.start()
    asleep_thread(receiver)
    return receiver


def asleep_thread(thread: threading.Thread) -> None:
    status = Path(f"/proc/self/task/{thread.native_id}/status")
    while "State:\tS" not in status.read_text():
        time.sleep(0.001)


@pytest.mark.parametrize("lent", [False, True])
def test_another_thread_that_receives_keeps_nobody_from_waiting(lent: bool) -> None:
    queue = Queue.create("memfd:shared", 4096)
    loan = None
    if lent:
        queue.send(b"lent")
        loan = queue.peek()
    else:
        receiver = receiving(queue)

    async def main() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(queue.recv_async(), 0.01)

    def waits() -> None:
        if not lent:
            with pytest.raises(TimeoutError):
                unipc.wait([queue], 0.01)
        asyncio.run(main())
        done.append(True)

    done: list[bool] = []
    waiter = threading.Thread(target=waits, daemon=True)
    waiter.start()
    waiter.join(SOON)
    assert done
    if loan is None:
        queue.send(b"end")
        receiver.join()


def test_a_poller_serves_one_thread_at_a_time() -> None:
    queue = Queue.create("memfd:busy", 4096)
    poller = Poller()
    poller.register(queue)
    errors: list[BaseException] = []
    waiter = threading.Thread(target=lambda: poller.wait(SOON))
    waiter.start()
    while not errors and waiter.is_alive():
        try:
            poller.wait(0)
        except RuntimeError as error:
            errors.append(error)
        except BlockingIOError:
            pass
    queue.send(b"end")
    waiter.join()
    assert errors
    assert python_signal.getsignal(python_signal.SIGINT) is python_signal.default_int_handler
