# SPDX-License-Identifier: MIT OR Apache-2.0
"""M09, POSIX message queues, and the same with posix_ipc at one end; block 5, the queue as a file."""

import os
import signal
import stat

import isolation
from parties import Skip

from .mq_exchange import empty, fields, full, got, meets, outlives, patience, put

PRIORITIES = ((0, b"least"), (9, b"nine"), (32767, b"most"), (1, b""), (9, b"nine again"))
SIZE = {"max_messages": 6, "max_size": 600}


def sizes(scene, sender, receiver):
    for size in (0, 1, 599, 600):
        block = scene.vector(size)
        put(sender, 1, block)
        got(scene, receiver, 1, block)
    scene.equal(failure(sender, bytes(601)), "EMSGSIZE", "longer than mq_msgsize")


def failure(agent, data):
    """posix_ipc says a ValueError where the others have an errno."""
    answer = agent.fails("mq.send", tag=1, hex=data.hex(), timeout=0)
    return "EMSGSIZE" if agent.party == "PX" and answer.startswith("ValueError") else answer


def too_short(scene, sender, receiver):
    """EMSGSIZE leaves the message; the library can cut it, as MSG_NOERROR does for System V."""
    if receiver.party not in "LCPR":
        return
    put(sender, 4, b"0123456789")
    scene.equal(receiver.fails("mq.receive", cap=599, timeout=0), "EMSGSIZE", "a buffer too short")
    scene.equal(int(receiver.fields("mq.stat")["messages"]), 1, "messages after EMSGSIZE")
    if receiver.party == "L":
        got(scene, receiver, 4, b"0123456789")
        return
    answer = fields(receiver.do("mq.receive", cap=4, truncate=1, timeout=0))
    scene.equal(answer, (4, b"0123", 10), "a message that was cut")
    scene.equal(receiver.fails("mq.receive", want=1, timeout=0), "EOPNOTSUPP", "choosing by type")
    scene.equal(receiver.fails("mq.peek"), "EOPNOTSUPP", "looking without taking")


def same_attributes(scene, sender, receiver):
    put(sender, 1, b"x")
    seen = []
    for agent in (sender, receiver):
        status = agent.fields("mq.stat")
        seen.append(tuple(int(status[name]) for name in ("max_messages", "max_size", "messages")))
    scene.equal(seen, [(6, 600, 1)] * 2, "attributes on both sides")
    got(scene, receiver, 1, b"x")


def unlinked(scene, sender, receiver, name):
    """The name is gone, and the two go on."""
    receiver.do("mq.remove", name=name)
    scene.equal(sender.fails("mq.remove", name=name), "ENOENT", "unlinking twice")
    put(sender, 7, b"after unlink")
    got(scene, receiver, 7, b"after unlink")
    sender.do("mq.close")
    receiver.do("mq.close")
    scene.equal(sender.fails("mq.open", name=name), "ENOENT", "open after unlink")


def scenario(scene):
    for _ in scene.repetitions():
        name = f"/{scene.word()}"
        outlives(scene, name, PRIORITIES, by_priority=True, **SIZE)
        sender, receiver = meets(scene, name, **SIZE)
        for tag, data in PRIORITIES:
            put(sender, tag, data)
        for tag, data in sorted(PRIORITIES, key=lambda message: -message[0]):
            got(scene, receiver, tag, data)
        empty(scene, receiver)
        sizes(scene, sender, receiver)
        too_short(scene, sender, receiver)
        same_attributes(scene, sender, receiver)
        full(scene, sender, receiver, 600)
        patience(scene, (sender, receiver))
        unlinked(scene, sender, receiver, name)


def shown(scene):
    """The queue is a file of its name, mode and owner, which tells what the library tells."""
    for mode in (0o600, 0o640, 0o666):
        for _ in scene.repetitions():
            agent, word = scene.start(scene.cell.first), scene.word()
            agent.do("mq.create", name=f"/{word}", mode=mode, **SIZE)
            put(agent, 1, b"12345")
            put(agent, 1, b"678")
            for notified in (False, True):
                if notified:
                    agent.do("mq.notify", signal=int(signal.SIGWINCH))
                file = there() / word
                status, found = file.stat(), agent.fields("mq.stat")
                scene.equal(oct(status.st_mode), oct(stat.S_IFREG | mode), "st_mode")
                scene.equal((status.st_uid, status.st_gid), (os.geteuid(), os.getegid()), "owner")
                scene.equal((int(found["mode"], 8), int(found["uid"]), int(found["gid"])),
                            (mode, status.st_uid, status.st_gid), "mode and owner")  # fmt: skip
                pid, number = (agent.pid, int(signal.SIGWINCH)) if notified else (0, 0)
                wanted = {"QSIZE": 8, "NOTIFY": 0, "SIGNO": number, "NOTIFY_PID": pid}
                shown = dict(word.split(":") for word in file.read_text().split())
                scene.equal({key: int(value) for key, value in shown.items()}, wanted, "the file")
                told = [int(found[key]) for key in ("bytes", "method", "signal", "pid")]
                scene.equal(told, list(wanted.values()), "what the library tells")
                times = (int(found["atime"]), int(found["ctime"]))
                scene.true(times[0] <= int(file.stat().st_atime) and times[1] == int(status.st_ctime), "times")
            agent.do("mq.close")
            agent.do("mq.remove", name=f"/{word}")


def there():
    """The file system of queues of the cell's IPC namespace."""
    if not os.path.ismount(isolation.MQUEUE):
        raise Skip("needs the mqueue file system: mount -t mqueue none /dev/mqueue")
    return isolation.MQUEUE


def removed_from_outside(scene):
    """rm of the file is mq_unlink: the handle goes on, the name is free."""
    for _ in scene.repetitions():
        agent, word = scene.start(scene.cell.first), scene.word()
        agent.do("mq.create", name=f"/{word}", **SIZE)
        put(agent, 3, b"still here")
        scene.tool("rm", there() / word)
        got(scene, agent, 3, b"still here")
        scene.equal(agent.fails("mq.remove"), "ENOENT", "removing it by the handle after rm")
        agent.do("mq.close")
        scene.equal(agent.fails("mq.open", name=f"/{word}"), "ENOENT", "open after rm")
        agent.do("mq.create", name=f"/{word}", **SIZE)
        empty(scene, agent)
        agent.do("mq.close")
        agent.do("mq.remove", name=f"/{word}")


SCENARIOS = {"M09": scenario, "PX3": scenario, "NS.show.mq": shown, "NS.rm.mq": removed_from_outside}
