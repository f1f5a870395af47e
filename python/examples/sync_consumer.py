# SPDX-License-Identifier: MIT OR Apache-2.0
"""Takes the numbers that sync_producer puts into a box, and prints their sum.

Run `sync_producer NAME COUNT` and `sync_consumer NAME COUNT`, in any languages and any order.
"""

from common import run, say

from unipc import Condvar, Mutex, SharedMemory


def work(name: str, count: str) -> None:
    shm = SharedMemory.open_or_create(name, 4096)
    mutex = Mutex(shm)
    changed = Condvar(shm, 1024)
    total = 0
    for _ in range(int(count)):
        with mutex:
            total += changed.wait_for(mutex, lambda: shm.load_u32(2048))
            shm.store_u32(2048, 0)
            changed.notify_all()
    say(total)


run(work, "sync_consumer NAME COUNT")
