#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""run.py [ROOM] [WORD...]: plants one fault after the other and sees whether tests fail.

Without ROOM (sync, channel, service) the faults of all rooms; with WORDs those that have one of them in what they say.
The faults are in faults.py, faults_channel.py and faults_service.py. The sources are copied, so the working tree stays
as it is. For each fault the tests of the room run first, then, while they pass, the models, and deaths at some of the
instructions of some operations. A fault is caught when one of them fails, or does not come to its end. The last line
tells how many were.
"""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import faults
import faults_channel
import faults_service
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
    # What the names of its models have in them.
    models: tuple[str, ...]
    # Arguments of the crash program, one run each.
    deaths: tuple[tuple[str, ...], ...]


ROOMS = {
    "sync": Room(
        faults.FAULTS,
        ("sync", "sync_mutex"),
        ("locks::",),
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
        ("channel::",),
        (),
    ),
    "service": Room(
        faults_service.FAULTS, ("channel_service", "channel_doorbell"), ("channel::calls::", "channel::direct::"), ()
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


def misfits(fault: Fault) -> list[str]:
    """Its texts that are not once in the sources."""
    told = []
    for name, right, _ in fault.edits:
        count = (ROOT / "core" / "src" / name).read_text().count(right)
        if count != 1:
            told.append(f"{fault.what}: the text is there {count} times in {name}:\n{right}")
    return told


def plant(fault: Fault) -> dict[Path, str]:
    """Gives what the files were before."""
    before: dict[Path, str] = {}
    for name, right, wrong in fault.edits:
        path = TREE / "core" / "src" / name
        text = path.read_text()
        before.setdefault(path, text)
        path.write_text(text.replace(right, wrong))
    return before


def failure(command: list[str | Path], limit: float | None = LIMIT) -> str | None:
    """The first test that fails, or what happens instead; None when all is well."""
    environment = dict(os.environ, CARGO_TARGET_DIR=str(TARGET), CARGO_INCREMENTAL="0", RUSTFLAGS="-Awarnings")
    # In a session of its own, so that what it has started ends with it.
    process = subprocess.Popen(
        command,
        cwd=TREE,
        env=environment,
        start_new_session=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        errors="replace",
    )
    try:
        said, _ = process.communicate(timeout=limit)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, 9)
        process.communicate()
        return "a watchdog"
    if process.returncode == 0:
        return None
    failed = re.search(r"^failures:\n {4}(\S+)", said, re.MULTILINE)
    return failed[1] if failed else f"status {process.returncode}"


def build(command: list[str | Path]) -> None:
    if failure(command, None):
        sys.exit("it does not compile: look at it with `cargo test` in " + str(TREE))


def catcher(room: Room) -> str | None:
    """What fails, if anything does."""
    tests: list[str | Path] = [CARGO, "test", "--quiet", "--package", "unipc", "--lib"]
    tests.extend(word for test in room.tests for word in ("--test", test))
    build([*tests, "--no-run"])
    if failed := failure(tests):
        return f"the tests of the room ({failed})"
    build([*MODELS[:-1], "--no-run"])
    if failed := failure([*MODELS, *room.models]):
        return f"the models ({failed})"
    if room.deaths:
        build([*CRASH])
    for deaths in room.deaths:
        if failed := failure([TARGET / "debug" / "crash", *deaths]):
            return f"deaths in {deaths[1]} ({failed})"
    return None


def main() -> int:
    if "UNIPC_ISOLATED" not in os.environ:
        way = ROOT / "tests" / "scripts" / "isolate"
        os.execv(way, [str(way), sys.executable, *sys.argv])
    arguments = sys.argv[1:]
    rooms = [arguments.pop(0)] if arguments and arguments[0] in ROOMS else list(ROOMS)
    words = arguments or [""]
    chosen = {name: [it for it in ROOMS[name].faults if any(word in it.what for word in words)] for name in rooms}
    if outdated := [told for wanted in chosen.values() for fault in wanted for told in misfits(fault)]:
        sys.exit("\n".join(outdated))
    copy()
    tried = missed = 0
    for name in rooms:
        room, wanted = ROOMS[name], chosen[name]
        if wanted and (found := catcher(room)):
            sys.exit(f"without any fault there is a failure: {found}")
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
