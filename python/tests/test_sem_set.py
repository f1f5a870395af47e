# SPDX-License-Identifier: MIT OR Apache-2.0
"""System V sets in Python: all or nothing, what semctl tells, removal, Ctrl-C."""

import dataclasses
import errno
import os
import pickle
import random
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from conftest import in_fork
from waiting import Storm, interrupt, others_run

from unipc import (
    RemovedError,
    Semaphore,
    SemaphoreSet,
    SemaphoreSetStatus,
    SemFlag,
    sem_limits,
    sem_usage,
)


@pytest.fixture
def three() -> Iterator[SemaphoreSet]:
    with SemaphoreSet.create("sysv:private", [1, 0, 5], remove_on_close=True) as made:
        yield made


@pytest.fixture
def key() -> Iterator[str]:
    name = f"sysv:0x{random.randrange(1, 1 << 31):x}"
    yield name
    with suppress(OSError):
        SemaphoreSet.unlink(name)


def test_a_set_is_a_sequence_of_semaphores(three: SemaphoreSet) -> None:
    assert len(three) == 3
    assert [semaphore.value for semaphore in three] == [1, 0, 5]
    assert (three[-1].index, three[2].id) == (2, three.id)
    for outside in (3, -4, 1 << 20):
        with pytest.raises(IndexError, match="has 3 semaphores"):
            three[outside]
    with three[0]:
        assert three.value(0) == 0
    three[1].value = 9
    assert three.values == [1, 9, 5]
    three[0].close()
    assert three.value(0) == 1
    inner = three[1].set
    assert inner is not None and inner.values == three.values


def test_all_or_nothing(three: SemaphoreSet) -> None:
    with pytest.raises(BlockingIOError):
        three.operate([(0, -1), (1, -1)], timeout=0)
    with pytest.raises(BlockingIOError):
        three.operate([(0, -1), (1, -1, SemFlag.NO_WAIT)])
    with pytest.raises(TimeoutError) as late:
        three.operate([(0, -1), (1, -1)], timeout=0.02)
    assert late.value.filename == three.name
    assert three.values == [1, 0, 5]
    three.operate([(1, 2), (0, -1), (2, -3)], timeout=1)
    assert three.values == [0, 2, 2]
    assert three.wait_zero(0) and three.wait_zero(0, timeout=0)
    assert not three.wait_zero(1, timeout=0) and not three.wait_zero(1, timeout=0.01)
    assert three.acquire(2, 2) and not three.acquire(2, timeout=0) and not three.acquire(2, timeout=0.01)
    three.release(2, 7)
    assert three.value(2) == 7
    for call in (lambda: three.acquire(0, 0), lambda: three.release(0, 32768)):
        with pytest.raises(OSError, match="1 to 32767"):
            call()
    for odd in ([(0,)], [(0, 1, 2, 3)], [0]):
        with pytest.raises(TypeError, match="an operation is a tuple"):
            three.operate(odd)  # type: ignore[arg-type]
    for beyond in ((0, 32768), (-1, 1), (0, 1, 1 << 15)):
        with pytest.raises(OverflowError):
            three.operate([beyond])
    with pytest.raises(TypeError, match="str"):
        three.operate([(0, "1")])  # type: ignore[list-item]


def test_errors_tell_the_limit(three: SemaphoreSet) -> None:
    limits = sem_limits()
    for operations, number, words in (
        ([(0, 1)] * (limits.semopm + 1), errno.E2BIG, f"SEMOPM is {limits.semopm}"),
        ([(3, 1)], errno.EFBIG, "3 semaphores, 0 to 2"),
        ([(2, 32767)], errno.ERANGE, "SEMVMX is 32767"),
        ([], errno.EINVAL, "no operations"),
    ):
        with pytest.raises(OSError, match=words) as refused:
            three.operate(operations)
        assert refused.value.errno == number
    with pytest.raises(OSError, match="SEMVMX is 32767"):
        three.set_value(0, 40000)
    with pytest.raises(OSError, match="2 values were given"):
        three.values = [1, 2]
    with pytest.raises(OSError, match="there is no 3"):
        three.value(3)
    assert three.values == [1, 0, 5]


def test_undo_at_the_end_and_what_setting_forgets(three: SemaphoreSet) -> None:
    assert in_fork(lambda: three.operate([(2, -3, SemFlag.UNDO), (1, 1, SemFlag.UNDO)])) == 0
    assert three.values == [1, 0, 5]
    assert in_fork(lambda: three.operate([(2, -3)])) == 0
    assert three.values == [1, 0, 2]

    def takes_and_sets() -> None:
        three.operate([(2, -1, SemFlag.UNDO)])
        three.values = [4, 4, 4]

    assert in_fork(takes_and_sets) == 0
    assert three.values == [4, 4, 4]


def test_what_the_kernel_knows(key: str) -> None:
    before = int(time.time()) - 1
    made = SemaphoreSet.create(key, [3, 4], mode=0o640)
    status = made.stat()
    assert (status.id, status.count, status.mode) == (made.id, 2, 0o640)
    assert f"sysv:{status.key & 0xFFFFFFFF:#x}" == key
    assert (status.uid, status.gid, status.cuid, status.cgid) == (os.geteuid(), os.getegid()) * 2
    assert before <= (status.operation_time or 0) and before <= (status.change_time or 0)
    assert len(dataclasses.fields(SemaphoreSetStatus)) == 11
    assert status in SemaphoreSet.list()
    info = made.info(1)
    assert (info.value, info.last_pid, info.waiting_increase, info.waiting_zero) == (4, os.getpid(), 0, 0)
    made.set(mode=0o600)
    assert made.stat().mode == 0o600
    with pytest.raises(OSError, match="0611"):
        made.set(mode=0o611)
    usage = sem_usage()
    assert usage.sets >= 1 and usage.semaphores >= 2
    limits = sem_limits()
    kernel = [int(word) for word in Path("/proc/sys/kernel/sem").read_text().split()]
    assert [limits.semmsl, limits.semmns, limits.semopm, limits.semmni] == kernel
    assert limits.semvmx == 32767
    made.remove()
    assert status.id not in [other.id for other in SemaphoreSet.list()]


