# SPDX-License-Identifier: MIT OR Apache-2.0
"""Semaphores of every kind in Python: holding, waiting, Ctrl-C, threads, fork, pickling."""

import contextlib
import errno
import gc
import multiprocessing
import os
import pickle
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conftest import in_fork
from waiting import Storm, asleep, interrupt, others_run

from unipc import LayoutError, RemovedError, Semaphore, SemaphoreSet, SharedMemory

KINDS = ["posix", "sysv", "memory"]
NAMED = ["posix", "sysv"]

Make = Callable[..., Semaphore]


@pytest.fixture
def new_name() -> Iterator[Callable[[str], str]]:
    given = []

    def new(kind: str) -> str:
        number = random.randrange(1, 1 << 31)
        given.append(f"/unipc-test-{os.getpid()}-{number}" if kind == "posix" else f"sysv:0x{number:x}")
        return given[-1]

    yield new
    for name in given:
        with contextlib.suppress(OSError):
            Semaphore.unlink(name)


@pytest.fixture
def sem(new_name: Callable[[str], str]) -> Iterator[Make]:
    """Creates a semaphore of a kind; it is closed and removed after the test."""
    memories = []
    made = []

    def new(kind: str, value: int = 1, **options: object) -> Semaphore:
        if kind == "memory":
            memories.append(SharedMemory.create("anon:", 4096))
            semaphore = Semaphore.create_in(memories[-1], 64, value, **options)  # type: ignore[arg-type]
        else:
            semaphore = Semaphore.create(new_name(kind), value, **options)  # type: ignore[arg-type]
        made.append(semaphore)
        return semaphore

    yield new
    for semaphore in made:
        semaphore.close()
    for memory in memories:
        memory.close()


@pytest.mark.parametrize("kind", KINDS)
def test_units_are_taken_and_given(sem: Make, kind: str) -> None:
    semaphore = sem(kind, 2)
    assert (semaphore.value, semaphore.backing) == (2, kind)
    assert semaphore.acquire()
    assert semaphore.acquire(timeout=10)
    for none in (
        semaphore.acquire(blocking=False),
        semaphore.acquire(False),
        semaphore.acquire(timeout=0),
        semaphore.acquire(timeout=0.01),
        semaphore.acquire(True, 0.01),
    ):
        assert none is False
    semaphore.release()
    assert semaphore.value == 1
    with pytest.raises(ValueError, match="blocking is False"):
        semaphore.acquire(False, 1)
    for odd in (-1, float("nan")):
        with pytest.raises(OSError, match="timeout"):
            semaphore.acquire(timeout=odd)
    with pytest.raises(TypeError):
        semaphore.acquire(5)  # type: ignore[arg-type]
    assert semaphore.value == 1


@pytest.mark.parametrize("kind", KINDS)
def test_a_block_holds_one(sem: Make, kind: str) -> None:
    semaphore = sem(kind, 2)
    with semaphore as same, semaphore.hold(timeout=1) as other:
        assert same is semaphore is other
        assert semaphore.value == 0
        with pytest.raises(TimeoutError) as late, semaphore.hold(0.01):
            pass
        assert late.value.errno == errno.ETIMEDOUT
        with pytest.raises(BlockingIOError) as busy, semaphore.hold(timeout=0):
            pass
        assert (busy.value.errno, busy.value.filename) == (errno.EAGAIN, semaphore.name)
    assert semaphore.value == 2
    with pytest.raises(ZeroDivisionError), semaphore:
        raise ZeroDivisionError
    assert semaphore.value == 2
    hold = semaphore.hold()
    with hold, hold:
        assert semaphore.value == 0
    assert semaphore.value == 2
    with pytest.raises(RuntimeError, match="not entered"):
        hold.__exit__()
    with pytest.raises(RuntimeError, match="not entered"):
        semaphore.__exit__()


