# SPDX-License-Identifier: MIT OR Apache-2.0
"""Channels whose messages are records: what is sent, what comes, what is refused."""

import asyncio
import ctypes
import errno
import mmap
import os
import subprocess
import sys

import numpy as np
import pytest
from conftest import Namer

import unipc
from unipc import Client, Directory, Layout, LayoutError, Mutex, Queue, Service, SharedMemory, Subscriber, Topic
from unipc.record import char, f32, u64

FRAME = np.dtype([("t_ns", "u8"), ("volts", "f4", (4,)), ("name", "S3")], align=True)


class Frame(ctypes.Structure):
    _fields_ = (("t_ns", ctypes.c_uint64), ("volts", ctypes.c_float * 4), ("name", ctypes.c_char * 3))


class Annotated:
    t_ns: u64
    volts: f32[4]  # type: ignore[valid-type]
    name: char[3]  # type: ignore[valid-type]


def frames(count: int) -> "np.ndarray[tuple[int], np.dtype[np.void]]":
    made = np.zeros(count, FRAME)
    made["t_ns"] = np.arange(count)
    made["volts"] = np.arange(count)[:, None] / 2
    made["name"] = b"abc"
    return made


@pytest.fixture
def name(name_of: Namer) -> str:
    return name_of("posix")


@pytest.mark.parametrize("layout", [FRAME, Frame, Annotated, Layout(FRAME), Layout(FRAME).format], ids=repr)
def test_a_layout_is_whatever_an_array_takes(name: str, layout: object) -> None:
    with Queue.create(name, layout=layout) as queue, Queue.open(name) as other:
        assert queue.layout == other.layout == Layout(FRAME)
        queue.send(frames(3)[2])
        record = other.recv()
        assert record.dtype == FRAME
        assert record["t_ns"] == 2
        assert record["name"] == b"abc"


def test_a_record_is_sent_in_whatever_form_it_has(name: str) -> None:
    record = frames(8)[7]
    with Queue.create(name, layout=FRAME) as queue:
        by_ctypes = Frame(7, (ctypes.c_float * 4)(3.5, 3.5, 3.5, 3.5), b"abc")
        forms = [
            record,
            by_ctypes,
            record.tobytes(),
            bytearray(record.tobytes()),
            (7, [3.5] * 4, b"abc"),
            frames(8)[7:],
        ]
        for form in forms:
            queue.send(form)
            assert queue.recv() == record
        assert queue.send_many([(7, 3.5, b"abc"), record]) == 2
        assert (queue.recv_many(10) == record).all()
        # The padding behind what numpy or a tuple gives is zeros.
        queue.send((7, [3.5] * 4, b"abc"))
        raw = bytearray(FRAME.itemsize)
        assert queue.recv_into(raw) == FRAME.itemsize
        assert raw == record.tobytes()


def test_many_records_come_as_one_array(name: str) -> None:
    sent = frames(1000)
    with Queue.create(name, layout=FRAME) as queue:
        assert queue.send_many(sent) == 1000
        got = queue.recv_many(600)
        assert got.dtype == FRAME
        assert got.shape == (600,)
        got = np.concatenate([got, queue.recv_many(600)])
        assert (got == sent).all()
        with pytest.raises(BlockingIOError):
            queue.recv_many(1, timeout=0)
        # Another view of the same bytes, if that is asked for.
        queue.send(sent[1])
        assert queue.recv_many(1, "V32")[0].tobytes() == sent[1].tobytes()
        queue.send(sent[5])
        with queue.peek() as view:
            assert np.frombuffer(view, FRAME)["t_ns"][0] == 5


def test_batches_of_a_queue_and_of_a_topic(name: str, name_of: Namer) -> None:
    sent = frames(100)
    with Queue.create(name, layout=FRAME) as queue:
        queue.send_many(sent)
        batches = queue.batches(40)
        assert [len(next(batches)) for _ in range(3)] == [40, 40, 20]
        with pytest.raises(ValueError, match="count"):
            queue.batches(0)
    other = name_of("posix")
    with Topic.create(other, layout=FRAME) as topic, Subscriber.open(other) as subscriber:
        later = topic.batches(1000)
        topic.publish(sent[0])
        topic.publish_many(sent[1:])
        for batches in (subscriber.batches(1000), later):
            assert (next(batches) == sent).all()
        assert subscriber.lost == 0
        topic.publish((1, 0, b""))
        assert subscriber.recv()["t_ns"] == 1
        topic.publish(sent[3])
        assert [record["t_ns"] for record in next(later)] == [1, 3]


