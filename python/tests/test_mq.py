# SPDX-License-Identifier: MIT OR Apache-2.0
"""Message queues as Python sees them: arguments, exceptions, what it returns; the facts of both kinds once more."""

import array
import copy
import ctypes
import os
import pickle
import random
import signal
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import ClassVar

import pytest
from conftest import in_fork

import unipc
from unipc import Backing, MessageQueue, RemovedError

KINDS = ["posix", "sysv"]

Maker = Callable[..., MessageQueue]


def new_name(kind: str) -> str:
    number = random.randrange(1, 1 << 31)
    return f"/unipc-test-mq-{os.getpid()}-{number}" if kind == "posix" else f"sysv:0x{number:x}"


@pytest.fixture
def make() -> Iterator[Maker]:
    """Creates a queue of a kind; it is closed and removed after the test."""
    made = []

    def new(kind: str, **options: object) -> MessageQueue:
        queue = MessageQueue.create(new_name(kind), remove_on_close=True, **options)  # type: ignore[arg-type]
        made.append(queue)
        return queue

    yield new
    for queue in made:
        queue.close()


@pytest.fixture(params=KINDS)
def queue(request: pytest.FixtureRequest, make: Maker) -> MessageQueue:
    small = {"max_messages": 4, "max_size": 64} if request.param == "posix" else {}
    return make(request.param, **small)


def fill(queue: MessageQueue) -> int:
    sent = 0
    try:
        while True:
            queue.send(bytes(64), timeout=0)
            sent += 1
    except BlockingIOError:
        return sent


def test_bytes_come_as_they_went(queue: MessageQueue) -> None:
    for data in b"", b"\0", bytes(range(64)), b"x" * 64:
        queue.send(data, 5)
        assert queue.messages == 1
        assert queue.receive() == (data, 5)
    queue.send(bytearray(b"array"))
    queue.send(memoryview(b"-view-")[1:5])
    queue.send(array.array("i", [1, 2]), timeout=1)
    assert [queue.receive(timeout=0) for _ in range(3)] == [
        (b"array", queue.lowest_tag),
        (b"view", queue.lowest_tag),
        (array.array("i", [1, 2]).tobytes(), queue.lowest_tag),
    ]


def test_a_buffer_is_filled(queue: MessageQueue) -> None:
    queue.send(b"hello", 3)
    buffer = bytearray(b"#" * 64)
    assert queue.receive_into(buffer) == (5, 3)
    assert buffer.startswith(b"hello####")
    queue.send(b"hello", 3)
    short = bytearray(2)
    with pytest.raises(OSError, match=r"E2BIG|EMSGSIZE"):
        queue.receive_into(short)
    assert queue.messages == 1, "what is too long stays"
    assert queue.receive_into(short, truncate=True) == (5, 3)
    assert short == b"he"
    with pytest.raises(BufferError, match="read-only"):
        queue.receive_into(b"cannot")
    with pytest.raises(TypeError):
        queue.send("text")  # type: ignore[arg-type]


def test_what_cannot_be_done_raises_what_python_has_for_it(queue: MessageQueue) -> None:
    with pytest.raises(BlockingIOError):
        queue.receive(timeout=0)
    with pytest.raises(TimeoutError):
        queue.receive(timeout=0.01)
    with pytest.raises(TimeoutError):
        queue.receive_into(bytearray(64), timeout=0.01)
    assert fill(queue) >= 4
    with pytest.raises(BlockingIOError):
        queue.send(bytes(64), timeout=0)
    with pytest.raises(TimeoutError):
        queue.send(bytes(64), timeout=0.01)
    for odd in -1, float("nan"):
        with pytest.raises(OSError, match="a timeout is 0 or more seconds"):
            queue.receive(timeout=odd)
    with pytest.raises(OSError, match=r"is no (priority|type)"):
        queue.send(b"", 1 << 62 if queue.backing == "posix" else 0)
    with pytest.raises(OverflowError):
        queue.send(b"", 1 << 64)
    with pytest.raises(TypeError, match="either want or excluded"):
        queue.receive(1, excluded=1)


@pytest.mark.parametrize("kind", KINDS)
def test_names_and_their_errors(kind: str) -> None:
    name = new_name(kind)
    with pytest.raises(FileNotFoundError):
        MessageQueue.open(name)
    with MessageQueue.create(name, mode=0o640) as queue:
        assert queue.name == name and queue.backing is Backing(kind) and not queue.closed
        assert repr(queue) == f"<unipc.MessageQueue {name!r} {kind}>"
        with pytest.raises(FileExistsError) as refused:
            MessageQueue.create(name)
        assert refused.value.filename == name
        with MessageQueue.open_or_create(name) as same:
            same.send(b"shared")
        mode = queue.posix_stat().mode if kind == "posix" else queue.system_v.stat().mode  # type: ignore[union-attr]
        assert mode == 0o640
    assert queue.closed and repr(queue).endswith("closed>") and queue.name == name
    queue.close()
    with pytest.raises(ValueError, match="is closed"):
        queue.receive()
    with MessageQueue.open(name, receive_only=True) as receiver:
        assert receiver.receive() == (b"shared", receiver.lowest_tag)
        with pytest.raises(OSError, match="for receiving alone"):
            receiver.send(b"")
    with MessageQueue.create(name, replace=True) as new:
        assert new.messages == 0
        new.remove()
    with pytest.raises(FileNotFoundError):
        MessageQueue.unlink(name)
    for other in "file:/tmp/x", "memfd:x", "anon:":
        with pytest.raises(OSError, match="a message queue is a POSIX"):
            MessageQueue.create(other)
    with pytest.raises(TypeError):
        MessageQueue()  # type: ignore[call-arg]


