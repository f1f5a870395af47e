# SPDX-License-Identifier: MIT OR Apache-2.0
"""What is closed while many threads use it: each call ends as if nothing had happened, the next is ValueError."""

import os
import signal as signal_module
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from conftest import in_fork

import unipc
from unipc import Coprocess, FileLock, Listener, MessageQueue, Socket, signal

WATCHDOG = 60  # seconds

# Short, so that calls begin and end all the time, and most of the time somebody waits in one, without the interpreter.
SHORT = 0.0005

Used = tuple[Any, Callable[[], object]]


@contextmanager
def pipe_end(_: Path) -> Iterator[Used]:
    reader, writer = unipc.pipe.pipe()
    with writer:
        yield reader, lambda: reader.read(8, timeout=SHORT)


@contextmanager
def message_queue(name: str) -> Iterator[Used]:
    queue = MessageQueue.create(name)
    with MessageQueue.open(queue.name, remove_on_close=True):
        yield queue, lambda: queue.receive(timeout=SHORT)


def posix_queue(_: Path) -> Any:
    return message_queue(f"/handle-{os.getpid()}")


def system_v_queue(_: Path) -> Any:
    return message_queue("sysv:private")


@contextmanager
def socket(_: Path) -> Iterator[Used]:
    one, other = Socket.pair()
    with other:
        yield one, lambda: one.recv(timeout=SHORT)


@contextmanager
def listener(_: Path) -> Iterator[Used]:
    it = Listener.bind("unix:@")
    yield it, lambda: it.accept(timeout=SHORT)


@contextmanager
def lock(folder: Path) -> Iterator[Used]:
    name = f"file:{folder}/lock"
    it, other = FileLock.open_or_create(name), FileLock.open(name)
    with other:
        yield it, lambda: it.acquire(timeout=SHORT)
    other.close()


@contextmanager
def stream(_: Path) -> Iterator[Used]:
    it = signal.Stream.open("RTMIN+3", keep_mask=True)
    yield it, lambda: it.read(timeout=SHORT)


@contextmanager
def counter(_: Path) -> Iterator[Used]:
    it = signal.Counter.open("RTMIN+3")
    yield it, lambda: it.wait(timeout=SHORT)


@contextmanager
def pidfd(_: Path) -> Iterator[Used]:
    it = signal.PidFd.open(os.getpid())
    yield it, it.is_alive


@contextmanager
def coprocess(_: Path) -> Iterator[Used]:
    it = Coprocess(["cat"])
    yield it, lambda: it.exchange(b"line")


@contextmanager
def terminal(_: Path) -> Iterator[Used]:
    it = unipc.Pty()
    yield it, lambda: it.read(timeout=SHORT)


# To close these is also to hang up, which those who are in a call hear as `OSError`.
HANG_UP = [coprocess, terminal]
KINDS = [pipe_end, posix_queue, system_v_queue, socket, listener, lock, stream, counter, pidfd, *HANG_UP]


def close_in_the_midst(handle: Any, use: Callable[[], object]) -> list[BaseException]:
    """Closes it when eight threads have used it, and gives how it ended for each of them."""
    ended: list[BaseException] = []
    used = threading.Semaphore(0)

    def work() -> None:
        first = True
        while True:
            try:
                use()
            except TimeoutError:
                pass
            except BaseException as error:
                ended.append(error)
                return
            if first:
                used.release()
                first = False

    threads = [threading.Thread(target=work, daemon=True) for _ in range(8)]
    for thread in threads:
        thread.start()
    for _ in threads:
        assert used.acquire(timeout=WATCHDOG)
    handle.close()
    handle.close()
    for thread in threads:
        thread.join(WATCHDOG)
    return ended


@pytest.mark.parametrize("kind", KINDS)
def test_eight_threads_use_what_one_closes(kind: Callable[[Path], Any], tmp_path: Path) -> None:
    for _ in range(5):
        with kind(tmp_path) as (handle, use):
            number = None if kind is system_v_queue else handle.fileno()
            ended = close_in_the_midst(handle, use)
            expected = (ValueError, OSError) if kind in HANG_UP else ValueError
            assert [error for error in ended if not isinstance(error, expected)] == []
            assert len(ended) == 8 and handle.closed
            with pytest.raises(ValueError, match="is closed"):
                use()
            # The last of the eight has closed the descriptor.
            if number is not None:
                with pytest.raises(OSError, match="Bad file descriptor"):
                    os.fstat(number)


def test_a_child_closes_what_a_thread_of_its_parent_is_in() -> None:
    one, other = unipc.pipe.duplex()
    thread = threading.Thread(target=lambda: one.read(1, timeout=WATCHDOG))
    thread.start()
    time.sleep(0.05)
    number = one.fileno()

    def child() -> None:
        one.close()
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(number)
        with pytest.raises(ValueError, match="closed"):
            one.read(1)

    assert in_fork(child) == 0
    other.write(b"x")
    thread.join(WATCHDOG)


def test_a_handler_that_forks_leaves_its_own_call_to_both() -> None:
    one, other = unipc.pipe.duplex()
    children: list[int] = []

    def fork(*_: object) -> None:
        children.append(os.fork())
        if children[-1] == 0:
            one.close()
        other.write(b"p" if children[-1] else b"c")

    before = signal_module.signal(signal_module.SIGALRM, fork)
    try:
        signal_module.setitimer(signal_module.ITIMER_REAL, 0.05)
        # In the child, too, the call that was under way when it closed the handle goes on to its end.
        got = one.read(1, timeout=WATCHDOG)
        if children == [0]:
            os._exit(0 if got in (b"p", b"c") and one.closed else 1)
    finally:
        signal_module.signal(signal_module.SIGALRM, before)
    assert os.waitstatus_to_exitcode(os.waitpid(children[0], 0)[1]) == 0
