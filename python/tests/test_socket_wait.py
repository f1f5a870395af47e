# SPDX-License-Identifier: MIT OR Apache-2.0
"""Waiting at sockets: Ctrl-C, other threads, a storm of signals, many threads on one handle."""

import threading
import time

import pytest
from test_socket import KINDS, Pair, pair, stream  # noqa: F401
from waiting import Storm, interrupt, others_run

import unipc
from unipc import Listener, Socket

PROGRAM = """
    import unipc
    call, timeout = {call!r}, {timeout!r}
    one, other = unipc.Socket.pair({kind!r})
    listener = unipc.Listener.bind("unix:@", backlog=0)
    server = unipc.Socket.bind("unix:@")
    full = []
    def fill(send):
        try:
            while True:
                full.append(send())
        except BlockingIOError:
            pass
    if call.startswith("send"):
        fill(lambda: one.send(bytes(1000), timeout=0))
        fill(lambda: server.send_to(b"x", server.local_name, timeout=0))
    fill(lambda: unipc.Socket.connect(listener.local_name, timeout=0))
    idle = unipc.Listener.bind("unix:@")
    print("READY", flush=True)
    {{
        "send": lambda: one.send(bytes(1000), timeout),
        "send_all": lambda: one.send_all(bytes(1000), timeout),
        "send_large": lambda: one.send_all(bytes(150_000), timeout),
        "send_to": lambda: server.send_to(b"x", server.local_name, timeout),
        "send_message": lambda: one.send_message(bytes(1000), timeout=timeout),
        "recv": lambda: one.recv(timeout=timeout),
        "recv_into": lambda: one.recv_into(bytearray(10), timeout),
        "recv_exact": lambda: one.recv_exact(10, timeout),
        "recv_from": lambda: one.recv_from(timeout=timeout),
        "recv_message": lambda: one.recv_message(timeout=timeout),
        "recv_fds": lambda: unipc.recv_fds(one, timeout=timeout),
        "next_size": lambda: one.next_size(timeout),
        "accept": lambda: idle.accept(timeout),
        "connect": lambda: unipc.Socket.connect(listener.local_name, timeout),
    }}[call]()
"""
STREAM = ["send", "send_all", "send_large", "send_message", "recv", "recv_into", "recv_exact", "recv_from"]
STREAM += ["recv_message", "recv_fds", "next_size", "accept", "connect", "send_to"]
MESSAGES = ["send", "send_all", "send_message", "recv", "recv_message", "recv_fds", "next_size"]


@pytest.mark.parametrize("timeout", [None, 60])
@pytest.mark.parametrize(
    ("kind", "call"),
    [("stream", call) for call in STREAM] + [(kind, call) for kind in KINDS[1:] for call in MESSAGES],
)
def test_ctrl_c_ends_every_wait(kind: str, call: str, timeout: float | None) -> None:
    interrupt(PROGRAM.format(kind=kind, call=call, timeout=timeout))


def fill(socket: Socket) -> None:
    try:
        while True:
            socket.send(bytes(1000), timeout=0)
    except BlockingIOError:
        pass


def drain(socket: Socket) -> None:
    while socket.waiting:
        socket.recv()


@pytest.mark.parametrize("timeout", [None, 60])
def test_other_threads_run_meanwhile(pair: Pair, timeout: float | None) -> None:  # noqa: F811
    one, other = pair

    def go() -> int:
        return one.send(b"go")

    others_run(lambda: other.recv(timeout=timeout), go)
    others_run(lambda: other.recv_into(bytearray(8), timeout), go)
    others_run(lambda: other.recv_message(timeout=timeout), go)
    others_run(lambda: other.recv_from(timeout=timeout), go)
    others_run(lambda: unipc.recv_fds(other, timeout=timeout), lambda: unipc.send_fds(one, [0]))
    fill(one)
    others_run(lambda: one.send(bytes(1000), timeout), lambda: drain(other))
    fill(one)
    others_run(lambda: one.send_all(bytes(1000), timeout) or True, lambda: drain(other))
    with Listener.bind("unix:@") as listener:
        others_run(lambda: listener.accept(timeout), lambda: Socket.connect(listener.local_name))


