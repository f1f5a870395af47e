# SPDX-License-Identifier: MIT OR Apache-2.0
"""File locks: what excludes whom, what the exceptions are, and how a wait behaves in Python."""

import copy
import errno
import fcntl
import os
import pickle
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import waiting
from conftest import in_fork

from unipc import FileLock, LockHolder, LockKind

KINDS = list(LockKind)
OWNED_BY_HANDLES = [LockKind.OFD, LockKind.FLOCK]

Opener = Callable[..., FileLock]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "lock"


@pytest.fixture
def open_lock(path: Path) -> Iterator[Opener]:
    """Opens the file once more, for locks of a kind."""
    opened = []

    def new(kind: LockKind = LockKind.OFD) -> FileLock:
        opened.append(FileLock.open_or_create(f"file:{path}", kind=kind))
        return opened[-1]

    yield new
    for lock in opened:
        lock.close()


def free(path: Path, kind: LockKind, shared: bool = False, start: int = 0, length: int | None = None) -> bool:
    """Whether another process could have it."""

    def ask() -> None:
        try:
            # A handle of its own: what came with fork has the locks already.
            FileLock.open(f"file:{path}", kind=kind).locked(
                shared=shared, start=start, length=length, timeout=0
            ).__enter__()
        except BlockingIOError:
            os._exit(3)

    status = in_fork(ask)
    assert status in (0, 3)
    return status == 0


def test_the_file_is_made_with_its_mode_and_stays(path: Path) -> None:
    before = os.umask(0o077)
    try:
        FileLock.create(f"file:{path}", mode=0o664).close()
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o664
    path.write_text("content")
    lock = FileLock.open_or_create(f"file:{path}")
    assert (lock.name, lock.kind, lock.closed) == (f"file:{path}", LockKind.OFD, False)
    assert repr(lock) == f"<unipc.FileLock file:{path}, LockKind.OFD>"
    assert not os.get_inheritable(lock.fileno())
    lock.close()
    lock.close()
    assert lock.closed
    assert repr(lock) == f"<unipc.FileLock file:{path}, LockKind.OFD, closed>"
    for use in (lock.acquire, lock.release, lock.fileno, lock.holder, lock.__enter__):
        with pytest.raises(ValueError, match="is closed"):
            use()
    assert path.read_text() == "content"
    with pytest.raises(FileExistsError):
        FileLock.create(f"file:{path}")
    with pytest.raises(FileNotFoundError, match="open_or_create"):
        FileLock.open(f"file:{path}.none")
    path.with_name("link").symlink_to(path)
    with pytest.raises(OSError, match="symbolic link") as caught:
        FileLock.open_or_create(f"file:{path.with_name('link')}")
    assert caught.value.errno == errno.EMEDIUMTYPE
    with pytest.raises(OSError, match="file:PATH") as caught:
        FileLock.open_or_create("/demo")
    assert caught.value.errno == errno.EOPNOTSUPP


@pytest.mark.parametrize("kind", KINDS)
def test_one_excludes_the_other(path: Path, open_lock: Opener, kind: LockKind) -> None:
    lock = open_lock(kind)
    with lock as entered:
        assert entered is lock
        assert not free(path, kind)
        assert not free(path, kind, shared=True)
    assert free(path, kind)
    with lock.locked(shared=True) as guard:
        assert (guard.shared, guard.held) == (True, True)
        assert not free(path, kind)
        assert free(path, kind, shared=True)
    assert not guard.held
    assert free(path, kind)
    assert lock.acquire() is True
    assert not free(path, kind)
    lock.release()
    assert free(path, kind)


@pytest.mark.parametrize("kind", OWNED_BY_HANDLES)
def test_a_wait_says_how_it_ended(open_lock: Opener, kind: LockKind) -> None:
    holder, lock = open_lock(kind), open_lock(kind)
    with holder:
        assert lock.acquire(timeout=0) is False
        started = time.monotonic()
        assert lock.acquire(timeout=0.02) is False
        assert time.monotonic() - started >= 0.02
        with pytest.raises(BlockingIOError) as caught, lock.locked(timeout=0):
            raise AssertionError("it is locked")
        assert caught.value.filename == lock.name
        with pytest.raises(TimeoutError), lock.locked(timeout=0.01, shared=True):
            raise AssertionError("it is locked")
        with pytest.raises(OSError, match="0 or more seconds"):
            lock.acquire(timeout=-1)
    assert lock.acquire(timeout=0) is True


