# SPDX-License-Identifier: MIT OR Apache-2.0
"""Writes ten records through a mapped file of five: the others live in the rest of its last page.

Run `map_normalfile1.py /tmp/test_shm`, and `map_normalfile2.py /tmp/test_shm` in another terminal
between the two lines. It prints ` initialize over `, ten seconds later `umap ok `. The file is 40
bytes long throughout.
"""

from common import PEOPLE, pause, people, run, say

from unipc import SharedMemory


def experiment(path: str) -> None:
    with SharedMemory.create(f"file:{path}", 5 * PEOPLE.size, replace=True, slack=True) as shm:
        for i in range(10):
            shm.write_at(i * PEOPLE.size, people(i))
        say(" initialize over \n ", end="")
        pause(10)
    say("umap ok ")


run(experiment, "map_normalfile1.py FILE")
