# SPDX-License-Identifier: MIT OR Apache-2.0
"""Puts numbers into a box that has room for one, for sync_consumer to take out.

Run `sync_producer NAME COUNT` and `sync_consumer NAME COUNT`, in any languages and any order.
"""

from common import run

from unipc import Condvar, Mutex, SharedMemory


def work(name: str, count: str) -> None:
    shm = SharedMemory.open_or_create(name, 4096)
    mutex = Mutex(shm)
    changed = Condvar(shm, 1024)
    for number in range(1, int(count) + 1):
        with mutex:
            changed.wait_for(mutex, lambda: shm.load_u32(2048) == 0)
            shm.store_u32(2048, number)
            changed.notify_all()


run(work, "sync_producer NAME COUNT")
