# SPDX-License-Identifier: MIT OR Apache-2.0
"""The demo of `make demo`: C, Python and Rust on the same bytes, in every kind of shared memory.

Run `make demo`, or `demo.py [--writer PATH] [--observer PATH]` with the programs built from
examples-c/demo_writer.c and core/examples/demo_observer.rs. This program is the Python of the three
and directs the other two by lines on their standard input. Nobody sleeps until another is ready:
all wait for words in the shared memory itself. It ends with `0 objects left`, or with an error and
the exit status 1.
"""

import argparse
import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path

# This program forks; numpy shall start no threads.
os.environ["OPENBLAS_NUM_THREADS"] = "1"

import numpy as np
from common import PEOPLE, pause, people, read_people, say, wait_for

from unipc import Mutex, SharedMemory, Subscriber, SystemV, Topic

LETTERS = "bcdefghijk"
RECORDS = len(LETTERS)
# Behind the ten records: how many are written, how many are read, and a counter.
WRITTEN, READ, COUNTER, SIZE = 80, 84, 88, 96
# Where sync_holder has its two numbers, behind its mutex.
PAIR = 1024
DTYPE = [("name", "S4"), ("age", "i4")]
FRAMES = 20_000
FRAME = [("number", "u4"), ("width", "u4"), ("height", "u4"), ("pixels", "u1", (48, 64))]

PID = os.getpid()
POSIX = f"/unipc-demo-{PID}"
LOCKED = f"{POSIX}-lock"
CAMERA = f"{POSIX}-camera"
KEYED = f"sysv:{0x75000000 + PID:#x}"
FILE = f"file:{tempfile.gettempdir()}/unipc-demo-{PID}"
MEMFD = f"memfd:unipc-demo-{PID}"


class Peer:
    """A process that is told lines and answers with lines."""

    def __init__(self, name: str, command: list[str | Path], descriptor: int) -> None:
        self.name = name
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, bufsize=1, pass_fds=[descriptor])
        self.pid = self.process.pid

    def __str__(self) -> str:
        return f"{self.name} {self.pid}"

    def tell(self, line: str) -> None:
        assert self.process.stdin
        try:
            print(line, file=self.process.stdin)
        except BrokenPipeError:
            raise self.ended() from None

    def hear(self) -> str:
        assert self.process.stdout
        line = self.process.stdout.readline()
        if not line:
            raise self.ended()
        return line.rstrip()

    def ended(self) -> OSError:
        return OSError(f"{self} has ended, with status {self.process.wait()}")

    def ask(self, line: str) -> str:
        self.tell(line)
        return self.hear()

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def finish(self) -> str:
        """What it says last, when its input ends."""
        assert self.process.stdin
        self.process.stdin.close()
        return self.hear()

    def close(self) -> None:
        assert self.process.stdin
        with suppress(BrokenPipeError):
            self.process.stdin.close()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.kill()

    def lives(self) -> bool:
        return self.process.poll() is None


class Row:
    """A line of the table, which fills in while the records come."""

    def __init__(self, memory: str, reached: str, mark: str = "") -> None:
        self.head = f"{memory:<7}{reached:<30.29}"
        self.mark = mark
        self.cells = ["", "", ""]

    def add(self, *records: str) -> None:
        """What C has written, Python has read and Rust has seen: each record by the letter that is its name."""
        if len(set(records)) != 1:
            raise OSError(f"they do not agree: {records}")
        self.cells = [cell + record[0] for cell, record in zip(self.cells, records, strict=True)]
        if sys.stdout.isatty():
            say(f"\r{self}", end="")

    def __str__(self) -> str:
        c, python, rust = self.cells
        return f"{self.head}{c + self.mark:<13}{python:<13}{rust + self.mark:<12}"

    def end(self) -> None:
        say(f"\r{self}same" if sys.stdout.isatty() else f"{self}same")


def run_row(row: Row, shm: SharedMemory, written: Callable[[], str], seen: Callable[[], str]) -> None:
    """Reads each record as it comes, and lets the writer go on when the observer has seen it too."""
    # A view of the memory itself: numpy copies nothing.
    records = shm.array(DTYPE, RECORDS)
    for number in range(RECORDS):
        wrote = written()  # where a writer that died is noticed
        wait_for(shm, WRITTEN, number + 1)
        name, age = records[number]
        row.add(wrote, f"{name.decode()} {age}", seen())
        pause(0.1)
        shm.store_u32(READ, number + 1)
    row.end()