def test_time_runs_out(pair: Pair) -> None:  # noqa: F811
    one, other = pair
    for wait in (other.recv, other.recv_from):
        with pytest.raises(BlockingIOError):
            wait(timeout=0)
        started = time.monotonic()
        with pytest.raises(TimeoutError):
            wait(timeout=0.02)
        assert time.monotonic() - started >= 0.02
    fill(one)
    for send in (one.send, one.send_all):
        with pytest.raises(TimeoutError):
            send(bytes(1000), 0.01)
        with pytest.raises(BlockingIOError):
            send(bytes(1000), 0)
    with pytest.raises(OSError, match="0 or more seconds"):
        one.recv(timeout=-1)


@pytest.mark.parametrize("timeout", [None, 60, 0.002])
def test_a_storm_of_signals_loses_nothing(pair: Pair, timeout: float | None) -> None:  # noqa: F811
    one, other = pair
    count, got = 2000, []

    def feed() -> None:
        for number in range(count):
            if number % 500 == 0:
                time.sleep(0.01)  # lets the receiver wait
            one.send_all(number.to_bytes(4, "little"))

    sender = threading.Thread(target=feed)
    with Storm() as storm:
        sender.start()
        while len(got) < count:
            try:
                got.append(int.from_bytes(other.recv(4, timeout), "little"))
            except TimeoutError:
                assert timeout == 0.002
        sender.join()
    assert got == list(range(count)) and storm.signals > 0


@pytest.mark.parametrize("size", [1000, 300_000])
def test_a_storm_tears_no_stream(stream: Pair, size: int) -> None:  # noqa: F811
    one, other = stream
    pieces = [bytes([number]) * size for number in range(100)]
    got: list[bytes] = []

    def receive() -> None:
        for _ in pieces:
            time.sleep(0.001)
            got.append(other.recv_exact(size, timeout=60))

    receiver = threading.Thread(target=receive)
    with Storm() as storm:
        receiver.start()
        for piece in pieces:
            one.send_all(piece, 60)
        receiver.join()
    assert got == pieces and storm.signals > 0


def test_eight_threads_on_one_handle(pair: Pair) -> None:  # noqa: F811
    one, other = pair
    each = 300
    lists: list[list[bytes]] = [[] for _ in range(4)]

    def receive(mine: list[bytes]) -> None:
        while (piece := other.recv_exact(8) if other.kind == "stream" else other.recv(8)) != b"the end!":
            mine.append(piece)

    def send(number: int) -> None:
        for index in range(each):
            one.send_all(b"%d-%06d" % (number, index))

    # A stream has no boundaries: two that fill up what they want would share the pieces, so that one receives.
    receivers = 1 if one.kind == "stream" else 4
    threads = [threading.Thread(target=receive, args=(lists[number],)) for number in range(receivers)]
    senders = [threading.Thread(target=send, args=(number,)) for number in range(4)]
    for thread in threads + senders:
        thread.start()
    for thread in senders:
        thread.join()
    for _ in threads:
        one.send_all(b"the end!")
    for thread in threads:
        thread.join()
    got = sorted(piece for mine in lists for piece in mine)
    assert got == sorted(b"%d-%06d" % (number, index) for number in range(4) for index in range(each))


def test_closing_while_others_wait(pair: Pair) -> None:  # noqa: F811
    one, other = pair
    outcome: list[bytes] = []
    waiter = threading.Thread(target=lambda: outcome.append(other.recv()))
    waiter.start()
    time.sleep(0.01)
    other.close()
    one.send(b"late")
    waiter.join(30)
    assert outcome == [b"late"] and other.closed
