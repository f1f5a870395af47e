# SPDX-License-Identifier: MIT OR Apache-2.0
"""MEMFD, memory without a name: the other process inherits the descriptor through exec."""

import os

from cells import both_ways, square
from scene import LARGE

from .shm_exchange import SIZES, got, put, sized

TITLE = "memfd, inherited descriptor"


def make(scene, agent, size):
    """A new memfd of the agent's, as a descriptor of the runner's for the other agent to inherit."""
    number = sized(scene, agent, "create", size, name="memfd:interop", size=size)["fd"]
    return os.open(f"/proc/{agent.pid}/fd/{number}", os.O_RDWR)


def writer_first(scene):
    """The writer is gone before the reader starts; the descriptors keep the memory."""
    writer, made = scene.start(scene.cell.first), []
    for size in SIZES:
        made.append((make(scene, writer, size), size))
        put(scene, writer, size)
        writer.do("close")
    scene.finish(writer)
    reader = scene.start(scene.cell.second, [fd for fd, _ in made])
    for fd, size in made:
        sized(scene, reader, "open", size, fd=fd)
        got(scene, reader, size)
        reader.do("close")
        os.close(fd)
    scene.finish(reader)


def reader_first(scene, sizes):
    """The reader makes the memory, and sees what a writer that inherits it does."""
    reader = scene.start(scene.cell.second)
    for size in sizes:
        fd = make(scene, reader, size)
        scene.equal(reader.do("match", hex="00"), "same", f"{reader.party}: a new object is zeros")
        reader.is_waiting()
        if reader.party in "CPR":
            stays_whole(scene, fd)
        writer = scene.start(scene.cell.first, [fd])
        sized(scene, writer, "open", size, fd=fd)
        os.close(fd)
        put(scene, writer, size)
        writer.do("close")
        scene.finish(writer)
        got(scene, reader, size)
        reader.do("close")
    scene.finish(reader)


def stays_whole(scene, fd):
    """The library seals its memfd: nobody who has the descriptor can shrink it under the others."""
    try:
        os.ftruncate(fd, 0)
    except PermissionError:
        return
    scene.true(False, "a memfd of the library could be shrunk")


def memfd(scene):
    for repetition in scene.repetitions():
        writer_first(scene)
        reader_first(scene, SIZES + ((LARGE,) if repetition == 0 else ()))


SCENARIOS = {"MEMFD": memfd}
EXTENSIONS = [
    *square("MEMFD", TITLE, 1, "shm", extension=True),
    *both_ways("MEMFD", TITLE, "MM", 1, "shm", extension=True),
]
