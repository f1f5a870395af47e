# SPDX-License-Identifier: MIT OR Apache-2.0
"""M10, M11, M12: mutex, condition variable and read-write lock in shared memory. All parties use the C library's form;
two that know the library use its own form as well."""

import pathlib
import struct

SIZE = 4096
ROUNDS = 10_000
TURNS = 500  # each is two wake-ups
ROBUST, SHARED = 16, 128  # glibc's marks in a mutex's kind


def forms(scene):
    """The pthread form, and between parties on the library the robust one."""
    yield "pthread"
    if "L" not in scene.cell.parties:
        yield "robust"


def pairs(scene):
    """For each repetition and form: the two parties, each of which makes the objects once."""
    for repetition in scene.repetitions():
        for form in forms(scene):
            first, second = scene.start(scene.cell.first), scene.start(scene.cell.second)
            word = scene.word()
            maker, other = (first, second) if repetition % 2 == 0 else (second, first)
            maker.do("create", name=f"/{word}", size=SIZE)
            maker.do("sync.place", memory=f"/{word}", form=form, make=1)
            other.do("sync.place", memory=f"/{word}", form=form)
            yield first, second, form, word
            maker.do("remove", name=f"/{word}")
            scene.finish()


def count(scene, agent, wanted):
    scene.equal(agent.do("sync.count"), str(wanted), "the count")


def both(scene, verb, first, second):
    """Both at once add to one number, and nothing is lost."""
    first.send(verb, rounds=ROUNDS)
    second.send(verb, rounds=ROUNDS)
    for agent in (first, second):
        scene.equal(agent.outcome(), "added", "adding")
    count(scene, second, 2 * ROUNDS)


def mutex(scene):
    for holder, other, form, word in pairs(scene):
        if form == "pthread":
            kind = struct.unpack_from("<I", pathlib.Path("/dev/shm", word).read_bytes(), 16)[0]
            scene.equal(kind & ~3, ROBUST | SHARED, "glibc's kind of the mutex")
        both(scene, "sync.add", holder, other)
        scene.equal(holder.do("sync.lock", timeout=0), "locked", "the first lock")
        scene.equal(other.fails("sync.lock", timeout=0), "EAGAIN", "a try meanwhile")
        other.send("sync.lock", timeout=20)
        other.expect_line("WAIT")
        scene.equal(other.line(), "ERR ETIMEDOUT", "a wait of 20 ms meanwhile")
        other.waits("sync.lock")
        holder.do("sync.unlock")
        scene.equal(other.outcome(), "locked", "what the waiter got")
        holder.waits("sync.lock")
        other.do("sync.unlock")
        scene.equal(holder.outcome(), "locked", "what the waiter got in turn")
        holder.do("sync.unlock")
        dies(scene, holder, other, form, word)


def dies(scene, holder, other, form, word):
    """A party like the holder is killed while it holds, and the other one is told and repairs."""
    for _ in range(2):
        doomed = scene.start(holder.party)
        doomed.do("sync.place", memory=f"/{word}", form=form)
        doomed.do("sync.lock", timeout=0)
        other.waits("sync.lock")
        doomed.kill()
        scene.agents.remove(doomed)
        scene.equal(other.outcome(), "owner died", "what the waiter is told after kill -9 of the holder")
        other.do("sync.recovered")
        other.do("sync.unlock")
    scene.equal(holder.do("sync.lock", timeout=0), "locked", "the lock after the repair")
    holder.do("sync.unlock")


def condition(scene):
    for signaller, waiter, _, _ in pairs(scene):
        waiter.waits("sync.wait")
        signaller.do("sync.signal")
        scene.equal(waiter.outcome(), "woken", "what the waiter got")
        count(scene, signaller, 0)
        waiter.send("sync.wait", rounds=TURNS)
        waiter.expect_line("WAIT")
        scene.equal(signaller.do("sync.signal", rounds=TURNS), "signalled", "signalling again and again")
        scene.equal(waiter.outcome(), "woken", "all that was signalled")
        count(scene, waiter, 0)


def readers_and_writers(scene):
    for holder, other, form, word in pairs(scene):
        if form == "pthread":
            shared = struct.unpack_from("<I", pathlib.Path("/dev/shm", word).read_bytes(), 2048 + 28)[0]
            scene.equal(shared, 1, "glibc's mark of a lock between processes")
        both(scene, "sync.overwrite", holder, other)
        holder.do("sync.read", timeout=0)
        other.do("sync.read", timeout=0)
        other.do("sync.leave")
        scene.equal(other.fails("sync.write", timeout=0), "EAGAIN", "a writer beside a reader")
        other.waits("sync.write")
        holder.do("sync.leave")
        scene.equal(other.outcome(), "held", "what the writer got")
        scene.equal(holder.fails("sync.read", timeout=0), "EAGAIN", "a reader beside a writer")
        scene.equal(holder.fails("sync.write", timeout=0), "EAGAIN", "a writer beside a writer")
        holder.waits("sync.read")
        other.do("sync.leave")
        scene.equal(holder.outcome(), "held", "what the reader got")
        holder.do("sync.leave")
        if form == "robust":
            a_reader_dies(scene, holder, other, word)


def a_reader_dies(scene, holder, other, word):
    doomed = scene.start(holder.party)
    doomed.do("sync.place", memory=f"/{word}", form="robust")
    doomed.do("sync.read", timeout=0)
    other.waits("sync.write")
    doomed.kill()
    scene.agents.remove(doomed)
    scene.equal(other.outcome(), "held", "what the writer got after kill -9 of the reader")
    other.do("sync.leave")


SCENARIOS = {"M10": mutex, "M11": condition, "M12": readers_and_writers}
