# SPDX-License-Identifier: MIT OR Apache-2.0
"""Two processes in Python that are pinned, measured and set beside the machine's limits by the benchmark in C: its
functions call the loops of a transport that is written in Python."""

import ctypes
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from itertools import cycle, islice
from typing import Any

COMMANDER, SERVER = 0, 1
SAMPLES = 20000
WATCHDOG = 120  # seconds

_OPEN = ctypes.CFUNCTYPE(None, ctypes.c_size_t)
_ATTACH = ctypes.CFUNCTYPE(None, ctypes.c_int)
_LOOP = ctypes.CFUNCTYPE(None, ctypes.c_uint64)


class _Transport(ctypes.Structure):
    """`struct transport`."""

    _fields_ = (
        ("name", ctypes.c_char_p),
        ("open", _OPEN),
        ("attach", _ATTACH),
        ("ask", _LOOP),
        ("ask_timed", _LOOP),
        ("answer", _LOOP),
        ("pour", _LOOP),
        ("drink", _LOOP),
        ("detach", _ATTACH),
        ("copies_out", ctypes.c_int),
    )


class Skip(Exception):
    """Why a transport cannot be measured here."""


def _fatal(function: Callable[..., None]) -> Callable[..., None]:
    """What goes wrong in a callback ends its process: C cannot be told."""

    def guarded(*arguments: int) -> None:
        try:
            function(*arguments)
        except BaseException:
            traceback.print_exc()
            os._exit(1)

    return guarded


def messages_of(size: int) -> list[bytes]:
    """A few messages of which each differs from the others in all of its bytes."""
    count = 128 if size <= 1024 else 4
    return [(number.to_bytes(8, "little") + bytes([number + 1]) * size)[:size] for number in range(count)]


class Transport:
    """One way to send and receive. Subclasses set `send`, which takes bytes, and `receive`, which returns them."""

    name = ""
    send: Callable[[bytes], Any]
    receive: Callable[[], bytes]

    def open(self, size: int) -> None:
        """Before the fork."""

    def attach(self, role: int) -> None:
        """After it, in each process."""

    def detach(self, role: int) -> None:
        """Takes away what would be left behind."""

    def prepare(self, size: int) -> None:
        self.size = size
        self.messages = cycle(messages_of(size))
        self.open(size)

    # The order and all bytes of each message are checked.
    def ask(self, count: int) -> None:
        send, receive = self.send, self.receive
        for message in islice(self.messages, count):
            send(message)
            if receive() != message:
                raise AssertionError("another answer")

    def ask_timed(self, count: int) -> None:
        send, receive, now = self.send, self.receive, time.perf_counter_ns
        times = []
        for message in islice(self.messages, count):
            start = now()
            send(message)
            answer = receive()
            times.append(now() - start)
            if answer != message:
                raise AssertionError("another answer")
        harness.keep_samples(times)

    def answer(self, count: int) -> None:
        send, receive = self.send, self.receive
        for message in islice(self.messages, count):
            if receive() != message:
                raise AssertionError("another question")
            send(message)

    def pour(self, count: int) -> None:
        send = self.send
        for message in islice(self.messages, count):
            send(message)

    def drink(self, count: int) -> None:
        receive = self.receive
        for message in islice(self.messages, count):
            if receive() != message:
                raise AssertionError("another message")


def title(transport: Transport | type[Transport]) -> str:
    return f"Python: {transport.name}"


class Harness:
    """The benchmark in C as a library."""

    def __init__(self, path: str) -> None:
        self.library = ctypes.CDLL(path)
        self.library.nanoseconds.restype = ctypes.c_double
        self.library.nanoseconds.argtypes = [ctypes.c_double]
        self.library.prepare.argtypes = [ctypes.c_size_t]
        self.samples = (ctypes.c_uint32 * SAMPLES).in_dll(self.library, "samples")

    def keep_samples(self, times: list[int]) -> None:
        tick = self.library.nanoseconds(1.0)
        self.samples[: len(times)] = [int(time / tick) for time in times]

    def measure(self, transport: Transport, metric: str, size: int) -> None:
        """In this process and a child of it: prints the case's line."""
        self.library.prepare(size)
        self.library.limits_prepare()
        transport.prepare(size)
        raw = _Transport(
            title(transport).encode(),
            _OPEN(0),
            _ATTACH(_fatal(transport.attach)),
            *[
                _LOOP(_fatal(loop))
                for loop in (transport.ask, transport.ask_timed, transport.answer, transport.pour, transport.drink)
            ],
            _ATTACH(_fatal(transport.detach)),
            0,
        )
        self.library.pair_open()
        commander = os.getpid()
        child = os.fork()
        if child == 0:
            self.library.pair_serve(ctypes.byref(raw), commander)
        self.library.pair_command(ctypes.byref(raw), child)
        getattr(self.library, f"measure_{metric.replace(' ', '_')}")(ctypes.byref(raw))

    def alone(self, make: Callable[[], Transport], metric: str, size: int) -> str | None:
        """Measures in a process of its own: whatever it leaves goes with it. Returns why it could not be measured."""
        sys.stdout.flush()
        child = os.fork()
        if child == 0:
            signal.alarm(WATCHDOG)
            status = 0
            try:
                self.measure(make(), metric, size)
            except BaseException:
                traceback.print_exc()
                status = 1
            os._exit(status)
        _, status = os.waitpid(child, 0)
        return f"it ended with status {status:#x}" if status else None


harness = Harness(os.environ["UNIPC_BENCH_PAIR"])
