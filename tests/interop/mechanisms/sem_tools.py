# SPDX-License-Identifier: MIT OR Apache-2.0
"""Block 3, System V semaphores and util-linux: ipcs, lsipc, ipcrm and ipcmk agree with the library."""

import contextlib
import json
import os
import pathlib
import re
import time

from .sem_sysv import has, rows
from .shm_sysv import Place
from .shm_tools import group_name, owner

LIMITS = "123 4567 89 17"  # SEMMSL SEMMNS SEMOPM SEMMNI, set where this is our own namespace


def ipcs_row(status):
    """The row of `ipcs -s` that belongs to what the library tells."""
    return [status["key"], status["id"], owner(int(status["uid"]))[:10], status["mode"], status["nsems"]]


def ipcs_table(scene, *options):
    """The rows of an ipcs table, as lists of words, by identifier."""
    words = [line.split() for line in scene.tool("ipcs", "-s", *options).splitlines()]
    place = 0 if options else 1
    return {row[place]: row for row in words if len(row) > place and row[place].isdigit()}


def in_its_states(scene, compare):
    """Calls compare(agent, status) for a set of the library's when new, operated on, waited for, and changed."""
    for _ in scene.repetitions():
        place, agent, other = Place(scene), scene.start(scene.cell.first), scene.start("L")
        name = place.name(agent.party)
        agent.do("sem.make", name=name, values="3,0,7", mode=0o640)
        compare(agent, agent.fields("sem.stat"))
        other.do("sem.get", name=name)
        other.do("sem.operate", ops="0:-1", timeout=0)
        compare(agent, agent.fields("sem.stat"))
        for wait, wake in (("1:-1", "1:+1"), ("2:0", "2:-7")):
            other.waits("sem.operate", ops=wait)
            compare(agent, agent.fields("sem.stat"))
            agent.do("sem.operate", ops=wake, timeout=0)
            scene.equal(other.outcome(), "done", "what woke libc")
        agent.do("sem.set", mode=0o600)
        status = agent.fields("sem.stat")
        scene.equal((status["mode"], status["nsems"]), ("600", "3"), "after IPC_SET")
        compare(agent, status)
        agent.do("sem.unmake")
        place.clean()


def when(seconds):
    return time.asctime(time.gmtime(int(seconds))) if seconds != "0" else "Not set"


def ipcs(scene):
    def compare(agent, status):
        semid, user, group = status["id"], owner(int(status["uid"])), group_name(int(status["gid"]))
        scene.equal(ipcs_table(scene)[semid], ipcs_row(status), "ipcs -s")
        creator = [owner(int(status["cuid"]))[:10], group_name(int(status["cgid"]))[:10]]
        owners = [semid, status["mode"], *creator, user[:10], group[:10]]
        scene.equal(ipcs_table(scene, "-c")[semid], owners, "ipcs -s -c")
        times = [semid, user[:10], *when(status["otime"]).split(), *when(status["ctime"]).split()]
        scene.equal(ipcs_table(scene, "-t")[semid], times, "ipcs -s -t")
        text = scene.tool("ipcs", "-s", "-i", semid)
        details = {key: it.strip() for key, it in re.findall(r"(\w+) ?= ?(.*?)\s*(?:\t|,|\n|$)", text)}
        wanted = {key: status[key] for key in ("uid", "gid", "cuid", "cgid", "nsems")}
        wanted |= {"semid": semid, "mode": f"0{status['mode']}", "access_perms": f"0{status['mode']}"}
        wanted |= {"otime": when(status["otime"]), "ctime": when(status["ctime"])}
        scene.equal({key: details.get(key, "") for key in wanted}, wanted, "ipcs -s -i")
        table = [line.split() for line in text.splitlines() if re.fullmatch(r"(\d+\s+){5}", line + " ")]
        told = []
        for index in range(int(status["nsems"])):
            it = agent.fields("sem.info", index=index)
            told.append([str(index), *(it[key] for key in ("value", "ncount", "zcount", "pid"))])
        scene.equal(table, told, "the table of ipcs -s -i")

    in_its_states(scene, compare)


