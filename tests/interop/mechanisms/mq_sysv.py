# SPDX-License-Identifier: MIT OR Apache-2.0
"""M05, System V message queues, and the same with sysv_ipc at one end."""

import pathlib

from .mq_exchange import TEXTS, empty, fields, full, got, meets, outlives, patience, put
from .shm_sysv import Place

COLUMNS = "key msqid perms cbytes qnum lspid lrpid uid gid cuid cgid stime rtime ctime".split()


def rows():
    """/proc/sysvipc/msg by identifier, numbers as numbers; perms is octal there."""
    table = {}
    for line in pathlib.Path("/proc/sysvipc/msg").read_text().splitlines()[1:]:
        row = dict(zip(COLUMNS, map(int, line.split()), strict=True))
        table[row["msqid"]] = row | {"perms": int(str(row["perms"]), 8)}
    return table


def msgmax():
    return int(pathlib.Path("/proc/sys/kernel/msgmax").read_text())


def by_type(scene, sender, receiver):
    """msgtyp 0, above 0 and below 0."""
    for tag, data in TEXTS:
        put(sender, tag, data)
    got(scene, receiver, 1, b"first", want=-2)
    got(scene, receiver, 2, b"", want=2)
    empty(scene, receiver, want=7)
    got(scene, receiver, 1, b"again", want=-9)
    got(scene, receiver, 3, b"third", want=0)
    got(scene, receiver, *TEXTS[-1], want=9)
    empty(scene, receiver)


def sizes(scene, sender, receiver):
    for size in (0, 1, 4096, 4097, msgmax()):
        block = scene.vector(size)
        block = (block * (size // 4097 + 1))[:size]
        put(sender, 1, block)
        got(scene, receiver, 1, block)
    if sender.party in "LCPR":
        scene.equal(sender.fails("mq.send", tag=1, hex=bytes(msgmax() + 1).hex(), timeout=0), "EINVAL", "above MSGMAX")


def too_long(scene, sender, receiver):
    """E2BIG leaves the message, MSG_NOERROR cuts it, MSG_EXCEPT and MSG_COPY choose; sysv_ipc has none of these."""
    if receiver.party not in "LCPR":
        return
    put(sender, 4, b"0123456789")
    scene.equal(receiver.fails("mq.receive", cap=9, timeout=0), "E2BIG", "a buffer too short")
    scene.equal(int(receiver.fields("mq.stat")["messages"]), 1, "messages after E2BIG")
    tag, data, length = fields(receiver.do("mq.receive", cap=4, truncate=1, timeout=0))
    scene.equal((tag, data), (4, b"0123"), "a message that was cut")
    # The library tells how long it was, which the kernel does not.
    scene.equal(length, 4 if receiver.party == "L" else 10, "length of the message that was cut")
    put(sender, 4, b"four")
    put(sender, 5, b"five")
    if receiver.party in "CPR":
        peeked = receiver.ask("mq.peek", index=1)
        if peeked != "ERR EOPNOTSUPP":  # not every kernel is built with it
            scene.equal(fields(peeked.removeprefix("OK ")), (5, b"five", 4), "MSG_COPY")
            scene.equal(receiver.fails("mq.peek", index=2), "ENOMSG", "MSG_COPY of nothing")
    got(scene, receiver, 5, b"five", want=4, **{"except": 1})
    got(scene, receiver, 4, b"four")


def in_msgbufs(scene, sender, receiver):
    """A struct msgbuf of the caller's, sent and filled where it lies, is what the other calls send and take."""
    for data in (b"", b"in a msgbuf", scene.vector(4097)):
        if sender.party in "CPR":
            sender.do("mq.send_msgbuf", tag=6, hex=data.hex(), timeout=0)
            got(scene, receiver, 6, data)
        if receiver.party in "CPR":
            put(sender, 7, data)
            answer = fields(receiver.do("mq.receive_msgbuf", timeout=0))
            scene.equal(answer, (7, data, len(data)), "what the msgbuf was filled with")
    if sender.party in "CPR":
        scene.equal(sender.fails("mq.send_msgbuf", tag=0, hex="", timeout=0), "EINVAL", "a msgbuf of type 0")
    if receiver.party in "CPR":
        put(sender, 8, b"0123456789")
        scene.equal(receiver.fails("mq.receive_msgbuf", cap=9, timeout=0), "E2BIG", "a msgbuf too short")
        cut = fields(receiver.do("mq.receive_msgbuf", cap=4, truncate=1, timeout=0))
        scene.equal(cut, (8, b"0123", 4), "a message that was cut, as MSG_NOERROR tells it")


def same_status(scene, sender, receiver):
    """Both tell what the kernel's table says."""
    put(sender, 3, b"12345")
    put(sender, 3, b"")
    got(scene, receiver, 3, b"12345")
    row = rows()[int(sender.fields("mq.stat")["id"])]
    for agent in (sender, receiver):
        status = agent.fields("mq.stat")
        seen = (int(status["key"], 16), int(status["messages"]), int(status["lspid"]), int(status["lrpid"]))
        wanted = (row["key"] & 0xFFFFFFFF, row["qnum"], row["lspid"], row["lrpid"])
        scene.equal(seen, wanted, f"{agent.party}: status")
    scene.equal((row["lspid"], row["lrpid"], row["qnum"]), (sender.pid, receiver.pid, 1), "who was last")
    got(scene, receiver, 3, b"")


def removed(scene, sender, receiver, name):
    """IPC_RMID wakes the waiter with EIDRM, and nothing is there any more."""
    receiver.waits("mq.receive")
    sender.do("mq.remove", name=name)
    scene.equal(receiver.line(), "ERR EIDRM", "what woke the receiver")
    scene.equal(sender.fails("mq.open", name=name), "ENOENT", "open by key after IPC_RMID")
    if receiver.party in "CPR":
        scene.equal(receiver.fails("mq.send", tag=1, hex="", timeout=0), "EIDRM", "a handle on what is gone")


def scenario(scene):
    for _ in scene.repetitions():
        place = Place(scene)
        name = place.name(None)
        outlives(scene, name, TEXTS, by_priority=False)
        sender, receiver = meets(scene, name)
        by_type(scene, sender, receiver)
        sizes(scene, sender, receiver)
        too_long(scene, sender, receiver)
        in_msgbufs(scene, sender, receiver)
        same_status(scene, sender, receiver)
        full(scene, sender, receiver, 1000)
        patience(scene, (sender, receiver))
        removed(scene, sender, receiver, name)
        place.clean()


SCENARIOS = {"M05": scenario, "SV3": scenario}
