# SPDX-License-Identifier: MIT OR Apache-2.0
"""Locks and records in shared memory: each language with each other."""

import subprocess
from contextlib import ExitStack

from programs import LANGUAGES, command, each_pair, lines, started

from unipc import SharedMemory


@each_pair
def test_records_tell_what_they_are(one: str, other: str, shared: str) -> None:
    assert lines(one, "record_writer", shared, 20) == ["20 written"]
    told = ["20 samples of 40 bytes from adc, channel 3: 205.00", "the latest: 19000 ns, kind 1"]
    assert lines(other, "record_reader", shared) == told
    SharedMemory.unlink(f"{shared}.latest")


@each_pair
def test_two_count_together(one: str, other: str, shared: str) -> None:
    with started(one, "sync_counter", shared, 3000) as counting:
        lines(other, "sync_counter", shared, 3000)
        assert counting.wait() == 0
    assert lines(one, "sync_counter", shared, 0) == ["6000"]


@each_pair
def test_a_killed_holder_is_repaired(one: str, other: str, shared: str) -> None:
    with subprocess.Popen(
        command(one, "sync_holder", shared), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout and holder.stdout.readline() == "holding: 1 and 0\n"
        holder.kill()
        holder.wait()
    assert lines(other, "sync_repair", shared) == ["the holder died: 1 and 0", "whole: 1 and 1"]
    with started(one, "sync_holder", shared) as holder:
        assert holder.stdout and holder.stdin and holder.stdout.readline() == "holding: 2 and 1\n"
        holder.stdin.close()
        assert holder.stdout.read() == "done: 2 and 2\n"
    assert lines(other, "sync_repair", shared) == ["whole: 2 and 2"]


@each_pair
def test_what_is_produced_is_consumed(one: str, other: str, shared: str) -> None:
    with started(one, "sync_producer", shared, 200) as producer:
        assert lines(other, "sync_consumer", shared, 200) == ["20100"]
        assert producer.wait() == 0


@each_pair
def test_readers_find_what_writers_left_whole(one: str, other: str, shared: str) -> None:
    with started(one, "sync_library", shared, "writer", 1000) as writer:
        assert lines(other, "sync_library", shared, "reader", 1000) == ["0 times different"]
        assert writer.stdout and writer.stdout.read() == "0 times different\n"


def test_five_philosophers_eat_without_starving(shared: str) -> None:
    languages = list(LANGUAGES) * 2
    with ExitStack() as stack:
        table = [
            stack.enter_context(started(language, "sync_philosophers", shared, which, 300))
            for which, language in enumerate(languages[:5])
        ]
        said = [philosopher.stdout.read() for philosopher in table if philosopher.stdout]
    assert said == [f"philosopher {which} has eaten\n" for which in range(5)]