def show_languages(c: Peer, rust: Peer, memfd: SharedMemory, names: list[str]) -> None:
    """One row for each kind of memory that the three can share. Adds the names of what C has made to `names`."""
    for memory, wanted, reached in [
        ("posix", POSIX, "{}"),
        ("sysv", KEYED, "{}"),
        ("sysv", "sysv:private", "{}, told by C"),
        ("file", FILE, "{}"),
    ]:
        names.append(c.ask(f"create {wanted}"))
        rust.tell(f"open {names[-1]}")
        with SharedMemory.open(names[-1]) as shm:
            show_row(Row(memory, reached.format(names[-1])), shm, c, rust)
    c.ask(f"fd {memfd.fileno()}")
    rust.tell(f"fd {memfd.fileno()}")
    show_row(Row("memfd", f"descriptor {memfd.fileno()}, inherited"), memfd, c, rust)


def show_row(row: Row, shm: SharedMemory, c: Peer, rust: Peer) -> None:
    c.tell("fill")
    rust.tell("watch")
    run_row(row, shm, c.hear, rust.hear)


def show_kin() -> None:
    """Anonymous memory: the same, by two children of this process."""
    fork = multiprocessing.get_context("fork")
    with SharedMemory.create("anon:", SIZE) as shm:
        from_writer, written = fork.Pipe(duplex=False)
        from_observer, seen = fork.Pipe(duplex=False)
        children = [fork.Process(target=fill, args=(shm, written)), fork.Process(target=watch, args=(shm, seen))]
        for child in children:
            child.start()
        written.close()
        seen.close()
        run_row(Row("anon", "fork, so kin only", "*"), shm, from_writer.recv, from_observer.recv)
        for child in children:
            child.join()
    say("         * here two children of Python: no other program can get at it")


def fill(shm: SharedMemory, pipe: Connection) -> None:
    """What the C writer does, by a child of this process."""
    for number in range(RECORDS):
        shm.write_at(number * PEOPLE.size, people(number))
        shm.store_u32(WRITTEN, number + 1)
        pipe.send("{} {}".format(*read_people(shm, number)))
        wait_for(shm, READ, number + 1)


def watch(shm: SharedMemory, pipe: Connection) -> None:
    """What the Rust observer does, by a child of this process."""
    for number in range(RECORDS):
        wait_for(shm, WRITTEN, number + 1)
        pipe.send("{} {}".format(*read_people(shm, number)))


def show_change(c: Peer, rust: Peer) -> None:
    """Python changes a record by numpy, and the others see it."""
    with SharedMemory.open(POSIX) as shm:
        shm.array(DTYPE, RECORDS)[0] = (b"z", 99)
    c.ask(f"open {POSIX}")
    rust.tell(f"open {POSIX}")
    say(f"\nPython writes z 99 into the first record of {POSIX}")
    for peer in (c, rust):
        answer = peer.ask("read 0")
        say(f"  {peer} reads {answer}")
        expect(answer == "z 99", f"{peer} should read z 99")


def show_death(c: Peer, rust: Peer, start_c: Callable[[], Peer]) -> Peer:
    """The maker of the memory is killed in the midst of its work; the others, and a new one, go on."""
    with SharedMemory.open(POSIX) as shm:
        c.tell("count")
        wait_for(shm, COUNTER, 1000)
        pause(0.5)
        c.kill()
        count = shm.load_u32(COUNTER)
        say(f"\n{c}, who made this memory, counts in it until it is killed (SIGKILL)")
        say(f"  Python reads {count}")
        seen = rust.ask("count")
        say(f"  {rust} reads {seen}")
        another = start_c()
        another.ask(f"open {POSIX}")
        more = another.ask("add")
        say(f"  {another} takes its place, adds one: {more}")
        expect((int(seen), int(more)) == (count, count + 1), "the count should go on where it stood")
        return another


def show_repair(start_holder: Callable[[], Peer]) -> None:
    """A C program is killed while it holds a lock, in mid-change; Python repairs the record, and C goes on."""
    holder = start_holder()
    say(f"\n{holder} locks a mutex in {LOCKED}, changes one number of two that must be equal: {holder.hear()}")
    with SharedMemory.open(LOCKED) as shm:
        mutex = Mutex(shm)
        expect(mutex.status().holder.pid == holder.pid, "the mutex should name its holder")
        holder.kill()
        say("  it is killed (SIGKILL)")
        with mutex.repair() as died:
            expect(died, "whoever comes next should learn of the death")
            one, other = shm.load_u32(PAIR), shm.load_u32(PAIR + 4)
            shm.store_u32(PAIR + 4, one)
        say(f"  Python has the lock, learns that the holder died, finds {one} and {other}, and repairs them")
        another = start_holder()
        say(f"  {another} goes on: {another.hear()}, {another.finish()}")
        expect(shm.load_u32(PAIR) == shm.load_u32(PAIR + 4) == 2, "both numbers should be 2")


