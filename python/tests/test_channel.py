# SPDX-License-Identifier: MIT OR Apache-2.0
"""Queues, topics and services: what goes through them, whole and in order; loans; what is closed, killed or forked."""

import errno
import gc
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from conftest import Namer, in_fork

from unipc import Client, LayoutError, Queue, Service, SharedMemory, Subscriber, Topic

SIZES = [0, 1, 47, 48, 49, 64, 4095, 1 << 20]


@pytest.fixture
def name(name_of: Namer) -> str:
    return name_of("posix")


@pytest.fixture
def queue(name: str) -> Iterator[Queue]:
    with Queue.create(name, 1 << 16) as queue:
        yield queue


@pytest.fixture
def service(name: str) -> Iterator[Service]:
    with Service.create(name, 1 << 16) as service:
        yield service


def fails(number: int, work: Callable[[], object]) -> OSError:
    with pytest.raises(OSError) as caught:
        work()
    assert caught.value.errno == number
    return caught.value


@pytest.mark.parametrize("size", SIZES)
def test_messages_of_any_size_arrive_whole_and_in_order(name: str, size: int) -> None:
    messages = [random.Random(number).randbytes(size) for number in range(4 if size > 9999 else 300)]
    with Queue.create(name, 3 << 20) as one, Queue.open(name) as other:
        for message in messages:
            one.send(message)
            assert other.recv() == message
        buffer = bytearray(size)
        for message in messages[:100]:
            one.send(memoryview(message))
            assert other.recv_into(buffer) == size
            assert buffer == message


def test_kinds_of_objects_that_can_be_sent(queue: Queue) -> None:
    np = pytest.importorskip("numpy")
    for data in (b"bytes", bytearray(b"array"), memoryview(b"a view")[2:], np.arange(9), np.zeros((3, 2))):
        queue.send(data)
        assert queue.recv() == bytes(data)
    with pytest.raises(TypeError):
        queue.send("text")  # type: ignore[arg-type]


def test_making_opening_and_removing(name: str) -> None:
    assert str(fails(errno.ENOENT, lambda: Queue.open(name)).filename) == name
    with Queue.open_or_create(name, mode=0o640) as queue:
        assert (queue.name, queue.closed) == (name, False)
        assert Path(f"/dev/shm{name}").stat().st_mode & 0o777 == 0o640
        assert os.get_inheritable(queue.memory_fd) is False
        assert repr(queue) == f"<unipc.Queue '{name}'>"
        fails(errno.EEXIST, lambda: Queue.create(name))
        with pytest.raises(LayoutError):
            Topic.open(name)
        with Queue.open_or_create(name) as other, Queue.from_fd(queue.memory_fd) as third:
            other.send(b"1")
            assert third.recv() == b"1"
    assert queue.closed and repr(queue) == f"<unipc.Queue '{name}' closed>"
    for work in (queue.recv, lambda: queue.send(b""), lambda: queue.memory_fd, queue.__enter__):
        with pytest.raises(ValueError, match="closed"):
            work()
    queue.close()
    Queue.unlink(name)
    fails(errno.ENOENT, lambda: Queue.unlink(name))


def test_what_is_no_channel_is_told_in_words(name: str) -> None:
    with SharedMemory.create(name, 1 << 16) as shm:
        with pytest.raises(LayoutError):
            Queue.open(name)
        shm.write_at(0, os.urandom(4096))
        with pytest.raises(LayoutError):
            Queue.open(name)


def test_places_for_participants_are_counted_and_come_back(name: str) -> None:
    with Queue.create(name, participants=2), Queue.open(name) as two:
        fails(errno.EBUSY, lambda: Queue.open(name))
        two.close()
        Queue.open(name).close()


def test_a_full_queue_makes_the_sender_wait(queue: Queue) -> None:
    sent = 0
    with suppress(BlockingIOError):
        while True:
            queue.send(bytes([sent & 255]) * 1000, timeout=0)
            sent += 1
    assert sent > 30
    started = time.monotonic()
    with pytest.raises(TimeoutError):
        queue.send(bytes(1000), timeout=0.05)
    assert 0.045 < time.monotonic() - started < 5
    for number in range(sent):
        assert queue.recv(timeout=0)[0] == number & 255
    with pytest.raises(BlockingIOError):
        queue.recv(timeout=0)
    with pytest.raises(TimeoutError):
        queue.recv(timeout=0.05)
    fails(errno.EMSGSIZE, lambda: queue.send(bytes(1 << 20)))
    queue.send(b"fit")
    fails(errno.EMSGSIZE, lambda: queue.recv_into(bytearray(2)))
    assert queue.recv() == b"fit"


