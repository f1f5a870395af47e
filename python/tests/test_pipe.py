# SPDX-License-Identifier: MIT OR Apache-2.0
"""Pipes and their ends: what waits, what is told, what other threads and processes do meanwhile."""

import errno
import multiprocessing
import os
import pickle
import select
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from conftest import in_fork
from waiting import Storm, interrupt, others_run

import unipc
from unipc import PipeEnd
from unipc.pipe import PIPE_BUF, capacity_limit, duplex, pipe


def fill(writer: PipeEnd) -> int:
    """Writes until not even one byte fits."""
    filled = 0
    for size in (1000, 1):
        try:
            while True:
                filled += writer.write(bytes(size), timeout=0)
        except BlockingIOError:
            pass
    return filled


@pytest.mark.parametrize("make", [pipe, duplex])
def test_bytes_go_through_and_then_the_stream_ends(make) -> None:
    reader, writer = make()
    with pytest.raises(BlockingIOError):
        reader.read(timeout=0)
    with pytest.raises(TimeoutError) as error:
        reader.read(timeout=0.01)
    assert error.value.filename == reader.name
    assert writer.write(b"hello") == 5
    assert reader.waiting == 5
    assert reader.read(2) == b"he"
    assert reader.read() == b"llo"
    writer.write_all(memoryview(b"abc"))
    into = bytearray(5)
    assert reader.read_into(into) == 3
    assert into == b"abc\0\0"
    assert reader.read(0) == b""
    writer.close()
    writer.close()
    assert writer.closed and reader.read() == b"" and reader.read(timeout=0) == b""
    with pytest.raises(ValueError, match="is closed"):
        writer.write(b"x")
    with pytest.raises(BufferError):
        reader.read_into(b"read-only")


@pytest.mark.parametrize("size", [1, 4096, 4097, 65536, 65537, 1 << 20])
def test_reads_of_all_sizes_get_what_waits(size: int) -> None:
    reader, writer = pipe(capacity=1 << 20)
    data = os.urandom(1 << 20)
    writer.write_all(data)
    writer.close()
    parts = iter(lambda: reader.read(size), b"")
    assert b"".join(parts) == data


def test_exact_reads_keep_what_came_before_the_failure() -> None:
    reader, writer = pipe()
    writer.write(b"abcdef")
    assert reader.read_exact(4) == b"abcd"
    with pytest.raises(BlockingIOError) as blocked:
        reader.read_exact(4, timeout=0)
    assert blocked.value.partial == b"ef"
    writer.write(b"gh")
    writer.close()
    with pytest.raises(OSError, match="ended after 2 of 3 bytes") as cut:
        reader.read_exact(3)
    assert (cut.value.errno, cut.value.partial) == (errno.EBADMSG, b"gh")
    with pytest.raises(OSError, match="the stream has ended") as end:
        reader.read_exact(3)
    assert (end.value.errno, end.value.partial) == (errno.ENODATA, b"")


def test_a_write_that_fits_in_part_tells_how_much_went() -> None:
    reader, writer = pipe()
    assert writer.write(bytes(100_000), timeout=0) == 65536
    reader.read_exact(65536)
    with pytest.raises(BlockingIOError) as blocked:
        writer.write_all(bytes(100_000), timeout=0)
    assert blocked.value.characters_written == 65536
    with pytest.raises(TimeoutError) as late:
        writer.write_all(b"x", timeout=0.01)
    assert late.value.characters_written == 0


def test_a_broken_pipe_is_an_exception_even_where_the_signal_kills(run) -> None:
    code = """
import signal
signal.signal(signal.SIGPIPE, signal.SIG_DFL)
from unipc.pipe import pipe, duplex
for reader, writer in (pipe(), duplex()):
    reader.close()
    for write in (writer.write, writer.write_all):
        for timeout in (None, 0, 0.01):
            try:
                write(b"x", timeout)
            except BrokenPipeError as error:
                assert "nobody has it open for reading" in str(error), error
            else:
                raise SystemExit("written?")
print("alive")
"""
    assert run(code).stdout == "alive\n"


