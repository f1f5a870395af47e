#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""run.py [ROOM] [WORD...]: plants one fault after the other and sees whether tests fail.

Without ROOM (sync, channel) the faults of all rooms; with WORDs those that have one of them in what they say. The
faults are in faults.py and faults_channel.py. The sources are copied, so the working tree stays as it is. For each
fault the tests of the room run first, then, while they pass, the models, and deaths at some of the instructions of some
operations. A fault is caught when one of them fails, or does not come to its end. The last line tells how many were.
"""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import faults
import faults_channel
from faults import Fault

ROOT = Path(__file__).resolve().parents[2]
PLACE = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "planted"
TREE, TARGET = PLACE / "tree", PLACE / "target"
CARGO = os.environ.get("CARGO", "cargo")
# A watchdog for one command: what hangs is caught.
LIMIT = 600
MODELS = [CARGO, "test", "--quiet", "--package", "unipc-tests", "--test", "models", "--"]
CRASH = [CARGO, "build", "--quiet", "--package", "unipc-tests", "--bin", "crash"]


@dataclass(frozen=True)
class Room:
    """A room's faults, and what may catch them."""

    faults: list[Fault]
    # Targets of the core's tests, beside the unit tests.
    tests: tuple[str, ...]
    # What the names of its models begin with.
    models: str
    # Arguments of the crash program, one run each.
    deaths: tuple[tuple[str, ...], ...]


ROOMS = {
    "sync": Room(
        faults.FAULTS,
        ("sync", "sync_mutex"),
        "locks::",
        tuple(
            ("sync", operation, "30")
            for operation in (
                "mutex lock unlock",
                "rwlock read",
                "rwlock write",
                "semaphore acquire release",
                "barrier wait",
                "once",
            )
        ),
    ),
    "channel": Room(
        faults_channel.FAULTS,
        ("channel_queue", "channel_topic", "channel_doorbell", "channel_storm", "channel_hostile"),
        "channel::",
        (),
    ),
}


def copy() -> None:
    """Copies what git knows of, where it differs, so that cargo builds only what has changed."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in listed.split("\0"):
        source, copied = ROOT / name, TREE / name
        if not name or not source.is_file():
            continue
        if not copied.exists() or source.read_bytes() != copied.read_bytes():
            copied.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, copied)


def plant(fault: Fault) -> dict[Path, str]:
    """Gives what the files were before."""
    before: dict[Path, str] = {}
    for name, right, wrong in fault.edits:
        path = TREE / "core" / "src" / name
        text = path.read_text()
        before.setdefault(path, text)
        if text.count(right) != 1:
            sys.exit(f"{fault.what}: the text is there {text.count(right)} times in {name}:\n{right}")
        path.write_text(text.replace(right, wrong))
    return before


def passes(command: list[str | Path], limit: float | None = LIMIT) -> bool:
    environment = dict(os.environ, CARGO_TARGET_DIR=str(TARGET), CARGO_INCREMENTAL="0", RUSTFLAGS="-Awarnings")
    # In a session of its own, so that what it has started ends with it.
    process = subprocess.Popen(
        command,
        cwd=TREE,
        env=environment,
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        return process.wait(limit) == 0
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, 9)
        process.wait()
        return False


def build(command: list[str | Path]) -> None:
    if not passes(command, None):
        sys.exit("it does not compile: look at it with `cargo test` in " + str(TREE))


def catcher(room: Room) -> str | None:
    """What fails, if anything does."""
    tests: list[str | Path] = [CARGO, "test", "--quiet", "--package", "unipc", "--lib"]
    tests.extend(word for test in room.tests for word in ("--test", test))
    build([*tests, "--no-run"])
    if not passes(tests):
        return "the tests of the room"
    build([*MODELS[:-1], "--no-run"])
    if not passes([*MODELS, room.models]):
        return "the models"
    if room.deaths:
        build([*CRASH])
    for deaths in room.deaths:
        if not passes([TARGET / "debug" / "crash", *deaths]):
            return f"deaths in {deaths[1]}"
    return None


def main() -> int:
    if "UNIPC_ISOLATED" not in os.environ:
        way = ROOT / "tests" / "scripts" / "isolate"
        os.execv(way, [str(way), sys.executable, *sys.argv])
    arguments = sys.argv[1:]
    rooms = [arguments.pop(0)] if arguments and arguments[0] in ROOMS else list(ROOMS)
    words = arguments or [""]
    copy()
    tried = missed = 0
    for name in rooms:
        room = ROOMS[name]
        wanted = [fault for fault in room.faults if any(word in fault.what for word in words)]
        if wanted and (found := catcher(room)):
            sys.exit(f"without any fault {found} fail")
        caught = 0
        for fault in wanted:
            before = plant(fault)
            found = catcher(room)
            for path, text in before.items():
                path.write_text(text)
            caught += found is not None
            print(f"caught by {found}: {fault.what}" if found else f"NOT CAUGHT: {fault.what}", flush=True)
        print(f"{name}: {caught} of {len(wanted)} planted faults caught")
        tried += len(wanted)
        missed += len(wanted) - caught
    print(f"{tried - missed} of {tried} planted faults caught")
    return 0 if missed == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
