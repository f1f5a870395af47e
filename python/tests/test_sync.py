# SPDX-License-Identifier: MIT OR Apache-2.0
"""Locks in shared memory: what they do in Python, what a death does to them, and how a wait behaves."""

import errno
import gc
import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import waiting
from conftest import in_fork

from unipc import (
    Barrier,
    Condvar,
    Event,
    LayoutError,
    Mutex,
    NotRecoverableError,
    Once,
    OwnerDiedError,
    RwLock,
    SharedMemory,
    sync,
)
from unipc.sync import Semaphore

DATA = 1 << 15
FORMS = ["robust", "pthread"]


@pytest.fixture
def shm() -> SharedMemory:
    return SharedMemory.create("anon:", 1 << 16)


@pytest.fixture
def name() -> Iterator[str]:
    name = f"/unipc-test-sync-{os.getpid()}"
    yield name
    SharedMemory.unlink(name)


def killed(work: Callable[[], object]) -> None:
    """A child does this and is killed."""
    hear, tell = os.pipe()
    child = os.fork()
    if child == 0:
        work()
        os.write(tell, b"x")
        signal.pause()
    assert os.read(hear, 1) == b"x"
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    os.close(hear)
    os.close(tell)


def child(work: Callable[[], object]) -> int:
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            work()
            status = 0
        finally:
            os._exit(status)
    return pid


def ended_well(*pids: int) -> None:
    for pid in pids:
        assert os.waitpid(pid, 0)[1] == 0


