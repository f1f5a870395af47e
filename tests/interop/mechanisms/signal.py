# SPDX-License-Identifier: MIT OR Apache-2.0
"""M21 and M22, signals: a sender and a receiver, in both orders.

Receiver first: it is seen asleep before the signal is sent. Sender first: the signal is pending,
blocked, before the receiver looks.
"""

import os
import pathlib
import signal

from cells import CORE, Cell

USR1, USR2, TERM, HUP, URG = (int(getattr(signal, f"SIG{name}")) for name in ("USR1", "USR2", "TERM", "HUP", "URG"))
REALTIME = list(range(signal.SIGRTMIN, signal.SIGRTMIN + 8))
SI_USER, SI_QUEUE = 0, -1
COUNT = 64


def told(answer):
    return {key: int(value) for key, value in (word.split("=", 1) for word in answer.split(" "))}


def listed(signals):
    return ",".join(map(str, signals))


def ways(party):
    """By what the party can take a signal: all can wait; Python's own module has no signalfd."""
    return ("wait",) if party == "SG" else ("wait", "stream")


def took(scene, answer, sender, wanted, code=SI_USER, value=0):
    """Which signal, and that the kernel's word about its sender is true."""
    got = told(answer)
    expected = {"signal": wanted, "code": code, "pid": sender.pid, "uid": os.getuid(), "value": value, "status": 0}
    scene.equal(got, expected, f"{scene.cell.second} takes a signal")


def nothing(scene, receiver, signals):
    for by in ways(receiver.party):
        scene.equal(receiver.fails("signal.take", signals=listed(signals), by=by), "EAGAIN", f"{receiver.party}: none")


def masks(agent, field):
    """What /proc tells of the agent: the numbers in one of its sets."""
    lines = pathlib.Path(f"/proc/{agent.pid}/status").read_text().splitlines()
    bits = int(next(line for line in lines if line.startswith(f"{field}:")).split()[1], 16)
    return {number for number in range(1, 65) if bits >> (number - 1) & 1}


def pending_first(scene, sender, receiver):
    """Three while blocked arrive as one; numbers come lowest first."""
    receiver.do("signal.block", signals=listed([USR1, USR2]))
    scene.true({USR1, USR2} <= masks(receiver, "SigBlk"), "the mask is not in /proc")
    nothing(scene, receiver, [USR1, USR2])
    for by in ways(receiver.party):
        for _ in range(3):
            sender.do("signal.send", pid=receiver.pid, signal=USR2)
        sender.do("signal.send", pid=receiver.pid, signal=USR1)
        scene.true({USR1, USR2} <= masks(receiver, "ShdPnd"), "it is not pending in /proc")
        scene.equal(receiver.do("signal.pending"), listed([USR1, USR2]), f"{receiver.party}: pending")
        for wanted in (USR1, USR2):
            took(scene, receiver.do("signal.take", signals=listed([USR1, USR2]), by=by), sender, wanted)
        nothing(scene, receiver, [USR1, USR2])


def waiting_first(scene, sender, receiver):
    for by in ways(receiver.party):
        receiver.waits("signal.take", signals=listed([USR1, USR2]), by=by, wait=1)
        sender.do("signal.send", pid=receiver.pid, signal=USR1)
        took(scene, receiver.outcome(), sender, USR1)
    if sender.party != "SH":
        receiver.waits("signal.take", signals=USR2, by="wait", wait=1)
        sender.do("signal.send", pid=receiver.pid, signal=USR2, by="pidfd")
        took(scene, receiver.outcome(), sender, USR2)