def test_types_choose(make: Maker) -> None:
    queue = make("sysv")
    for tag, text in (3, b"third"), (1, b"first"), (2, b""), (1, b"again"):
        queue.send(text, tag)
    assert queue.peek() in ((b"third", 3), None) and queue.peek(99) is None
    assert queue.receive(2) == (b"", 2)
    assert queue.receive(-2) == (b"first", 1)
    assert queue.receive(excluded=3) == (b"again", 1)
    assert queue.receive() == (b"third", 3)
    with pytest.raises(OSError, match="descriptor"):
        queue.fileno()


class Msgbuf(ctypes.Structure):
    """A struct msgbuf."""

    _fields_: ClassVar = [("type", ctypes.c_long), ("text", ctypes.c_char * 8)]


def test_a_msgbuf_is_sent_and_filled_as_it_lies(make: Maker) -> None:
    queue, into = make("sysv"), Msgbuf()
    queue.send_msgbuf(Msgbuf(7, b"message"))
    assert queue.peek_msgbuf(into) in ((8, 7), None) and queue.peek_msgbuf(into, 9) is None
    assert queue.receive() == (b"message\0", 7)
    queue.send(b"another", 1 << 40)
    assert queue.receive_msgbuf(into) == (7, 1 << 40)
    assert (into.type, into.text) == (1 << 40, b"another")
    for tag in 3, 1, 2:
        queue.send_msgbuf(memoryview(struct.pack("l2s", tag, b"ab")))
    assert [queue.receive_msgbuf(into, want, timeout=1)[1] for want in (2, -2, 0)] == [2, 1, 3]
    queue.send(b"0123456789", 4)
    for short in into, bytearray(struct.calcsize("l")):
        with pytest.raises(OSError, match="E2BIG"):
            queue.receive_msgbuf(short)
    assert queue.messages == 1, "what is too long stays"
    assert queue.receive_msgbuf(into, excluded=3, truncate=True) == (8, 4)
    assert into.text == b"01234567"


def test_what_no_msgbuf_can_do(make: Maker) -> None:
    queue, into = make("sysv"), Msgbuf()
    with pytest.raises(BlockingIOError):
        queue.receive_msgbuf(into, timeout=0)
    with pytest.raises(TimeoutError):
        queue.receive_msgbuf(into, timeout=0.01)
    for odd, why in (Msgbuf(0), "0 is no type"), (Msgbuf(-1), "-1 is no type"), (b"short", "begins with the type"):
        with pytest.raises(OSError, match=why):
            queue.send_msgbuf(odd)
    with pytest.raises(OSError, match="begins with the type"):
        queue.receive_msgbuf(bytearray(2))
    with pytest.raises(BufferError, match="read-only"):
        queue.receive_msgbuf(bytes(16))
    assert queue.system_v is not None
    queue.system_v.set(max_bytes=10)
    queue.send_msgbuf(Msgbuf(1))
    with pytest.raises(BlockingIOError):
        queue.send_msgbuf(Msgbuf(2), timeout=0)
    with pytest.raises(TimeoutError):
        queue.send_msgbuf(Msgbuf(2), timeout=0.01)
    sender = threading.Thread(target=queue.send_msgbuf, args=[Msgbuf(3)])
    sender.start()
    assert queue.receive_msgbuf(into, 1) == (8, 1)
    assert queue.receive_msgbuf(into, 3, timeout=30) == (8, 3)
    sender.join()
    queue.remove()
    for late in (lambda: queue.send_msgbuf(Msgbuf(1))), (lambda: queue.receive_msgbuf(into)):
        with pytest.raises(RemovedError):
            late()
    posix = make("posix")
    for wrong in (
        lambda: posix.send_msgbuf(Msgbuf(1)),
        lambda: posix.receive_msgbuf(into),
        lambda: posix.peek_msgbuf(into),
    ):
        with pytest.raises(OSError, match="of System V"):
            wrong()


def test_what_a_posix_queue_does_not_know(make: Maker) -> None:
    queue = make("posix")
    for wrong in (lambda: queue.receive(1), lambda: queue.receive(excluded=1), queue.peek):
        with pytest.raises(OSError, match="POSIX queue"):
            wrong()
    assert queue.system_v is None and queue.id is None
    assert os.get_inheritable(queue.fileno()) is False