@pytest.mark.parametrize("kind", [LockKind.OFD, LockKind.POSIX])
def test_ranges(path: Path, open_lock: Opener, kind: LockKind) -> None:
    lock = open_lock(kind)
    with lock.locked(start=10, length=10):
        for start, length, expected in ((0, 10, True), (0, 11, False), (19, None, False), (20, None, True)):
            assert free(path, kind, start=start, length=length) is expected
    lock.acquire()
    lock.release(start=50, length=10)
    assert free(path, kind, start=50, length=10)
    assert not free(path, kind, start=59, length=2)
    for arguments in ({"length": 0}, {"start": 1 << 63}):
        with pytest.raises(OSError):
            lock.acquire(**arguments)
    with pytest.raises(OverflowError):
        lock.acquire(start=-1)


def test_flock_takes_whole_files(open_lock: Opener) -> None:
    with pytest.raises(OSError, match="whole files") as caught:
        open_lock(LockKind.FLOCK).acquire(start=1)
    assert caught.value.errno == errno.EOPNOTSUPP


def test_a_lock_is_converted(open_lock: Opener) -> None:
    lock, other = open_lock(), open_lock()
    with lock.locked(shared=True) as guard:
        assert other.acquire(shared=True, timeout=0)
        with pytest.raises(TimeoutError):
            guard.convert(shared=False, timeout=0.01)
        assert (guard.shared, guard.held) == (True, True)
        other.release()
        guard.convert(shared=False)
        assert guard.shared is False
        assert not other.acquire(shared=True, timeout=0)
        guard.convert(shared=True)
        assert other.acquire(shared=True, timeout=0)
    with pytest.raises(RuntimeError, match="not entered"):
        guard.convert(shared=True)


def test_flock_gives_up_what_it_has(open_lock: Opener) -> None:
    lock, other = open_lock(LockKind.FLOCK), open_lock(LockKind.FLOCK)
    other.acquire(shared=True)
    with lock.locked(shared=True) as guard:
        with pytest.raises(BlockingIOError, match="nothing is locked now"):
            guard.convert(shared=False, timeout=0)
        assert not guard.held
        assert other.acquire(timeout=0)


