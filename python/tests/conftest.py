# SPDX-License-Identifier: MIT OR Apache-2.0
"""What the tests share: names that nobody else has, objects that go away after the test, other processes."""

import ctypes
import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from unipc import SharedMemory, _aio, _native

NAMED = ["posix", "sysv", "file"]
BACKINGS = [*NAMED, "memfd", "anon"]

Namer = Callable[[str], str]
Maker = Callable[..., SharedMemory]
Runner = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def name_of(tmp_path: Path) -> Iterator[Namer]:
    """Gives a new name of a backing; the object of that name, if any, is removed after the test."""
    given = []

    def new(backing: str) -> str:
        number = random.randrange(1, 1 << 31)
        name = {
            "posix": f"/unipc-test-{os.getpid()}-{number}",
            "sysv": f"sysv:0x{number:x}",
            "file": f"file:{tmp_path}/{number}",
            "memfd": f"memfd:unipc-test-{number}",
            "anon": "anon:",
        }[backing]
        given.append(name)
        return name

    yield new
    for name in given:
        # Gone already, or nameless.
        with suppress(OSError):
            SharedMemory.unlink(name)


@pytest.fixture
def make(name_of: Namer) -> Iterator[Maker]:
    """Creates shared memory of a backing; it is closed and removed after the test."""
    made = []

    def new(backing: str, size: int = 4096, **options: object) -> SharedMemory:
        shm = SharedMemory.create(name_of(backing), size, **options)  # type: ignore[arg-type]
        made.append(shm)
        return shm

    yield new
    for shm in made:
        # What views keep goes with them.
        with suppress(BufferError):
            shm.close()


@pytest.fixture
def posix(make: Maker) -> SharedMemory:
    return make("posix")


@pytest.fixture
def run() -> Runner:
    """Runs Python code in a new process and gives what it said; a watchdog ends it."""

    def start(code: str, *arguments: str, options: tuple[str, ...] = (), status: int | None = 0) -> object:
        command = [sys.executable, *options, "-c", code, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert status is None or done.returncode == status, f"{done.returncode}: {done.stdout}{done.stderr}"
        return done

    return start  # type: ignore[return-value]


@pytest.fixture(params=["the loop's own thread sleeps", "a helper thread sleeps"])
def waking(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """How tasks are woken: both ways wherever the first one can be had."""
    direct = request.param.startswith("the loop")
    if direct and not _native.LoopBell().is_direct:
        pytest.skip("there is no io_uring with futexes here, or it is not allowed")
    monkeypatch.setattr(_aio, "DIRECT", direct)


def in_fork(work: Callable[[], None]) -> int:
    """Runs `work` in a child of fork; gives its exit status, 1 when it raised."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            work()
            status = 0
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def address_of(shm: SharedMemory) -> int:
    return ctypes.addressof(ctypes.c_char.from_buffer(shm))


def mapped_at(address: int) -> str:
    """The permissions of what this process has mapped there, such as "rw-s"; empty if nothing."""
    for line in Path("/proc/self/maps").read_text().splitlines():
        addresses, permissions, *_ = line.split()
        start, _, end = addresses.partition("-")
        if int(start, 16) <= address < int(end, 16):
            return permissions
    return ""