def test_batches_of_a_channel_of_bytes_are_lists(name: str) -> None:
    with Queue.create(name) as queue:
        queue.send_many([b"a", b"bc"])
        assert next(queue.batches(10)) == [b"a", b"bc"]
        assert queue.layout is None


def test_batches_come_to_a_task(name: str) -> None:
    async def consume(queue: Queue) -> int:
        total = 0
        async for batch in queue.batches(64):
            total += len(batch)
            if total == 200:
                return total
        raise AssertionError

    async def both(queue: Queue) -> int:
        task = asyncio.create_task(consume(queue))
        for start in range(0, 200, 50):
            await asyncio.sleep(0)
            queue.send_many(frames(200)[start : start + 50])
        return await task

    with Queue.create(name, layout=FRAME) as queue:
        assert asyncio.run(both(queue)) == 200


def test_another_layout_is_refused_with_both_offsets_and_types(name: str) -> None:
    other = np.dtype([("t_ns", "u8"), ("volts", "f8", (4,)), ("name", "S3")], align=True)
    words = r'"volts" is float32\[4\] at offset 8 in the object, float64\[4\] at offset 8 in the declaration'
    with Topic.create(name, layout=FRAME) as topic:
        for refused in (
            lambda: Topic.open(name, layout=other),
            lambda: Subscriber.open(name, layout=other),
            lambda: Topic.open_or_create(name, layout=other),
            lambda: Topic.from_fd(topic.memory_fd, layout=other),
            lambda: Subscriber.from_fd(topic.memory_fd, layout=other),
        ):
            with pytest.raises(LayoutError, match=words):
                refused()
        Subscriber.open(name, layout=Frame).close()


def test_what_is_no_record_is_refused(name: str) -> None:
    with Queue.create(name, layout=FRAME) as queue:
        with pytest.raises(OSError, match="a message has 32 bytes here, not 5") as caught:
            queue.send(b"short")
        assert caught.value.errno == errno.EMSGSIZE
        with pytest.raises((TypeError, ValueError)):
            queue.send(("x", "y"))
        with pytest.raises(OSError, match="a message is to have 8"):
            Queue.create("memfd:x", layout=FRAME, message_size=8)
        with pytest.raises(BlockingIOError):
            queue.recv(timeout=0)


def test_open_finds_out_what_it_is(name: str, name_of: Namer) -> None:
    with Queue.create(name, layout=FRAME) as queue, unipc.open(name) as found:
        assert isinstance(found, Queue)
        queue.send(frames(4)[3])
        assert found.recv_many(10)["t_ns"].tolist() == [3]
    other = name_of("posix")
    with Topic.create(other, layout=FRAME) as topic, unipc.open(other) as found:
        assert isinstance(found, Topic)
        batches = found.batches(10)
        topic.publish(frames(2)[1])
        assert next(batches)["t_ns"].tolist() == [1]


def test_scalars_and_rows_are_records_too(name: str, name_of: Namer) -> None:
    with Queue.create(name, layout="d") as queue:
        queue.send(0.5)
        queue.send(np.float64(1.5))
        assert queue.recv() == 0.5
        assert queue.recv_many(2).tolist() == [1.5]
    with Queue.create(name_of("posix"), layout="(2,3)i") as queue:
        queue.send_many(np.arange(12, dtype=np.int32).reshape(2, 2, 3))
        assert queue.recv().tolist() == [[0, 1, 2], [3, 4, 5]]
        assert queue.recv_many(4).shape == (1, 2, 3)


