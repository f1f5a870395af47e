# SPDX-License-Identifier: MIT OR Apache-2.0
"""`guarded()`: a file that shrinks under a view is an error afterwards, not the end of the process."""

import errno
import os
import signal
import threading
from collections.abc import Iterator

import pytest
from conftest import Maker, Runner

from unipc import SharedMemory

np = pytest.importorskip("numpy")
SIZE = 1 << 16


def lose_the_file(shm: SharedMemory) -> None:
    os.truncate(shm.fileno(), 0)


def test_a_truncated_file_reads_as_zeros_and_is_told_at_the_end(make: Maker) -> None:
    shm = make("file", SIZE)
    shm.fill(0, SIZE, 1)
    bytes_ = shm.array("u1")
    with pytest.raises(OSError, match="truncated") as caught, shm.guarded():
        assert bytes_.sum(dtype="u8") == SIZE
        lose_the_file(shm)
        assert bytes_.sum(dtype="u8") == 0
    assert (caught.value.errno, caught.value.filename) == (errno.EFAULT, shm.name)
    os.truncate(shm.fileno(), SIZE)
    with shm.guarded() as guard:
        assert bytes_.sum(dtype="u8") == 0
        bytes_[:] = 2
        assert "Guard" in type(guard).__name__
    assert shm.read_at(0, 2) == b"\2\2"
    del bytes_


def test_the_error_keeps_what_happened_inside(make: Maker) -> None:
    shm = make("file", SIZE)
    view = memoryview(shm)
    with pytest.raises(OSError) as caught, shm.guarded():
        lose_the_file(shm)
        raise KeyError(view[0])
    assert isinstance(caught.value.__context__, KeyError)
    view.release()


def test_blocks_nest_and_all_of_them_are_told(make: Maker) -> None:
    shm = make("file", SIZE)
    view = memoryview(shm)
    told = 0
    try:
        with shm.guarded():
            try:
                with shm.guarded():
                    lose_the_file(shm)
                    assert view[SIZE - 1] == 0
            except OSError:
                told += 1
    except OSError:
        told += 1
    assert told == 2
    view.release()


def test_an_open_block_keeps_the_mapping(make: Maker) -> None:
    shm = make("file", SIZE)
    guard = shm.guarded()
    with pytest.raises(RuntimeError, match="not entered"):
        guard.__exit__(None, None, None)
    with guard, guard:
        for call in (shm.close, shm.refresh):
            with pytest.raises(BufferError, match="guards"):
                call()

    def abandoned() -> Iterator[None]:
        with shm.guarded():
            yield

    block = abandoned()
    next(block)
    guard.__enter__()
    del guard, block
    shm.close()


def test_two_threads_in_blocks_of_their_own(make: Maker) -> None:
    shm = make("file", SIZE)
    inside, lost = threading.Barrier(3), threading.Barrier(3)
    errors = []

    def reader() -> None:
        try:
            with shm.guarded():
                inside.wait(60)
                lost.wait(60)
                shm.array("u1").sum()
        except OSError as error:
            errors.append(error.errno)

    threads = [threading.Thread(target=reader) for _ in range(2)]
    for thread in threads:
        thread.start()
    inside.wait(60)
    lose_the_file(shm)
    lost.wait(60)
    for thread in threads:
        thread.join(60)
    assert errors == [errno.EFAULT, errno.EFAULT]


FOREIGN = """
import mmap, os, sys
from unipc import SharedMemory
before = sys.argv[2]
if before == "faulthandler":
    import faulthandler
    faulthandler.enable()
shm = SharedMemory.open(sys.argv[1])
other = open(sys.argv[1].removeprefix("file:") + "-other", "w+b")
other.truncate(4096)
foreign = mmap.mmap(other.fileno(), 4096)
other.truncate(0)
print("alive", flush=True)
if before == "closed":
    shm.close()
    foreign[0]
with shm.guarded():
    foreign[0]
print("survived", flush=True)
"""


@pytest.mark.parametrize("before", ["nothing", "faulthandler", "closed"])
def test_a_foreign_sigbus_still_kills(make: Maker, run: Runner, before: str) -> None:
    done = run(FOREIGN, make("file").name, before, status=-signal.SIGBUS)
    assert done.stdout == "alive\n"
    assert ("Fatal Python error: Bus error" in done.stderr) == (before == "faulthandler")


def test_the_same_without_a_guard_would_have_killed(make: Maker, run: Runner) -> None:
    code = """
import os, sys
from unipc import SharedMemory
shm = SharedMemory.open(sys.argv[1])
with shm.guarded():
    pass
view = memoryview(shm)
os.truncate(shm.fileno(), 0)
view[0]
"""
    run(code, make("file").name, status=-signal.SIGBUS)
