# SPDX-License-Identifier: MIT OR Apache-2.0
"""M03, System V shared memory, and the same with sysv_ipc at one end."""

import os
import pathlib

from .shm_exchange import exchange

COLUMNS = "key shmid perms size cpid lpid nattch uid gid cuid cgid atime dtime ctime rss swap".split()
DESTROYED_LATER = 0o1000  # SHM_DEST in the perms column


class Place:
    """A segment by ftok of a path with project 0; the path is an empty file of the cell's."""

    def __init__(self, scene):
        self.path = scene.path("key")
        self.path.touch()

    def name(self, _party):
        return f"sysv:{self.path},0"

    @property
    def key(self):
        """ftok's arithmetic: 8 bits of project, 8 of device, 16 of inode."""
        status = self.path.stat()
        return (status.st_dev & 0xFF) << 16 | status.st_ino & 0xFFFF

    def clean(self):
        self.path.unlink()


def rows():
    """/proc/sysvipc/shm by identifier, numbers as numbers; perms is octal there."""
    table = {}
    for line in pathlib.Path("/proc/sysvipc/shm").read_text().splitlines()[1:]:
        row = dict(zip(COLUMNS, map(int, line.split()), strict=True))
        table[row["shmid"]] = row | {"perms": int(str(row["perms"]), 8)}
    return table


def assertions(scene, writer, reader):
    removed_while_attached(scene, writer, reader)
    if os.geteuid() == 0:
        segment_of_mode_zero(scene, writer, reader)
    read_only(scene, writer, reader)


def removed_while_attached(scene, writer, reader):
    """IPC_RMID: key 0 at once, no more openers by key, the data stay, the last detach destroys."""
    place, block = Place(scene), scene.vector(10).hex()
    name = place.name(None)
    shmid = int(writer.fields("create", name=name, size=10)["id"])
    scene.equal(int(reader.fields("open", name=name)["id"]), shmid, "identifier by the same key")
    scene.equal(rows()[shmid]["key"], place.key, "key by ftok")
    scene.equal(rows()[shmid]["size"], 10, "size of the segment, not rounded to pages")
    for agent in (writer, reader):
        status = agent.fields("stat")
        seen = (int(status["key"], 16), int(status["size"]), int(status["nattch"]))
        scene.equal(seen, (place.key, 10, 2), f"{agent.party}: key, size and nattch")
    writer.do("write", at=0, hex=block)
    writer.do("remove")
    row = rows()[shmid]
    scene.equal((row["key"], row["perms"] & DESTROYED_LATER), (0, DESTROYED_LATER), "key and mark after IPC_RMID")
    scene.equal(reader.do("read", at=0, size=10), block, "data after IPC_RMID")
    for agent in (writer, reader):
        if agent.party in "LCPR":
            scene.equal(agent.fields("stat")["removed"], "1", f"{agent.party}: removed")
    writer.do("close")
    scene.equal(writer.fails("open", name=name), "ENOENT", "open by key after IPC_RMID")
    scene.equal(reader.do("read", at=0, size=10), block, "data after the writer's detach")
    scene.equal(rows()[shmid]["nattch"], 1, "nattch after the writer's detach")
    reader.do("close")
    scene.true(shmid not in rows(), "the last detach must destroy the segment")
    place.clean()


def segment_of_mode_zero(scene, writer, reader):
    """What the documents' testwrite makes; only root can attach it."""
    place, block = Place(scene), scene.vector(4096).hex()
    shmid = int(writer.fields("create", name=place.name(None), size=4096, mode=0)["id"])
    scene.equal(rows()[shmid]["perms"], 0, "mode of the segment")
    writer.do("write", at=0, hex=block)
    writer.do("close")
    reader.do("open", name=place.name(None))
    scene.equal(reader.do("read", at=0, size=4096), block, "data of the segment of mode 0")
    reader.do("remove")
    reader.do("close")
    place.clean()


def read_only(scene, writer, reader):
    """SHM_RDONLY: the kernel maps it read-only, and the library refuses to write."""
    place, block = Place(scene), scene.vector(4097).hex()
    writer.do("create", name=place.name(None), size=4097)
    writer.do("write", at=0, hex=block)
    reader.do("open", name=place.name(None), readonly=1)
    scene.equal(reader.do("read", at=0, size=4097), block, "data through a read-only attach")
    line = next(line for line in reader.maps().splitlines() if f"/SYSV{place.key:08x}" in line)
    scene.equal(line.split()[1][:2], "r-", "rights of the read-only attach")
    if reader.party in "CPR":
        scene.equal(reader.fails("write", at=0, hex="00"), "EACCES", "writing to a read-only attach")
    reader.do("close")
    writer.do("close")
    writer.do("remove", name=place.name(None))
    place.clean()


SCENARIOS = {group: exchange(Place, assertions, (10,)) for group in ("M03", "SV1")}
