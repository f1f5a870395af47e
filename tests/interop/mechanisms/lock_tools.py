# SPDX-License-Identifier: MIT OR Apache-2.0
"""Block 4: lslocks shows what the library locks, and flock(1) takes turns with it."""

import json
import os
import pathlib
import subprocess

from parties import ENVIRONMENT

TYPES = {"flock": "FLOCK", "posix": "POSIX", "ofd": "OFDLCK"}
COLUMNS = "PID,TYPE,MODE,START,END,PATH,BLOCKER,INODE"


def rows(scene, path):
    """What lslocks tells of the locks on a file: those who hold one, then those who wait.

    It reads the kernel's table in pieces, and repeats a row or leaves one out when any process of the machine takes or
    gives back a lock between two of them: only what it says twice counts.
    """
    said = reading(scene, path)
    while (again := reading(scene, path)) != said:
        said = again
    return said


def reading(scene, path):
    # Where there is no lock at all it says nothing, not even an empty list.
    said = scene.tool("lslocks", "-J", "-u", "-o", COLUMNS)
    listed = json.loads(said)["locks"] if said.strip() else []
    inode = str(path.stat().st_ino)
    ours = [{key: row[key] if row[key] is None else str(row[key]) for key in row} for row in listed]
    return sorted((row for row in ours if row.pop("inode") == inode), key=lambda row: row["mode"].endswith("*"))


def lslocks(kind):
    """Two shared holders of ranges apart or of all, and one who waits for all of it."""

    def scenario(scene):
        for _ in scene.repetitions():
            path, party = scene.path("lock"), scene.cell.first
            holder, other = scene.start(party), scene.start(party)
            for agent in (holder, other):
                agent.do("lock.open", path=path, kind=kind)
            area = {} if kind == "flock" else {"start": 10, "length": 10}
            extent = ("0", "0") if kind == "flock" else ("10", "19")
            for sharing, mode in (("exclusive", "WRITE"), ("shared", "READ")):
                holder.do("lock.acquire", sharing=sharing, **area)
                scene.equal(rows(scene, path), [row(kind, holder, mode, extent, path)], "the holder")
                other.waits("lock.acquire", sharing="exclusive", wait=1)
                waiting = row(kind, other, "WRITE*", ("0", "0"), path, holder)
                both = [row(kind, holder, mode, extent, path), waiting]
                scene.equal(rows(scene, path), both, "the holder and the one who waits")
                holder.do("lock.release")
                scene.equal(other.outcome(), "locked", "outcome of the wait")
                scene.equal(rows(scene, path), [row(kind, other, "WRITE", ("0", "0"), path)], "the next holder")
                other.do("lock.release")
            # A range without an end.
            if kind != "flock":
                holder.do("lock.acquire", sharing="shared", start=7)
                scene.equal(rows(scene, path), [row(kind, holder, "READ", ("7", "0"), path)], "a range to the end")
            for agent in (holder, other):
                agent.do("lock.close")
            scene.equal(rows(scene, path), [], "after closing")
            path.unlink()

    return scenario


def row(kind, agent, mode, extent, path, blocker=None):
    """A row of lslocks. OFD locks belong to no process, so it finds neither pid nor path."""
    ofd = kind == "ofd"
    return {
        "pid": "-1" if ofd else str(agent.pid),
        "type": TYPES[kind],
        "mode": mode,
        "start": extent[0],
        "end": extent[1],
        "path": where_mounted(path) if ofd else str(path),
        "blocker": None if blocker is None else "-1" if ofd else str(blocker.pid),
    }


def where_mounted(path):
    """What lslocks says of a file whose path it does not know: its file system and dots."""
    said = subprocess.run(["stat", "-c", "%m", path], capture_output=True, text=True, check=True).stdout
    return said.strip().rstrip("/") + "/..."


def command_waits(scene):
    """The library holds it, flock(1) fails at once, after a time, or waits."""
    for _ in scene.repetitions():
        path, agent = scene.path("lock"), scene.start(scene.cell.first)
        agent.do("lock.open", path=path, kind="flock")
        agent.do("lock.acquire", sharing="exclusive")
        for options in (["-n"], ["-s", "-n"], ["-w", "0.05"]):
            scene.tool("flock", *options, path, "true", status=1)
        command = subprocess.Popen(["flock", path, "echo", "mine"], stdout=subprocess.PIPE, text=True, env=ENVIRONMENT)
        try:
            asleep(command.pid)
            agent.do("lock.release")
            scene.equal(command.communicate()[0], "mine\n", "what the command says when it has the lock")
        finally:
            command.kill()
            command.wait()
        agent.do("lock.acquire", sharing="shared")
        scene.tool("flock", "-n", path, "true", status=1)
        scene.tool("flock", "-s", "-n", path, "true")
        agent.do("lock.close")
        scene.tool("flock", "-n", path, "true")
        path.unlink()


def command_holds(scene):
    """flock(1) holds it, the library fails at once or waits; then the command ends, or is killed."""
    for repetition in scene.repetitions():
        path, agent = scene.path("lock"), scene.start(scene.cell.second)
        path.touch(0o600)
        agent.do("lock.open", path=path, kind="flock")
        for sharing in ("-x", "-s"):
            # One process: with -F the command becomes the program that has the lock.
            command = subprocess.Popen(
                ["flock", "-F", sharing, path, "sh", "-c", "echo locked; read -r line"],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT,
            )  # fmt: skip
            try:
                scene.equal(command.stdout.readline(), "locked\n", "what the command says")
                scene.equal(agent.fails("lock.acquire", sharing="exclusive"), "EAGAIN", "exclusive beside the command")
                found = agent.fields("lock.holder", sharing="exclusive")
                kinds = {"-x": "exclusive", "-s": "shared"}
                scene.equal((found["pid"], found["sharing"]), (str(command.pid), kinds[sharing]), "who is in the way")
                if sharing == "-s":
                    agent.do("lock.acquire", sharing="shared")
                    agent.do("lock.release")
                agent.waits("lock.acquire", sharing="exclusive", wait=1)
                if repetition == 1:
                    command.kill()
                else:
                    command.stdin.write("\n")
                    command.stdin.flush()
                scene.equal(agent.outcome(), "locked", "outcome of the wait")
            finally:
                command.kill()
                command.communicate()
            agent.do("lock.release")
        agent.do("lock.close")
        path.unlink()


def asleep(pid):
    status = pathlib.Path(f"/proc/{pid}/status")
    while "State:\tS" not in status.read_text():
        os.sched_yield()


def flock1(scene):
    (command_holds if scene.cell.first == "tool" else command_waits)(scene)


SCENARIOS = {f"LK.lslocks.{kind}": lslocks(kind) for kind in TYPES} | {"LK.flock1": flock1}
