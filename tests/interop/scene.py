# SPDX-License-Identifier: MIT OR Apache-2.0
"""What a scenario gets to work with: agents, names, vectors, tools, and the checks at the end."""

import os
import random
import shutil
import signal
import struct
import subprocess
import time

import isolation
from parties import BUILT, ENVIRONMENT, USED, Agent, Failure, Skip

WATCHDOG = 20  # seconds that one repetition may take before it counts as hung
# The documents' ten records {char name[4]; int age}: b 20 ... k 29.
PEOPLE = b"".join(struct.pack("4si", bytes([ord("b") + i]), 20 + i) for i in range(10))
LARGE = 64 << 20


class Scene:
    """One cell while it runs. Agents are started here and never outlive it."""

    def __init__(self, cell, private):
        self.cell = cell
        self.private = private  # in namespaces of its own
        self.agents = []
        self.pids = []
        self.directory = BUILT / "cells" / f"{cell.id}-{os.getpid()}"  # on a disk file system
        self.directory.mkdir(parents=True)
        self.before = isolation.objects()
        self.names = 0

    # Set-up.

    def repetitions(self):
        """Three times through the scenario; the last one with every process on one CPU."""
        cpus = os.sched_getaffinity(0)
        for repetition in range(3):
            signal.alarm(WATCHDOG)
            os.sched_setaffinity(0, {min(cpus)} if repetition == 2 else cpus)
            self.repetition = repetition
            yield repetition
            self.finish()
        os.sched_setaffinity(0, cpus)
        signal.alarm(WATCHDOG)

    def start(self, party, descriptors=()):
        agent = Agent(party, self.directory, descriptors)
        self.agents.append(agent)
        self.pids.append(agent.pid)
        return agent

    def finish(self, *agents):
        """Ends these agents, or all of them, and checks how they end."""
        for agent in agents or tuple(self.agents):
            agent.finish()
            self.agents.remove(agent)

    def path(self, label="file"):
        """A path in the cell's directory that does not exist yet."""
        self.names += 1
        return self.directory / f"{label}-{self.names}"

    def word(self):
        """A name for a POSIX object that nobody else has."""
        self.names += 1
        return f"unipc-interop-{os.getpid()}-{self.names}"

    def vector(self, size):
        """Reproducible bytes, at most a block of 4097 that a larger object repeats."""
        if size == len(PEOPLE):
            return PEOPLE
        return random.Random(f"{self.cell.id} {size}").randbytes(min(size, 4097))

    # Judging.

    def equal(self, got, wanted, what):
        if got != wanted:
            raise Failure(f"{what}: got {short(got)}, wanted {short(wanted)}")

    def true(self, condition, what):
        if not condition:
            raise Failure(what)

    def root(self, why):
        if os.geteuid() != 0:
            raise Skip(f"needs root: {why}")

    def dies_of_sigbus(self, agent, verb, **arguments):
        """What happens to a program that touches a mapped page which its file has lost."""
        agent.send(verb, **arguments)
        self.equal(agent.process.wait(), -signal.SIGBUS, f"{agent.party}: status after {verb}")
        agent.kill()
        self.agents.remove(agent)

    def tool(self, *command, status=0):
        """What a command line tool prints; its exit status has to be `status`."""
        done = subprocess.run(command, capture_output=True, text=True, env=ENVIRONMENT, check=False)
        if done.returncode != status:
            raise Failure(f"{' '.join(map(str, command))}: status {done.returncode} {done.stderr.strip()}")
        return done.stdout

    def nothing_left(self):
        new = isolation.objects() - self.before
        left = sorted(name for name in new if self.private or self.is_ours(name))
        left += sorted(str(path.name) for path in self.directory.iterdir())
        if left:
            raise Failure(f"left behind: {', '.join(left)}")

    def is_ours(self, name):
        """In a world that others share: a name that we gave, or a segment that one of our agents made."""
        return f"-{os.getpid()}-" in name or any(name.endswith(f" by {pid}") for pid in self.pids)

    def clean(self):
        """Whatever happened: no process, no object and no file stays."""
        for agent in self.agents:
            agent.kill()
        for name in isolation.objects() - self.before if not self.private else ():
            if self.is_ours(name):
                isolation.remove(name)
        shutil.rmtree(self.directory, ignore_errors=True)


def short(value):
    text = value.hex() if isinstance(value, bytes) else str(value)
    return text if len(text) <= 64 else f"{text[:56]}... ({len(text)} characters)"


def run(cell, scenario, private):
    """Runs one cell in this process; returns (verdict, seconds, reason)."""
    started = time.monotonic()
    verdict, reason, scene = "PASS", "", None

    def hung(*_):
        agents = "; ".join(agent.describe() for agent in scene.agents) if scene else ""
        raise Failure(f"hung: nothing happened within {WATCHDOG} s; {agents}")

    signal.signal(signal.SIGALRM, hung)
    try:
        if private:
            isolation.enter(USED)
        scene = Scene(cell, private)
        signal.alarm(WATCHDOG)
        scenario(scene)
        scene.finish()
        scene.nothing_left()
    except Skip as skip:
        verdict, reason = "SKIP", str(skip)
    except Failure as failure:
        verdict, reason = "FAIL", str(failure)
    except Exception as error:  # a broken scenario is a cell that does not pass
        verdict, reason = "FAIL", f"{type(error).__name__} in {where(error)}: {error}"
    finally:
        signal.alarm(0)
        if scene:
            scene.clean()
    return verdict, time.monotonic() - started, reason


def where(error):
    trace = error.__traceback__
    while trace.tb_next:
        trace = trace.tb_next
    return f"{os.path.basename(trace.tb_frame.f_code.co_filename)}:{trace.tb_lineno}"
