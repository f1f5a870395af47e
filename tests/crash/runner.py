# SPDX-License-Identifier: MIT OR Apache-2.0
"""What the runners of crash/ and inject/ share: the test program, namespaces of their own, counting."""

import os
import subprocess
import sys
from collections.abc import Iterator
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
    """A call of the test program that goes on, and the words that name it: no places of this machine."""

    what: str
    process: subprocess.Popen[str]


def begin(*command: object, isolated: bool = False) -> Call:
    """Starts the test program; in namespaces of its own if it must not be seen by others meanwhile."""
    way = [str(TESTS / "scripts" / "isolate")] if isolated else []
    what = " ".join(word.name if isinstance(word, Path) else str(word) for word in command[1:])
    return Call(what, subprocess.Popen([*way, *map(str, command)], stdout=subprocess.PIPE, text=True))


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
        return self.end(begin(*command))

    def end(self, call: Call) -> Iterator[str]:
        """As `call`, of one that was begun."""
        before = dict(self.of)
        try:
            text, _ = call.process.communicate(timeout=LIMIT)
        except subprocess.TimeoutExpired:
            call.process.kill()
            call.process.communicate()
            self.say(f"FAIL {call.what}: stopped after {LIMIT} s")
            return
        yield from text.splitlines()
        new_failures = self.of["FAIL"] - before["FAIL"]
        if self.of == before or (call.process.returncode != 0 and not new_failures):
            self.say(f"FAIL {call.what}: exit status {call.process.returncode}")

    def close(self) -> int:
        """Prints the closing line; the exit status."""
        print(f"{self.of['PASS']} passed, {self.of['FAIL']} failed, {self.of['SKIP']} skipped", flush=True)
        return int(self.of["FAIL"] > 0 or not self.of["PASS"])