def test_status_and_limits(make: Maker) -> None:
    posix = make("posix", max_messages=4, max_size=64)
    posix.send(b"12345")
    posix.notify_signal(signal.SIGUSR1)
    status = posix.posix_stat()
    assert (status.max_messages, status.max_size, status.messages, status.bytes) == (4, 64, 1, 5)
    assert (status.uid, status.mode, status.non_blocking) == (os.geteuid(), 0o600, False)
    assert status.notification == unipc.QueueNotification(pid=os.getpid(), method=0, signal=signal.SIGUSR1)
    system_v = make("sysv")
    system_v.send(b"123")
    assert system_v.system_v is not None and system_v.id is not None
    system_v.system_v.set(mode=0o644, max_bytes=1000)
    found = system_v.system_v.stat()
    assert (found.messages, found.bytes, found.max_bytes, found.mode) == (1, 3, 1000, 0o644)
    assert (found.last_send_pid, found.last_receive_pid) == (os.getpid(), 0)
    assert found.receive_time is None and found.send_time is not None
    assert system_v.id in [queue.id for queue in unipc.SystemVQueue.list()]
    limits, used = unipc.mq_limits(), unipc.mq_usage()
    for name in "msgmax", "msgmnb", "msgmni":
        assert getattr(limits, name) == int(Path(f"/proc/sys/kernel/{name}").read_text())
    assert limits.prio_max in (None, 32768)
    assert used.queues >= 1 and used.bytes >= 3


def test_removal_wakes_who_waits(make: Maker) -> None:
    queue = make("sysv")
    caught = []

    def wait() -> None:
        try:
            queue.receive()
        except RemovedError as error:
            caught.append(error)

    waiters = [threading.Thread(target=wait) for _ in range(4)]
    for waiter in waiters:
        waiter.start()
    assert queue.system_v is not None
    queue.system_v.remove()
    for waiter in waiters:
        waiter.join(30)
    assert len(caught) == 4


@pytest.mark.parametrize("kind", KINDS)
def test_another_process_and_another_handle(kind: str, make: Maker) -> None:
    queue = make(kind)
    code = "import sys, unipc; unipc.MessageQueue.open(sys.argv[1]).send(b'from afar', 7)"
    subprocess.run([sys.executable, "-c", code, queue.name], check=True, timeout=60)
    assert queue.receive(timeout=0) == (b"from afar", 7)
    again = pickle.loads(pickle.dumps(queue))
    again.send(b"pickled")
    assert copy.copy(queue).receive()[0] == b"pickled"
    sender = MessageQueue.open(queue.name, send_only=True)
    with pytest.raises(OSError, match="for sending alone"):
        pickle.loads(pickle.dumps(sender)).receive()


def test_a_child_of_fork_uses_the_handle_and_removes_nothing(queue: MessageQueue) -> None:
    def child() -> None:
        queue.send(b"child")
        queue.close()

    assert in_fork(child) == 0
    assert queue.receive(timeout=0)[0] == b"child"
    MessageQueue.open(queue.name).close()


def test_a_thread_is_told(make: Maker) -> None:
    queue = make("posix")
    came = threading.Event()
    queue.notify_thread(came.set)
    with pytest.raises(OSError, match=f"process {os.getpid()} has asked"):
        queue.notify_thread(came.set)
    queue.send(b"x")
    assert came.wait(30)
    queue.receive()

    raised: list[object] = []
    heard = threading.Event()

    def hook(unraisable: object) -> None:
        raised.append(unraisable.exc_value)  # type: ignore[attr-defined]
        heard.set()

    def broken() -> None:
        raise KeyError("mine")

    before, sys.unraisablehook = sys.unraisablehook, hook
    try:
        queue.notify_thread(broken)
        queue.send(b"y")
        assert heard.wait(30)
    finally:
        sys.unraisablehook = before
    assert [str(error) for error in raised] == ["'mine'"]
    raised.clear()

    queue.receive()
    queue.notify_thread(came.clear)
    queue.cancel_notification()
    queue.send(b"z")
    assert queue.posix_stat().notification is None
    with pytest.raises(TypeError, match="cannot be called"):
        queue.notify_thread(7)  # type: ignore[arg-type]


def test_an_interpreter_ends_with_a_notification_that_never_came() -> None:
    code = """
        import os, unipc
        name = f"/unipc-test-mq-end-{os.getpid()}"
        queue = unipc.MessageQueue.create(name, remove_on_close=True)
        queue.notify_thread(print)
    """
    import textwrap

    subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=True, timeout=60)


def test_asyncio_reads(make: Maker) -> None:
    import asyncio

    queue = make("posix", max_messages=4)
    received = []

    async def main() -> None:
        loop, done = asyncio.get_running_loop(), asyncio.Event()

        def readable() -> None:
            received.append(queue.receive(timeout=0)[0])
            if received[-1] == b"last":
                done.set()

        loop.add_reader(queue, readable)
        sender = threading.Thread(target=lambda: [queue.send(data) for data in (b"one", b"two", b"three", b"last")])
        sender.start()
        await asyncio.wait_for(done.wait(), 30)
        sender.join()
        loop.remove_reader(queue)

    asyncio.run(main())
    assert received == [b"one", b"two", b"three", b"last"]
