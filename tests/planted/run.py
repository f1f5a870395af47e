#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""run.py [WORD...]: plants one fault after the other (those with WORD in what they say) and sees whether tests fail.

The faults are in faults.py. The sources are copied, so the working tree stays as it is. For each fault the tests of
the room run first, then, while they pass, the models, and deaths at some of the instructions of some operations. A
fault is caught when one of them fails, or does not come to its end. The last line tells how many were.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from faults import FAULTS, Fault

ROOT = Path(__file__).resolve().parents[2]
PLACE = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "planted"
TREE, TARGET = PLACE / "tree", PLACE / "target"
CARGO = os.environ.get("CARGO", "cargo")
# A watchdog for one command: what hangs is caught.
LIMIT = 120
UNIT = [CARGO, "test", "--quiet", "--package", "unipc", "--lib", "--test", "sync", "--test", "sync_mutex"]
MODELS = [CARGO, "test", "--quiet", "--package", "unipc-tests", "--test", "models"]
CRASH = [CARGO, "build", "--quiet", "--package", "unipc-tests", "--bin", "crash"]
OPERATIONS = ("mutex lock unlock", "rwlock read", "rwlock write", "semaphore acquire release", "barrier wait", "once")
DEATHS = "30"


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


def passes(command: list[str | Path]) -> bool:
    environment = dict(os.environ, CARGO_TARGET_DIR=str(TARGET), RUSTFLAGS="-Awarnings")
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
        return process.wait(LIMIT) == 0
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, 9)
        process.wait()
        return False


def build(command: list[str]) -> None:
    if not passes([*command]):
        sys.exit("it does not compile: look at it with `cargo test` in " + str(TREE))


def catcher() -> str | None:
    """What fails, if anything does."""
    build([*UNIT, "--no-run"])
    if not passes(UNIT):
        return "the tests of the room"
    build([*MODELS, "--no-run"])
    if not passes(MODELS):
        return "the models"
    build(CRASH)
    for operation in OPERATIONS:
        if not passes([TARGET / "debug" / "crash", "sync", operation, DEATHS]):
            return f"deaths in {operation}"
    return None


def main() -> int:
    if "UNIPC_ISOLATED" not in os.environ:
        way = ROOT / "tests" / "scripts" / "isolate"
        os.execv(way, [str(way), sys.executable, *sys.argv])
    words = sys.argv[1:] or [""]
    wanted = [fault for fault in FAULTS if any(word in fault.what for word in words)]
    copy()
    if found := catcher():
        sys.exit(f"without any fault {found} fail")
    caught = 0
    for fault in wanted:
        before = plant(fault)
        found = catcher()
        for path, text in before.items():
            path.write_text(text)
        caught += found is not None
        print(f"caught by {found}: {fault.what}" if found else f"NOT CAUGHT: {fault.what}", flush=True)
    print(f"{caught} of {len(wanted)} planted faults caught")
    return 0 if caught == len(wanted) else 1


if __name__ == "__main__":
    sys.exit(main())
