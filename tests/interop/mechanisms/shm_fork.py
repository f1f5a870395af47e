# SPDX-License-Identifier: MIT OR Apache-2.0
"""M02, an anonymous mapping over fork: parent and child are one program, each by its own means.

L there means plain code on the mapping: a plain parent makes it without the library, a plain
child uses its address.
"""

import mmap
import os

from scene import LARGE, PEOPLE, Skip

from .shm_exchange import SIZES


def fork(scene):
    """The parent fills the memory, the child finds that and fills it anew, the parent finds that."""
    parent, child = scene.cell.parties
    host = parent if child == "L" else child
    if parent == "L" and host != "L":
        plain_mappings_have_descriptors()
    changed = PEOPLE[:4] + (100).to_bytes(4, "little") + PEOPLE[8:]  # the child makes the first age 100
    for repetition in scene.repetitions():
        agent = scene.start(host)
        for size in SIZES + ((LARGE,) if repetition == 0 else ()):
            block = scene.vector(size)
            reply = changed if block == PEOPLE else bytes(255 - byte for byte in block)
            got = agent.do("fork", parent=parent, child=child, size=size, hex=block.hex(), reply=reply.hex())
            wanted = f"child {block.hex()} same parent {reply.hex()} same"
            scene.equal(got, wanted, f"{size} bytes")


def plain_mappings_have_descriptors():
    """A library child reaches a plain mapping through /proc/self/map_files, which the kernel gives to root alone."""
    with mmap.mmap(-1, 1), open("/proc/self/maps") as maps:
        line = next(line for line in maps if "/dev/zero" in line)
        try:
            os.close(os.open(f"/proc/self/map_files/{line.split()[0]}", os.O_RDWR))
        except PermissionError:
            raise Skip("needs root: /proc/self/map_files gives the child a descriptor of the plain mapping") from None


SCENARIOS = {"M02": fork}
