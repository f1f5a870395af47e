# SPDX-License-Identifier: MIT OR Apache-2.0
"""M01, a mapped file, and the same with Python's mmap module and with bash at one end."""

import mmap
import os

from cells import both_ways
from scene import PEOPLE

from .shm_exchange import exchange

HALF = len(PEOPLE) // 2  # the documents' program makes its file this long and writes twice as much
MAP_BEYOND_THE_END = "LCPR"  # the others map, or read, exactly the file


class Place:
    def __init__(self, scene):
        self.path = scene.path("mapped")

    def name(self, _party):
        return f"file:{self.path}"

    def clean(self):
        """The agents remove the file."""


def assertions(scene, writer, reader):
    if writer.party in MAP_BEYOND_THE_END and reader.party in MAP_BEYOND_THE_END:
        records_beyond_the_end(scene, writer, reader)
    truncated_under_the_reader(scene, writer, reader)


def records_beyond_the_end(scene, writer, reader):
    """Ten records in a file of five: seen by whoever maps it, lost when the page is written back."""
    for _ in range(3):  # the kernel may write back whenever it likes
        place = Place(scene)
        name = place.name(None)
        writer.do("create", name=name, size=HALF)
        writer.do("close")
        writer.do("open", name=name, slack=1)
        writer.do("write", at=0, hex=PEOPLE.hex())
        reader.do("open", name=name, slack=1)
        while_mapped = bytes.fromhex(reader.do("read", at=0, size=len(PEOPLE)))
        writer.do("close")
        after_unmap = bytes.fromhex(reader.do("read", at=0, size=len(PEOPLE)))
        scene.equal(place.path.stat().st_size, HALF, "size of the file")
        write_back(place.path)
        on_disk = bytes.fromhex(reader.do("read", at=0, size=len(PEOPLE)))
        reader.do("close")
        reader.do("remove", name=name)
        if while_mapped == after_unmap == PEOPLE:
            break
    scene.equal(while_mapped, PEOPLE, "records while the writer has them mapped")
    scene.equal(after_unmap, PEOPLE, "records after the writer's munmap")
    wanted = PEOPLE[:HALF] + bytes(HALF) if loses_the_tail(scene) else PEOPLE
    scene.equal(on_disk, wanted, "records after write-back")


def write_back(path):
    with open(path, "rb") as file:
        os.fsync(file.fileno())


def loses_the_tail(scene):
    """Whether write-back clears what lies behind the end of the file here (disk file systems; not tmpfs)."""
    path = scene.path("tail")
    path.write_bytes(bytes(len(PEOPLE)))
    with open(path, "r+b") as file, mmap.mmap(file.fileno(), len(PEOPLE)) as memory:
        os.truncate(path, HALF)
        memory[:] = PEOPLE
        os.fsync(file.fileno())
        lost = memory[HALF:] == bytes(HALF)
    path.unlink()
    return lost


def truncated_under_the_reader(scene, writer, reader):
    """A library reader gets an error or the truth; plain mappings die of SIGBUS; a descriptor reads less."""
    place = Place(scene)
    name, block = place.name(None), scene.vector(4096).hex()
    writer.do("create", name=name, size=8192)
    writer.do("fill", hex=block)
    reader.do("open", name=name)
    scene.equal(reader.do("match", hex=block), "same", "before the truncation")
    os.truncate(place.path, 100)
    if reader.party in "CPR":
        scene.equal(reader.fails("read", at=4096, size=16), "EFAULT", "reading what was cut off")
        scene.equal(
            bytes.fromhex(reader.do("read", at=0, size=100)), bytes.fromhex(block)[:100], "reading what is left"
        )
        reader.do("close")
    elif reader.party in ("L", "MM"):
        scene.dies_of_sigbus(reader, "read", at=4096, size=16)
    else:
        scene.equal(reader.do("read", at=4096, size=16), "", "reading what was cut off")
        reader.do("close")
    if writer.party in "CPR":
        scene.equal(writer.fails("write", at=4096, hex="00"), "EFAULT", "writing what was cut off")
    writer.do("close")
    writer.do("remove", name=name)


SCENARIOS = {"M01": exchange(Place, assertions), "FILE": exchange(Place, assertions)}
EXTENSIONS = [
    cell for other in ("MM", "SH") for cell in both_ways("FILE", "mapped file, other programs", other, 1, "shm", True)
]
