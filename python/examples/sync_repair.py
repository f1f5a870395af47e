# SPDX-License-Identifier: MIT OR Apache-2.0
"""Takes the mutex that sync_holder left, and mends the record if the holder was killed in the middle.

Run `sync_repair NAME` after `sync_holder NAME`, in any language.
"""

from common import run, say

from unipc import Mutex, SharedMemory


def work(name: str) -> None:
    shm = SharedMemory.open_or_create(name, 4096)
    mutex = Mutex(shm)
    with mutex.repair() as died:
        if died:
            say(f"the holder died: {shm.load_u32(1024)} and {shm.load_u32(1028)}")
            shm.store_u32(1028, shm.load_u32(1024))
        say(f"whole: {shm.load_u32(1024)} and {shm.load_u32(1028)}")


run(work, "sync_repair NAME")
