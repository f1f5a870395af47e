# SPDX-License-Identifier: MIT OR Apache-2.0
"""Names that the programs under test make and leave, and a watchdog."""

import os
import signal
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from programs import MYSHM2

from unipc import Semaphore, SharedMemory

LIMIT = 100  # seconds: longer than what the programs themselves wait for each other


@pytest.fixture(autouse=True)
def watchdog() -> Iterator[None]:
    """Ends a test in which a program neither goes on nor ends."""

    def bark(number: int, frame: object) -> None:
        raise TimeoutError(f"not done after {LIMIT} s")

    signal.signal(signal.SIGALRM, bark)
    signal.alarm(LIMIT)
    yield
    signal.alarm(0)


@pytest.fixture
def path() -> Iterator[Path]:
    """A file on tmpfs, which never writes a page back: there the rest of the last page stays."""
    path = Path(f"/dev/shm/unipc-examples-{os.getpid()}")
    yield path
    path.unlink(missing_ok=True)


@pytest.fixture
def myshm2() -> Iterator[None]:
    """The path on which testwrite and testread agree, and no segment yet."""
    if MYSHM2.exists():
        pytest.skip(f"{MYSHM2} is somebody else's")
    MYSHM2.touch()
    yield
    with suppress(FileNotFoundError):
        SharedMemory.unlink(f"sysv:{MYSHM2},0")
    MYSHM2.unlink()


@pytest.fixture
def channel() -> Iterator[str]:
    """The name of a channel that is not there yet."""
    name = f"/unipc-examples-{os.getpid()}"
    yield name
    with suppress(FileNotFoundError):
        SharedMemory.unlink(name)


@pytest.fixture
def semaphore(request: pytest.FixtureRequest) -> Iterator[str]:
    """The name of a semaphore of this kind that is not there yet."""
    name = f"/unipc-examples-{os.getpid()}" if request.param == "posix" else f"sysv:{0x50000000 | os.getpid():#x}"
    yield name
    with suppress(FileNotFoundError):
        Semaphore.unlink(name)


@pytest.fixture
def shared() -> Iterator[str]:
    """A name for shared memory that the programs create and leave."""
    name = f"/unipc-example-sync-{os.getpid()}"
    yield name
    SharedMemory.unlink(name)


@pytest.fixture
def short() -> Iterator[Path]:
    """A directory whose path is short enough for sockets."""
    directory = Path(tempfile.mkdtemp(prefix="unipc-"))
    yield directory
    directory.rmdir()  # what is left in it makes this fail