def test_a_writer_that_allows_the_signal_gets_it_where_it_kills(run) -> None:
    code = """
import os, signal
from unipc.pipe import duplex, pipe

def ending(ends, timeout):
    reader, writer = ends
    writer.set_sigpipe(True)
    reader.close()
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        try:
            writer.write(b"x", timeout)
        except BrokenPipeError:
            os._exit(7)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

print(ending(pipe(), None), ending(pipe(), 1), ending(duplex(), None))
"""
    assert run(code).stdout == "-13 7 7\n"


def test_where_the_signal_is_ignored_one_that_is_allowed_is_an_exception() -> None:
    for ends in (pipe(), duplex()):
        reader, writer = ends
        assert writer.sigpipe is False
        writer.set_sigpipe(True)
        with writer.dup() as copy:
            assert copy.sigpipe is True
            copy.set_sigpipe(False)
        assert writer.sigpipe is True
        assert writer.write(b"abc") == 3
        assert writer.write_all(bytes(5000)) is None
        assert reader.read_exact(5003) == b"abc" + bytes(5000)
        reader.close()
        for write in (writer.write, writer.write_all):
            with pytest.raises(BrokenPipeError, match="nobody has it open for reading"):
                write(b"x")
        writer.close()
        with pytest.raises(ValueError, match="closed"):
            writer.set_sigpipe(False)


def test_atomic_writes_refuse_what_would_be_torn() -> None:
    reader, writer = pipe()
    writer.write_atomic(bytes(PIPE_BUF))
    with pytest.raises(OSError, match="4097 bytes are more than the 4096") as error:
        writer.write_atomic(bytes(PIPE_BUF + 1))
    assert error.value.errno == errno.EMSGSIZE
    assert reader.waiting == PIPE_BUF == os.pathconf("/", "PC_PIPE_BUF") == select.PIPE_BUF
    with pytest.raises(OSError) as socket:
        duplex()[0].write_atomic(b"x")
    assert socket.value.errno == errno.EOPNOTSUPP


def test_the_capacity_changes() -> None:
    reader, writer = pipe(capacity=1 << 17)
    assert reader.capacity == writer.capacity == 1 << 17
    assert writer.set_capacity(5000) == 8192
    assert capacity_limit() == int(Path("/proc/sys/fs/pipe-max-size").read_text())
    with pytest.raises(OSError) as error:
        _ = duplex()[0].capacity
    assert error.value.errno == errno.EBADF


def test_packets_keep_their_boundaries() -> None:
    reader, writer = pipe(packets=True)
    writer.write(b"one")
    writer.write(b"two more")
    assert (reader.read(), reader.read(3)) == (b"one", b"two")


def test_a_duplex_half_closes() -> None:
    one, other = duplex()
    one.write(b"ask")
    one.finish_writing()
    assert (other.read(), other.read()) == (b"ask", b"")
    other.write(b"say")
    assert one.read() == b"say"
    assert (one.readable(), one.writable()) == (True, True)


def test_the_ends_know_what_they_are() -> None:
    reader, writer = pipe()
    assert (reader.readable(), reader.writable()) == (True, False)
    assert (writer.readable(), writer.writable()) == (False, True)
    assert not os.get_inheritable(reader.fileno())
    reader.set_inheritable(True)
    assert os.get_inheritable(reader.fileno())
    assert repr(writer) == f"<unipc.PipeEnd pipe fd {writer.fileno()}>"
    fd = writer.fileno()
    writer.close()
    assert repr(writer) == f"<unipc.PipeEnd pipe fd {fd} closed>"
    with pytest.raises(OSError) as error:
        reader.write(b"x")
    assert error.value.errno == errno.EBADF
    with pytest.raises(TypeError):
        PipeEnd()  # type: ignore[misc]


def test_copies_and_descriptors_share_the_end() -> None:
    reader, writer = pipe()
    copy = writer.dup()
    taken = PipeEnd.from_fd(writer)
    writer.close()
    copy.close()
    taken.write(b"x")
    assert reader.read(timeout=0) == b"x"
    taken.close()
    assert reader.read(timeout=0) == b""
    with pytest.raises(OSError) as error:
        PipeEnd.from_fd(-1)
    assert error.value.errno == errno.EBADF
    with open("/dev/null") as null, pytest.raises(OSError) as other:
        PipeEnd.from_fd(null)
    assert other.value.errno == errno.EOPNOTSUPP


