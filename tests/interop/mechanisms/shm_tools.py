# SPDX-License-Identifier: MIT OR Apache-2.0
"""Block 3, System V segments and util-linux: ipcs, lsipc, ipcrm and ipcmk agree with the library."""

import contextlib
import grp
import json
import os
import pathlib
import pwd
import re
import time

from .shm_sysv import Place, rows

LIMITS = {"shmmax": 64 << 20, "shmall": 100_000, "shmmni": 17}  # set where this is our own namespace


def owner(uid):
    """The name that the tools print for a user."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def group_name(gid):
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)


def status_word(status):
    return ("dest" if status["removed"] == "1" else "") + ("locked" if status["locked"] == "1" else "")


def ipcs_row(status):
    """The row of `ipcs -m` that belongs to what the library tells."""
    columns = ("key", "id", "owner", "mode", "size", "nattch")
    row = [status[column] if column != "owner" else owner(int(status["uid"]))[:10] for column in columns]
    return [*row, *filter(None, [status_word(status)])]


def ipcs_table(scene, *options):
    """The rows of an ipcs table, as lists of words, by identifier."""
    words = [line.split() for line in scene.tool("ipcs", "-m", *options).splitlines()]
    place = 0 if options else 1
    return {row[place]: row for row in words if len(row) > place and row[place].isdigit()}


def in_its_states(scene, compare):
    """Calls compare(status) for a segment of the library's when new, attached twice, locked and removed."""
    for _ in scene.repetitions():
        place, agent, other = Place(scene), scene.start(scene.cell.first), scene.start("L")
        name = place.name(agent.party)
        agent.do("create", name=name, size=4097, mode=0o640)
        compare(agent.fields("stat"))
        other.do("open", name=name)
        compare(agent.fields("stat"))
        agent.do("lock")
        scene.equal(agent.fields("stat")["locked"], "1", "locked")
        compare(agent.fields("stat"))
        agent.do("unlock")
        other.do("close")
        agent.do("remove")
        status = agent.fields("stat")
        scene.equal((status["removed"], status["key"], status["nattch"]), ("1", "0x00000000", "1"), "after removal")
        compare(status)
        agent.do("close")
        place.clean()


def ipcs(scene):
    def compare(status):
        shmid, user, group = status["id"], owner(int(status["uid"])), group_name(int(status["gid"]))
        scene.equal(ipcs_table(scene)[shmid], ipcs_row(status), "ipcs -m")
        scene.equal(ipcs_table(scene, "-p")[shmid], [shmid, user[:10], status["cpid"], status["lpid"]], "ipcs -m -p")
        creator = [owner(int(status["cuid"]))[:10], group_name(int(status["cgid"]))[:10]]
        owners = [shmid, status["mode"], *creator, user[:10], group[:10]]
        scene.equal(ipcs_table(scene, "-c")[shmid], owners, "ipcs -m -c")
        details = dict(re.findall(r"(\w+)=(.*?)\s*(?:\t|\n|$)", scene.tool("ipcs", "-m", "-i", shmid)))
        wanted = {key: status[key] for key in ("uid", "gid", "cuid", "cgid", "lpid", "cpid", "nattch")}
        wanted |= {"bytes": status["size"], "access_perms": f"0{status['mode']}", "shmid": shmid}
        for tool, library in (("att_time", "atime"), ("det_time", "dtime"), ("change_time", "ctime")):
            wanted[tool] = time.asctime(time.gmtime(int(status[library]))) if status[library] != "0" else "Not set"
        scene.equal({key: details.get(key, "").strip() for key in wanted}, wanted, "ipcs -m -i")

    in_its_states(scene, compare)


def lsipc(scene):
    same = "key id size nattch cpid lpid cuid uid cgid gid".split()
    columns = ",".join([*same, "owner", "perms", "status", "attach", "detach", "ctime"]).upper()

    def iso(seconds):
        return time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(int(seconds))) if seconds != "0" else None

    def compare(status):
        listed = json.loads(scene.tool("lsipc", "-m", "-J", "-b", "-P", "--time-format", "iso", "-o", columns))
        row = next(row for row in listed["sharedmemory"] if str(row["id"]) == status["id"])
        wanted = {key: status[key] for key in same} | {"status": status_word(status) or None}
        wanted |= {"owner": owner(int(status["uid"])), "perms": f"0{status['mode']}"}
        wanted |= {"attach": iso(status["atime"]), "detach": iso(status["dtime"]), "ctime": iso(status["ctime"])}
        got = {key: row[key] if row[key] is None else str(row[key]) for key in wanted}
        scene.equal(got, wanted, "lsipc -m")

    in_its_states(scene, compare)


def ipcrm(how):
    """A segment of the library's that the tool removes: at once when unused, later when attached."""

    def scenario(scene):
        for _ in scene.repetitions():
            place, agent = Place(scene), scene.start(scene.cell.first)
            name, block = place.name(agent.party), scene.vector(4096).hex()
            shmid = agent.fields("create", name=name, size=4096)["id"]
            agent.do("close")
            scene.tool("ipcrm", *(("-m", shmid) if how == "id" else ("-M", hex(place.key))))
            scene.equal(agent.fails("open", name=name), "ENOENT", "open by key after ipcrm")
            scene.equal(agent.fails("open", name=f"sysv:id={shmid}"), "EINVAL", "open by identifier after ipcrm")

            shmid = agent.fields("create", name=name, size=4096)["id"]
            agent.do("write", at=0, hex=block)
            scene.tool("ipcrm", *(("-m", shmid) if how == "id" else ("-M", hex(place.key))))
            scene.equal(agent.fields("stat")["removed"], "1", "removed, told by the library")
            scene.equal(agent.do("read", at=0, size=4096), block, "data while still attached")
            other = scene.start(scene.cell.first)
            scene.equal(other.fails("open", name=f"sysv:id={shmid}"), "EIDRM", "open by identifier while attached")
            agent.do("close")
            scene.true(int(shmid) not in rows(), "the last detach must destroy the segment")
            place.clean()

    return scenario


