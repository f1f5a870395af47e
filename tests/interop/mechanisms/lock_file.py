# SPDX-License-Identifier: MIT OR Apache-2.0
"""M13 to M15: flock, POSIX record locks, OFD record locks; FROM holds, TO is the next."""

import stat
import time

from cells import CORE, LIBRARY, both_ways

KINDS = {"M13": "flock", "M14": "posix", "M15": "ofd", "FLOCK": "flock", "LOCKF": "posix"}
EVERYTHING = {"start": 0, "length": 0}
TEN = {"start": 10, "length": 10}
LIMIT = 30  # milliseconds


class Pair:
    """Two agents with one file open for one kind of lock."""

    def __init__(self, scene, holder_first=True):
        self.scene, self.kind, self.path = scene, KINDS[scene.cell.group], scene.path("lock")
        self.agents = [scene.start(party) for party in (scene.cell.first, scene.cell.second)]
        self.holder, self.next = self.agents
        for agent in self.agents if holder_first else reversed(self.agents):
            agent.do("lock.open", path=self.path, kind=self.kind)
        scene.equal(stat.S_IMODE(self.path.stat().st_mode), 0o600, "mode of the lock file")

    def close(self):
        for agent in self.agents:
            agent.do("lock.close")
        self.scene.finish(*self.agents)
        self.path.unlink()


def exclusive(what=EVERYTHING):
    return {"sharing": "exclusive", **what}


def shared(what=EVERYTHING):
    return {"sharing": "shared", **what}


def lock(scene):
    kind = KINDS[scene.cell.group]
    for repetition in scene.repetitions():
        for first in (True, False):
            pair = Pair(scene, first)
            excludes(pair)
            shares(pair)
            converts(pair)
            limits(pair)
            told(pair)
            closes(pair)
            if kind != "flock":
                ranges(pair)
            if kind == "posix":
                deadlock(pair)
            pair.close()
        killed(scene, repetition)


def excludes(pair):
    holder, other = pair.holder, pair.next
    holder.do("lock.acquire", **exclusive())
    for wish in (exclusive(), shared()):
        pair.scene.equal(other.fails("lock.acquire", **wish), "EAGAIN", f"{wish['sharing']} beside exclusive")
    for wish in (exclusive(), shared()):
        other.waits("lock.acquire", **wish, wait=1)
        holder.do("lock.release", **EVERYTHING)
        woken(pair)
        other.do("lock.release", **EVERYTHING)
        holder.do("lock.acquire", **exclusive())
    holder.do("lock.release", **EVERYTHING)


def woken(pair):
    """The one who waits has it now, and keeps the other out if he wants it alone."""
    started = time.monotonic()
    pair.scene.equal(pair.next.outcome(), "locked", "outcome of the wait")
    pair.scene.true(time.monotonic() - started < 1, "the wait must end within a second")


def shares(pair):
    holder, other = pair.holder, pair.next
    holder.do("lock.acquire", **shared())
    other.do("lock.acquire", **shared())
    pair.scene.equal(holder.fails("lock.acquire", **exclusive()), "EAGAIN", "exclusive beside shared")
    if pair.kind == "flock":  # it gave up what it had, and asks for it again
        holder.do("lock.acquire", **shared())
    other.do("lock.release", **EVERYTHING)
    other.waits("lock.acquire", **exclusive(), wait=1)
    holder.do("lock.release", **EVERYTHING)
    woken(pair)
    pair.scene.equal(holder.fails("lock.acquire", **shared()), "EAGAIN", "shared beside exclusive")
    other.do("lock.release", **EVERYTHING)


def converts(pair):
    holder, other = pair.holder, pair.next
    holder.do("lock.acquire", **exclusive())
    holder.do("lock.acquire", **shared())
    other.do("lock.acquire", **shared())
    other.do("lock.release", **EVERYTHING)
    holder.do("lock.acquire", **exclusive())
    pair.scene.equal(other.fails("lock.acquire", **shared()), "EAGAIN", "after the conversion to exclusive")
    holder.do("lock.release", **EVERYTHING)


def limits(pair):
    """A wait with a limit, which the plain calls do not have; the command flock has one."""
    holder, other = pair.holder, pair.next
    if other.party not in (*LIBRARY, "SH"):
        return
    holder.do("lock.acquire", **exclusive())
    started = time.monotonic()
    other.send("lock.acquire", **exclusive(), wait=1, timeout=LIMIT)
    other.expect_line("WAIT")
    pair.scene.equal(other.line(), "ERR ETIMEDOUT", "outcome of a wait with a limit")
    pair.scene.true(time.monotonic() - started >= LIMIT / 1000, "it must last as long as its limit")
    holder.do("lock.release", **EVERYTHING)
    other.do("lock.acquire", **exclusive())
    other.do("lock.release", **EVERYTHING)