@pytest.mark.parametrize("kind", KINDS)
def test_the_one_in_the_way_is_told(path: Path, open_lock: Opener, kind: LockKind) -> None:
    lock = open_lock(kind)
    assert lock.holder() is None
    area = {} if kind is LockKind.FLOCK else {"start": 5, "length": 10}
    code = """
import sys, unipc
lock = unipc.FileLock.open(sys.argv[1], kind=sys.argv[2])
area = {} if sys.argv[2] == "flock" else {"start": 5, "length": 10}
lock.acquire(shared=True, **area)
print("READY", flush=True)
sys.stdin.read()
"""
    other = subprocess.Popen(
        [sys.executable, "-c", code, f"file:{path}", kind], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert other.stdout is not None and other.stdout.readline() == "READY\n"
    holder = lock.holder()
    assert holder is not None
    assert holder.pid == (None if kind is LockKind.OFD else other.pid)
    assert (holder.kind, holder.shared) == (kind, True)
    assert (holder.start, holder.length) == (area.get("start", 0), area.get("length"))
    assert holder == lock.holder() and isinstance(holder, LockHolder)
    shown = f"LockHolder(pid={holder.pid}, kind=LockKind.{kind.name}, shared=True, start={holder.start}, "
    assert repr(holder).startswith(shown)
    assert lock.holder(shared=True) is None
    other.communicate()
    assert lock.holder() is None


def test_a_deadlock_of_posix_locks_is_told(path: Path, open_lock: Opener) -> None:
    lock = open_lock(LockKind.POSIX)
    lock.acquire(start=0, length=1)
    code = """
import sys, unipc
lock = unipc.FileLock.open(sys.argv[1], kind="posix")
lock.acquire(start=1, length=1)
print("READY", flush=True)
lock.acquire(start=0, length=1)
"""
    other = subprocess.Popen([sys.executable, "-c", code, f"file:{path}"], stdout=subprocess.PIPE, text=True)
    assert other.stdout is not None and other.stdout.readline() == "READY\n"
    waiting.asleep(other.pid)
    with pytest.raises(OSError, match="release that one first") as caught:
        lock.acquire(start=1, length=1)
    assert caught.value.errno == errno.EDEADLK
    lock.close()
    assert other.wait(waiting.WATCHDOG) == 0
    other.stdout.close()


def test_posix_locks_are_lost_at_any_close_and_the_others_are_not(path: Path, open_lock: Opener) -> None:
    for kind in KINDS:
        lock = open_lock(kind)
        lock.acquire()
        path.read_bytes()
        assert free(path, kind) is (kind is LockKind.POSIX), kind
        lock.close()


def test_any_object_with_a_descriptor(path: Path, open_lock: Opener) -> None:
    with open(path, "w+b") as file:
        lock = FileLock.from_fd(file)
        assert lock.name == f"file:{path}"
        with lock:
            assert open_lock().acquire(timeout=0) is False
            assert lock.fileno() != file.fileno()
        with pytest.raises(TypeError, match="cannot be pickled"):
            pickle.dumps(lock)
        number = FileLock.from_fd(file.fileno(), kind="flock")
        assert number.kind is LockKind.FLOCK
    with open(path, "rb") as file, pytest.raises(OSError, match="open for writing") as caught:
        FileLock.from_fd(file).acquire()
    assert caught.value.errno == errno.EBADF
    for bad in (-1, 1_000_000):
        with pytest.raises(OSError) as caught:
            FileLock.from_fd(bad)
        assert caught.value.errno == errno.EBADF
    with pytest.raises(ValueError, match="LockKind"):
        FileLock.from_fd(0, kind="other")
    with pytest.raises(TypeError):
        FileLock()  # type: ignore[call-arg]


def test_a_read_only_handle(path: Path, open_lock: Opener) -> None:
    open_lock()
    lock = FileLock.open(f"file:{path}", read_only=True)
    assert lock.acquire(shared=True)
    with pytest.raises(OSError, match="EBADF"):
        lock.acquire()
    assert FileLock.open(f"file:{path.parent}", read_only=True, kind="flock").acquire()


def test_a_copy_is_another_owner(open_lock: Opener) -> None:
    lock = open_lock(LockKind.FLOCK)
    with lock:
        for other in (pickle.loads(pickle.dumps(lock)), copy.copy(lock), copy.deepcopy(lock)):
            assert (other.name, other.kind) == (lock.name, lock.kind)
            assert other.acquire(timeout=0) is False


def test_pythons_own_calls_see_it(path: Path, open_lock: Opener) -> None:
    with open(path, "w+b") as file:
        with open_lock(LockKind.FLOCK), pytest.raises(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        with open_lock(LockKind.OFD).locked(start=5, length=1):
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 5)
            with pytest.raises(BlockingIOError):
                fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, 5)


def test_a_block_is_entered_once(open_lock: Opener) -> None:
    lock, other = open_lock(), open_lock()
    with lock:
        with pytest.raises(RuntimeError, match="one for each thread"), lock:
            raise AssertionError("entered twice")
        # What the second one did has changed nothing.
        assert other.acquire(timeout=0) is False
    with pytest.raises(RuntimeError, match="not entered"):
        lock.__exit__(None, None, None)
    guard = lock.locked(start=0, length=1)
    for _ in range(2):
        with guard, pytest.raises(RuntimeError), guard:
            raise AssertionError("entered twice")
    # A failure to enter leaves it as it was.
    with other, pytest.raises(BlockingIOError), lock.locked(timeout=0):
        raise AssertionError("it is locked")
    with lock:
        pass


