# SPDX-License-Identifier: MIT OR Apache-2.0
"""M06, POSIX shared memory; with posix_ipc, multiprocessing, Python's mmap and bash at one end; block 5."""

import os
import pathlib
import stat

from cells import both_ways

from .shm_exchange import exchange


class Place:
    """The same object, spelled differently in turn: /name, posix:/name, and for libc also name."""

    def __init__(self, scene):
        self.word = scene.word()
        self.short = scene.repetition == 1

    def name(self, party):
        if self.short and party == "L":
            return self.word
        if self.short and party in "CPR":
            return f"posix:/{self.word}"
        return f"/{self.word}"

    def clean(self):
        """The agents remove the object."""


def assertions(scene, writer, reader):
    """Unlinked while both have it mapped: no new opener, and the two go on sharing."""
    place, block = Place(scene), scene.vector(4096).hex()
    writer.do("create", name=place.name(writer.party), size=4096)
    reader.do("open", name=place.name(reader.party))
    reader.do("remove", name=place.name(reader.party))
    scene.true(not pathlib.Path("/dev/shm", place.word).exists(), "the name is still there after unlink")
    writer.do("write", at=0, hex=block)
    scene.equal(reader.do("read", at=0, size=4096), block, "read after unlink")
    writer.do("close")
    scene.equal(writer.fails("open", name=place.name(writer.party)), "ENOENT", "open after unlink")
    scene.equal(reader.do("read", at=0, size=4096), block, "read after unlink and the writer's close")
    reader.do("close")


def shown(scene):
    """The object is a file of its name, size, mode and owner, whatever the umask."""
    for mode in (0o600, 0o640, 0o666):
        for _ in scene.repetitions():
            agent, place = scene.start(scene.cell.first), Place(scene)
            agent.do("create", name=place.name(agent.party), size=4097, mode=mode)
            file = pathlib.Path("/dev/shm", place.word).stat()
            scene.equal(file.st_size, 4097, "st_size")
            scene.equal(oct(file.st_mode), oct(stat.S_IFREG | mode), "st_mode")
            scene.equal((file.st_uid, file.st_gid), (os.geteuid(), os.getegid()), "owner")
            agent.do("close")
            agent.do("remove", name=place.name(agent.party))


def removed_from_outside(scene):
    """rm of the file is unlink: the handle goes on, the name is free."""
    for _ in scene.repetitions():
        agent, place = scene.start(scene.cell.first), Place(scene)
        name, block = place.name(agent.party), scene.vector(4096).hex()
        agent.do("create", name=name, size=4096)
        scene.tool("rm", f"/dev/shm/{place.word}")
        agent.do("write", at=0, hex=block)
        scene.equal(agent.do("read", at=0, size=4096), block, "the open handle after rm")
        agent.do("close")
        scene.equal(agent.fails("open", name=name), "ENOENT", "open after rm")
        agent.do("create", name=name, size=1)
        agent.do("close")
        agent.do("remove", name=name)


shared = exchange(Place, assertions)
SCENARIOS = {
    "M06": shared, "PX1": shared, "MP1": shared, "POSIX": shared,
    "NS.show.pshm": shown, "NS.rm.pshm": removed_from_outside,
}  # fmt: skip
EXTENSIONS = [
    cell for other in ("MM", "SH") for cell in both_ways("POSIX", "POSIX memory, other programs", other, 1, "shm", True)
]
