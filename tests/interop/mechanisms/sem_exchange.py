# SPDX-License-Identifier: MIT OR Apache-2.0
"""What one semaphore does between a poster and a waiter, whatever it is made of.

Poster first: it has ended before the waiter starts, so the units outlive it. Waiter first: it is
seen asleep before the first unit is given.
"""

import os
import signal

ROUNDS = 20  # hand-overs from one side to the other


class Named:
    """A semaphore by its name: how an agent makes, opens and removes it."""

    def __init__(self, place):
        self.place = place

    def make(self, agent, units):
        agent.do("sem.create", name=self.place.name(agent.party), value=units)

    def find(self, agent):
        agent.do("sem.open", name=self.place.name(agent.party))

    def remove(self, agent):
        agent.do("sem.remove", name=self.place.name(agent.party))


def value(scene, agent, wanted):
    scene.equal(agent.do("sem.value"), str(wanted), f"{agent.party}: value")


def none_left(scene, agent):
    scene.equal(agent.fails("sem.acquire", timeout=0), "EAGAIN", f"{agent.party}: trying without a unit")


def outlives(scene, it):
    """What was given is there for a waiter that starts when the poster has ended."""
    poster = scene.start(scene.cell.first)
    it.make(poster, 2)
    poster.do("sem.release")
    value(scene, poster, 3)
    poster.do("sem.close")
    scene.finish(poster)
    waiter = scene.start(scene.cell.second)
    it.find(waiter)
    value(scene, waiter, 3)
    for _ in range(3):
        waiter.do("sem.acquire", timeout=0)
    none_left(scene, waiter)
    value(scene, waiter, 0)
    waiter.do("sem.close")
    it.remove(waiter)
    scene.finish(waiter)


def meets(scene, it):
    """The waiter makes the semaphore and sleeps until the poster gives; both go on."""
    waiter, poster = scene.start(scene.cell.second), scene.start(scene.cell.first)
    it.make(waiter, 0)
    none_left(scene, waiter)
    waiter.waits("sem.acquire")
    it.find(poster)
    poster.do("sem.release")
    scene.equal(waiter.outcome(), "taken", "what woke the waiter")
    for _ in range(ROUNDS):
        waiter.waits("sem.acquire")
        poster.do("sem.release")
        scene.equal(waiter.outcome(), "taken", "a hand-over")
    value(scene, poster, 0)
    return poster, waiter


def patience(scene, agents):
    """A limit in time is kept by the parties that have one, and takes nothing."""
    for agent in agents:
        if agent.party in ("L", "C", "P", "R", "PX"):
            agent.waits("sem.acquire", timeout=50)
            scene.equal(agent.line(), "ERR ETIMEDOUT", f"{agent.party}: nothing came in time")
            agent.waits("sem.acquire", timeout=15000)
            agents[agents[0] is agent].do("sem.release")
            scene.equal(agent.outcome(), "taken", "a unit that came in time")
            value(scene, agent, 0)


def killed(scene, it, gives_back):
    """kill -9 of the holder, while the other side waits: who gets it back depends on the kernel's records."""
    holder, other = scene.start(scene.cell.first), scene.start(scene.cell.second)
    it.make(holder, 1)
    it.find(other)
    holder.send("sem.hold" if gives_back else "sem.acquire", timeout=1000)
    holder.expect_line("WAIT")
    scene.equal(holder.outcome(), "taken", "the holder")
    value(scene, other, 0)
    if gives_back:
        other.waits("sem.acquire")
    os.kill(holder.pid, signal.SIGKILL)
    holder.process.wait()
    holder.kill()
    scene.agents.remove(holder)
    if gives_back:
        scene.equal(other.outcome(), "taken", "what the dead holder held")
    else:
        none_left(scene, other)
    other.do("sem.close")
    it.remove(other)
    scene.finish(other)
