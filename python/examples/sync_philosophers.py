# SPDX-License-Identifier: MIT OR Apache-2.0
"""One of five philosophers at a round table, each of whom needs the forks on both sides to eat.

Run five of `sync_philosophers NAME WHICH MEALS`, WHICH from 0 to 4, in any languages. Each fork is a mutex; who
takes the lower one first never closes a circle. Kill one: its forks come back to the others.
"""

from common import run, say

from unipc import Mutex, SharedMemory

FORKS = 5


def work(name: str, which: str, meals: str) -> None:
    one, other = int(which) % FORKS, (int(which) + 1) % FORKS
    shm = SharedMemory.open_or_create(name, 4096)
    lower, upper = (Mutex(shm, fork * Mutex.SIZE) for fork in sorted((one, other)))
    for _ in range(int(meals)):
        # A fork of a philosopher who died is as good as any.
        with lower.repair(), upper.repair():
            shm.add_u32(2048, 1)
    say(f"philosopher {one} has eaten")


run(work, "sync_philosophers NAME WHICH MEALS")
