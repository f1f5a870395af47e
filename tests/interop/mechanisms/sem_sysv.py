# SPDX-License-Identifier: MIT OR Apache-2.0
"""M04, System V semaphore sets, and one semaphore with sysv_ipc at the other end."""

import os
import pathlib
import signal

from .sem_exchange import Named, killed, meets, none_left, outlives, patience
from .shm_sysv import Place

COLUMNS = "key semid perms nsems uid gid cuid cgid otime ctime".split()


def rows():
    """/proc/sysvipc/sem by identifier, numbers as numbers; perms is octal there."""
    table = {}
    for line in pathlib.Path("/proc/sysvipc/sem").read_text().splitlines()[1:]:
        row = dict(zip(COLUMNS, map(int, line.split()), strict=True))
        table[row["semid"]] = row | {"perms": int(str(row["perms"]), 8)}
    return table


def has(scene, agent, *values):
    scene.equal(agent.do("sem.values"), ",".join(map(str, values)), f"{agent.party}: values")


def fails(scene, agent, errno, ops, **arguments):
    scene.equal(agent.fails("sem.operate", ops=ops, **arguments), errno, f"{agent.party}: {ops}")


def counted(scene, agent, index, **wanted):
    it = agent.fields("sem.info", index=index)
    scene.equal({key: it[key] for key in wanted}, {key: str(it) for key, it in wanted.items()}, f"semaphore {index}")


def outlived_set(scene):
    """A set that the giver made and left: by the same key, with its values."""
    place, giver = Place(scene), scene.start(scene.cell.first)
    name = place.name(giver.party)
    made = int(giver.fields("sem.make", name=name, values="3,0,7")["id"])
    scene.equal(rows()[made]["key"], place.key, "key by ftok")
    scene.true(rows()[made]["otime"] > 0, "a new set was operated on once")
    giver.do("sem.operate", ops="1:+2,2:-7", timeout=0)
    scene.finish(giver)
    taker = scene.start(scene.cell.second)
    scene.equal(int(taker.fields("sem.get", name=name)["id"]), made, "identifier by the same key")
    has(scene, taker, 3, 2, 0)
    taker.do("sem.unmake", name=name)
    scene.true(made not in rows(), "the set is still there after removal")
    scene.equal(taker.fails("sem.get", name=name), "ENOENT", "open by key after removal")
    scene.finish(taker)
    place.clean()


def all_or_nothing(scene, giver, taker):
    fails(scene, taker, "EAGAIN", "0:-1,1:-1", timeout=0)
    taker.send("sem.operate", ops="0:-1,1:-1n")
    taker.expect_line("WAIT")
    scene.equal(taker.line(), "ERR EAGAIN", "an operation that does not wait")
    taker.waits("sem.operate", ops="0:-1,1:-1", timeout=50)
    scene.equal(taker.line(), "ERR ETIMEDOUT", "an array that could not be done in time")
    has(scene, giver, 3, 0, 7)
    taker.do("sem.operate", ops="0:-2,2:-7,2:0", timeout=0)
    has(scene, giver, 1, 0, 0)
    giver.do("sem.operate", ops="0:+2,2:+7", timeout=0)
    fails(scene, taker, "EFBIG", "3:+1", timeout=0)
    fails(scene, taker, "ERANGE", "2:+32767", timeout=0)
    has(scene, giver, 3, 0, 7)


def waits_and_wakes(scene, giver, taker):
    """Waiting to take and waiting for zero, each counted from the other side and woken by it."""
    taker.waits("sem.operate", ops="0:-1,1:-2")
    # The kernel counts the waiter at the semaphore that it waits for, the second.
    counted(scene, giver, 1, value=0, ncount=1, zcount=0)
    giver.do("sem.operate", ops="1:+1", timeout=0)
    counted(scene, giver, 1, value=1, ncount=1, zcount=0)
    giver.do("sem.operate", ops="1:+1", timeout=0)
    scene.equal(taker.outcome(), "done", "what woke the taker")
    has(scene, giver, 2, 0, 7)
    counted(scene, giver, 0, value=2, pid=taker.pid, ncount=0, zcount=0)

    taker.waits("sem.operate", ops="2:0")
    counted(scene, giver, 2, value=7, ncount=0, zcount=1)
    giver.do("sem.operate", ops="2:-7", timeout=0)
    scene.equal(taker.outcome(), "done", "what woke the one who waited for zero")
    giver.waits("sem.operate", ops="2:-1", timeout=15000)
    counted(scene, taker, 2, value=0, ncount=1, zcount=0)
    taker.do("sem.put", values="3,0,8")
    scene.equal(giver.outcome(), "done", "what woke the one for whom all values were set")
    has(scene, taker, 3, 0, 7)