def lsipc(scene):
    same = "key id nsems cuid uid cgid gid".split()
    columns = ",".join([*same, "owner", "perms", "otime", "ctime"]).upper()

    def iso(seconds):
        return time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(int(seconds))) if seconds != "0" else None

    def compare(_, status):
        listed = json.loads(scene.tool("lsipc", "-s", "-J", "-b", "-P", "--time-format", "iso", "-o", columns))
        row = next(row for row in listed["semaphores"] if str(row["id"]) == status["id"])
        wanted = {key: status[key] for key in same}
        wanted |= {"owner": owner(int(status["uid"])), "perms": f"0{status['mode']}"}
        wanted |= {"otime": iso(status["otime"]), "ctime": iso(status["ctime"])}
        seen = {key: row[key] if row[key] is None else str(row[key]) for key in wanted}
        scene.equal(seen, wanted, "lsipc -s")

    in_its_states(scene, compare)


def ipcrm(how):
    """A set of the library's that the tool removes, at once."""

    def scenario(scene):
        for _ in scene.repetitions():
            place, agent = Place(scene), scene.start(scene.cell.first)
            name = place.name(agent.party)
            semid = agent.fields("sem.make", name=name, values="1,2")["id"]
            scene.tool("ipcrm", *(("-s", semid) if how == "id" else ("-S", hex(place.key))))
            scene.true(int(semid) not in rows(), "the set is still there")
            for verb, arguments in (("operate", {"ops": "0:+1", "timeout": 0}), ("values", {}), ("stat", {})):
                scene.equal(agent.fails(f"sem.{verb}", **arguments), "EIDRM", f"{verb} of what is gone")
            scene.equal(agent.fails("sem.get", name=name), "ENOENT", "open by key after ipcrm")
            scene.equal(agent.fails("sem.get", name=f"sysv:id={semid}"), "EINVAL", "open by identifier after ipcrm")
            again = agent.fields("sem.make", name=name, values="1")["id"]
            scene.true(again != semid, "a new set has a new identifier")
            agent.do("sem.unmake")
            place.clean()

    return scenario


def wakes(scene):
    """ipcrm ends every kind of wait."""
    for _ in scene.repetitions():
        place, agent = Place(scene), scene.start(scene.cell.first)
        for arguments in ({"ops": "0:-1"}, {"ops": "1:0"}, {"ops": "0:-1", "timeout": 15000}):
            semid = agent.fields("sem.make", name=place.name(agent.party), values="0,1")["id"]
            agent.waits("sem.operate", **arguments)
            started = time.monotonic()
            scene.tool("ipcrm", "-s", semid)
            scene.equal(agent.line(), "ERR EIDRM", f"what woke {arguments}")
            scene.true(time.monotonic() - started < 1, "it took more than a second to wake up")
            agent.do("sem.leave")
        place.clean()


def made_by_tool(scene, count=3):
    """A set of ipcmk's: (identifier, key), both as text."""
    semid = scene.tool("ipcmk", "-S", str(count), "-p", "0600").split()[-1]
    return semid, f"0x{rows()[int(semid)]['key'] & 0xFFFFFFFF:08x}"


def ipcmk(scene):
    """What the tool made has no values and was never operated on: it is used as it is."""
    for _ in scene.repetitions():
        agent, other = scene.start(scene.cell.first), scene.start("L")
        semid, key = made_by_tool(scene)
        scene.equal(agent.fields("sem.get", name=f"sysv:{key}")["id"], semid, "identifier by ipcmk's key")
        status = agent.fields("sem.stat")
        scene.equal((status["nsems"], status["otime"]), ("3", "0"), "a set that nobody has used")
        has(scene, agent, 0, 0, 0)
        agent.do("sem.operate", ops="0:+2", timeout=0)
        agent.do("sem.leave")
        agent.do("sem.get", name=f"sysv:id={semid}")
        scene.equal(ipcs_table(scene)[semid], ipcs_row(agent.fields("sem.stat")), "ipcs -s")
        other.do("sem.get", name=f"sysv:id={semid}")
        other.do("sem.operate", ops="0:-2", timeout=0)
        agent.waits("sem.operate", ops="2:-1")
        other.do("sem.operate", ops="2:+1", timeout=0)
        scene.equal(agent.outcome(), "done", "what woke the library")
        agent.do("sem.leave")
        scene.tool("ipcrm", "-s", semid)


