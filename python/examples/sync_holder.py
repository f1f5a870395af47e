# SPDX-License-Identifier: MIT OR Apache-2.0
"""Changes a record of two numbers that must be equal, under a mutex, and stops in the middle.

Run `sync_holder NAME`, end it by `kill -9`, and run `sync_repair NAME` in any language: it is told that the
holder died, and mends the record. If instead its standard input ends (Ctrl-D), the holder finishes its work.
"""

import sys

from common import run, say

from unipc import Mutex, SharedMemory


def work(name: str) -> None:
    shm = SharedMemory.open_or_create(name, 4096)
    mutex = Mutex(shm)
    with mutex:
        shm.add_u32(1024, 1)
        say(f"holding: {shm.load_u32(1024)} and {shm.load_u32(1028)}")
        sys.stdin.read()
        shm.store_u32(1028, shm.load_u32(1024))
    say(f"done: {shm.load_u32(1024)} and {shm.load_u32(1028)}")


run(work, "sync_holder NAME")
