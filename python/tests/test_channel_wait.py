# SPDX-License-Identifier: MIT OR Apache-2.0
"""Waiting at channels: Ctrl-C, other threads, a storm of signals, many threads on one handle."""

import threading
import time
from collections import Counter
from contextlib import suppress

import pytest
from conftest import Namer
from waiting import Storm, interrupt, others_run

from unipc import Client, Queue, Service, Subscriber, Topic

PROGRAM = """
    import os, unipc
    from contextlib import suppress
    timeout, spin = {timeout!r}, {spin!r}
    queue = unipc.Queue.create("memfd:int", 4096, spin=spin)
    full = unipc.Queue.create("memfd:int", 4096, spin=spin)
    topic = unipc.Topic.create("memfd:int", 4096, reliable=True, spin=spin)
    subscriber = unipc.Subscriber.from_fd(topic.memory_fd, spin=spin)
    quiet = unipc.Topic.create("memfd:int")
    other = unipc.Subscriber.from_fd(quiet.memory_fd, spin=spin)
    service = unipc.Service.create("memfd:int", spin=spin)
    client = unipc.Client.from_fd(service.memory_fd, spin=spin)
    for send in (full.send, topic.publish):
        with suppress(BlockingIOError):
            while True:
                send(bytes(64), timeout=0)
    print("READY", flush=True)
    {call}
"""
CALLS = [
    "queue.recv(timeout)",
    "queue.recv_into(bytearray(8), timeout)",
    "queue.recv_many(8, timeout=timeout)",
    "queue.peek(timeout)",
    "full.send(bytes(64), timeout)",
    "full.send_many([bytes(64)], timeout)",
    "full.reserve(64, timeout)",
    "topic.publish(bytes(64), timeout)",
    "topic.reserve(64, timeout)",
    "other.recv(timeout)",
    "other.peek(timeout)",
    "unipc.Service.create('memfd:none').recv(timeout)",
    "client.call(b'?', timeout)",
    "client.begin(b'?', timeout).wait(timeout)",
]


@pytest.mark.parametrize("call", CALLS)
def test_ctrl_c_ends_every_wait(call: str) -> None:
    for timeout in (None, 60):
        assert interrupt(PROGRAM.format(call=call, timeout=timeout, spin=False)) < 10


@pytest.mark.parametrize("call", ["queue.recv(timeout)", "full.send(bytes(64), timeout)", "client.call(b'?', timeout)"])
def test_ctrl_c_ends_a_wait_that_does_not_sleep(call: str) -> None:
    program = PROGRAM.format(call=call, timeout=None, spin=True)
    # It never sleeps: it takes the signal while it runs, after a moment asleep.
    program = program.replace('print("READY", flush=True)', 'print("READY", flush=True); import time; time.sleep(0.2)')
    assert interrupt(program) < 10


@pytest.fixture
def queue(name_of: Namer) -> Queue:
    return Queue.create(name_of("posix"), 4096)


@pytest.mark.parametrize("timeout", [None, 60])
def test_other_threads_run_meanwhile(queue: Queue, name_of: Namer, timeout: float | None) -> None:
    def send() -> None:
        queue.send(b"go")

    for wait in (
        lambda: queue.recv(timeout=timeout),
        lambda: queue.recv_into(bytearray(9), timeout=timeout),
        lambda: queue.recv_many(2, timeout=timeout),
    ):
        others_run(wait, send)
    with suppress(BlockingIOError):
        while True:
            queue.send(bytes(64), timeout=0)
    others_run(lambda: queue.send(bytes(64), timeout=timeout) or True, lambda: queue.recv_many(1000))
    name = name_of("posix")
    with Topic.create(name) as topic, Subscriber.open(name) as subscriber:
        others_run(lambda: subscriber.recv(timeout=timeout), lambda: topic.publish(b"go"))
    name = name_of("posix")
    with Service.create(name) as service, Client.open(name) as client:
        others_run(lambda: client.call(b"?", timeout=timeout), lambda: service.recv().reply(b"!"))


@pytest.mark.parametrize("timeout", [None, 60, 0.002])
def test_a_storm_of_signals_loses_nothing(queue: Queue, timeout: float | None) -> None:
    count, got = 2000, []

    def feed() -> None:
        for number in range(count):
            queue.send(number.to_bytes(8, "little"))
            if number % 8 == 0:
                time.sleep(0.001)

    feeder = threading.Thread(target=feed)
    with Storm() as storm:
        feeder.start()
        while len(got) < count:
            with suppress(TimeoutError):
                got.append(int.from_bytes(queue.recv(timeout=timeout), "little"))
        feeder.join()
    assert got == list(range(count))
    assert storm.signals > 20


def test_a_signal_does_not_prolong_a_timeout(queue: Queue) -> None:
    with Storm():
        started = time.monotonic()
        with pytest.raises(TimeoutError):
            queue.recv(timeout=0.2)
    assert 0.19 < time.monotonic() - started < 5


def together(works: list[object]) -> None:
    failures: list[BaseException] = []

    def guarded(work: object) -> None:
        try:
            work()  # type: ignore[operator]
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=guarded, args=(work,), daemon=True) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    assert not failures


def test_eight_threads_on_one_queue(queue: Queue) -> None:
    each, got = 500, []

    def send(me: int) -> None:
        for number in range(each):
            queue.send(bytes([me]) + number.to_bytes(4, "little"))

    def receive() -> None:
        for _ in range(each):
            got.append(queue.recv())

    together([*(lambda me=me: send(me) for me in range(4)), *[receive] * 4])
    assert Counter(message[0] for message in got) == dict.fromkeys(range(4), each)
    assert len(set(got)) == 4 * each


def test_eight_threads_with_loans(queue: Queue) -> None:
    each, got = 100, []

    def send(me: int) -> None:
        for number in range(each):
            with queue.reserve(5) as view:
                view[:] = bytes([me]) + number.to_bytes(4, "little")

    def receive() -> None:
        for _ in range(each):
            with queue.peek() as view:
                got.append(bytes(view))

    together([*(lambda me=me: send(me) for me in range(4)), *[receive] * 4])
    assert len(set(got)) == 4 * each


def test_eight_threads_on_one_client_and_one_service(name_of: Namer) -> None:
    name, each = name_of("posix"), 60
    with Service.create(name) as service, Client.open(name) as client:

        def serve() -> None:
            for _ in range(each):
                question = service.recv()
                question.reply(question.data * 2)

        def ask(me: int) -> None:
            for number in range(each):
                text = f"{me}-{number};".encode()
                assert client.call(text) == text * 2

        together([*[serve] * 4, *(lambda me=me: ask(me) for me in range(4))])


def test_closing_ends_the_wait_of_who_waits_for_a_turn(queue: Queue) -> None:
    queue.send(b"lent")
    loan = queue.peek()
    outcome: list[BaseException] = []

    def receive() -> None:
        try:
            queue.recv()
        except ValueError as error:
            outcome.append(error)

    waiter = threading.Thread(target=receive, daemon=True)
    waiter.start()
    time.sleep(0.05)
    queue.close()
    del loan
    waiter.join(30)
    assert not waiter.is_alive() and "closed" in str(outcome[0])