def test_without_numpy_bytes_still_go_through(name: str) -> None:
    program = f"""
import sys
sys.modules["numpy"] = None
from unipc import Queue
queue = Queue.create({name!r}, layout="T{{q:t:}}")
queue.send((1).to_bytes(8, "little"))
try:
    queue.recv()
    raise SystemExit("a record without numpy")
except ImportError:
    pass
room = bytearray(8)
assert queue.recv_into(room) == 8 and room[0] == 1
"""
    subprocess.run([sys.executable, "-c", program], check=True)


def test_a_directory_holds_channels(name: str) -> None:
    with SharedMemory.create("memfd:plant", 4 << 20) as memory:
        plant = Directory.create(memory)
        plant.place("lock", Mutex)
        jobs = plant.place("jobs", Queue, 1 << 16, layout=FRAME)
        news = plant.find_or_place("news", Topic, capacity=1 << 16, layout="d", reliable=True)
        ask = plant.place("ask", Service, 4096, reply_capacity=4096, participants=4)
        assert [(place.name, place.kind) for place in plant] == [
            ("lock", "mutex"),
            ("jobs", "queue"),
            ("news", "topic"),
            ("ask", "service"),
        ]
        assert plant.where("jobs").offset % mmap.PAGESIZE == 0
        worker = plant.find("jobs")
        jobs.send_many(frames(500))
        assert (worker.recv_many(500) == frames(500)).all()
        reader = Subscriber.open(memory, plant.where("news").offset)
        batches, second = news.batches(10), plant.find("news").subscribe()
        news.publish(0.5)
        assert [reader.recv(), second.recv(), *next(batches)] == [0.5, 0.5, 0.5]
        with Client.open(memory, plant.where("ask").offset) as client:
            call = client.begin(b"?")
            ask.recv().reply(b"!")
            assert call.wait() == (b"!", False)
        assert plant.find_or_place("jobs", Queue, 1 << 16, layout=FRAME).layout == Layout(FRAME)
        with pytest.raises(LayoutError, match="float64"):
            plant.find_or_place("news", Topic, 1 << 16, layout="i")
        with pytest.raises(FileExistsError):
            plant.place("jobs", Queue)
        for end in (jobs, news, ask, worker, reader, second):
            end.close()


def test_a_place_begins_on_a_page_of_memory_with_a_descriptor() -> None:
    size = Queue.size_for(4096)
    assert size % mmap.PAGESIZE == 0
    assert size < Queue.size_for(4096, participants=200) < Service.size_for(4096)
    with SharedMemory.create("memfd:plant", 2 * size) as memory:
        for offset, number in ((64, errno.EINVAL), (2 * size, errno.ERANGE), (2 * size - 4096, errno.ERANGE)):
            with pytest.raises(OSError) as caught:
                Queue.create(memory, 4096, offset)
            assert caught.value.errno == number
        with pytest.raises(LayoutError):
            Queue.open(memory, size)
        Queue.create(memory, 4096, size).close()
        Queue.open_or_create(memory, 4096, size).close()
        with pytest.raises(ValueError, match="no offset"):
            Queue.open("/x", 4096)
    with pytest.raises(OSError, match="a memfd"):
        Queue.create(SharedMemory.create("anon:", 1 << 20))
    # What could not be made leaves no place behind.
    with SharedMemory.create("anon:", 1 << 20) as memory:
        plant = Directory.create(memory)
        with pytest.raises(OSError) as caught:
            plant.place("jobs", Queue, 4096)
        assert caught.value.errno == errno.EOPNOTSUPP
        assert len(plant) == 0


def test_huge_pages_are_used_or_refused() -> None:
    huge = 2 << 20
    try:
        queue = Queue.create("memfd:huge", 1 << 20, huge_pages=huge)
    except OSError as error:
        assert error.errno == errno.ENOSPC
        assert "huge pages" in str(error)
    else:
        with queue:
            assert os.fstat(queue.memory_fd).st_size == 2 * huge
            queue.send(bytes(1 << 20))
            assert len(queue.recv()) == 1 << 20
    with pytest.raises(OSError) as caught:
        Topic.create("/x", huge_pages=huge)
    assert caught.value.errno == errno.EOPNOTSUPP