def dispositions(scene, sender, receiver):
    """Default, ignore, handler; and a handler's repeats that merge while blocked."""
    victim = scene.start(scene.cell.second)
    sender.do("signal.send", pid=victim.pid, signal=URG)  # which does nothing by default
    receiver.do("signal.action", signal=TERM, to="ignore")
    scene.true(TERM in masks(receiver, "SigIgn"), "what is ignored is not in /proc")
    for agent in (receiver, victim):
        sender.do("signal.send", pid=agent.pid, signal=TERM)
    scene.equal(victim.process.wait(), -TERM, "the default of SIGTERM")
    victim.kill()
    scene.agents.remove(victim)
    receiver.do("signal.action", signal=TERM, to="default")
    scene.true(TERM not in masks(receiver, "SigIgn") | masks(receiver, "SigCgt"), "the default is not in /proc")

    receiver.do("signal.action", signal=HUP, to="handler")
    scene.true(HUP in masks(receiver, "SigCgt"), "the handler is not in /proc")
    for _ in range(3):
        receiver.waits("signal.count", signal=HUP, wait=1)
        sender.do("signal.send", pid=receiver.pid, signal=HUP)
        scene.equal(receiver.outcome(), "1", "the handler counts")
    receiver.do("signal.block", signals=HUP)
    for _ in range(3):
        sender.do("signal.send", pid=receiver.pid, signal=HUP)
    scene.equal(receiver.do("signal.count", signal=HUP), "0", "it is blocked")
    receiver.do("signal.unblock", signals=HUP)
    scene.equal(receiver.do("signal.count", signal=HUP), "1", "three while blocked arrive as one")
    receiver.do("signal.action", signal=HUP, to="default")


def standard(scene):
    for _ in scene.repetitions():
        receiver, sender = scene.start(scene.cell.second), scene.start(scene.cell.first)
        pending_first(scene, sender, receiver)
        waiting_first(scene, sender, receiver)
        dispositions(scene, sender, receiver)


def values():
    """What is sent: signals from the highest to the lowest, again and again, each with a number of its own."""
    return [(REALTIME[-1 - i % len(REALTIME)], (-1) ** i * i * 33_000_000) for i in range(COUNT)]


def realtime(scene):
    for _ in scene.repetitions():
        receiver, sender = scene.start(scene.cell.second), scene.start(scene.cell.first)
        receiver.do("signal.block", signals=listed(REALTIME))
        for by in ways(receiver.party):
            queued(scene, sender, receiver, by)
            receiver.waits("signal.take", signals=listed(REALTIME), by=by, wait=1)
            sender.do("signal.queue", pid=receiver.pid, signal=REALTIME[3], value=-5)
            took(scene, receiver.outcome(), sender, REALTIME[3], SI_QUEUE, -5)


def queued(scene, sender, receiver, by):
    """All of them are pending before the first is taken; then the lowest number first, each in its order."""
    for i, (wanted, value) in enumerate(values()):
        through = {"by": "pidfd"} if i % 2 and sender.party != "SH" else {}
        sender.do("signal.queue", pid=receiver.pid, signal=wanted, value=value, **through)
    scene.equal(receiver.do("signal.pending"), listed(REALTIME), f"{receiver.party}: pending")
    for wanted, value in sorted(values(), key=lambda sent: sent[0]):
        took(scene, receiver.do("signal.take", signals=listed(REALTIME), by=by), sender, wanted, SI_QUEUE, value)
    nothing(scene, receiver, REALTIME)


def from_the_shell(scene):
    """bash's kill sends, kill(1) of procps sends values; the sender that is told is kill(1) itself."""
    for _ in scene.repetitions():
        receiver, sender = scene.start(scene.cell.second), scene.start(scene.cell.first)
        pending_first(scene, sender, receiver)
        waiting_first(scene, sender, receiver)
        dispositions(scene, sender, receiver)
        receiver.do("signal.block", signals=listed(REALTIME))
        sent = [(wanted, i) for i, (wanted, _) in enumerate(values()[:16])]
        for wanted, value in sent:
            sender.do("signal.queue", pid=receiver.pid, signal=wanted, value=value)
        for wanted, value in sorted(sent):
            got = told(receiver.do("signal.take", signals=listed(REALTIME), by="wait"))
            scene.equal((got["signal"], got["code"], got["value"]), (wanted, SI_QUEUE, value), "kill -q")


SCENARIOS = {"M21": standard, "M22": realtime, "SG1": standard, "SH.kill": from_the_shell}
EXTENSIONS = [
    cell
    for party in CORE
    for cell in (
        Cell("SG1", "signals of Python's own module", "SG", party, 9, "signal", True),
        Cell("SG1", "signals of Python's own module", party, "SG", 9, "signal", True),
        Cell("SH.kill", "kill of bash and kill(1)", "SH", party, 9, "signal", True),
    )
]
