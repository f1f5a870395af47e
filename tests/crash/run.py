#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""Kills processes that use the library, and looks at what their deaths leave.

storm   SIGKILL at random moments of create, open, write, resize, replace, unlink, over and over: the name then
        holds a complete object or none, can be used further, and nothing else is left
step    death before and after every single system call of each operation
sem     death before and after each system call of making a semaphore, while another process waits to open it
race    several processes create, open and unlink one name at once: one creates, all others get the same object
sync    death at every single instruction of the operations of locks in shared memory, and a storm on all of them
poll    death of those who poll, with their helpers: others are told, nothing of the dead stays, and what came for
        one who only waits, at a System V queue or with a descriptor that is armed, is there
record  death in what is done with cells, directories and arrays: values are whole, tables in order
channel death at each instruction of what is done with channels: fresh processes get through, nothing is lost
mixed   a storm on all locks with workers in C and in Python (mixed.py; by itself it kills 100,000)
control the same for a creator as textbooks have it, which must be caught
"""

import argparse
import os
import sys
from pathlib import Path

import runner

NAMED = ("posix", "file", "sysv")
NAMELESS = ("memfd", "anon")
LOCKS = ("mutex", "condvar", "rwlock", "semaphore", "barrier", "event", "once")
# The others of `crash channel` take minutes.
CHANNEL = (
    "create a queue",
    *("send", "send kept", "send in two", "send after", "recv", "commit", "release", "publish", "receive", "call"),
    *("call by the line", "serve by the line"),
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=2000, help="kills for each backing (2000)")
    parser.add_argument("--races", type=int, default=1000, help="rounds of each race (1000)")
    parser.add_argument(
        "--deaths", type=int, default=150, help="in each operation of a lock; 1000000: at every instruction"
    )
    parser.add_argument("--mixed", type=int, default=10000, help="kills of workers in C and in Python (10000)")
    parser.add_argument("--seed", type=int, default=1, help="makes the random choices come again (1)")
    arguments = parser.parse_args()
    runner.isolate()

    crash = runner.program("crash")
    count = runner.Count()
    # The longest first: it goes on beside all the others.
    stepped: list[tuple[object, ...]] = [("channel", operation) for operation in CHANNEL]
    stepped += [("sync", name, arguments.deaths) for name in LOCKS]
    stepped += [("step", backing) for backing in NAMED]
    stepped += [("sem",), ("record",), ("control", "sem"), ("control", "step"), ("control", "sync")]
    for call in runner.side_by_side([(crash, *call) for call in stepped]):
        for line in count.lines(call):
            count.say(line)
    # Those below have many processes at once by themselves.
    stormy: list[tuple[object, ...]] = [
        ("storm", backing, arguments.rounds, arguments.seed) for backing in NAMED + NAMELESS
    ]
    stormy += [("race", backing, arguments.races, arguments.seed) for backing in NAMED]
    stormy += [("control", "storm", min(arguments.rounds, 300), arguments.seed)]
    stormy += [("sync-storm", arguments.rounds, arguments.seed), ("poll", 400, arguments.seed)]
    for call in stormy:
        for line in count.call(crash, *call):
            count.say(line)
    python = Path(os.environ.get("UNIPC_VENV", runner.TARGET / "venv")) / "bin" / "python"
    for line in count.call(python, Path(__file__).with_name("mixed.py"), arguments.mixed, arguments.seed):
        count.say(line)
    return count.close()


if __name__ == "__main__":
    sys.exit(main())