def removed_by_library(scene):
    for _ in scene.repetitions():
        agent = scene.start(scene.cell.first)
        for name in ("sysv:id={0}", "sysv:{1}"):
            semid, key = made_by_tool(scene)
            scene.true(semid in ipcs_table(scene), "ipcs must show what ipcmk made")
            agent.do("sem.unmake", name=name.format(semid, key))
            scene.true(semid not in ipcs_table(scene), "ipcs must not show what the library removed")
        scene.equal(agent.fails("sem.unmake", name=f"sysv:id={semid}"), "EINVAL", "removing twice")


def listed(scene):
    """One of the library's by key, one without a key, one of ipcmk's, one of libc's."""
    for _ in scene.repetitions():
        agent, other, place = scene.start(scene.cell.first), scene.start("L"), Place(scene)
        private = agent.fields("sem.make", name="sysv:private", values="1")["id"]
        agent.do("sem.leave")
        by_key = agent.fields("sem.make", name=place.name("L"), values="1,2,3")["id"]
        made, _ = made_by_tool(scene, 5)
        plain = other.fields("sem.make", name="sysv:private", values="0,0", mode=0o644)["id"]
        ours = {private, by_key, made, plain}
        of_library = [dict(word.split("=", 1) for word in row.split()) for row in agent.do("sem.list").split(";")]
        of_library = {row["id"]: ipcs_row(row) for row in of_library if scene.private or row["id"] in ours}
        of_tool = {semid: row for semid, row in ipcs_table(scene).items() if scene.private or semid in ours}
        scene.equal(set(of_tool), ours, "what ipcs lists")
        scene.equal(of_library, of_tool, "the library's list beside that of ipcs")
        for semid in ours:
            scene.tool("ipcrm", "-s", semid)
        place.clean()


def limits(scene):
    """The kernel's limits, and other ones that are set in a namespace of our own."""
    kernel = pathlib.Path("/proc/sys/kernel/sem")
    for repetition in scene.repetitions():
        agent = scene.start(scene.cell.first)
        if scene.private and os.geteuid() == 0 and repetition > 0:
            with contextlib.suppress(OSError):  # some containers have /proc/sys read-only
                kernel.write_text(LIMITS)
        told = {name: int(it) for name, it in agent.fields("sem.limits").items()}
        in_proc = dict(zip(("semmsl", "semmns", "semopm", "semmni"), map(int, kernel.read_text().split()), strict=True))
        scene.equal(told, {**in_proc, "semvmx": 32767}, "limits beside /proc/sys/kernel/sem")
        shown = dict(re.findall(r"^(.*) = (\d+)$", scene.tool("ipcs", "-s", "-l"), re.MULTILINE))
        names = {
            "max number of arrays": "semmni",
            "max semaphores per array": "semmsl",
            "max semaphores system wide": "semmns",
            "max ops per semop call": "semopm",
            "semaphore max value": "semvmx",
        }
        scene.equal({names[key]: int(it) for key, it in shown.items() if key in names}, told, "ipcs -l")
        table = json.loads(scene.tool("lsipc", "-J", "-b", "-o", "RESOURCE,LIMIT"))["ipclimits"]
        by_lsipc = {row["resource"].lower(): int(row["limit"]) for row in table if row["resource"].lower() in told}
        scene.equal(by_lsipc, told, "lsipc")


SCENARIOS = {
    "UL.ipcs.sem": ipcs, "UL.lsipc.sem": lsipc, "UL.ipcrm-id.sem": ipcrm("id"), "UL.ipcrm-key.sem": ipcrm("key"),
    "UL.ipcmk.sem": ipcmk, "UL.rm.sem": removed_by_library, "UL.list.sem": listed, "UL.limits.sem": limits,
    "UL.wake.sem": wakes,
}  # fmt: skip