def test_messages_of_one_size(name: str) -> None:
    with Queue.create(name, 4096, message_size=8) as queue:
        fails(errno.EMSGSIZE, lambda: queue.send(b"7 bytes"))
        queue.send(b"8 bytes.")
        assert queue.recv() == b"8 bytes."


@pytest.mark.parametrize("message_size", [0, 16])
def test_many_in_one_call_as_arrays_and_lists(name: str, message_size: int) -> None:
    np = pytest.importorskip("numpy")
    dtype = np.dtype([("number", "<u8"), ("value", "<f8")])
    records = np.zeros(1000, dtype)
    records["number"] = np.arange(1000)
    records["value"] = np.sqrt(np.arange(1000))
    with Queue.create(name, 1 << 16, message_size=message_size) as queue, Queue.open(name) as other:
        assert queue.send_many(records) == 1000
        got = other.recv_many(2000, dtype)
        assert got.dtype == dtype and np.array_equal(got, records)
        assert queue.send_many([record.tobytes() for record in records[:3]]) == 3
        assert other.recv_many(2) == [record.tobytes() for record in records[:2]]
        assert np.array_equal(other.recv_many(10, dtype=dtype, timeout=1), records[2:3])
        assert queue.send_many([]) == 0 and queue.send_many(records[:0]) == 0
        with pytest.raises(BlockingIOError):
            other.recv_many(10, dtype, timeout=0)
        with pytest.raises(ValueError, match="count"):
            other.recv_many(0)
        if not message_size:
            queue.send(b"odd")
            fails(errno.EMSGSIZE, lambda: other.recv_many(10, dtype))
            assert other.recv() == b"odd"


