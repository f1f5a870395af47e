# SPDX-License-Identifier: MIT OR Apache-2.0
"""Reads the ten records that map_normalfile1 has written through a mapped file of five.

Run `map_normalfile2.py /tmp/test_shm` while `map_normalfile1.py /tmp/test_shm` runs, and again
later. It prints `name: b age 20;` to `name: k age 29;`. Records 6 to 10 are not in the file but in
the rest of its last page, and become empty when the kernel writes that page to disk (`sync`).
"""

from common import PEOPLE, read_people, run, say

from unipc import SharedMemory


def experiment(path: str) -> None:
    with SharedMemory.open(f"file:{path}", size=10 * PEOPLE.size, slack=True) as shm:
        for i in range(10):
            name, age = read_people(shm, i)
            say(f"name: {name} age {age};")


run(experiment, "map_normalfile2.py FILE")
