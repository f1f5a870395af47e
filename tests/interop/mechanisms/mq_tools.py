# SPDX-License-Identifier: MIT OR Apache-2.0
"""Block 3, System V queues and util-linux: ipcs, lsipc, ipcrm and ipcmk agree with the library."""

import contextlib
import json
import os
import pathlib
import re
import time

from .mq_exchange import got, put
from .mq_sysv import rows
from .shm_sysv import Place
from .shm_tools import group_name, owner

LIMITS = {"msgmax": 12345, "msgmnb": 54321, "msgmni": 17}  # set where this is our own namespace


def ipcs_row(status):
    """The row of `ipcs -q` that belongs to what the library tells."""
    user = owner(int(status["uid"]))[:10]
    return [status["key"], status["id"], user, status["mode"], status["bytes"], status["messages"]]


def ipcs_table(scene, *options):
    """The rows of an ipcs table, as lists of words, by identifier."""
    words = [line.split() for line in scene.tool("ipcs", "-q", *options).splitlines()]
    place = 0 if options else 1
    return {row[place]: row for row in words if len(row) > place and row[place].isdigit()}


def in_its_states(scene, compare):
    """Calls compare(status) for a queue of the library's when new, with messages, after receiving, and changed."""
    for _ in scene.repetitions():
        place, agent, other = Place(scene), scene.start(scene.cell.first), scene.start("L")
        name = place.name(agent.party)
        agent.do("mq.create", name=name, mode=0o640)
        compare(agent.fields("mq.stat"))
        other.do("mq.open", name=name)
        put(agent, 3, b"three")
        put(other, 4, b"")
        compare(agent.fields("mq.stat"))
        got(scene, agent, 3, b"three")
        compare(agent.fields("mq.stat"))
        agent.do("mq.set", mode=0o644, max_bytes=1234)
        status = agent.fields("mq.stat")
        scene.equal((status["mode"], status["max_bytes"], status["messages"]), ("644", "1234", "1"), "after IPC_SET")
        compare(status)
        agent.do("mq.remove")
        place.clean()


def ipcs(scene):
    def compare(status):
        msqid, user, group = status["id"], owner(int(status["uid"])), group_name(int(status["gid"]))
        scene.equal(ipcs_table(scene)[msqid], ipcs_row(status), "ipcs -q")
        scene.equal(ipcs_table(scene, "-p")[msqid], [msqid, user[:10], status["lspid"], status["lrpid"]], "ipcs -q -p")
        creator = [owner(int(status["cuid"]))[:10], group_name(int(status["cgid"]))[:10]]
        owners = [msqid, status["mode"], *creator, user[:10], group[:10]]
        scene.equal(ipcs_table(scene, "-c")[msqid], owners, "ipcs -q -c")
        details = dict(re.findall(r"(\w+)=(.*?)\s*(?:\t|\n|$)", scene.tool("ipcs", "-q", "-i", msqid)))
        wanted = {key: status[key] for key in ("uid", "gid", "cuid", "cgid", "lspid", "lrpid")}
        wanted |= {"cbytes": status["bytes"], "qbytes": status["max_bytes"], "qnum": status["messages"]}
        wanted |= {"mode": f"0{status['mode']}", "msqid": msqid}
        for tool, library in (("send_time", "stime"), ("rcv_time", "rtime"), ("change_time", "ctime")):
            wanted[tool] = time.asctime(time.gmtime(int(status[library]))) if status[library] != "0" else "Not set"
        scene.equal({key: details.get(key, "").strip() for key in wanted}, wanted, "ipcs -q -i")

    in_its_states(scene, compare)