def undone(scene, giver, taker):
    """kill -9 with SEM_UNDO gives back, and wakes who waits for it; without it stays taken."""
    victim = scene.start(scene.cell.second)
    victim.do("sem.get", name=f"sysv:id={giver.fields('sem.get', name=scene.set_name)['id']}")
    victim.do("sem.operate", ops="0:-3u,2:-1", timeout=0)
    has(scene, giver, 0, 0, 6)
    taker.waits("sem.operate", ops="0:-2")
    os.kill(victim.pid, signal.SIGKILL)
    victim.process.wait()
    victim.kill()
    scene.agents.remove(victim)
    scene.equal(taker.outcome(), "done", "what the dead holder had taken")
    has(scene, giver, 1, 0, 6)


def removed(scene, giver, taker):
    """IPC_RMID is at once: who waits is told."""
    taker.waits("sem.operate", ops="1:-1")
    giver.do("sem.unmake")
    scene.equal(taker.line(), "ERR EIDRM", "what woke the taker")


def sets(scene):
    for _ in scene.repetitions():
        outlived_set(scene)
        place = Place(scene)
        scene.set_name = place.name(None)
        taker, giver = scene.start(scene.cell.second), scene.start(scene.cell.first)
        taker.do("sem.make", name=scene.set_name, values="3,0,7")
        giver.do("sem.get", name=scene.set_name)
        all_or_nothing(scene, giver, taker)
        waits_and_wakes(scene, giver, taker)
        undone(scene, giver, taker)
        removed(scene, giver, taker)
        place.clean()


def with_package(scene):
    """sysv_ipc knows index 0 of a set, without limits in time."""
    for _ in scene.repetitions():
        place = Place(scene)
        it = Named(place)
        outlives(scene, it)
        giver, taker = meets(scene, it)
        patience(scene, (giver, taker))
        for agent, other in ((giver, taker), (taker, giver)):
            if agent.party == "SV":
                other.do("sem.release")
                agent.waits("sem.zero")
                other.do("sem.acquire", timeout=0)
                scene.equal(agent.outcome(), "taken", "what woke the one who waited for zero")
        none_left(scene, giver)
        taker.waits("sem.acquire")
        it.remove(giver)
        scene.equal(taker.line(), "ERR EIDRM", "what woke the taker")
        scene.finish(giver, taker)
        killed_package(scene, it) if scene.cell.first == "SV" else killed(scene, it, gives_back=True)
        larger_set(scene, place)
        place.clean()


def killed_package(scene, it):
    """As `killed`, for a holder that has no limits in time."""
    holder, other = scene.start("SV"), scene.start(scene.cell.second)
    it.make(holder, 1)
    it.find(other)
    holder.do("sem.hold", timeout=0)
    other.waits("sem.acquire")
    os.kill(holder.pid, signal.SIGKILL)
    holder.process.wait()
    holder.kill()
    scene.agents.remove(holder)
    scene.equal(other.outcome(), "taken", "what the dead holder held")
    it.remove(other)
    scene.finish(other)


def larger_set(scene, place):
    """Index 0 of a larger set of ours, or of libc's, is the package's semaphore."""
    package, other = scene.start("SV"), scene.start(next(party for party in scene.cell.parties if party != "SV"))
    other.do("sem.make", name=place.name(other.party), values="1,5")
    package.do("sem.open", name=place.name("SV"))
    package.do("sem.acquire", timeout=0)
    has(scene, other, 0, 5)
    package.waits("sem.acquire")
    other.do("sem.operate", ops="0:+1", timeout=0)
    scene.equal(package.outcome(), "taken", "what woke the package")
    other.do("sem.unmake")
    scene.finish(package, other)


SCENARIOS = {"M04": sets, "SV2": with_package}