@pytest.mark.parametrize("form", FORMS)
def test_a_mutex_excludes_processes_and_threads(shm: SharedMemory, form: str) -> None:
    mutex = Mutex(shm, 64, form=form)

    def count() -> None:
        for _ in range(2000):
            with mutex:
                shm.store_u32(DATA, shm.load_u32(DATA) + 1)

    children = [child(count), child(count)]
    threads = [threading.Thread(target=count) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ended_well(*children)
    assert shm.load_u32(DATA) == 20_000


def test_with_refuses_what_a_dead_holder_left_and_repair_mends_it(shm: SharedMemory) -> None:
    mutex = Mutex(shm)
    killed(mutex.lock)
    for _ in range(2):
        with pytest.raises(OwnerDiedError) as caught, mutex:
            pytest.fail("not reached")
        assert caught.value.errno == errno.EOWNERDEAD
        assert "repair" in str(caught.value)
    with pytest.raises(ZeroDivisionError), mutex.repair() as died:
        assert died
        raise ZeroDivisionError
    with mutex.repair() as died:
        assert died and mutex.owner_died
    with mutex.repair() as died:
        assert not died
    with mutex:
        assert not mutex.owner_died


@pytest.mark.parametrize("form", FORMS)
def test_unlocking_without_repair_retires(shm: SharedMemory, form: str) -> None:
    mutex = Mutex(shm, form=form)
    killed(mutex.lock)
    if form == "robust":
        assert mutex.lock() and mutex.owner_died
        mutex.unlock()
    else:
        with pytest.raises(OwnerDiedError), mutex:
            pass
    with pytest.raises(NotRecoverableError):
        mutex.lock()


def test_repair_in_the_pthread_form(shm: SharedMemory) -> None:
    mutex = Mutex(shm, form="pthread")
    killed(mutex.lock)
    with mutex.repair() as died:
        assert died
    with mutex:
        pass


def test_a_mutex_has_the_words_of_threading(shm: SharedMemory) -> None:
    mutex = Mutex(shm)
    assert mutex.acquire()
    with pytest.raises(OSError) as caught:
        mutex.acquire()
    assert caught.value.errno == errno.EDEADLK
    seen = []
    thread = threading.Thread(target=lambda: seen.extend([mutex.acquire(timeout=0), mutex.acquire(timeout=0.01)]))
    thread.start()
    thread.join()
    assert seen == [False, False]
    mutex.release()
    with pytest.raises(PermissionError):
        mutex.release()
    recursive = Mutex(shm, 1024, kind="recursive")
    with recursive, recursive:
        pass
    with pytest.raises(ValueError, match="kind is"):
        Mutex(shm, kind="strange")
    with pytest.raises(ValueError, match="form is"):
        Mutex(shm, form="strange")
    with pytest.raises(ValueError, match="no offset"):
        Mutex("/x", 64)
    with pytest.raises(OSError, match="0 or more"):
        mutex.lock(timeout=-1)


def test_status_names_the_holder(shm: SharedMemory) -> None:
    mutex = Mutex(shm)
    assert mutex.status().holder is None
    with mutex:
        holder = mutex.status().holder
        assert holder is not None
        assert (holder.pid, holder.tid) == (os.getpid(), threading.get_native_id())
        assert f"pid={os.getpid()}" in repr(mutex.status())
    assert repr(mutex) == '<unipc.sync.Mutex "anon:+0">'
    assert "Mutex" in sync.__all__


@pytest.mark.parametrize("form", FORMS)
def test_consumers_get_all_that_is_produced(shm: SharedMemory, form: str) -> None:
    mutex, changed = Mutex(shm, 0, form=form), Condvar(shm, 1024, form=form)

    def consume() -> None:
        for _ in range(200):
            with mutex:
                changed.wait_for(mutex, lambda: shm.load_u32(DATA) > 0)
                shm.store_u32(DATA, shm.load_u32(DATA) - 1)

    children = [child(consume), child(consume)]
    thread = threading.Thread(target=consume)
    thread.start()
    for _ in range(600):
        with mutex:
            shm.store_u32(DATA, shm.load_u32(DATA) + 1)
            changed.notify_one()
    thread.join()
    ended_well(*children)
    assert shm.load_u32(DATA) == 0


def test_condition_times(shm: SharedMemory) -> None:
    mutex, changed = Mutex(shm, 0), Condvar(shm, 1024)
    with pytest.raises(PermissionError):
        changed.wait(mutex, timeout=0.01)
    with mutex:
        assert not changed.wait(mutex, timeout=0.01)
        assert not changed.wait(mutex, timeout=0)
        assert changed.wait_for(mutex, lambda: 7) == 7
        with waiting.Storm() as storm:
            assert changed.wait_for(mutex, lambda: storm.signals > 20)
    with mutex, pytest.raises(OSError, match="different forms"):
        Condvar(shm, 2048, form="pthread").wait(mutex, 0.01)


def test_readers_and_writers(shm: SharedMemory) -> None:
    lock = RwLock(shm, readers=20)

    def write() -> None:
        for _ in range(300):
            with lock.write():
                shm.store_u32(DATA, shm.load_u32(DATA) + 1)
                shm.store_u32(DATA + 4, shm.load_u32(DATA))

    def read() -> None:
        for _ in range(300):
            with lock.read():
                assert shm.load_u32(DATA) == shm.load_u32(DATA + 4)

    ended_well(child(write), child(write), child(read), child(read))
    assert shm.load_u32(DATA) == 600
    killed(lock.read_lock)
    with lock.write():
        pass
    killed(lock.write_lock)
    for block in (lock.read, lock.write):
        with pytest.raises(OwnerDiedError), block():
            pass
    with lock.repair() as died:
        assert died
    with lock.read(), lock.read():
        assert len(lock.status().readers) == 2
        with pytest.raises(OSError, match="holds it already"):
            lock.write_lock()
    assert not lock.owner_died


def test_a_barrier_is_passed_together_and_breaks_with_a_party(shm: SharedMemory) -> None:
    barrier = Barrier(shm, 3)

    def meet() -> None:
        for number in range(100):
            shm.add_u32(DATA, 1)
            barrier.wait()
            assert shm.load_u32(DATA) >= 3 * (number + 1)
            barrier.wait()

    ended_well(child(meet), child(meet), child(meet))
    with pytest.raises(BlockingIOError):
        barrier.wait(0)
    with pytest.raises(TimeoutError):
        barrier.wait(0.01)
    killed(barrier.join)
    with pytest.raises(OwnerDiedError):
        barrier.wait()
    assert barrier.broken
    barrier.reset()
    assert (barrier.parties, barrier.arrived, barrier.broken) == (3, 0, False)


@pytest.mark.parametrize("form", FORMS)
def test_semaphores_count(shm: SharedMemory, form: str) -> None:
    semaphore = Semaphore(shm, 2, form=form)

    def work() -> None:
        for _ in range(500):
            with semaphore:
                assert shm.add_u32(DATA, 1) < 2
                shm.add_u32(DATA, (1 << 32) - 1)

    ended_well(child(work), child(work), child(work))
    assert semaphore.value == 2
    assert semaphore.wait() and semaphore.wait() and not semaphore.wait(0) and not semaphore.acquire(0.01)
    semaphore.post()
    assert semaphore.value == 1


def test_permits_come_back_from_the_dead(shm: SharedMemory) -> None:
    semaphore = Semaphore(shm, 1, max=1)
    killed(semaphore.acquire)
    with semaphore:
        assert [holder.pid for holder in semaphore.holders()] == [os.getpid()]
    with pytest.raises(OSError) as caught:
        semaphore.post()
    assert caught.value.errno == errno.EOVERFLOW
    with pytest.raises(PermissionError):
        semaphore.release()


def test_events(shm: SharedMemory) -> None:
    manual, automatic = Event(shm), Event(shm, 1024, auto_reset=True)
    waiters = [child(manual.wait) for _ in range(3)]
    manual.set()
    ended_well(*waiters)
    assert manual.is_set() and manual.wait()
    manual.reset()
    assert not manual.wait(0) and not manual.wait(0.01)
    automatic.set()
    assert automatic.wait(0) and not automatic.wait(0)


def test_once_is_done_once(shm: SharedMemory) -> None:
    once = Once(shm)
    killed(once.begin)
    assert once.begin() == "begin again"
    with pytest.raises(OSError, match="holds it already"):
        once.begin()
    once.abandon()

    def fail() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        once.call(fail)
    ended_well(*(child(lambda: once.call(lambda: shm.add_u32(DATA, 1))) for _ in range(4)))
    assert shm.load_u32(DATA) == 1 and once.done and once.begin() == "done"
    assert once.holder() is None


def test_names_and_pickles(name: str) -> None:
    with Mutex(name) as mutex:
        again = pickle.loads(pickle.dumps(mutex))
        assert mutex.label == again.label == name
        with pytest.raises(OSError, match="holds it already"):
            again.lock()
    with pytest.raises(FileExistsError):
        Mutex.create(name)
    with pytest.raises(LayoutError):
        Event.open(name)
    with pytest.raises(FileNotFoundError):
        Mutex.open(name + "-not")


def use(mutex: Mutex, shm: SharedMemory) -> None:
    with mutex:
        shm.add_u32(DATA, 1)


@pytest.mark.parametrize("method", ["spawn", "fork", "forkserver"])
def test_multiprocessing(name: str, method: str) -> None:
    shm = SharedMemory.create(name, 1 << 16)
    mutex = Mutex(shm, 64)
    process = multiprocessing.get_context(method).Process(target=use, args=(mutex, shm))
    process.start()
    process.join()
    assert process.exitcode == 0 and shm.load_u32(DATA) == 1


def test_a_child_of_fork_holds_nothing(shm: SharedMemory) -> None:
    mutex = Mutex(shm)
    with mutex:

        def check() -> None:
            with pytest.raises(PermissionError):
                mutex.unlock()
            assert not mutex.lock(timeout=0.01)

        assert in_fork(check) == 0


def test_the_memory_may_go_first(shm: SharedMemory) -> None:
    other = SharedMemory.create("anon:", 4096)
    mutex = Mutex(other)
    other.close()
    with mutex:
        del other
        gc.collect()
        assert mutex.status().holder is not None


WAITS: dict[str, tuple[str, str]] = {
    "mutex": ("Mutex(shm)", "x.lock()"),
    "pthread mutex": ("Mutex(shm, form='pthread')", "x.lock()"),
    "with": ("Mutex(shm)", "x.__enter__()"),
    "read": ("RwLock(shm)", "x.read_lock()"),
    "pthread write": ("RwLock(shm, form='pthread')", "x.write_lock()"),
    "semaphore": ("Semaphore(shm, 1, max=1)", "x.acquire()"),
    "pthread semaphore": ("Semaphore(shm, 1, form='pthread')", "x.acquire()"),
}


@pytest.mark.parametrize("what", WAITS)
def test_ctrl_c_ends_the_wait_for_a_lock(what: str) -> None:
    make, wait = WAITS[what]
    program = f"""
        import threading
        from unipc import *
        from unipc.sync import Semaphore
        shm = SharedMemory.create("anon:", 1 << 16)
        x = {make}
        held = threading.Event()
        def hold():
            {"x.write_lock()" if "RwLock" in make else "x.acquire()"}
            held.set()
            threading.Event().wait()
        threading.Thread(target=hold, daemon=True).start()
        held.wait()
        print("READY", flush=True)
        {wait}
    """
    waiting.interrupt(program)


@pytest.mark.parametrize(
    ("make", "wait"),
    [
        ("Event(shm)", "x.wait()"),
        ("Semaphore(shm, 0)", "x.wait()"),
        ("Barrier(shm, 2)", "x.wait()"),
        ("Condvar(shm)", "m.lock(); x.wait_for(m, lambda: False)"),
        ("Condvar(shm, form='pthread')", "p.lock(); x.wait_for(p, lambda: False)"),
    ],
)
def test_ctrl_c_ends_the_wait_for_others(make: str, wait: str) -> None:
    program = f"""
        from unipc import *
        from unipc.sync import Semaphore
        shm = SharedMemory.create("anon:", 1 << 16)
        m, p = Mutex(shm, 8192), Mutex(shm, 16384, form="pthread")
        x = {make}
        print("READY", flush=True)
        {wait}
    """
    waiting.interrupt(program)


@pytest.mark.parametrize("form", FORMS)
def test_other_threads_run_meanwhile(shm: SharedMemory, form: str) -> None:
    mutex = Mutex(shm, form=form)
    mutex.lock()
    waiting.others_run(mutex.lock, mutex.unlock)
    event = Event(shm, 1024)
    waiting.others_run(event.wait, event.set)


def test_a_storm_of_signals_loses_nothing(shm: SharedMemory) -> None:
    items, room = Semaphore(shm, 0), Semaphore(shm, 1, 8192)

    def produce() -> None:
        for _ in range(500):
            room.wait()
            items.post()

    producer = child(produce)
    with waiting.Storm() as storm:
        for _ in range(500):
            items.wait()
            room.post()
        end = time.monotonic() + 0.05
        assert not Semaphore(shm, 0, 16384).wait(0.05) and time.monotonic() >= end
        assert storm.signals
    ended_well(producer)


def test_a_waiter_gets_in_when_the_holder_is_killed(shm: SharedMemory) -> None:
    mutex = Mutex(shm)
    hear, tell = os.pipe()
    holder = os.fork()
    if holder == 0:
        mutex.lock()
        os.write(tell, b"x")
        signal.pause()
    os.read(hear, 1)
    waiter = child(lambda: mutex.repair().__enter__())
    while not mutex.status().waiters:
        time.sleep(0.001)
    assert mutex.status().waiters == [waiter]
    os.kill(holder, signal.SIGKILL)
    os.waitpid(holder, 0)
    ended_well(waiter)


def test_eight_threads_on_one_of_each(shm: SharedMemory) -> None:
    objects: list[Any] = [Mutex(shm), Semaphore(shm, 3, 1024)]
    failures: list[BaseException] = []

    def work() -> None:
        try:
            for _ in range(500):
                for thing in objects:
                    with thing:
                        pass
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures and objects[1].value == 3


def test_the_interpreter_ends_with_locks_held() -> None:
    program = """
        from unipc import Mutex, SharedMemory
        import threading
        shm = SharedMemory.create("anon:", 4096)
        mutex = Mutex(shm)
        mutex.lock()
        threading.Thread(target=mutex.lock, daemon=True).start()
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(program)], check=True, timeout=30)