def made_by_tool(scene, size=4097):
    """A segment of ipcmk's: (identifier, key), both as text."""
    shmid = scene.tool("ipcmk", "-M", str(size), "-p", "0600").split()[-1]
    return shmid, f"0x{rows()[int(shmid)]['key'] & 0xFFFFFFFF:08x}"


def ipcmk(scene):
    for _ in scene.repetitions():
        agent, other = scene.start(scene.cell.first), scene.start("L")
        shmid, key = made_by_tool(scene)
        block = scene.vector(4097).hex()
        scene.equal(agent.fields("open", name=f"sysv:{key}")["size"], "4097", "size of ipcmk's segment")
        agent.do("write", at=0, hex=block)
        agent.do("close")
        agent.do("open", name=f"sysv:id={shmid}")
        other.do("open", name=f"sysv:id={shmid}")
        scene.equal(other.do("read", at=0, size=4097), block, "what the library wrote, read by libc")
        scene.equal(ipcs_table(scene)[shmid], ipcs_row(agent.fields("stat")), "ipcs -m")
        for end in (agent, other):
            end.do("close")
        scene.tool("ipcrm", "-m", shmid)


def removed_by_library(scene):
    for _ in scene.repetitions():
        agent = scene.start(scene.cell.first)
        for name in ("sysv:id={0}", "sysv:{1}"):
            shmid, key = made_by_tool(scene)
            scene.true(shmid in ipcs_table(scene), "ipcs must show what ipcmk made")
            agent.do("remove", name=name.format(shmid, key))
            scene.true(shmid not in ipcs_table(scene), "ipcs must not show what the library removed")
        scene.equal(agent.fails("remove", name=f"sysv:id={shmid}"), "EINVAL", "removing twice")


def listed(scene):
    """One of the library's by key, one without a key, one of ipcmk's, and one that waits for its end."""
    for _ in scene.repetitions():
        agent, other, place = scene.start(scene.cell.first), scene.start("L"), Place(scene)
        private = agent.fields("create", name="sysv:private", size=10)["id"]
        agent.do("close")
        by_key = agent.fields("create", name=place.name("L"), size=4097)["id"]
        made, _ = made_by_tool(scene, 1)
        waiting = other.fields("create", name="sysv:private", size=4096, mode=0o640)["id"]
        other.do("remove")
        ours = {private, by_key, made, waiting}
        of_library = [dict(word.split("=", 1) for word in row.split()) for row in agent.do("list").split(";")]
        of_library = {row["id"]: ipcs_row(row) for row in of_library if scene.private or row["id"] in ours}
        of_tool = {shmid: row for shmid, row in ipcs_table(scene).items() if scene.private or shmid in ours}
        scene.equal(set(of_tool), ours, "what ipcs lists")
        scene.equal(of_library, of_tool, "the library's list beside that of ipcs")
        for end in (agent, other):
            end.do("close")
        for shmid in (private, by_key, made):
            scene.tool("ipcrm", "-m", shmid)
        place.clean()


def limits(scene):
    """The kernel's limits, and other ones that are set in a namespace of our own."""
    kernel = pathlib.Path("/proc/sys/kernel")
    for repetition in scene.repetitions():
        agent = scene.start(scene.cell.first)
        if scene.private and os.geteuid() == 0 and repetition > 0:
            with contextlib.suppress(OSError):  # some containers have /proc/sys read-only
                for name, value in LIMITS.items():
                    kernel.joinpath(name).write_text(str(value))
        told = {name: int(value) for name, value in agent.fields("limits").items()}
        in_proc = {name: int(kernel.joinpath(name).read_text()) for name in LIMITS}
        scene.equal(told, {**in_proc, "shmmin": 1}, "limits beside /proc/sys/kernel")
        shown = dict(re.findall(r"^(.*) = (\d+)$", scene.tool("ipcs", "-m", "-l"), re.MULTILINE))
        scene.equal(int(shown["max number of segments"]), told["shmmni"], "ipcs -l: SHMMNI")
        scene.equal(int(shown["max seg size (kbytes)"]), told["shmmax"] // 1024, "ipcs -l: SHMMAX")
        scene.equal(int(shown["min seg size (bytes)"]), told["shmmin"], "ipcs -l: SHMMIN")
        pages = os.sysconf("SC_PAGESIZE") // 1024
        if told["shmall"] < 1 << 50:  # beyond that the tool's own arithmetic overflows
            scene.equal(int(shown["max total shared memory (kbytes)"]), told["shmall"] * pages, "ipcs -l: SHMALL")
        table = json.loads(scene.tool("lsipc", "-J", "-b", "-o", "RESOURCE,LIMIT"))["ipclimits"]
        by_lsipc = {row["resource"].lower(): int(row["limit"]) for row in table if row["resource"].lower() in told}
        scene.equal(by_lsipc, told, "lsipc")


SCENARIOS = {
    "UL.ipcs.shm": ipcs, "UL.lsipc.shm": lsipc, "UL.ipcrm-id.shm": ipcrm("id"), "UL.ipcrm-key.shm": ipcrm("key"),
    "UL.ipcmk.shm": ipcmk, "UL.rm.shm": removed_by_library, "UL.list.shm": listed, "UL.limits.shm": limits,
}  # fmt: skip
