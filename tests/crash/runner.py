# SPDX-License-Identifier: MIT OR Apache-2.0
"""What the runners of crash/ and inject/ share: the test program, namespaces of their own, counting."""

import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", TESTS.parent / "target"))
LIMIT = 600  # seconds: a watchdog for one call of the test program


def isolate() -> None:
    """Starts this program again in namespaces of its own, unless somebody has put it into some already."""
    if "UNIPC_ISOLATED" not in os.environ:
        way = TESTS / "scripts" / "isolate"
        os.execv(way, [str(way), sys.executable, *sys.argv])


def program(name: str) -> Path:
    """A cargo binary of the tests: from UNIPC_BIN_DIR, or else the release or the debug build."""
    places = [TARGET / profile for profile in ("release", "debug")]
    if given := os.environ.get("UNIPC_BIN_DIR"):
        places = [Path(given)]
    for place in places:
        if (place / name).exists():
            return place / name
    sys.exit(f"{name} is not built: cargo build --release -p unipc-tests --bin {name}")


@dataclass(frozen=True)
class Call:
    """A call of the test program that has ended: its name, what it said, and its status."""

    what: str  # no places of this machine
    text: str
    status: int | None  # None: it did not end


def complete(*command: object, isolated: bool = False) -> Call:
    """Runs the test program to its end; in namespaces of its own if others run meanwhile."""
    way = [str(TESTS / "scripts" / "isolate")] if isolated else []
    what = " ".join(word.name if isinstance(word, Path) else str(word) for word in command[1:])
    process = subprocess.Popen([*way, *map(str, command)], stdout=subprocess.PIPE, text=True)
    try:
        text, _ = process.communicate(timeout=LIMIT)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return Call(what, "", None)
    return Call(what, text, process.returncode)


def side_by_side(commands: Iterable[Sequence[object]], *, more: int = 0) -> Iterator[Call]:
    """Runs them all, as many at once as there are processors, and `more`; in their order.

    One after the other where there are no namespaces to keep them apart.
    """
    together = 1 if os.environ.get("UNIPC_ISOLATED") == "none" else (os.cpu_count() or 1) + more
    with ThreadPoolExecutor(together) as pool:
        yield from pool.map(lambda command: complete(*command, isolated=together > 1), commands)


class Count:
    """Verdicts, printed as they come: PASS, FAIL or SKIP, what, and why."""

    def __init__(self) -> None:
        self.of = dict.fromkeys(("PASS", "FAIL", "SKIP"), 0)

    def say(self, line: str) -> None:
        word = line.partition(" ")[0]
        if word in self.of:
            self.of[word] += 1
        print(line, flush=True)

    def call(self, *command: object) -> Iterator[str]:
        """Runs the test program and yields its lines; dying, or saying nothing, is a failure."""
        return self.lines(complete(*command))

    def lines(self, call: Call) -> Iterator[str]:
        """As `call`, of one that has ended."""
        if call.status is None:
            self.say(f"FAIL {call.what}: stopped after {LIMIT} s")
            return
        before = dict(self.of)
        yield from call.text.splitlines()
        new_failures = self.of["FAIL"] - before["FAIL"]
        if self.of == before or (call.status != 0 and not new_failures):
            self.say(f"FAIL {call.what}: exit status {call.status}")

    def close(self) -> int:
        """Prints the closing line; the exit status."""
        print(f"{self.of['PASS']} passed, {self.of['FAIL']} failed, {self.of['SKIP']} skipped", flush=True)
        return int(self.of["FAIL"] > 0 or not self.of["PASS"])