def test_file_objects() -> None:
    reader, writer = pipe()
    with writer.makefile("w", encoding="utf-8") as file:
        file.write("grüß\nGott\n")
    with pytest.raises(BlockingIOError):
        while reader.read(3, timeout=0):
            pass
    with writer, writer.makefile("wb", buffering=0) as raw:
        raw.write(b"one\ntwo")
    with reader.makefile("rb") as file:
        assert list(file) == [b"one\n", b"two"]
    with pytest.raises(ValueError):
        reader.makefile("no mode")


def test_keep_open() -> None:
    reader, writer = pipe()
    reader.keep_open()
    writer.close()
    with pytest.raises(TimeoutError):
        reader.read(timeout=0.01)


def test_a_subprocess_has_the_ends() -> None:
    reader, writer = pipe()
    replies, output = pipe()
    child = subprocess.Popen(["tr", "a-z", "A-Z"], stdin=reader, stdout=output)
    output.close()
    writer.write(b"through a filter")
    writer.close()
    assert replies.read_exact(16) == b"THROUGH A FILTER"
    assert replies.read() == b""
    assert child.wait(30) == 0


def test_four_processes_write_whole_records() -> None:
    reader, writer = pipe()
    children = []
    for number in range(4):
        pid = os.fork()
        if pid == 0:
            try:
                for _ in range(50):
                    writer.write_atomic(bytes([number]) * PIPE_BUF)
            finally:
                os._exit(0)
        children.append(pid)
    writer.close()
    with reader.makefile("rb") as file:
        records = list(iter(lambda: file.read(PIPE_BUF), b""))
    assert sorted(record[0] for record in records) == [n for n in range(4) for _ in range(50)]
    assert all(record == record[:1] * PIPE_BUF for record in records)
    assert [os.waitpid(pid, 0)[1] for pid in children] == [0] * 4


def test_a_forked_child_has_its_own_copy() -> None:
    reader, writer = pipe()
    assert in_fork(lambda: (writer.write(b"from below"), reader.close())) == 0
    assert reader.read() == b"from below"


def _answer(reader: PipeEnd, writer: PipeEnd) -> None:
    writer.write(reader.read_exact(3).upper())


def test_multiprocessing_passes_ends_on(tmp_path: Path) -> None:
    # A program of its own: what is spawned imports the main module.
    program = tmp_path / "program.py"
    program.write_text(
        "import multiprocessing\n"
        "from unipc.pipe import pipe\n"
        "def answer(reader, writer):\n"
        "    writer.write(reader.read_exact(3).upper())\n"
        "if __name__ == '__main__':\n"
        "    there, back = pipe(), pipe()\n"
        "    context = multiprocessing.get_context('spawn')\n"
        "    child = context.Process(target=answer, args=(there[0], back[1]))\n"
        "    child.start()\n"
        "    there[1].write(b'abc')\n"
        "    print(back[0].read_exact(3, timeout=60))\n"
        "    child.join(60)\n"
        "    raise SystemExit(child.exitcode)\n"
    )
    said = subprocess.run([sys.executable, program], capture_output=True, text=True, timeout=120)
    assert said.stdout == "b'ABC'\n", said.stderr
    context = multiprocessing.get_context("fork")
    there, back = pipe(), pipe()
    child = context.Process(target=_answer, args=(there[0], back[1]))
    child.start()
    there[1].write(b"xyz")
    assert back[0].read_exact(3, timeout=60) == b"XYZ"
    child.join(60)
    with pytest.raises(TypeError, match="only multiprocessing"):
        pickle.dumps(there[0])


