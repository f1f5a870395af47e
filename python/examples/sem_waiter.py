# SPDX-License-Identifier: MIT OR Apache-2.0
"""Waits at most so many seconds for a semaphore that another program holds; once it has it, it removes it.

Run `sem_holder.py NAME` in any language, then `sem_waiter.py NAME SECONDS`.
"""

from common import run, say

from unipc import Semaphore


def wait(name: str, seconds: str) -> None:
    semaphore = Semaphore.open(name)
    taken = semaphore.acquire(blocking=False)
    if not taken:
        say("somebody holds it")
        taken = semaphore.acquire(timeout=float(seconds))
    say("taken" if taken else "not in time")
    if taken:
        semaphore.remove()


run(wait, "sem_waiter NAME SECONDS")
