# SPDX-License-Identifier: MIT OR Apache-2.0
"""EXT.queue: messages through a queue in shared memory, each to one. Sizes, order, a full ring, several producers
and consumers, a killed consumer."""

import zlib

from cells import LIBRARY, square

SIZES = (0, 1, 47, 48, 49, 64, 4095, 1 << 20)


def told(data):
    """A message as the agents tell it."""
    return f"len={len(data)} sum={zlib.adler32(data)} hex={data[:16].hex()}"


def block(scene, size):
    """What is repeated to the size, and the whole message."""
    part = scene.vector(max(1, min(size, 257)))
    return part, (part * (size // len(part) + 1))[:size]


def sizes(scene, sender, receiver):
    """Every size, several times, so that the ring wraps; the receiver asleep before the first of each."""
    for size in SIZES:
        part, whole = block(scene, size)
        receiver.waits("channel.recv")
        sender.do("channel.send", hex=part.hex(), size=size, timeout=0)
        scene.equal(receiver.outcome(), told(whole), f"{size} bytes, which woke the receiver")
        for _ in range(3):
            sender.do("channel.send", hex=part.hex(), size=size, timeout=0)
            scene.equal(receiver.do("channel.recv", timeout=0), told(whole), f"{size} bytes")
    scene.equal(receiver.fails("channel.recv", timeout=0), "EAGAIN", "nothing is there")
    receiver.waits("channel.recv", timeout=50)
    scene.equal(receiver.line(), "ERR ETIMEDOUT", "nothing came in time")


def full(scene, sender, receiver):
    """A full ring is EAGAIN for a try; whoever waits gets in when there is room. Nothing is lost."""
    sent = 0
    while sender.ask("channel.send", hex="05", size=100_000, timeout=0) == "OK sent":
        sent += 1
    scene.true(sent > 10, "a ring of 3 MiB takes more")
    sender.waits("channel.send", hex="06", size=100_000)
    # Room is made in quarters of the ring.
    for _ in range(sent):
        scene.equal(receiver.do("channel.recv", timeout=0), told(b"\5" * 100_000), "in order")
    scene.equal(sender.outcome(), "sent", "the sender that waited")
    scene.equal(receiver.do("channel.recv", timeout=0), told(b"\6" * 100_000), "the last one")


def many(scene, name, parties):
    """Two senders and two receivers: each message arrives once, and each sender's are in order."""
    agents = [scene.start(party) for party in parties]
    for agent in agents:
        agent.do("channel.queue", name=name)
    senders, receivers = agents[:2], agents[2:]
    for agent in receivers:
        agent.send("channel.drain")
    for me, agent in enumerate(senders):
        agent.send("channel.flood", me=me + 1, count=3000)
    for agent in senders:
        scene.equal(agent.outcome(), "sent", f"{agent.party} sends")
    for _ in receivers:
        senders[0].send("channel.send", hex="")
        senders[0].expect_line("WAIT")
        scene.equal(senders[0].outcome(), "sent", "the mark of the end")
    total = [0] * 10
    for agent in receivers:
        good, seen = agent.outcome().split(" ")
        scene.equal(good, "good=1", f"{agent.party}: in order and whole")
        total = [sum(pair) for pair in zip(total, map(int, seen.removeprefix("seen=").split(",")), strict=True)]
    scene.equal(total, [0, 3000, 3000, *[0] * 7], "each message once")
    scene.finish(*agents)


def queues(scene):
    for _ in scene.repetitions():
        name = f"/{scene.word()}"
        receiver, sender = scene.start(scene.cell.second), scene.start(scene.cell.first)
        receiver.do("channel.queue", name=name, capacity=3 << 20)
        sender.do("channel.queue", name=name)
        sizes(scene, sender, receiver)
        full(scene, sender, receiver)
        many(scene, name, (scene.cell.first, scene.cell.second) * 2)
        sender.do("channel.send", hex=b"survives".hex(), timeout=0)
        receiver.kill()
        scene.agents.remove(receiver)
        sender.do("channel.send", hex=b"as well".hex(), timeout=0)
        other = scene.start(scene.cell.second)
        other.do("channel.queue", name=name)
        for text in (b"survives", b"as well"):
            scene.equal(other.do("channel.recv", timeout=0), told(text), "for who comes next")
        other.do("channel.unlink", name=name)


SCENARIOS = {"EXT.queue": queues}
EXTENSIONS = [*square("EXT.queue", "queue in shared memory", 9, "channel", LIBRARY, True)]
