#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""Lets every system call of every operation fail in turn, over each backing and in each room, and prints how often.

After each failure: an error with that errno, or success by another way; no descriptor, mapping or name left, the
object as it was. Then the C programs under valgrind.

run.py [--all] [--no-valgrind]      --all prints which calls failed in each operation
run.py --room ROOM [--all]          that room alone; shm is the one with the backings
"""

import argparse
import re
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "crash"))
import runner
import valgrind

BACKINGS = ("posix", "file", "sysv", "memfd", "anon")
# Helper threads of this room stay for a second after each run; so it is shared out.
SLEEPY, SHARES = "poll", 3
LINE = re.compile(r"(PASS|FAIL) inject (\w+) (.+): (\d+) injections into ([\w ]*)")


def table(cells: dict[tuple[str, str], str]) -> str:
    """Operations down, backings across; how many injections, all of which went well, or FAIL."""
    operations = dict.fromkeys(operation for operation, _ in cells)
    width = max(map(len, operations), default=0)
    lines = [" " * width + "".join(f"{backing:>8}" for backing in BACKINGS)]
    for operation in operations:
        row = (cells.get((operation, backing), "-") for backing in BACKINGS)
        lines.append(f"{operation:<{width}}" + "".join(f"{cell:>8}" for cell in row))
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--no-valgrind", action="store_true")
    parser.add_argument("--room")
    arguments = parser.parse_args()
    runner.isolate()

    crash = runner.program("crash")
    count = runner.Count()
    known = subprocess.run([crash, "rooms"], stdout=subprocess.PIPE, text=True, check=True).stdout.split()
    chosen = [arguments.room] if arguments.room else ["shm", *known]
    # What mostly sleeps comes first, beside as many others as there are processors.
    calls: list[tuple[object, ...]] = []
    calls += [("inject-room", SLEEPY, share, SHARES) for share in range(SHARES) if SLEEPY in chosen]
    calls += [("inject-room", room) for room in chosen if room not in ("shm", SLEEPY)]
    calls += [("inject", backing) for backing in BACKINGS if "shm" in chosen]
    cells: dict[tuple[str, str], str] = {}
    total = 0
    for call in runner.side_by_side([(crash, *call) for call in calls], more=SHARES):
        for line in count.lines(call):
            if match := LINE.match(line):
                verdict, place, operation, injections, _ = match.groups()
                cells[operation, place] = injections if verdict == "PASS" else "FAIL"
                total += int(injections)
            if arguments.all or not line.startswith("PASS"):
                count.say(line)
            else:
                count.of["PASS"] += 1
    for control in ("inject", "inject-room"):
        for line in count.call(crash, "control", control):
            count.say(line)
    print(f"\nInjected failures, all of them handled ({total}):")
    print(f"{table({cell: text for cell, text in cells.items() if cell[1] in BACKINGS})}\n")
    for (operation, room), text in cells.items():
        if room not in BACKINGS:
            print(f"{room:<8}{operation:<40}{text:>8}")
    print()
    if not arguments.no_valgrind and not arguments.room:
        valgrind.run(count)
    return count.close()


if __name__ == "__main__":
    sys.exit(main())
