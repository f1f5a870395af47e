# SPDX-License-Identifier: MIT OR Apache-2.0
"""Holds a semaphore until its standard input ends (Ctrl-D), as one holds a lock.

Run `sem_holder.py NAME`, and `sem_waiter.py NAME SECONDS` in any language beside it. /NAME is a POSIX semaphore,
sysv:0x1234 or sysv:PATH,1 a System V one. End the holder by `kill -9`: of the System V semaphore the
kernel gives back what it held; the POSIX one stays taken.
"""

import sys

from common import run, say

from unipc import Semaphore


def hold(name: str) -> None:
    with Semaphore.open_or_create(name, 1) as semaphore:
        say(f"holding {semaphore.name}, value {semaphore.value}")
        sys.stdin.read()
    say("given back")


run(hold, "sem_holder NAME")