def told(pair):
    holder, other = pair.holder, pair.next
    if other.party not in (LIBRARY if pair.kind == "flock" else CORE):
        return
    area = EVERYTHING if pair.kind == "flock" else TEN
    pair.scene.equal(other.do("lock.holder", **exclusive()), "nobody", "holder of a free file")
    holder.do("lock.acquire", **shared(area))
    wanted = {key: str(value) for key, value in area.items()}
    wanted |= {"pid": "0" if pair.kind == "ofd" else str(holder.pid), "kind": pair.kind, "sharing": "shared"}
    if holder.party == "SH":  # the command that took it has gone
        wanted["pid"] = other.fields("lock.holder", **exclusive())["pid"]
        pair.scene.true(wanted["pid"] != str(other.pid), "somebody else holds it")
    pair.scene.equal(other.fields("lock.holder", **exclusive()), wanted, "who is in the way")
    pair.scene.equal(other.do("lock.holder", **shared()), "nobody", "who is in the way of a shared lock")
    holder.do("lock.release", **EVERYTHING)


def closes(pair):
    """Another descriptor of the file is closed: only POSIX locks are lost."""
    holder, other = pair.holder, pair.next
    holder.do("lock.acquire", **exclusive())
    holder.do("lock.touch", path=pair.path)
    if pair.kind == "posix":
        other.do("lock.acquire", **exclusive())
        other.do("lock.release", **EVERYTHING)
    else:
        pair.scene.equal(other.fails("lock.acquire", **exclusive()), "EAGAIN", "after another close")
    holder.do("lock.release", **EVERYTHING)


def ranges(pair):
    holder, other = pair.holder, pair.next
    holder.do("lock.acquire", **exclusive(TEN))
    apart = ({"start": 0, "length": 10}, {"start": 20, "length": 0})
    for area in apart:
        other.do("lock.acquire", **exclusive(area))
    for area in ({"start": 19, "length": 1}, {"start": 0, "length": 11}, EVERYTHING):
        pair.scene.equal(other.fails("lock.acquire", **shared(area)), "EAGAIN", f"{area} beside 10..20")
    middle = {"start": 12, "length": 3}
    other.waits("lock.acquire", **exclusive(middle), wait=1)
    holder.do("lock.release", **middle)
    woken(pair)
    for area in ({"start": 11, "length": 1}, {"start": 15, "length": 1}):
        pair.scene.equal(other.fails("lock.acquire", **shared(area)), "EAGAIN", "what is left of 10..20")
    pair.scene.equal(holder.fails("lock.acquire", **shared(middle)), "EAGAIN", "the middle belongs to the other")
    for agent in pair.agents:
        agent.do("lock.release", **EVERYTHING)


def deadlock(pair):
    holder, other = pair.holder, pair.next
    first, second = {"start": 0, "length": 1}, {"start": 1, "length": 1}
    other.do("lock.acquire", **exclusive(first))
    holder.do("lock.acquire", **exclusive(second))
    other.waits("lock.acquire", **exclusive(second), wait=1)
    holder.send("lock.acquire", **exclusive(first), wait=1)
    holder.expect_line("WAIT")
    pair.scene.equal(holder.line(), "ERR EDEADLK", "a deadlock")
    holder.do("lock.release", **EVERYTHING)
    woken(pair)
    other.do("lock.release", **EVERYTHING)


def killed(scene, repetition):
    """The holder is killed: whoever waits has it."""
    pair = Pair(scene, repetition % 2 == 0)
    pair.holder.do("lock.acquire", **exclusive())
    pair.next.waits("lock.acquire", **exclusive(), wait=1)
    pair.holder.kill()
    scene.agents.remove(pair.holder)
    woken(pair)
    pair.next.do("lock.close")
    pair.path.unlink()


SCENARIOS = dict.fromkeys(KINDS, lock)
EXTENSIONS = [
    *both_ways("FLOCK", "flock, Python's own module", "FC", 4, "lock", True),
    *both_ways("FLOCK", "flock, bash and flock(1)", "SH", 4, "lock", True),
    *both_ways("LOCKF", "POSIX record lock, Python's own module", "FC", 4, "lock", True),
]