def test_who_waits_is_counted_and_told_of_removal(three: SemaphoreSet) -> None:
    outcome: list[object] = []

    def wait() -> None:
        try:
            three.operate([(1, -1)])
        except RemovedError as error:
            outcome.append(error.errno)

    waiter = threading.Thread(target=wait)
    waiter.start()
    while three.info(1).waiting_increase == 0:
        time.sleep(0.001)
    three.remove()
    waiter.join()
    assert outcome == [errno.EIDRM]
    for call in (three.stat, three.remove, lambda: three.values, lambda: three.release(0)):
        with pytest.raises(RemovedError):
            call()


def test_names_and_handles(key: str) -> None:
    with pytest.raises(FileNotFoundError):
        SemaphoreSet.open(key)
    made = SemaphoreSet.create(key, [1, 2])
    with pytest.raises(FileExistsError):
        SemaphoreSet.create(key, [1])
    assert SemaphoreSet.open_or_create(key, [7]).values == [1, 2]
    with pytest.raises(OSError, match="exists with 2 semaphores"):
        SemaphoreSet.open_or_create(key, [7, 7, 7])
    assert Semaphore.open(key, index=1).value == 2
    assert SemaphoreSet.open(f"sysv:id={made.id}").values == [1, 2]
    again = pickle.loads(pickle.dumps(made))
    assert (type(again), again.id) == (SemaphoreSet, made.id)
    assert key in repr(made) and "[1, 2]" in repr(made)
    replaced = SemaphoreSet.create(key, [5], replace=True)
    assert replaced.values == [5]
    assert "EIDRM" in repr(made)
    made.close()
    assert made.closed and "closed" in repr(made)
    with pytest.raises(ValueError, match="is closed"):
        made.operate([(0, 1)])
    with pytest.raises(ValueError, match="is closed"):
        pickle.dumps(made)
    with pytest.raises(OSError) as posix:
        SemaphoreSet.create("/demo", [1])
    assert posix.value.errno == errno.EOPNOTSUPP
    with pytest.raises(TypeError, match=r"SemaphoreSet.create\(name, values\)"):
        SemaphoreSet()
    with pytest.raises(OverflowError):
        SemaphoreSet.create(key, [70000])

    class Mine(SemaphoreSet):
        pass

    assert type(Mine.open(key)) is Mine


WAITS = {
    "operate": "three.operate([(1, -1)])",
    "acquire": "three.acquire(1)",
    "timeout": "three.acquire(1, timeout=60)",
    "wait_zero": "three.wait_zero(0)",
}


@pytest.mark.parametrize("wait", WAITS)
def test_ctrl_c_ends_a_wait(wait: str) -> None:
    create = "three = unipc.SemaphoreSet.create('sysv:private', [1, 0, 5], remove_on_close=True)"
    assert interrupt(f"import unipc\n{create}\nprint('READY', flush=True)\n{WAITS[wait]}\n") < 30


def test_ctrl_c_ends_the_wait_for_a_creator(key: str) -> None:
    """A creator that is alive and stopped: it has made the set and holds the lock of the namespace."""
    program = f"""
import ctypes, fcntl, os, unipc
libc = ctypes.CDLL(None)
if os.fork() == 0:
    os.close(1)
    lock = os.open("/proc/thread-self/ns/ipc", os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_SH)
    assert libc.semget({int(key.removeprefix("sysv:"), 16)}, 1, 0o1000 | 0o2000 | 0o611) >= 0
    while os.getppid() == PARENT:
        libc.usleep(10000)
    os._exit(0)
while libc.semget({int(key.removeprefix("sysv:"), 16)}, 0, 0) < 0:
    pass
print("READY", flush=True)
unipc.SemaphoreSet.open({key!r}, creator_timeout=60)
"""
    program = program.replace("PARENT", "parent").replace("libc = ", "parent = os.getpid()\nlibc = ", 1)
    assert interrupt(program) < 30


def test_others_run_and_storms_lose_nothing(three: SemaphoreSet) -> None:
    others_run(lambda: three.acquire(1), lambda: three.release(1))
    others_run(lambda: three.operate([(1, -1)]) or True, lambda: three.release(1))
    others_run(lambda: three.wait_zero(0), lambda: three.acquire(0))
    giver = threading.Thread(target=lambda: [(time.sleep(0.002), three.release(1)) for _ in range(50)])
    with Storm() as storm:
        giver.start()
        for _ in range(50):
            assert three.acquire(1, timeout=30)
    giver.join()
    assert storm.signals > 10
    assert three.value(1) == 0


def test_eight_threads_on_one_set(three: SemaphoreSet) -> None:
    three.values = [8, 0, 0]

    def move() -> None:
        for _ in range(100):
            three.operate([(0, -1), (1, 1)])
            three.operate([(1, -1), (2, 1)])

    def back() -> None:
        for _ in range(100):
            three.operate([(2, -1), (0, 1)])

    threads = [threading.Thread(target=work) for work in (move, back) * 4]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert three.values == [8, 0, 0]