def lsipc(scene):
    same = {"key": "key", "id": "id", "usedbytes": "bytes", "msgs": "messages", "lspid": "lspid", "lrpid": "lrpid"}
    same |= {name: name for name in "cuid uid cgid gid".split()}
    columns = ",".join([*same, "owner", "perms", "send", "recv", "ctime"]).upper()

    def iso(seconds):
        return time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(int(seconds))) if seconds != "0" else None

    def compare(status):
        listed = json.loads(scene.tool("lsipc", "-q", "-J", "-b", "-P", "--time-format", "iso", "-o", columns))
        row = next(row for row in listed["messages"] if str(row["id"]) == status["id"])
        wanted = {tool: status[library] for tool, library in same.items()}
        # Some versions of the tool leave the permissions of queues empty.
        wanted |= {"owner": owner(int(status["uid"])), "perms": row["perms"] and f"0{status['mode']}"}
        wanted |= {"send": iso(status["stime"]), "recv": iso(status["rtime"]), "ctime": iso(status["ctime"])}
        seen = {key: row[key] if row[key] is None else str(row[key]) for key in wanted}
        scene.equal(seen, wanted, "lsipc -q")

    in_its_states(scene, compare)


def ipcrm(how):
    """A queue of the library's that the tool removes: at once, with its messages."""

    def scenario(scene):
        for _ in scene.repetitions():
            place, agent = Place(scene), scene.start(scene.cell.first)
            name = place.name(agent.party)
            msqid = agent.fields("mq.create", name=name)["id"]
            put(agent, 1, b"goes with it")
            scene.tool("ipcrm", *(("-q", msqid) if how == "id" else ("-Q", hex(place.key))))
            scene.true(int(msqid) not in rows(), "the queue is still there")
            scene.equal(agent.fails("mq.receive", timeout=0), "EIDRM", "receiving from what is gone")
            scene.equal(agent.fails("mq.send", tag=1, hex="", timeout=0), "EIDRM", "sending to what is gone")
            scene.equal(agent.fails("mq.open", name=name), "ENOENT", "open by key after ipcrm")
            scene.equal(agent.fails("mq.open", name=f"sysv:id={msqid}"), "EINVAL", "open by identifier after ipcrm")
            again = agent.fields("mq.create", name=name)["id"]
            scene.true(again != msqid, "a new queue has a new identifier")
            agent.do("mq.remove")
            place.clean()

    return scenario


def wakes(scene):
    """ipcrm ends a wait: of a receiver, and of a sender that waits for room."""
    for _ in scene.repetitions():
        place, agent = Place(scene), scene.start(scene.cell.first)
        for verb, arguments in (("mq.receive", {}), ("mq.receive", {"timeout": 15000}), ("mq.send", {"tag": 1})):
            msqid = agent.fields("mq.create", name=place.name(agent.party))["id"]
            if verb == "mq.send":
                arguments["hex"] = bytes(1000).hex()
                while agent.ask(verb, timeout=0, **arguments) == "OK sent":
                    pass
            agent.waits(verb, **arguments)
            started = time.monotonic()
            scene.tool("ipcrm", "-q", msqid)
            scene.equal(agent.line(), "ERR EIDRM", f"what woke {verb}")
            scene.true(time.monotonic() - started < 1, "it took more than a second to wake up")
            agent.do("mq.close")
        place.clean()


def made_by_tool(scene):
    """A queue of ipcmk's: (identifier, key), both as text."""
    msqid = scene.tool("ipcmk", "-Q", "-p", "0600").split()[-1]
    return msqid, f"0x{rows()[int(msqid)]['key'] & 0xFFFFFFFF:08x}"


def ipcmk(scene):
    for _ in scene.repetitions():
        agent, other = scene.start(scene.cell.first), scene.start("L")
        msqid, key = made_by_tool(scene)
        scene.equal(agent.fields("mq.open", name=f"sysv:{key}")["id"], msqid, "identifier by ipcmk's key")
        put(agent, 5, b"made by a tool")
        agent.do("mq.close")
        agent.do("mq.open", name=f"sysv:id={msqid}")
        scene.equal(ipcs_table(scene)[msqid], ipcs_row(agent.fields("mq.stat")), "ipcs -q")
        other.do("mq.open", name=f"sysv:id={msqid}")
        got(scene, other, 5, b"made by a tool")
        scene.tool("ipcrm", "-q", msqid)


