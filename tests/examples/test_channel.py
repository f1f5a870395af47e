# SPDX-License-Identifier: MIT OR Apache-2.0
"""Channels: each language with each other."""

import os
import subprocess
import threading
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
from programs import ENVIRONMENT, command, each_language, each_pair, lines, run, started

from unipc import MessageQueue


@each_pair
def test_messages_stay_in_a_queue(one: str, other: str, channel: str) -> None:
    assert lines(one, "queue_sender", channel, "first", "second") == []
    with started(other, "queue_receiver", channel, 3) as receiver:
        assert receiver.stdout
        assert [receiver.stdout.readline() for _ in range(2)] == ["first\n", "second\n"]
        assert lines(one, "queue_sender", channel, "third") == []
        assert receiver.stdout.read() == "third\n"
    assert not Path(f"/dev/shm{channel}").exists()


@each_pair
def test_three_kinds_are_waited_for_at_once(one: str, other: str, channel: str) -> None:
    orders = f"sysv:{0x51000000 | os.getpid() & 0xFFFFFF:#x}"
    try:
        with started(one, "wait_any", channel, orders) as waiter:
            assert waiter.stdin and waiter.stdout and waiter.stdout.readline() == "ready\n"
            for text in ("first", "second"):
                assert lines(other, "queue_sender", channel, text) == []
                assert waiter.stdout.readline() == f"queue: {text}\n"
                assert lines(other, "mq_sender", orders, text) == [f"queue {orders}"]
                assert waiter.stdout.readline() == f"mq: {text}\n"
                print(text, file=waiter.stdin, flush=True)
                assert waiter.stdout.readline() == f"pipe: {text}\n"
            waiter.stdin.close()
        with pytest.raises(FileNotFoundError):
            MessageQueue.open(orders)
    finally:
        with suppress(FileNotFoundError):
            MessageQueue.unlink(orders)
    assert not Path(f"/dev/shm{channel}").exists()


@each_language
def test_a_task_of_asyncio_consumes(language: str, channel: str) -> None:
    assert lines(language, "queue_sender", channel, "first", "second") == []
    with started("Python", "asyncio_consumer", channel, 3) as consumer:
        assert consumer.stdout
        assert [consumer.stdout.readline() for _ in range(2)] == ["first\n", "second\n"]
        assert lines(language, "queue_sender", channel, "third") == []
        assert consumer.stdout.read() == "third\n"
    assert not Path(f"/dev/shm{channel}").exists()


@each_pair
def test_frames_reach_every_subscriber(one: str, other: str, channel: str) -> None:
    sums = [sum((x + y + number) & 255 for x in range(64) for y in range(48)) for number in range(500)]
    frames = [f"frame {number}: 64x48, sum {total}, lost 0" for number, total in enumerate(sums)]
    with started(other, "topic_subscriber", channel) as first, started(one, "topic_subscriber", channel) as second:
        for subscriber in (first, second):
            assert subscriber.stdout and subscriber.stdout.readline() == "subscribed\n"
        # More than the ring holds: the publisher waits for both, so they must be read at the same time.
        with started(one, "topic_publisher", channel, 500):
            reader = threading.Thread(target=lambda: got.append(second.stdout.read()))  # type: ignore[union-attr]
            got: list[str] = []
            reader.start()
            assert first.stdout and first.stdout.read().splitlines() == frames
            reader.join()
        assert got[0].splitlines() == frames
    assert not Path(f"/dev/shm{channel}").exists()


@each_pair
def test_a_service_adds(one: str, other: str, channel: str) -> None:
    with started(one, "calculator_server", channel, 3) as server:
        assert server.stdout and server.stdout.readline() == "ready\n"
        answers = lines(other, "calculator_client", channel, "1 2", "seven 8", "-20 9")
        assert answers == ["1 2 = 3", "seven 8: EINVAL", "-20 9 = -11"]
    done = run(other, "calculator_client", channel, "1 2")
    assert done.returncode == 1 and done.stderr, "the server has removed the service"


@each_pair
def test_a_killed_workers_job_is_given_to_another(one: str, other: str, channel: str) -> None:
    with ExitStack() as stack:

        def worker(language: str, scale: float) -> subprocess.Popen[str]:
            environment = ENVIRONMENT | {"UNIPC_PAUSE_SCALE": str(scale)}
            whole = command(language, "worker", channel)
            process = stack.enter_context(subprocess.Popen(whole, env=environment, stdout=subprocess.PIPE, text=True))
            stack.callback(process.kill)
            assert process.stdout and process.stdout.readline() == "ready\n"
            return process

        victim = worker(one, 1000)
        jobs = "abcdefghijkl"
        with started(other, "dispatcher", channel, *jobs) as dispatcher:
            assert victim.stdout and victim.stdout.readline() == "took a\n"
            for language in (one, other):
                worker(language, 0)
            victim.kill()
            assert dispatcher.stdout
            told = dispatcher.stdout.read().splitlines()
    assert told[0] == "a: its worker died, another gets it"
    assert sorted(told[1:]) == [f"{job}: {job.upper()}" for job in jobs]
    assert not Path(f"/dev/shm{channel}").exists()


@each_pair
def test_the_last_frame_is_a_picture(one: str, other: str, channel: str, tmp_path: Path) -> None:
    assert lines(one, "topic_publisher", channel, 3) == []
    assert len(lines(other, "topic_subscriber", channel, tmp_path / "picture")) == 4
    assert (tmp_path / "picture").read_bytes() == b"P5 64 48 255\n" + bytes(
        (x + y + 2) & 255 for y in range(48) for x in range(64)
    )
