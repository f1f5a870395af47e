# SPDX-License-Identifier: MIT OR Apache-2.0
"""Queues, semaphores, locks and signals of the kernel: each language with each other."""

import os
import struct
import subprocess
from pathlib import Path

import pytest
from programs import command, each_pair, lines, run, started

from unipc import MessageQueue


@each_pair
@pytest.mark.parametrize("kind", ["posix", "key", "private"])
def test_messages_outlive_their_sender(one: str, other: str, kind: str) -> None:
    number = os.getpid()
    name = {"posix": f"/unipc-examples-{number}", "key": f"sysv:{number | 0x50000000:#x}", "private": "sysv:private"}[
        kind
    ]
    (told,) = lines(one, "mq_sender", name, "low", "middle", "high")
    word, real = told.split()
    assert word == "queue" and (kind == "private" or real == name)
    order = ["1 low", "2 middle", "3 high"]
    with started(other, "mq_receiver", real, 4) as receiver:
        assert receiver.stdout
        got = [receiver.stdout.readline().rstrip() for _ in range(3)]
        assert got == (order[::-1] if kind == "posix" else order)
        # The fourth is not there yet.
        if kind == "private":
            with MessageQueue.open(real) as queue:
                queue.send(b"late")
        else:
            assert lines(one, "mq_sender", name, "late") == [told]
        assert receiver.stdout.read() in ("1 late\n", "0 late\n")
    done = run(other, "mq_receiver", real, 1)
    assert done.returncode == 1 and done.stderr, "the receiver has removed the queue"


@each_pair
@pytest.mark.parametrize("semaphore", ["posix", "sysv"], indirect=True)
def test_a_semaphore_is_held_and_waited_for(one: str, other: str, semaphore: str) -> None:
    with started(one, "sem_holder", semaphore) as holder:
        assert holder.stdout and holder.stdin
        assert holder.stdout.readline() == f"holding {semaphore}, value 0\n"
        assert lines(other, "sem_waiter", semaphore, 0) == ["somebody holds it", "not in time"]
        with started(other, "sem_waiter", semaphore, 60) as waiter:
            assert waiter.stdout and waiter.stdout.readline() == "somebody holds it\n"
            holder.stdin.close()
            assert waiter.stdout.read() == "taken\n"
        assert holder.stdout.read() == "given back\n"
    done = run(other, "sem_waiter", semaphore, 1)
    assert done.returncode == 1 and done.stderr, "the waiter has removed the semaphore"


@each_pair
@pytest.mark.parametrize("semaphore", ["posix", "sysv"], indirect=True)
def test_what_a_killed_holder_leaves(one: str, other: str, semaphore: str) -> None:
    with subprocess.Popen(
        command(one, "sem_holder", semaphore), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout and holder.stdout.readline().startswith("holding")
        holder.kill()
        holder.wait()
    seconds, told = (60, ["taken"]) if semaphore.startswith("sysv:") else (0, ["somebody holds it", "not in time"])
    assert lines(other, "sem_waiter", semaphore, seconds) == told


@each_pair
def test_a_locked_record_is_waited_for(one: str, other: str, path: Path) -> None:
    with started(one, "lock_holder", path, 3) as holder:
        assert holder.stdout and holder.stdin
        assert holder.stdout.readline() == "record 3 is locked; Enter unlocks it\n"
        # Another record is free, and empty.
        assert lines(other, "lock_waiter", path, 1) == ["name:  age 1"]
        with started(other, "lock_waiter", path, 3) as waiter:
            assert waiter.stdout
            assert waiter.stdout.readline() == "bytes 24 to 31 are locked\n"
            print(file=holder.stdin)
            assert waiter.stdout.read() == "name: e age 24\n"
        assert holder.stdout.read() == "unlocked\n"
    assert path.read_bytes()[24:] == struct.pack("4si", b"e", 24)


@each_pair
def test_values_come_with_signals_and_tell_their_sender(one: str, other: str) -> None:
    with started(one, "signal_receiver") as receiver:
        assert receiver.stdout
        word, number = receiver.stdout.readline().split()
        assert word == "pid"
        (line,) = lines(other, "signal_sender", number)
        sender = line.removeprefix("pid ")
        values = [f"value {value} from {sender}" for value in (20, 21, 22)]
        assert receiver.stdout.read().splitlines() == [*values, "done"]
    done = run(other, "signal_sender", number)
    assert (done.returncode, done.stdout) == (1, "")
    assert "nobody has this number" in done.stderr