def test_many_that_do_not_all_fit_tell_how_many_did(queue: Queue) -> None:
    np = pytest.importorskip("numpy")
    rows = np.arange(100_000, dtype="<u8")
    for messages, timeout in ((rows, 0), (rows, 0.02), ([row.tobytes() for row in rows], 0)):
        sent = queue.send_many(messages, timeout=timeout)
        assert 0 < sent < len(rows)
        with pytest.raises((BlockingIOError, TimeoutError)):
            queue.send_many(messages, timeout=timeout)
        got = np.concatenate([queue.recv_many(1000, "<u8", timeout=0) for _ in range(-(-sent // 1000))])
        assert np.array_equal(got, rows[:sent])


def test_peek_lends_and_takes(queue: Queue) -> None:
    queue.send(b"one")
    queue.send(b"two")
    with pytest.raises(ZeroDivisionError), queue.peek() as view:
        assert bytes(view) == b"one" and view.readonly
        raise ZeroDivisionError
    with queue.peek() as view:
        assert bytes(view) == b"one"
        with pytest.raises(TypeError):
            view[0] = 1
        with pytest.raises(BlockingIOError):
            queue.recv(timeout=0)
    with pytest.raises(ValueError, match="released"):
        bytes(view)
    loan = queue.peek()
    assert len(loan) == 3
    del loan
    assert queue.recv() == b"two"
    with pytest.raises(BlockingIOError):
        queue.peek(timeout=0)
    with pytest.raises(TimeoutError):
        queue.peek(timeout=0.07)


def test_reserve_lends_room_and_sends(queue: Queue) -> None:
    with queue.reserve(5) as view:
        view[:] = b"hello"
        with pytest.raises(BlockingIOError):
            queue.recv(timeout=0)
    assert queue.recv() == b"hello"
    with pytest.raises(ZeroDivisionError), queue.reserve(5) as view:
        view[:] = b"never"
        raise ZeroDivisionError
    with queue.reserve(0):
        pass
    assert queue.recv(timeout=0) == b""
    with pytest.raises(BlockingIOError):
        queue.recv(timeout=0)
    fails(errno.EMSGSIZE, lambda: queue.reserve(1 << 20))


def test_a_loan_is_not_ended_under_an_array(queue: Queue) -> None:
    np = pytest.importorskip("numpy")
    queue.send(bytes(range(16)))
    with pytest.raises(BufferError), queue.peek() as view:
        array = np.frombuffer(view, "u1")
    assert array.sum() == 120
    with pytest.raises(BlockingIOError):
        queue.recv(timeout=0)
    del array, view
    # It ended without being taken.
    assert queue.recv(timeout=0) == bytes(range(16))
    with pytest.raises(BufferError), queue.reserve(16) as view:
        array = np.frombuffer(view, "u1")
    del array, view
    with pytest.raises(BlockingIOError):
        queue.recv(timeout=0)


def test_a_topic_of_the_latest_tells_what_was_lost(name: str) -> None:
    with Topic.create(name, 4096) as topic, Subscriber.open(name) as slow:
        for number in range(1000):
            topic.publish(number.to_bytes(8, "little"), timeout=0)
        got = []
        with suppress(BlockingIOError):
            while True:
                got.append(int.from_bytes(slow.recv(timeout=0), "little"))
        assert slow.lost > 0 and len(got) + slow.lost == 1000
        assert got == list(range(1000 - len(got), 1000))
        with Subscriber.open(name, oldest=True) as late:
            assert int.from_bytes(late.recv(timeout=0), "little") > 0
            late.recv_into(bytearray(8))
            assert late.lost == 0
        with Subscriber.open(name) as next_one, pytest.raises(BlockingIOError):
            next_one.recv(timeout=0)


def test_a_reliable_topic_waits_for_the_slowest(name: str) -> None:
    with Topic.create(name, 4096, reliable=True) as topic, Subscriber.open(name) as slow, Subscriber.open(name) as fast:
        sent = 0
        with suppress(BlockingIOError):
            while True:
                topic.publish(sent.to_bytes(8, "little"), timeout=0)
                sent += 1
                fast.recv(timeout=0)
        with pytest.raises(TimeoutError):
            topic.publish(bytes(8), timeout=0.05)
        assert [int.from_bytes(slow.recv(), "little") for _ in range(sent)] == list(range(sent))
        assert slow.lost == 0
        topic.publish(b"again", timeout=0)
        assert slow.recv() == b"again"


def test_topics_in_rows_and_in_place(name: str) -> None:
    np = pytest.importorskip("numpy")
    rows = np.arange(100, dtype="<u8")
    with Topic.create(name, 1 << 16) as topic, Subscriber.from_fd(topic.memory_fd) as one:
        assert topic.publish_many(rows) == 100
        assert np.array_equal(one.recv_many(1000, "<u8"), rows)
        with topic.reserve(4) as view:
            view[:] = b"here"
        with pytest.raises(ZeroDivisionError), one.peek() as view:
            raise ZeroDivisionError
        with one.peek() as view:
            assert bytes(view) == b"here"
        assert topic.publish_many([b"a", b"bc"]) == 2
        assert one.recv_many(5) == [b"a", b"bc"]
        topic.publish(b"to be overwritten")
        with pytest.raises(OSError, match="overwritten") as caught, one.peek():
            for _ in range(2000):
                topic.publish(bytes(64))
        assert caught.value.errno == errno.EOVERFLOW


def answering(service: Service, *answers: Callable[[object], None]) -> threading.Thread:
    def serve() -> None:
        for answer in answers:
            answer(service.recv())

    server = threading.Thread(target=serve)
    server.start()
    return server


def test_questions_answers_and_errors(name: str, service: Service) -> None:
    numbers = [errno.EDOM, errno.EAGAIN, errno.EINTR, errno.ETIMEDOUT]
    server = answering(
        service,
        lambda question: question.reply(question.data[::-1]),  # type: ignore[attr-defined]
        lambda question: question.reply(),  # type: ignore[attr-defined]
        *(lambda question, number=number: question.fail(number, "no such thing") for number in numbers),  # type: ignore[attr-defined,misc]
    )
    with Client.open(name) as client:
        assert client.call(b"abc") == b"cba"
        assert client.call(b"", timeout=30) == b""
        for number in numbers:
            error = fails(number, lambda: client.call(b"?", timeout=30))
            assert "no such thing" in str(error)
        server.join()
        with pytest.raises(TimeoutError):
            client.call(b"nobody answers", timeout=0.05)
        assert service.recv().has_expired
        fails(errno.EMSGSIZE, lambda: client.call(bytes(1 << 20)))


def test_several_calls_in_flight_answered_in_another_order_and_in_parts(name: str, service: Service) -> None:
    with Client.open(name) as client:
        calls = [client.begin(bytes([number])) for number in range(8)]
        fails(errno.EBUSY, lambda: client.begin(b"one too many"))
        questions = [service.recv() for _ in calls]
        assert [question.data for question in questions] == [bytes([number]) for number in range(8)]
        for question in reversed(questions):
            question.part(b"part of " + question.data)
            question.reply(b"end of " + question.data)
        for number, call in enumerate(calls[:7]):
            assert call.wait() == (b"part of " + bytes([number]), True)
            assert call.wait(timeout=0) == (b"end of " + bytes([number]), False)
            fails(errno.EINVAL, call.wait)
        calls[7].cancel()
        fails(errno.EINVAL, calls[7].wait)
        with pytest.raises(BlockingIOError):
            client.begin(b"?").wait(timeout=0)


def test_a_question_may_be_answered_while_another_thread_waits_for_the_next(name: str, service: Service) -> None:
    with Client.open(name) as client:
        call = client.begin(b"1")
        question = service.recv()
        waiter = threading.Thread(target=lambda: service.recv().reply(b"second"))
        waiter.start()
        time.sleep(0.02)
        question.reply(b"first", timeout=10)
        assert call.wait(timeout=10) == (b"first", False)
        assert client.call(b"2", timeout=10) == b"second"
        waiter.join()


def test_a_client_that_is_gone_is_a_broken_pipe(name: str, service: Service) -> None:
    with Client.open(name) as client:
        client.begin(b"?")
    question = service.recv()
    with pytest.raises(BrokenPipeError):
        question.reply(b"too late")


def test_a_killed_server_is_a_broken_pipe(name: str, service: Service) -> None:
    program = f"import unipc; s = unipc.Service.open({name!r}); q = s.recv(); print('HAS', flush=True); s.recv()"
    with (
        subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as server,
        Client.open(name) as client,
    ):
        call = client.begin(b"?")
        assert server.stdout and server.stdout.readline() == b"HAS\n"
        server.send_signal(signal.SIGKILL)
        server.wait()
        with pytest.raises(BrokenPipeError, match="had taken the question died; ask again"):
            call.wait(timeout=30)
        # The other server of this name goes on.
        thread = answering(service, lambda question: question.reply(b"alive"))  # type: ignore[attr-defined]
        assert client.call(b"?", timeout=30) == b"alive"
        thread.join()


@pytest.mark.parametrize("work", ["send", "reserve", "recv", "peek"])
def test_who_is_killed_in_a_queue_stops_nobody(name: str, queue: Queue, work: str) -> None:
    queue.send(b"first")
    program = f"""
import unipc, time
q = unipc.Queue.open({name!r})
loan = q.{work}(**{{"reserve": {{"size": 8}}, "send": {{"data": b"last"}}}}.get({work!r}, {{}}))
print("HAS", flush=True)
time.sleep(60)
"""
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as killed:
        assert killed.stdout and killed.stdout.readline() == b"HAS\n"
        killed.kill()
    queue.send(b"after", timeout=30)
    expected = {"send": [b"first", b"last", b"after"], "recv": [b"after"]}.get(work, [b"first", b"after"])
    assert [queue.recv(timeout=30) for _ in expected] == expected
    with pytest.raises(BlockingIOError):
        queue.recv(timeout=0)


def test_a_child_of_fork_opens_its_own(name: str, queue: Queue) -> None:
    def child() -> None:
        for work in (queue.recv, lambda: queue.send(b"?")):
            with pytest.raises(OSError, match="parent") as caught:
                work()
            assert caught.value.errno == errno.EINVAL
        with Queue.open(name) as own:
            assert own.recv() == b"from the parent"
            own.send(b"from the child")
        queue.close()

    queue.send(b"from the parent")
    assert in_fork(child) == 0
    assert queue.recv(timeout=30) == b"from the child"
    queue.send(b"it is still ours")
    assert queue.recv() == b"it is still ours"


def test_a_child_of_fork_does_not_wait_for_a_thread_of_its_parent(name: str, queue: Queue) -> None:
    receiver = threading.Thread(target=queue.recv, daemon=True)
    receiver.start()
    status = Path(f"/proc/self/task/{receiver.native_id}/status")
    while "State:\tS" not in status.read_text():
        time.sleep(0.001)

    def child() -> None:
        with pytest.raises(OSError, match="parent") as caught:
            queue.recv(timeout=30)
        assert caught.value.errno == errno.EINVAL
        queue.close()

    assert in_fork(child) == 0
    queue.send(b"end")
    receiver.join()


def test_closing_leaves_no_descriptor_open() -> None:
    gc.collect()
    before = len(os.listdir("/proc/self/fd"))
    ends = [kind.create("memfd:closed") for kind in (Queue, Topic, Service)]
    for end in ends:
        end.close()
        with pytest.raises(ValueError, match="closed"):
            end.memory_fd  # noqa: B018
    assert len(os.listdir("/proc/self/fd")) == before


def test_iterating_receives(name: str, queue: Queue, name_of: Namer) -> None:
    for number in range(3):
        queue.send(bytes([number]))
    assert [message for _, message in zip(range(3), queue, strict=False)] == [b"\0", b"\1", b"\2"]
