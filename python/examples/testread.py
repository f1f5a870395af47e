# SPDX-License-Identifier: MIT OR Apache-2.0
"""Reads ten records from the System V segment that testwrite has filled.

Run `touch /dev/shm/myshm2`, then `testwrite.py`, then `testread.py`; the writer may have ended long
ago. It prints `name:b`, `age 20` to `name:k`, `age 29`; ten empty records when nobody has written
yet.
"""

from common import read_people, run, say

from unipc import SharedMemory


def experiment() -> None:
    with SharedMemory.open_or_create("sysv:/dev/shm/myshm2,0", 4096) as shm:
        for i in range(10):
            name, age = read_people(shm, i)
            say(f"name:{name}")
            say(f"age {age}")


run(experiment)