def show_frames(start_camera: Callable[[], Peer]) -> None:
    """A camera in C, whose frames are numpy arrays here; the last words are the rate."""
    with Topic.create(CAMERA, layout=FRAME, reliable=True), Subscriber.open(CAMERA) as subscriber:
        camera = start_camera()
        say(f"\n{camera} publishes {FRAMES:,} frames of 64 x 48 pixels by the topic {CAMERA}")
        started, number = 0.0, 0
        more = True
        while more:
            batch = next_frames(subscriber, camera)
            started = started or time.monotonic()
            # The last one has no size.
            more = bool(batch["width"].all())
            frames = batch[batch["width"] > 0]
            expected = np.arange(number, number + len(frames))
            expect((frames["number"] == expected).all(), f"frame {number} should come next")
            number += len(frames)
        seconds = time.monotonic() - started
        expect((number, subscriber.lost) == (FRAMES, 0), "no frame should be lost")
    rate, megabytes = FRAMES / seconds, FRAMES / seconds * np.dtype(FRAME).itemsize / 1e6
    say(f"  Python had them as numpy arrays: {rate:,.0f} frames/s, {megabytes:,.0f} MB/s, none lost")


def next_frames(subscriber: Subscriber, camera: Peer) -> np.ndarray:
    while True:
        try:
            return subscriber.recv_many(1000, timeout=1)
        except TimeoutError:
            if not camera.lives():
                raise camera.ended() from None


def expect(fact: bool, otherwise: str) -> None:
    if not fact:
        raise OSError(otherwise)


def objects(peers: list[Peer]) -> dict[str, int]:
    """How much of this demo there is, by kind."""
    pids = [PID, *(peer.pid for peer in peers)]
    descriptors = [os.readlink(entry) for entry in Path("/proc/self/fd").iterdir() if entry.is_symlink()]
    return {
        "POSIX objects": sum(entry.name.startswith(POSIX[1:]) for entry in Path("/dev/shm").iterdir()),
        "System V segments": sum(segment.creator_pid in pids for segment in SystemV.list()),
        "files": Path(FILE.removeprefix("file:")).exists(),
        "memfds": sum(MEMFD in target for target in descriptors),
        "other processes": sum(peer.lives() for peer in peers),
    }


def show_objects(before: dict[str, int], during: dict[str, int], after: dict[str, int]) -> int:
    say(f"\n{'':20}{'before':>8}{'during':>8}{'after':>8}")
    for kind in before:
        say(f"{kind:20}{before[kind]:>8}{during[kind]:>8}{after[kind]:>8}")
    left = sum(after.values()) - sum(before.values())
    say(f"{left} objects left")
    return int(left != 0)


def stop(signal: int, frame: object) -> None:
    raise TimeoutError("the demo did not end within two minutes")


def arguments() -> argparse.Namespace:
    target = Path(os.environ.get("CARGO_TARGET_DIR") or Path(__file__).resolve().parents[2] / "target")
    parser = argparse.ArgumentParser(description="C, Python and Rust on the same bytes.")
    parser.add_argument("--writer", default=target / "examples-c/demo_writer", help="the C program")
    parser.add_argument("--observer", default=target / "debug/examples/demo_observer", help="the Rust program")
    parser.add_argument("--camera", default=target / "examples-c/topic_publisher", help="the C program with frames")
    parser.add_argument("--holder", default=target / "examples-c/sync_holder", help="the C program that holds a lock")
    return parser.parse_args()


def main() -> int:
    options = arguments()
    signal.signal(signal.SIGALRM, stop)
    signal.alarm(120)
    peers: list[Peer] = []
    names: list[str] = []

    def start(name: str, *command: str | Path) -> Peer:
        peers.append(Peer(name, [*command], memfd.fileno()))
        return peers[-1]

    before = objects(peers)
    memfd = SharedMemory.create(MEMFD, SIZE)
    try:
        c, rust = start("C", options.writer), start("Rust", options.observer)
        say("unipc: three programs, the same bytes. Each letter is a record {name, age}.")
        say(f"  {c!s:<14} writes ten people, b 20 to k 29")
        say(f"  {f'Python {PID}':<14} reads them as a numpy array")
        say(f"  {rust!s:<14} watches, through a mapping that is read-only")
        say(f"\n{'memory':<7}{'reached by':<30}{'C wrote':<13}{'Python read':<13}Rust saw")
        show_languages(c, rust, memfd, names)
        show_kin()
        show_change(c, rust)
        show_death(c, rust, lambda: start("C", options.writer))
        names.append(LOCKED)
        SharedMemory.create(LOCKED, 4096).close()
        show_repair(lambda: start("C", options.holder, LOCKED))
        names.append(CAMERA)
        show_frames(lambda: start("C", options.camera, CAMERA, str(FRAMES)))
        during = objects(peers)
    finally:
        for peer in peers:
            peer.close()
        for name in names:
            SharedMemory.unlink(name)
    memfd.close()
    return show_objects(before, during, objects(peers))


if __name__ == "__main__":
    try:
        sys.exit(main())
    except OSError as error:
        sys.exit(f"demo: {error}")
