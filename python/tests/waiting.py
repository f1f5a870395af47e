# SPDX-License-Identifier: MIT OR Apache-2.0
"""What every call that waits has to stand: Ctrl-C, other threads, a storm of signals."""

import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable
from pathlib import Path

WATCHDOG = 30  # seconds


def asleep(pid: int) -> None:
    """Returns when the process sleeps in a system call."""
    status = Path(f"/proc/{pid}/status")
    deadline = time.monotonic() + WATCHDOG
    while "State:\tS" not in status.read_text():
        assert time.monotonic() < deadline, f"process {pid} does not wait"
        time.sleep(0.001)


def interrupt(program: str) -> float:
    """Sends SIGINT to a program that blocks after it has said `print("READY", flush=True)`.

    The program must end by KeyboardInterrupt; returns how many seconds that took.
    """
    child = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert child.stdout is not None and child.stdout.readline() == "READY\n"
        asleep(child.pid)
        started = time.monotonic()
        child.send_signal(signal.SIGINT)
        _, errors = child.communicate(timeout=WATCHDOG)
        seconds = time.monotonic() - started
    finally:
        child.kill()
        child.wait()
    assert "KeyboardInterrupt" in errors, errors
    return seconds


def others_run(wait: Callable[[], object], release: Callable[[], object]) -> None:
    """`wait` blocks in a thread of its own until `release`; this thread must run meanwhile."""
    outcome: list[object] = []
    waiter = threading.Thread(target=lambda: outcome.append(wait()), daemon=True)
    waiter.start()
    rounds = 0
    end = time.monotonic() + 0.05
    while time.monotonic() < end:
        rounds += 1
    assert waiter.is_alive() and rounds > 100, "the wait holds the interpreter, or did not wait"
    release()
    waiter.join(WATCHDOG)
    assert outcome, "the waiter was not released"


class Storm:
    """SIGALRM a thousand times a second, with a Python handler; for the main thread."""

    def __enter__(self) -> "Storm":
        self.signals = 0
        self.before = signal.signal(signal.SIGALRM, self.count)
        signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
        return self

    def count(self, *_: object) -> None:
        self.signals += 1

    def __exit__(self, *_: object) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, self.before)
