# SPDX-License-Identifier: MIT OR Apache-2.0
"""Waiting at message queues: Ctrl-C, other threads, a storm of signals, many threads on one handle."""

import threading
import time
from contextlib import suppress

import pytest
from test_mq import KINDS, Maker, fill, make, queue  # noqa: F401
from waiting import Storm, interrupt, others_run

from unipc import MessageQueue

PROGRAM = """
    import os, unipc
    kind, call, timeout = {kind!r}, {call!r}, {timeout!r}
    name = f"/unipc-test-mq-int-{{os.getpid()}}" if kind == "posix" else "sysv:private"
    with unipc.MessageQueue.create(name, remove_on_close=True) as queue:
        if call == "send":
            try:
                while True:
                    queue.send(bytes(64), timeout=0)
            except BlockingIOError:
                pass
        waits = {{
            "send": lambda: queue.send(bytes(64), timeout=timeout),
            "receive": lambda: queue.receive(timeout=timeout),
            "receive_into": lambda: queue.receive_into(bytearray(8192), timeout=timeout),
        }}
        print("READY", flush=True)
        waits[call]()
"""


@pytest.mark.parametrize("timeout", [None, 60])
@pytest.mark.parametrize("call", ["send", "receive", "receive_into"])
@pytest.mark.parametrize("kind", KINDS)
def test_ctrl_c_ends_every_wait(kind: str, call: str, timeout: float | None) -> None:
    interrupt(PROGRAM.format(kind=kind, call=call, timeout=timeout))


@pytest.mark.parametrize("timeout", [None, 60])
def test_other_threads_run_meanwhile(queue: MessageQueue, timeout: float | None) -> None:  # noqa: F811
    others_run(lambda: queue.receive(timeout=timeout), lambda: queue.send(b"go"))
    others_run(lambda: queue.receive_into(bytearray(64), timeout=timeout), lambda: queue.send(b"go"))
    fill(queue)

    def drain() -> None:
        while queue.messages:
            queue.receive()

    others_run(lambda: queue.send(bytes(64), timeout=timeout) or True, drain)


@pytest.mark.parametrize("timeout", [None, 60, 0.002])
def test_a_storm_of_signals_loses_nothing(queue: MessageQueue, timeout: float | None) -> None:  # noqa: F811
    count, got = 2000, []

    def feed() -> None:
        for number in range(count):
            if number % 500 == 0:
                time.sleep(0.01)  # lets the receiver wait
            queue.send(number.to_bytes(4, "little"))

    sender = threading.Thread(target=feed)
    with Storm() as storm:
        sender.start()
        while len(got) < count:
            try:
                got.append(int.from_bytes(queue.receive(timeout=timeout)[0], "little"))
            except TimeoutError:
                assert timeout == 0.002
        sender.join()
    assert got == list(range(count)) and storm.signals > 0


def test_eight_threads_on_one_handle(queue: MessageQueue) -> None:  # noqa: F811
    each = 500
    lists: list[list[bytes]] = [[] for _ in range(4)]

    def receive(into: list[bytes], timeout: float | None) -> None:
        while data := queue.receive(timeout=timeout)[0]:
            into.append(data)

    def send(start: int) -> None:
        for number in range(start, start + each):
            queue.send(number.to_bytes(4, "little"), timeout=60)

    receivers = [
        threading.Thread(target=receive, args=(into, timeout))
        for into, timeout in zip(lists, [None, None, 60, 60], strict=True)
    ]
    senders = [threading.Thread(target=send, args=(1 + each * number,)) for number in range(4)]
    for thread in receivers + senders:
        thread.start()
    for thread in senders:
        thread.join(60)
    for _ in receivers:
        queue.send(b"", timeout=60)
    for thread in receivers:
        thread.join(60)
    got = sorted(int.from_bytes(data, "little") for into in lists for data in into)
    assert got == list(range(1, 4 * each + 1))


def test_closing_lets_a_call_in_another_thread_finish(make: Maker) -> None:  # noqa: F811
    queue = MessageQueue.create("sysv:private")  # noqa: F811
    name, got = queue.name, []

    def wait() -> None:
        with suppress(ValueError):
            got.append(queue.receive())

    waiter = threading.Thread(target=wait)
    waiter.start()
    queue.close()
    with MessageQueue.open(name, remove_on_close=True) as other:
        other.send(b"for who waits")
        waiter.join(30)
    # The thread either waited already and got it, or found the handle closed.
    assert got in ([(b"for who waits", 1)], [])