@pytest.mark.parametrize("kind", KINDS)
def test_others_run_while_one_waits(sem: Make, kind: str) -> None:
    semaphore = sem(kind, 0)
    others_run(semaphore.acquire, semaphore.release)
    others_run(lambda: semaphore.acquire(timeout=60), semaphore.release)

    def enter() -> bool:
        with semaphore:
            return True

    others_run(enter, semaphore.release)
    assert semaphore.value == 1


CREATE = {
    "posix": "unipc.Semaphore.create(f'/ctrl-c-{os.getpid()}', 0, remove_on_close=True)",
    "sysv": "unipc.Semaphore.create('sysv:private', 0, remove_on_close=True)",
    "memory": "unipc.Semaphore.create_in(unipc.SharedMemory.create('anon:', 64), 0, 0)",
}
WAITS = {
    "acquire": "semaphore.acquire()",
    "timeout": "semaphore.acquire(timeout=60)",
    "with": "semaphore.__enter__()",
    "hold": "semaphore.hold(60).__enter__()",
}


@pytest.mark.parametrize("wait", WAITS)
@pytest.mark.parametrize("kind", KINDS)
def test_ctrl_c_ends_a_wait(kind: str, wait: str) -> None:
    program = f"import os, unipc\nsemaphore = {CREATE[kind]}\nprint('READY', flush=True)\n{WAITS[wait]}\n"
    assert interrupt(program) < 30


@pytest.mark.parametrize("kind", KINDS)
def test_a_storm_of_signals_loses_nothing(sem: Make, kind: str) -> None:
    semaphore = sem(kind, 0)
    giver = threading.Thread(target=lambda: [(time.sleep(0.002), semaphore.release()) for _ in range(50)])
    with Storm() as storm:
        giver.start()
        for _ in range(50):
            assert semaphore.acquire(timeout=30)
        started = time.monotonic()
        assert not semaphore.acquire(timeout=0.05)
        assert time.monotonic() - started >= 0.05
    giver.join()
    assert storm.signals > 10
    assert semaphore.value == 0


@pytest.mark.parametrize("kind", KINDS)
def test_eight_threads_on_one_object(sem: Make, kind: str) -> None:
    semaphore = sem(kind, 3)
    inside, most, total = 0, 0, 0
    lock = threading.Lock()

    def work() -> None:
        nonlocal inside, most, total
        for _ in range(200):
            with semaphore:
                with lock:
                    inside += 1
                    most = max(most, inside)
                    total += 1
                time.sleep(0)
                with lock:
                    inside -= 1

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (total, semaphore.value) == (1600, 3)
    assert 1 <= most <= 3


@pytest.mark.parametrize("kind", KINDS)
def test_a_child_of_fork_gives_back_nothing_of_its_parents(sem: Make, kind: str) -> None:
    semaphore = sem(kind, 2)

    def child() -> None:
        semaphore.__exit__()
        assert semaphore.acquire(timeout=0)

    with semaphore:
        assert in_fork(child) == 0
        assert semaphore.value == 0
    assert semaphore.value == 1


@pytest.mark.parametrize("kind", KINDS)
def test_a_child_of_fork_holds_one_itself_and_leaves_its_parents_block(sem: Make, kind: str) -> None:
    semaphore = sem(kind, 2)

    def child() -> None:
        with semaphore:
            assert semaphore.value == 0
        assert semaphore.value == 1
        semaphore.__exit__()
        assert semaphore.value == 1
        with pytest.raises(RuntimeError, match="not entered"):
            semaphore.__exit__()

    with semaphore:
        assert in_fork(child) == 0
    assert semaphore.value == 2


@pytest.mark.parametrize("kind", NAMED)
def test_a_killed_holder(sem: Make, kind: str) -> None:
    semaphore = sem(kind, 1)
    code = "import sys, unipc\nwith unipc.Semaphore.open(sys.argv[1]):\n    print('HELD', flush=True)\n    input()"
    command = [sys.executable, "-c", code, semaphore.name]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None and holder.stdout.readline() == "HELD\n"
        assert semaphore.value == 0
        holder.send_signal(signal.SIGKILL)
        holder.wait()
    # Of System V the kernel gives it back.
    assert semaphore.acquire(timeout=0.05) is (kind == "sysv")


