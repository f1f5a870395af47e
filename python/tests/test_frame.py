# SPDX-License-Identifier: MIT OR Apache-2.0
"""Frames: records on pipes and sockets."""

import errno
import os
import pickle
import select
import signal
import socket
import struct
import threading
import time

import pytest
from waiting import Storm, interrupt, others_run

from unipc import FrameReader, FrameWriter
from unipc.pipe import pipe


def frames(**options: int) -> tuple[FrameReader, FrameWriter]:
    reader, writer = pipe()
    with reader, writer:
        return FrameReader(reader, **options), FrameWriter(writer)


@pytest.mark.parametrize("over", ["pipe", "socket"])
def test_frames_come_as_they_went(over: str) -> None:
    ends = pipe() if over == "pipe" else socket.socketpair()
    reader, writer = FrameReader(ends[0]), FrameWriter(ends[1])
    for end in ends:
        end.close()
    sent = [os.urandom(size) for size in (0, 1, FrameWriter.ATOMIC, FrameWriter.ATOMIC + 1, 300_000, 5)]

    def write() -> None:
        with writer:
            for frame in sent:
                writer.write(frame)

    thread = threading.Thread(target=write)
    thread.start()
    assert list(reader) == sent
    assert reader.read() is None
    thread.join(60)


def test_the_wire_form() -> None:
    reader, writer = pipe()
    FrameWriter(writer).write(b"abc")
    assert reader.read() == b"\x03\0\0\0abc" == struct.pack("<I", 3) + b"abc"
    ours = FrameReader(reader)
    assert select.select([ours], [], [], 0) == ([], [], [])
    writer.write(struct.pack("<I", 5) + b"he")
    assert select.select([ours], [], [], 0) == ([ours], [], [])
    with pytest.raises(BlockingIOError):
        ours.read(timeout=0)
    with pytest.raises(TimeoutError):
        ours.read(timeout=0.01)
    writer.write(b"llo")
    assert ours.read(timeout=0) == b"hello"


def test_hostile_and_broken_streams_are_refused() -> None:
    reader, writer = pipe()
    writer.write(b"\xff\xff\xff\xff")
    with pytest.raises(OSError, match="4294967295 bytes are more than the 16777216") as long:
        FrameReader(reader).read()
    assert long.value.errno == errno.EMSGSIZE
    reader, writer = pipe()
    writer.write(b"\5\0\0\0abc")
    writer.close()
    with pytest.raises(OSError, match="ended after 3 of 5 bytes") as cut:
        FrameReader(reader).read()
    assert cut.value.errno == errno.EBADMSG
    small, to = frames(limit=10)
    to.write(bytes(11))
    with pytest.raises(OSError) as over:
        small.read()
    assert over.value.errno == errno.EMSGSIZE
    with pytest.raises(OSError) as refused:
        FrameWriter(pipe()[1], limit=3).write(b"four")
    assert refused.value.errno == errno.EMSGSIZE


def test_a_frame_that_has_begun_is_finished() -> None:
    reader, writer = frames()
    with pytest.raises(BlockingIOError, match="after 65536 of 200004 bytes"):
        writer.write(bytes(200_000), timeout=0)
    assert writer.unfinished
    with pytest.raises(TimeoutError):
        writer.finish(timeout=0.01)
    thread = threading.Thread(target=lambda: writer.write(b"next"))
    thread.start()
    assert reader.read() == bytes(200_000)
    assert reader.read() == b"next"
    thread.join(60)
    assert not writer.unfinished
    reader.close()
    with pytest.raises(BrokenPipeError):
        writer.write(b"x")


def test_an_interrupted_frame_goes_once() -> None:
    reader, writer = frames()
    sent = [bytes([number]) * 150_000 for number in range(20)]
    got: list[bytes] = []
    thread = threading.Thread(target=lambda: got.extend(reader))
    thread.start()
    with Storm() as storm:
        for frame in sent:
            writer.write(frame)
        while storm.signals < 20:
            signal.sigtimedwait([], 0.001)
        writer.write(b"last", timeout=60)
    writer.close()
    thread.join(60)
    assert got == [*sent, b"last"]