def test_who_leaves_what_another_thread_waits_to_enter_lets_nobody_in(open_lock: Opener) -> None:
    holder, lock = open_lock(), open_lock()
    guard = lock.locked(timeout=waiting.WATCHDOG)

    def enter_and_leave() -> bool:
        with guard:
            return True

    def meddle() -> None:
        with pytest.raises(RuntimeError, match="not entered"):
            guard.__exit__(None, None, None)
        with pytest.raises(RuntimeError, match="not entered"):
            guard.convert(shared=True)
        with pytest.raises(RuntimeError, match="one for each thread"):
            guard.__enter__()
        holder.release()

    assert holder.acquire()
    waiting.others_run(enter_and_leave, meddle)


def test_closing_inside_of_a_block_ends_the_lock_with_the_block(open_lock: Opener) -> None:
    lock, other = open_lock(), open_lock()
    with lock:
        lock.close()
        assert other.acquire(timeout=0) is False
    assert other.acquire(timeout=0) is True


@pytest.mark.parametrize("kind", KINDS)
def test_a_child_that_leaves_the_block_unlocks_nothing(path: Path, open_lock: Opener, kind: LockKind) -> None:
    with open_lock(kind) as lock:
        assert in_fork(lambda: lock.__exit__(None, None, None)) == 0
        assert not free(path, kind)
    assert free(path, kind)


@pytest.mark.parametrize("timeout", ["None", "60"])
@pytest.mark.parametrize("kind", KINDS)
def test_ctrl_c_ends_a_wait(path: Path, kind: LockKind, timeout: str) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", f"""
import sys, unipc
lock = unipc.FileLock.open_or_create("file:{path}", kind="{kind}")
with lock:
    print("READY", flush=True)
    sys.stdin.read()
"""],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert holder.stdout is not None and holder.stdout.readline() == "READY\n"
        seconds = waiting.interrupt(f"""
            import unipc
            lock = unipc.FileLock.open("file:{path}", kind="{kind}")
            print("READY", flush=True)
            lock.acquire(timeout={timeout})
            """)
        assert seconds < waiting.WATCHDOG
    finally:
        holder.communicate()


@pytest.mark.parametrize("kind", OWNED_BY_HANDLES)
@pytest.mark.parametrize("timeout", [None, waiting.WATCHDOG])
def test_other_threads_run_while_one_waits(open_lock: Opener, kind: LockKind, timeout: float | None) -> None:
    holder, lock = open_lock(kind), open_lock(kind)
    holder.acquire()
    waiting.others_run(lambda: lock.acquire(timeout=timeout), holder.release)


@pytest.mark.parametrize("kind", OWNED_BY_HANDLES)
def test_nine_threads_with_a_handle_each_in_a_storm_of_signals(path: Path, open_lock: Opener, kind: LockKind) -> None:
    count = path.with_name("count")
    count.write_text("0")

    def work(number: int) -> None:
        lock = open_lock(kind)
        for _ in range(50):
            with lock.locked(timeout=None if number % 2 else waiting.WATCHDOG):
                count.write_text(str(int(count.read_text()) + 1))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    with waiting.Storm() as storm:
        for thread in threads:
            thread.start()
        # This one is interrupted.
        work(8)
        for thread in threads:
            thread.join()
    assert count.read_text() == "450"
    assert storm.signals > 0


def test_eight_threads_on_one_handle(open_lock: Opener) -> None:
    """A range for each thread, and `close` in the middle: an answer or ValueError, never a crash."""
    lock, other = open_lock(), open_lock()
    start = threading.Barrier(9)
    wrong = []

    def work(number: int) -> None:
        start.wait()
        try:
            for _ in range(2000):
                with lock.locked(start=number, length=1, timeout=0):
                    if other.holder(start=number, length=1) is None:
                        wrong.append(number)
        except ValueError:
            return

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    start.wait()
    time.sleep(0.05)
    lock.close()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert other.acquire(timeout=0)