def test_undo_is_chosen(sem: Make) -> None:
    def takes_and_dies(**options: bool) -> int:
        semaphore = sem("sysv", 1)
        kept = []  # until the end: a handle that is collected gives back what it holds

        def child() -> None:
            kept.append(Semaphore.open(semaphore.name, **options))  # type: ignore[arg-type]
            kept[0].acquire() if options.get("undo") else kept[0].__enter__()

        assert in_fork(child) == 0
        return semaphore.value

    assert takes_and_dies() == 1
    assert takes_and_dies(undo=True) == 1
    assert takes_and_dies(undo=False) == 0
    with pytest.raises(OSError) as refused:
        sem("posix", 1, undo=True)
    assert refused.value.errno == errno.EOPNOTSUPP


@pytest.mark.parametrize("kind", KINDS)
def test_the_highest_value_and_binary(sem: Make, kind: str) -> None:
    highest = 32767 if kind == "sysv" else 2**31 - 1
    semaphore = sem(kind, highest)
    with pytest.raises(OSError, match=str(highest)) as full:
        semaphore.release()
    assert full.value.errno == errno.EOVERFLOW
    with pytest.raises(OSError) as high:
        sem(kind, highest + 1)
    assert high.value.errno == errno.EINVAL
    binary = sem(kind, 0, binary=True)
    binary.release()
    with pytest.raises(OSError, match="binary"):
        binary.release()
    assert binary.value == 1
    with binary:
        pass


def test_names_and_handles(new_name: Callable[[str], str]) -> None:
    for kind in NAMED:
        name = new_name(kind)
        with pytest.raises(FileNotFoundError) as absent:
            Semaphore.open(name)
        assert absent.value.filename == name
        semaphore = Semaphore.create(name, 1, mode=0o640)
        with pytest.raises(FileExistsError, match="open_or_create"):
            Semaphore.create(name, 1)
        again = Semaphore.open_or_create(name, 7)
        assert (again.value, again.name, again.index) == (1, name, 0)
        assert (again.id is None) == (again.set is None) == (kind == "posix")
        assert name in repr(again) and "value 1" in repr(again)
        replaced = Semaphore.create(name, 4, replace=True)
        assert Semaphore.open(name).value == 4
        semaphore.close()
        semaphore.close()
        assert semaphore.closed and "closed" in repr(semaphore)
        for call in (semaphore.acquire, semaphore.release, semaphore.__enter__, semaphore.remove):
            with pytest.raises(ValueError, match="is closed"):
                call()
        replaced.remove()
        with pytest.raises(FileNotFoundError):
            Semaphore.unlink(name)
        kept = Semaphore.create(name, 1, remove_on_close=True)
        assert in_fork(kept.close) == 0
        Semaphore.open(name).close()
        kept.close()
        with pytest.raises(FileNotFoundError):
            Semaphore.open(name)
    for odd in ("memfd:x", "file:/tmp/x"):
        with pytest.raises(OSError) as unsupported:
            Semaphore.create(odd, 1)
        assert unsupported.value.errno == errno.EOPNOTSUPP
    with pytest.raises(TypeError, match=r"Semaphore.create\(name, value\)"):
        Semaphore()


def test_the_file_and_its_mode(new_name: Callable[[str], str]) -> None:
    name = new_name("posix")
    umask = os.umask(0o077)
    try:
        semaphore = Semaphore.create(name, 1, mode=0o664)
    finally:
        os.umask(umask)
    file = Path(f"/dev/shm/sem.{name[1:]}")
    assert file.stat().st_mode & 0o777 == 0o664
    file.unlink()
    semaphore.release()
    assert semaphore.value == 2
    file.write_bytes(b"short")
    with pytest.raises(LayoutError):
        Semaphore.open(name)
    file.unlink()


