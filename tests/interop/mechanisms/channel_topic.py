# SPDX-License-Identifier: MIT OR Apache-2.0
"""EXT.ring, a topic: the first party publishes, two of the second one and one of the first subscribe."""

from .channel_queue import SIZES, block, told


def everybody(scene, topic, subscribers):
    """Each message reaches each subscriber, who is asleep before it."""
    for size in SIZES:
        part, whole = block(scene, size)
        for subscriber in subscribers:
            subscriber.waits("channel.read")
        topic.do("channel.publish", hex=part.hex(), size=size, timeout=0)
        for subscriber in subscribers:
            scene.equal(subscriber.outcome(), f"{told(whole)} lost=0", f"{subscriber.party}: {size} bytes")
    for subscriber in subscribers:
        scene.equal(subscriber.fails("channel.read", timeout=0), "EAGAIN", "nothing is there")


def latest(scene, topic, subscriber):
    """The publisher never waits; who is slow is told how many were lost, and what comes is whole and in order."""
    count = 100
    for number in range(count):
        topic.do("channel.publish", hex=f"{number:02x}", size=100_000, timeout=0)
    following = 0
    while (answer := subscriber.ask("channel.read", timeout=0)) != "ERR EAGAIN":
        words = dict(word.split("=", 1) for word in answer.removeprefix("OK ").split(" "))
        following += int(words.pop("lost"))
        wanted = told(bytes([following]) * 100_000)
        scene.equal(" ".join(f"{key}={value}" for key, value in words.items()), wanted, "a message after a gap")
        following += 1
    scene.equal(following, count, "received and lost together")


def reliable(scene, topic, subscribers, name):
    """The publisher waits for the slowest, and goes on when that one is killed."""
    fast, slow = subscribers
    topic.do("channel.topic", name=name, capacity=1 << 16, reliable=1)
    for subscriber in subscribers:
        subscriber.do("channel.subscriber", name=name)
    sent = 0
    while topic.ask("channel.publish", hex="07", size=1000, timeout=0) == "OK sent":
        scene.equal(fast.do("channel.read", timeout=0), f"{told(bytes([7]) * 1000)} lost=0", "the fast one")
        sent += 1
    scene.true(sent > 30, "a ring of 64 KiB takes more")
    late = scene.start(scene.cell.second)
    late.do("channel.subscriber", name=name, oldest=1)
    late.do("channel.close")
    topic.waits("channel.publish", hex="08", size=1000)
    slow.kill()
    scene.agents.remove(slow)
    scene.equal(topic.outcome(), "sent", "the publisher does not wait for the dead")
    scene.equal(fast.do("channel.read", timeout=0), f"{told(bytes([8]) * 1000)} lost=0", "the living one")


def topics(scene):
    for _ in scene.repetitions():
        names = [f"/{scene.word()}" for _ in range(2)]
        topic = scene.start(scene.cell.first)
        subscribers = [scene.start(party) for party in (scene.cell.second, scene.cell.first, scene.cell.second)]
        topic.do("channel.topic", name=names[0], capacity=3 << 20)
        for subscriber in subscribers:
            subscriber.do("channel.subscriber", name=names[0])
        everybody(scene, topic, subscribers)
        latest(scene, topic, subscribers[0])
        reliable(scene, topic, subscribers[1:], names[1])
        for name in names:
            topic.do("channel.unlink", name=name)


SCENARIOS = {"EXT.ring": topics}
