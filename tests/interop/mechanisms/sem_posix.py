# SPDX-License-Identifier: MIT OR Apache-2.0
"""M07, POSIX named semaphores, and with posix_ipc; M08, the same inside shared memory; block 5, the file."""

import os
import pathlib
import stat
import struct

from .sem_exchange import Named, killed, meets, none_left, outlives, patience, value
from .shm_posix import Place

SHARED = 128  # glibc marks a semaphore of several processes so
AT, SIZE = 64, 4096  # where M08's semaphore lies in its memory


def named(scene):
    for _ in scene.repetitions():
        place = Place(scene)
        it = Named(place)
        outlives(scene, it)
        poster, waiter = meets(scene, it)
        patience(scene, (poster, waiter))
        unlinked(scene, poster, waiter, place)
        if "PX" not in scene.cell.parties:
            killed(scene, it, gives_back=False)


def unlinked(scene, poster, waiter, place):
    """The name is gone, and the two go on."""
    waiter.do("sem.remove", name=place.name(waiter.party))
    scene.true(not pathlib.Path("/dev/shm", f"sem.{place.word}").exists(), "the name is still there after unlink")
    scene.equal(poster.fails("sem.remove", name=place.name(poster.party)), "ENOENT", "unlinking twice")
    poster.do("sem.release")
    waiter.do("sem.acquire", timeout=0)
    none_left(scene, poster)
    for agent in (poster, waiter):
        agent.do("sem.close")
    scene.equal(poster.fails("sem.open", name=place.name(poster.party)), "ENOENT", "open after unlink")


def layout(name):
    """The semaphore as glibc lays it out: value, waiters, and that processes share it."""
    return struct.unpack_from("<III", pathlib.Path("/dev/shm", name).read_bytes(), AT)


class InMemory:
    """A semaphore in POSIX memory, which its maker makes too."""

    def __init__(self, memory):
        self.memory = memory

    def make(self, agent, units):
        agent.do("create", name=self.memory, size=SIZE)
        agent.do("sem.place", memory=self.memory, at=AT, value=units)

    def find(self, agent):
        agent.do("sem.find", memory=self.memory, at=AT)

    def remove(self, agent):
        agent.do("remove", name=self.memory)


def placed(scene):
    for _ in scene.repetitions():
        word = scene.word()
        it = InMemory(f"/{word}")
        outlives(scene, it)
        poster, waiter = meets(scene, it)
        scene.equal(layout(word), (0, 0, SHARED), "the bytes of the semaphore")
        waiter.waits("sem.acquire")
        scene.equal(layout(word), (0, 1, SHARED), "the bytes while one waits")
        poster.do("sem.release")
        scene.equal(waiter.outcome(), "taken", "what woke the waiter")
        for _ in range(5):
            poster.do("sem.release")
        scene.equal(layout(word), (5, 0, SHARED), "the bytes of value 5")
        everything = pathlib.Path("/dev/shm", word).read_bytes()
        scene.equal((everything[:AT], everything[AT + 32 :]), (bytes(AT), bytes(SIZE - AT - 32)), "the bytes around")
        for _ in range(5):
            waiter.do("sem.acquire", timeout=0)
        patience(scene, (poster, waiter))
        for agent in (poster, waiter):
            agent.do("sem.close")
        it.remove(waiter)
        scene.finish(poster, waiter)
        killed(scene, it, gives_back=False)


def shown(scene):
    """The semaphore is a file of its name, size, mode and owner, whatever the umask."""
    for mode in (0o600, 0o640, 0o666):
        for _ in scene.repetitions():
            agent, place = scene.start(scene.cell.first), Place(scene)
            agent.do("sem.create", name=place.name(agent.party), value=3, mode=mode)
            path = pathlib.Path("/dev/shm", f"sem.{place.word}")
            file = path.stat()
            scene.equal(oct(file.st_mode), oct(stat.S_IFREG | mode), "st_mode")
            scene.equal((file.st_size, file.st_uid, file.st_gid), (32, os.geteuid(), os.getegid()), "size, owner")
            scene.equal(struct.unpack_from("<I", path.read_bytes())[0], 3, "the value in the file")
            agent.do("sem.close")
            agent.do("sem.remove", name=place.name(agent.party))


def removed_from_outside(scene):
    """rm of the file is sem_unlink: the handle goes on, the name is free."""
    for _ in scene.repetitions():
        agent, place = scene.start(scene.cell.first), Place(scene)
        name = place.name(agent.party)
        agent.do("sem.create", name=name, value=1)
        scene.tool("rm", f"/dev/shm/sem.{place.word}")
        agent.do("sem.acquire", timeout=0)
        agent.do("sem.release")
        value(scene, agent, 1)
        scene.equal(agent.fails("sem.remove"), "ENOENT", "removing it by the handle after rm")
        agent.do("sem.close")
        scene.equal(agent.fails("sem.open", name=name), "ENOENT", "open after rm")
        agent.do("sem.create", name=name, value=0)
        agent.do("sem.close")
        agent.do("sem.remove", name=name)


SCENARIOS = {"M07": named, "PX2": named, "M08": placed, "NS.show.psem": shown, "NS.rm.psem": removed_from_outside}