def test_removal_wakes_system_v(sem: Make) -> None:
    semaphore = sem("sysv", 0)
    outcome: list[object] = []

    def wait() -> None:
        try:
            semaphore.acquire()
        except RemovedError as error:
            outcome.append(error.errno)

    waiter = threading.Thread(target=wait)
    waiter.start()
    assert semaphore.set is not None
    while semaphore.set.info(0).waiting_increase == 0:
        time.sleep(0.001)
    semaphore.remove()
    waiter.join()
    assert outcome == [errno.EIDRM]
    with pytest.raises(RemovedError):
        semaphore.release()


def test_closing_lets_a_waiter_wait_on(sem: Make) -> None:
    semaphore = sem("posix", 0)
    other = Semaphore.open(semaphore.name)
    outcome: list[bool] = []
    waiter = threading.Thread(target=lambda: outcome.append(semaphore.acquire(timeout=30)))
    waiter.start()
    time.sleep(0.02)
    semaphore.close()
    other.release()
    waiter.join()
    assert outcome == [True]


def test_in_shared_memory() -> None:
    with SharedMemory.create("memfd:sem", 4096) as shm:
        semaphore = Semaphore.create_in(shm, 64, 1)
        assert (semaphore.name, semaphore.backing, semaphore.id, semaphore.set) == (shm.name, "memory", None, None)
        assert shm.read_at(0, 64) == bytes(64)
        same = Semaphore.open_in(shm, 64)
        with same:
            assert semaphore.value == 0
        with pytest.raises(BufferError, match="in use"):
            shm.close()
        with pytest.raises(BufferError):
            shm.resize(8192)
        same.close()
        with pytest.raises(TypeError, match="memory and the offset"):
            pickle.dumps(semaphore)
        with pytest.raises(OSError) as fixed:
            semaphore.value = 1
        assert fixed.value.errno == errno.EOPNOTSUPP
        for offset, expected in ((4, errno.EINVAL), (4080, errno.ERANGE)):
            with pytest.raises(OSError) as odd:
                Semaphore.create_in(shm, offset, 1)
            assert odd.value.errno == expected
        semaphore.close()
        shm.resize(8192)
        Semaphore.create_in(shm, 8160, 1)
        gc.collect()  # a handle that was forgotten is closed
    assert shm.closed


def work(semaphore: Semaphore, answer: Semaphore) -> None:
    semaphore.acquire()
    answer.release()


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
@pytest.mark.parametrize("kind", NAMED)
def test_a_pickle_opens_again(sem: Make, kind: str, method: str) -> None:
    semaphore, answer = sem(kind, 0), sem(kind, 0)
    process = multiprocessing.get_context(method).Process(target=work, args=(semaphore, answer))
    process.start()
    semaphore.release()
    assert answer.acquire(timeout=60)
    process.join()
    assert process.exitcode == 0
    with SemaphoreSet.create("sysv:private", [1, 2], remove_on_close=True) as both:
        second = pickle.loads(pickle.dumps(both[1]))
        assert (second.value, second.index, second.id) == (2, 1, both.id)


def test_a_subclass_is_made(new_name: Callable[[str], str]) -> None:
    class Mine(Semaphore):
        pass

    name = new_name("posix")
    with Mine.create(name, 1) as mine:
        assert type(mine) is Mine
    assert type(Mine.open(name)) is Mine
    assert type(pickle.loads(pickle.dumps(Semaphore.open(name)))) is Semaphore


def test_a_waiting_process_sleeps(sem: Make) -> None:
    for kind in NAMED:
        semaphore = sem(kind, 0)
        child = os.fork()
        if child == 0:
            os._exit(0 if semaphore.acquire(timeout=60) else 1)
        asleep(child)
        semaphore.release()
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