@pytest.mark.parametrize(
    "wait",
    [
        "reader.read()",
        "reader.read(timeout=60)",
        "reader.read_into(bytearray(5))",
        "reader.read_exact(5)",
        "writer.write(bytes(1 << 20))",
        "writer.write(bytes(1 << 20), timeout=60) or writer.write(b'x', timeout=60)",
        "writer.write_all(bytes(1 << 20), timeout=60)",
        "full.write_atomic(b'x')",
    ],
)
def test_ctrl_c_ends_every_wait(wait: str) -> None:
    code = f"""
        from unipc.pipe import pipe
        reader, writer = pipe()
        other, full = pipe(capacity=4096)
        full.write(bytes(4096))
        if "writer.write(bytes(1 << 20), timeout" in {wait!r}:
            writer.write(bytes(1 << 20), timeout=0)
        print("READY", flush=True)
        {wait}
    """
    seconds = interrupt(code)
    assert seconds < 30


def test_others_run_while_one_waits() -> None:
    reader, writer = pipe()
    others_run(lambda: reader.read(timeout=60), lambda: writer.write(b"x"))
    filled = fill(writer)
    others_run(lambda: writer.write_all(b"x") or True, lambda: reader.read_exact(filled))


def test_a_handler_may_use_the_end_that_is_waited_for() -> None:
    reader, writer = pipe()
    before = signal.signal(signal.SIGALRM, lambda *_: writer.write(b"from the handler"))
    signal.setitimer(signal.ITIMER_REAL, 0.01)
    try:
        assert reader.read() == b"from the handler"
    finally:
        signal.signal(signal.SIGALRM, before)


def test_a_storm_of_signals_loses_nothing() -> None:
    reader, writer = pipe()
    data = bytes(range(251)) * 10_000
    got: list[bytes] = []
    thread = threading.Thread(target=lambda: got.extend(iter(lambda: reader.read(5000), b"")))
    thread.start()
    with Storm() as storm:
        for at in range(0, len(data), 100_001):
            part = data[at : at + 100_001]
            writer.write_all(part, timeout=60)
        while storm.signals < 20:
            time.sleep(0.001)
    writer.close()
    thread.join(60)
    assert b"".join(got) == data
    reader, writer = pipe()
    with Storm() as storm:
        started = time.monotonic()
        with pytest.raises(TimeoutError):
            reader.read(timeout=0.05)
        assert time.monotonic() - started >= 0.05 and storm.signals > 0
        child = threading.Thread(target=lambda: reader.read_exact(1 << 20))
        child.start()
        writer.write(bytes(1 << 20))
        child.join(60)


def test_eight_threads_on_one_pipe() -> None:
    reader, writer = pipe()
    got: list[int] = []

    def write(number: int) -> None:
        for _ in range(200):
            writer.write_atomic(bytes([number]) * 100)

    def read() -> None:
        while record := reader.read(100):
            got.append(record[0] if record == record[:1] * 100 else -1)

    writers = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    readers = [threading.Thread(target=read) for _ in range(4)]
    for thread in [*writers, *readers]:
        thread.start()
    for thread in writers:
        thread.join(60)
    writer.close()
    for thread in readers:
        thread.join(60)
    assert sorted(got) == [number for number in range(4) for _ in range(200)]


def test_close_lets_a_call_of_another_thread_end() -> None:
    reader, writer = pipe()
    got: list[bytes] = []
    thread = threading.Thread(target=lambda: got.append(reader.read()))
    thread.start()
    time.sleep(0.02)
    reader.close()
    writer.write(b"late")
    thread.join(60)
    assert got == [b"late"]
    with pytest.raises(ValueError, match="is closed"):
        reader.read()


def test_timeouts_are_checked() -> None:
    reader, _ = pipe()
    for bad in (-1, float("nan")):
        with pytest.raises(OSError) as error:
            reader.read(timeout=bad)
        assert error.value.errno == errno.EINVAL
    with pytest.raises(TypeError):
        reader.read(timeout="soon")  # type: ignore[arg-type]


def test_the_names_are_where_they_are_looked_for() -> None:
    assert unipc.pipe.pipe is pipe
    assert unipc.PipeEnd is unipc.pipe.PipeEnd
    assert unipc.PipeEnd.__module__ == "unipc"
