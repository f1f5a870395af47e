# SPDX-License-Identifier: MIT OR Apache-2.0
"""Adds to a counter that others add to as well, under a mutex: no addition is lost.

Run several at once, in any languages: `sync_counter NAME ROUNDS`, NAME being such as /counter. Remove it with
rm /dev/shm/NAME, or unipc_shm_unlink().
"""

from common import run, say

from unipc import Mutex, SharedMemory


def work(name: str, rounds: str) -> None:
    shm = SharedMemory.open_or_create(name, 4096)
    mutex = Mutex(shm)
    for _ in range(int(rounds)):
        with mutex:
            shm.store_u32(1024, shm.load_u32(1024) + 1)
    say(shm.load_u32(1024))


run(work, "sync_counter NAME ROUNDS")
