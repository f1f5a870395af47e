# SPDX-License-Identifier: MIT OR Apache-2.0
"""Locks one record of a file, writes it, and keeps it locked until Enter.

Run `lock_holder.py PATH NUMBER`, then `lock_waiter.py` with the same PATH and NUMBER in another terminal, in any
language: it waits. With another NUMBER it does not.
"""

import os

from common import PEOPLE, people, run, say

from unipc import FileLock


def hold(path: str, number: str) -> None:
    start = int(number) * PEOPLE.size
    lock = FileLock.open_or_create(f"file:{path}")
    with lock.locked(start=start, length=PEOPLE.size):
        os.pwrite(lock.fileno(), people(int(number)), start)
        say(f"record {number} is locked; Enter unlocks it")
        input()
        say("unlocked")


run(hold, "lock_holder.py PATH NUMBER")
