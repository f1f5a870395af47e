# SPDX-License-Identifier: MIT OR Apache-2.0
"""Several threads on one handle: calls run side by side, and closing is safe at any time."""

import random
import sys
import threading
import time
from collections.abc import Callable
from functools import partial

import pytest
from conftest import BACKINGS, Maker

from unipc import SharedMemory

LARGE = 8 << 20


def in_threads(*works: Callable[[], None]) -> None:
    """Runs all of them at once; raises what one of them raised."""
    failures = []

    def run(work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
        assert not thread.is_alive()
    if failures:
        raise failures[0]


def test_atomics_lose_nothing(make: Maker) -> None:
    shm = make("anon")

    def count() -> None:
        for _ in range(20_000):
            shm.add_u64(8, 1)

    in_threads(*[count] * 4)
    assert shm.load_u64(8) == 80_000


def test_large_copies_run_beside_python(make: Maker) -> None:
    """Where threads take turns only when one lets go, the other one gets its turn inside of a copy."""
    shm = make("anon", 64 << 20)
    copying = done = seen = False

    def watch() -> None:
        nonlocal seen
        while not done:
            seen = seen or copying
            time.sleep(0)

    watcher = threading.Thread(target=watch)
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1000)
    try:
        watcher.start()
        for _ in range(1000):
            copying = True
            shm.fill(0, 64 << 20, 1)
            copying = False
            if seen:
                break
    finally:
        sys.setswitchinterval(interval)
        done = True
    watcher.join(60)
    assert seen


@pytest.mark.parametrize("backing", BACKINGS)
def test_close_at_any_time(make: Maker, backing: str) -> None:
    """Eight threads use and close one handle at random: calls succeed or say that it is closed or in use."""
    rounds = 30
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    ends = {"closed": 0, "done": 0}

    def use(shm: SharedMemory, chance: random.Random, start: threading.Barrier) -> None:
        calls: list[Callable[[], object]] = [
            lambda: shm.read_at(0, chance.choice([8, LARGE])),
            lambda: shm.write_at(0, bytes(chance.choice([8, 1 << 16]))),
            lambda: shm.fill(0, LARGE, 1),
            lambda: shm.add_u32(0, 1),
            lambda: bytes(memoryview(shm)[:64]),
            lambda: shm.flush(0, 4096),
            lambda: shm.guarded().__enter__().__exit__(None, None, None),
            lambda: repr(shm),
            lambda: len(shm),
            lambda: shm.refresh(),
        ]
        start.wait(60)
        for _ in range(10):
            try:
                chance.choice(calls)()
                ends["done"] += 1
                if chance.random() < 0.03:
                    shm.close()
            except BufferError:
                pass
            except ValueError as error:
                assert "is closed" in str(error)
                ends["closed"] += 1

    for turn in range(rounds):
        shm = make(backing, LARGE)
        start = threading.Barrier(8)
        in_threads(*[partial(use, shm, random.Random(seed + 8 * turn + n), start) for n in range(8)])
        shm.close()
        shm.close()
        assert shm.closed
    assert ends["done"] > 0
    assert ends["closed"] > 0


def test_resize_waits_for_nobody_and_others_wait_for_it(make: Maker) -> None:
    shm = make("memfd", LARGE, seals=0)
    stop = threading.Event()

    def use() -> None:
        while not stop.is_set():
            assert shm.read_at(0, 8) == bytes(8)

    def resize() -> None:
        resized = 0
        try:
            while resized < 50:
                try:
                    shm.resize(LARGE + 4096 * random.randrange(100))
                    resized += 1
                except BufferError as error:
                    assert "another thread" in str(error)
        finally:
            stop.set()

    in_threads(use, use, resize)
