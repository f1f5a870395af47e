# SPDX-License-Identifier: MIT OR Apache-2.0
"""Waits until it can lock one record of a file, and makes the age in it one more.

Run it as `lock_waiter.py PATH NUMBER` after `lock_holder` with the same PATH, in any language.
"""

import os

from common import PEOPLE, run, say

from unipc import FileLock


def wait(path: str, number: str) -> None:
    start, size = int(number) * PEOPLE.size, PEOPLE.size
    lock = FileLock.open_or_create(f"file:{path}")
    if holder := lock.holder(start=start, length=size):
        say(f"bytes {holder.start} to {holder.start + (holder.length or 0) - 1} are locked")
    with lock.locked(start=start, length=size, timeout=60):
        name, age = PEOPLE.unpack(os.pread(lock.fileno(), size, start).ljust(size, b"\0"))
        age += 1
        say(f"name: {name.split(bytes(1))[0].decode()} age {age}")
        os.pwrite(lock.fileno(), PEOPLE.pack(name, age), start)


run(wait, "lock_waiter.py PATH NUMBER")