def removed_by_library(scene):
    for _ in scene.repetitions():
        agent = scene.start(scene.cell.first)
        for name in ("sysv:id={0}", "sysv:{1}"):
            msqid, key = made_by_tool(scene)
            scene.true(msqid in ipcs_table(scene), "ipcs must show what ipcmk made")
            agent.do("mq.remove", name=name.format(msqid, key))
            scene.true(msqid not in ipcs_table(scene), "ipcs must not show what the library removed")
        scene.equal(agent.fails("mq.remove", name=f"sysv:id={msqid}"), "EINVAL", "removing twice")


def listed(scene):
    """One of the library's by key, one without a key, one of ipcmk's, one of libc's."""
    for _ in scene.repetitions():
        agent, other, place = scene.start(scene.cell.first), scene.start("L"), Place(scene)
        private = agent.fields("mq.create", name="sysv:private")["id"]
        agent.do("mq.close")
        by_key = agent.fields("mq.create", name=place.name("L"))["id"]
        put(agent, 1, b"counted")
        made, _ = made_by_tool(scene)
        foreign = other.fields("mq.create", name="sysv:private", mode=0o640)["id"]
        ours = {private, by_key, made, foreign}
        of_library = [dict(word.split("=", 1) for word in row.split()) for row in agent.do("mq.list").split(";")]
        of_library = {row["id"]: ipcs_row(row) for row in of_library if scene.private or row["id"] in ours}
        of_tool = {msqid: row for msqid, row in ipcs_table(scene).items() if scene.private or msqid in ours}
        scene.equal(set(of_tool), ours, "what ipcs lists")
        scene.equal(of_library, of_tool, "the library's list beside that of ipcs")
        for msqid in ours:
            scene.tool("ipcrm", "-q", msqid)
        place.clean()


def limits(scene):
    """The kernel's limits, and other ones that are set in a namespace of our own."""
    kernel, posix = pathlib.Path("/proc/sys/kernel"), pathlib.Path("/proc/sys/fs/mqueue")
    for repetition in scene.repetitions():
        agent = scene.start(scene.cell.first)
        if scene.private and os.geteuid() == 0 and repetition > 0:
            with contextlib.suppress(OSError):  # some containers have /proc/sys read-only
                for name, value in LIMITS.items():
                    kernel.joinpath(name).write_text(str(value))
        told = {name: int(value) for name, value in agent.fields("mq.limits").items()}
        for name in "msg_max msgsize_max queues_max msg_default msgsize_default".split():
            scene.equal(told.pop(name), int(posix.joinpath(name).read_text()), f"{name} beside /proc/sys/fs/mqueue")
        in_proc = {name: int(kernel.joinpath(name).read_text()) for name in LIMITS}
        scene.equal(told, in_proc, "limits beside /proc/sys/kernel")
        shown = dict(re.findall(r"^(.*) = (\d+)$", scene.tool("ipcs", "-q", "-l"), re.MULTILINE))
        scene.equal(int(shown["max queues system wide"]), told["msgmni"], "ipcs -l: MSGMNI")
        scene.equal(int(shown["max size of message (bytes)"]), told["msgmax"], "ipcs -l: MSGMAX")
        scene.equal(int(shown["default max size of queue (bytes)"]), told["msgmnb"], "ipcs -l: MSGMNB")
        table = json.loads(scene.tool("lsipc", "-J", "-b", "-o", "RESOURCE,LIMIT"))["ipclimits"]
        by_lsipc = {row["resource"].lower(): int(row["limit"]) for row in table if row["resource"].lower() in told}
        scene.equal(by_lsipc, told, "lsipc")


SCENARIOS = {
    "UL.ipcs.msg": ipcs, "UL.lsipc.msg": lsipc, "UL.ipcrm-id.msg": ipcrm("id"), "UL.ipcrm-key.msg": ipcrm("key"),
    "UL.ipcmk.msg": ipcmk, "UL.rm.msg": removed_by_library, "UL.list.msg": listed, "UL.limits.msg": limits,
    "UL.wake.msg": wakes,
}  # fmt: skip
