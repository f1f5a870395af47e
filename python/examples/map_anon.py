# SPDX-License-Identifier: MIT OR Apache-2.0
"""Parent and child share memory that has no name: the child inherits it by fork.

Run `map_anon.py`. The child prints the five ages that the parent has written, then changes the
first one to 100; three seconds later the parent prints that 100, `umap` and `umap ok`.
"""

import os

from common import PEOPLE, pause, people, read_people, run, say, wait_for

from unipc import SharedMemory

# Behind the ten records, a word that says when they are written.
READY = 10 * PEOPLE.size


def child(shm: SharedMemory) -> None:
    pause(2)
    wait_for(shm, READY, 1)
    for i in range(5):
        _, age = read_people(shm, i)
        say(f"child read: the {i + 1} people's age is {age}")
    shm.write_at(0, PEOPLE.pack(b"b", 100))


def parent(shm: SharedMemory, child: int) -> None:
    for i in range(5):
        shm.write_at(i * PEOPLE.size, people(i))
    shm.store_u32(READY, 1)
    pause(5)
    os.waitpid(child, 0)
    _, age = read_people(shm, 0)
    say(f"parent read: the first people,s age is {age}")
    say("umap")
    shm.close()
    say("umap ok")


def experiment() -> None:
    shm = SharedMemory.create("anon:", READY + 4)
    pid = os.fork()
    if pid == 0:
        child(shm)
    else:
        parent(shm, pid)


run(experiment)
