# SPDX-License-Identifier: MIT OR Apache-2.0
"""M05 and M09, message queues: a sender and a receiver, in both orders, over each kind of queue.

Sender first: it has ended before the receiver starts, so the messages outlive it. Receiver
first: it is seen asleep before the first message is sent, and the sender before there is room.
"""

import random

TEXTS = ((3, b"third"), (1, b"first"), (2, b""), (1, b"again"), (9, random.Random(9).randbytes(512)))


def put(agent, tag, data, **more):
    agent.do("mq.send", tag=tag, hex=data.hex(), timeout=0, **more)


def fields(answer):
    """The answer to a receive: (tag, bytes, length)."""
    words = dict(word.split("=", 1) for word in answer.split(" "))
    return int(words["tag"]), bytes.fromhex(words["hex"]), int(words["len"])


def got(scene, agent, tag, data, **how):
    """A message that is there."""
    answer = fields(agent.do("mq.receive", timeout=0, **how))
    scene.equal(answer, (tag, data, len(data)), f"{agent.party} receives {how or ''}")


def empty(scene, agent, **how):
    scene.equal(agent.fails("mq.receive", timeout=0, **how), "EAGAIN", f"{agent.party}: nothing there {how or ''}")


def in_order(messages, by_priority):
    return sorted(messages, key=lambda message: -message[0]) if by_priority else messages


def outlives(scene, name, messages, by_priority, **made):
    """What was sent is there for a receiver that starts when the sender has ended."""
    sender = scene.start(scene.cell.first)
    sender.do("mq.create", name=name, **made)
    for tag, data in messages:
        put(sender, tag, data)
    sender.do("mq.close")
    scene.finish(sender)
    receiver = scene.start(scene.cell.second)
    receiver.do("mq.open", name=name)
    for tag, data in in_order(messages, by_priority):
        got(scene, receiver, tag, data)
    empty(scene, receiver)
    receiver.do("mq.close")
    receiver.do("mq.remove", name=name)
    scene.finish(receiver)


def meets(scene, name, **made):
    """The receiver makes the queue and waits; gives both agents, and what was received."""
    receiver, sender = scene.start(scene.cell.second), scene.start(scene.cell.first)
    receiver.do("mq.create", name=name, **made)
    empty(scene, receiver)
    for tag, data in TEXTS:
        receiver.waits("mq.receive")
        if tag == TEXTS[0][0]:
            sender.do("mq.open", name=name)
        put(sender, tag, data)
        scene.equal(fields(receiver.outcome()), (tag, data, len(data)), "what woke the receiver")
    return sender, receiver


def full(scene, sender, receiver, size):
    """A full queue is EAGAIN for a try, and whoever waits gets in when there is room."""
    sent = 0
    while sender.ask("mq.send", tag=5, hex=bytes(size).hex(), timeout=0) == "OK sent":
        sent += 1
    scene.true(sent > 1, "a queue that takes nothing")
    scene.equal(sender.fails("mq.send", tag=5, hex=bytes(size).hex(), timeout=0), "EAGAIN", "full")
    last = b"\xff" * size
    sender.waits("mq.send", tag=5, hex=last.hex())
    got(scene, receiver, 5, bytes(size))
    scene.equal(sender.outcome(), "sent", "the sender that waited")
    for _ in range(sent - 1):
        got(scene, receiver, 5, bytes(size))
    got(scene, receiver, 5, last)
    empty(scene, receiver)


def patience(scene, agents):
    """A limit in time is kept by the parties that have one, and they can go on afterwards."""
    for agent in agents:
        if agent.party in "CPR":
            agent.waits("mq.receive", timeout=50)
            scene.equal(agent.line(), "ERR ETIMEDOUT", f"{agent.party}: nothing came in time")
