#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""mixed.py [KILLS [SEED]]: workers in C and in Python use locks in the same memory and are killed at random moments.

There are 14 kinds of workers in each language; four of them are at work at once, then all die, one in ten after it
stood still for a moment (SIGSTOP). After each such death of four, a fresh process, in C and in Python in turn, must
find everything to be had and whole. `mixed.py workers NAME` are the workers in Python; those in C are in mixed.c.
"""

import errno
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import runner

ROOT = Path(__file__).resolve().parents[2]
KINDS = (
    *("mutex", "recursive", "condvar_wait", "condvar_notify", "read", "write", "hold"),
    *("post", "take", "barrier", "set", "wait", "once", "open"),
)
TOGETHER = 4
SIZE = 1 << 16
# As in mixed.c.
PERMITS, TOKENS, MUTEX_DATA, RECURSIVE_DATA, RWLOCK_DATA = 3, 8, 40960, 40968, 40976
BRIEF, ENOUGH = 0.001, 20


class Workers:
    """The objects, and what is done with them."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.open()

    def open(self) -> None:
        from unipc import SharedMemory, sync

        self.shm = shm = SharedMemory.open(self.name)
        self.mutex = sync.Mutex(shm)
        self.recursive = sync.Mutex(shm, 1024, kind="recursive")
        self.condvar = sync.Condvar(shm, 2048)
        self.rwlock = sync.RwLock(shm, 4096, readers=8)
        self.semaphore = sync.Semaphore(shm, PERMITS, 8192, max=PERMITS)
        self.tokens = sync.Semaphore(shm, 0, 12288, max=TOKENS)
        self.barrier = sync.Barrier(shm, 2, 16384)
        self.event = sync.Event(shm, 20480, auto_reset=True)
        self.once = sync.Once(shm, 24576)

    def add(self, at: int, lock: object | None = None) -> None:
        """Adds to both of a pair, which must be equal, or be made so when a holder has died."""
        died = lock is not None and lock.owner_died  # type: ignore[attr-defined]
        if died:
            self.shm.store_u32(at + 4, self.shm.load_u32(at))
        one, other = self.shm.load_u32(at), self.shm.load_u32(at + 4)
        assert one == other, f"{one} and {other} at {at}"
        self.shm.store_u32(at, (one + 1) % 2**32)
        self.shm.store_u32(at + 4, (other + 1) % 2**32)
        if died:
            lock.recovered()  # type: ignore[attr-defined]

    def do_mutex(self) -> None:
        assert self.mutex.lock(ENOUGH)
        self.add(MUTEX_DATA, self.mutex)
        self.mutex.unlock()

    def do_recursive(self) -> None:
        assert self.recursive.lock(ENOUGH)
        self.add(RECURSIVE_DATA, self.recursive)
        assert self.recursive.lock(ENOUGH)
        self.add(RECURSIVE_DATA)
        self.recursive.unlock()
        self.recursive.unlock()

    def do_condvar_wait(self) -> None:
        from unipc import OwnerDiedError

        assert self.mutex.lock(ENOUGH)
        self.add(MUTEX_DATA, self.mutex)
        with suppress(OwnerDiedError):
            self.condvar.wait(self.mutex, BRIEF)
        self.add(MUTEX_DATA, self.mutex)
        self.mutex.unlock()

    def do_condvar_notify(self) -> None:
        self.condvar.notify_one()
        self.condvar.notify_all()

    def do_read(self) -> None:
        assert self.rwlock.read_lock(ENOUGH)
        one, other = self.shm.load_u32(RWLOCK_DATA), self.shm.load_u32(RWLOCK_DATA + 4)
        assert one == other or self.rwlock.owner_died, f"{one} and {other}"
        self.rwlock.unlock()

    def do_write(self) -> None:
        assert self.rwlock.write_lock(ENOUGH)
        self.add(RWLOCK_DATA, self.rwlock)
        self.rwlock.unlock()

    def do_hold(self) -> None:
        if self.semaphore.acquire(BRIEF):
            self.semaphore.release()

    def do_post(self) -> None:
        try:
            self.tokens.post()
        except OSError as error:
            assert error.errno == errno.EOVERFLOW, error

    def do_take(self) -> None:
        self.tokens.wait(BRIEF)

    def do_barrier(self) -> None:
        try:
            self.barrier.wait(BRIEF)
        except OSError as error:
            if error.errno == errno.EOWNERDEAD:
                self.barrier.reset()
            else:
                assert error.errno in (errno.EBUSY, errno.ETIMEDOUT), error

    def do_set(self) -> None:
        self.event.set()

    def do_wait(self) -> None:
        self.event.wait(BRIEF)

    def do_once(self) -> None:
        try:
            begun = self.once.begin(BRIEF)
        except TimeoutError:
            return
        assert begun != "done", begun
        self.once.abandon()

    def do_open(self) -> None:
        self.open()

    def check(self) -> None:
        """Everything is to be had, and whole."""
        for work in (self.do_mutex, self.do_recursive, self.do_write, self.do_read):
            work()
        for _ in range(PERMITS):
            assert self.semaphore.acquire(ENOUGH)
        for _ in range(PERMITS):
            self.semaphore.release()
        assert self.semaphore.value == PERMITS
        self.do_post()
        assert self.tokens.wait(ENOUGH)
        self.barrier.reset()
        self.event.set()
        assert self.event.wait(ENOUGH)
        self.once.begin(ENOUGH)
        self.once.abandon()

    def work(self, kind: str) -> None:
        if kind == "check":
            return self.check()
        one: Callable[[], None] = getattr(self, f"do_{kind}")
        while True:
            one()