def test_long_frames_of_exclusive_writers_do_not_mix() -> None:
    reader, writer = pipe()
    children = []
    for number in range(4):
        child = os.fork()
        if child == 0:
            ours = FrameWriter(writer, exclusive=True)
            for _ in range(10):
                ours.write(bytes([number]) * 65536)
            os._exit(0)
        children.append(child)
    writer.close()
    got = list(FrameReader(reader))
    assert sorted(frame[0] for frame in got) == [n for n in range(4) for _ in range(10)]
    assert all(frame == frame[:1] * 65536 for frame in got)
    assert [os.waitpid(child, 0)[1] for child in children] == [0] * 4


def test_a_writer_that_allows_the_signal_gets_it_where_it_kills(run) -> None:
    code = """
import os, signal
from unipc import FrameWriter
from unipc.pipe import pipe

def ending(size, allowed, timeout):
    reader, writer = pipe()
    frames = FrameWriter(writer, sigpipe=allowed)
    reader.close()
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        try:
            frames.write(bytes(size), timeout)
        except BrokenPipeError:
            os._exit(7)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

print([ending(size, *how) for how in ((True, None), (True, 1), (False, None)) for size in (1, 1000)])
"""
    assert run(code).stdout == "[-13, -13, 7, 7, 7, 7]\n"


def test_eight_threads_share_a_writer_and_a_reader() -> None:
    reader, writer = frames()
    got: list[bytes] = []
    readers = [threading.Thread(target=lambda: got.extend(reader)) for _ in range(4)]
    writers = [
        threading.Thread(target=lambda number=number: [writer.write(bytes([number]) * 5000) for _ in range(50)])
        for number in range(4)
    ]
    for thread in [*readers, *writers]:
        thread.start()
    for thread in writers:
        thread.join(60)
    writer.close()
    for thread in readers:
        thread.join(60)
    assert sorted(frame[0] for frame in got) == [n for n in range(4) for _ in range(50)]
    assert all(frame == frame[:1] * 5000 for frame in got)


def test_who_waits_in_a_frame_holds_nobody_up() -> None:
    reader, writer = frames()
    got: list[bytes | None] = []
    thread = threading.Thread(target=lambda: got.append(reader.read(60)))
    thread.start()
    time.sleep(0.05)
    with pytest.raises(BlockingIOError):
        reader.read(timeout=0)
    started = time.monotonic()
    with pytest.raises(TimeoutError):
        reader.read(timeout=0.05)
    reader.fileno()
    reader.close()  # the call that is under way goes on
    assert time.monotonic() - started < 10
    with pytest.raises(ValueError, match="closed"):
        reader.read(timeout=0)
    writer.write(b"late")
    thread.join(60)
    assert got == [b"late"]


def test_ctrl_c_ends_every_wait_and_others_run() -> None:
    shared = "(r := FrameReader(ends[0]), Thread(target=r.read, daemon=True).start(), sleep(0.1), r.read())"
    for wait in ("FrameReader(ends[0]).read()", "FrameWriter(ends[1]).write(bytes(100_000))", shared):
        code = f"""
            from threading import Thread
            from time import sleep
            from unipc import FrameReader, FrameWriter
            from unipc.pipe import pipe
            ends = pipe()
            print("READY", flush=True)
            {wait}
        """
        assert interrupt(code) < 30
    reader, writer = frames()
    others_run(lambda: reader.read(60), lambda: writer.write(b"x"))


def test_handles() -> None:
    reader, writer = frames()
    assert repr(reader) == f"<unipc.FrameReader fd {reader.fileno()}>"
    assert repr(writer) == f"<unipc.FrameWriter fd {writer.fileno()}>"
    assert not os.get_inheritable(reader.fileno())
    with reader, writer:
        pass
    reader.close()
    with pytest.raises(ValueError, match="closed"):
        reader.read()
    with pytest.raises(ValueError, match="closed"):
        writer.write(b"x")
    with pytest.raises(TypeError):
        pickle.dumps(writer)
    with pytest.raises(OSError) as error:
        FrameReader(-1)
    assert error.value.errno == errno.EBADF
    assert FrameReader.LIMIT == FrameWriter.LIMIT == 16 << 20
