# SPDX-License-Identifier: MIT OR Apache-2.0
"""Readers and writers: two numbers that a writer changes together, and that readers must find equal.

Run several of `sync_library NAME reader ROUNDS` and `sync_library NAME writer ROUNDS`, in any languages.
"""

from common import run, say

from unipc import RwLock, SharedMemory


def work(name: str, role: str, rounds: str) -> None:
    shm = SharedMemory.open_or_create(name, 8192)
    lock = RwLock(shm)
    different = 0
    for _ in range(int(rounds)):
        with lock.write() if role == "writer" else lock.read():
            if role == "writer":
                shm.store_u32(6144, shm.load_u32(6144) + 1)
                shm.store_u32(6148, shm.load_u32(6148) + 1)
            different += shm.load_u32(6144) != shm.load_u32(6148)
    say(f"{different} times different")


run(work, "sync_library NAME reader|writer ROUNDS")