def workers(name: str) -> None:
    """Is told lines and answers with lines, as mixed.c."""
    import unipc.sync  # noqa: F401 (before the forks)

    for line in sys.stdin:
        verb, what = line.split()
        if verb == "reap":
            for _ in range(int(what)):
                print(os.waitstatus_to_exitcode(os.wait()[1]), flush=True)
            continue
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                signal.alarm(60)
                Workers(name).work(what)
                status = 0
            except BaseException as error:
                print(f"Python: {what}: {error!r}", file=sys.stderr, flush=True)
            os._exit(status)
        print(pid, flush=True)


class Party:
    def __init__(self, *command: str | Path) -> None:
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True, bufsize=1)

    def ask(self, line: str, answers: int = 1) -> list[int]:
        assert self.process.stdin and self.process.stdout
        print(line, file=self.process.stdin)
        return [int(self.process.stdout.readline()) for _ in range(answers)]

    def end(self) -> str:
        """What its workers complained of."""
        return self.process.communicate()[1]


def compiled() -> Path:
    """The workers in C."""
    program = runner.TARGET / "tmp" / "mixed"
    program.parent.mkdir(parents=True, exist_ok=True)
    library = os.environ.get("UNIPC_LIB_DIR", str(runner.TARGET / "release"))
    source, include = ROOT / "tests" / "crash" / "mixed.c", ROOT / "include"
    link = [f"-L{library}", f"-Wl,-rpath,{library}", "-lunipc"]
    compiler = os.environ.get("CC", "cc").split()
    subprocess.run([*compiler, "-std=c11", "-O2", f"-I{include}", source, "-o", program, *link], check=True)
    return program


def storm(name: str, kills: int, seed: int) -> str | None:
    """Says what went wrong."""
    chance = random.Random(seed)
    parties = [Party(compiled(), name), Party(sys.executable, __file__, "workers", name)]
    why = None
    for number in range(-(-kills // TOGETHER)):
        at_work = [chance.randrange(2) for _ in range(TOGETHER)]
        pids = [parties[which].ask(f"run {chance.choice(KINDS)}")[0] for which in at_work]
        time.sleep(chance.random() * 0.008)
        for pid in pids:
            if chance.random() < 0.1:
                os.kill(pid, signal.SIGSTOP)
                time.sleep(0.001)
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        ends = [party.ask(f"reap {at_work.count(which)}", at_work.count(which)) for which, party in enumerate(parties)]
        if any(end != -signal.SIGKILL for party in ends for end in party):
            why = f"round {number}: workers ended by {ends}"
            break
        checker = parties[number % 2]
        checker.ask("run check")
        if (status := checker.ask("reap 1")[0]) != 0:
            why = f"round {number}: the check ended by {status}"
            break
    complaints = "".join(party.end() for party in parties)
    return f"{why} {complaints}".strip() if why or complaints else None


def main() -> int:
    from unipc import SharedMemory

    kills = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    name = f"/unipc-mixed-{os.getpid()}"
    SharedMemory.create(name, SIZE).close()
    start = time.monotonic()
    try:
        why = storm(name, kills, seed)
    finally:
        SharedMemory.unlink(name)
    what = f"storm of C and Python: {2 * len(KINDS)} kinds of workers"
    if why:
        print(f"FAIL {what}: {why}")
        return 1
    print(f"PASS {what}, {kills} kills, {kills / (time.monotonic() - start):.0f} kills/s, seed {seed}")
    return 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["workers"]:
        workers(sys.argv[2])
    else:
        sys.exit(main())
