# SPDX-License-Identifier: MIT OR Apache-2.0
"""M29, request and reply through a service: the first party asks, the second one answers."""

import errno

from .channel_queue import told


def asks(scene, client, server, question, answer):
    """A call that waits, asleep, until it is answered."""
    client.waits("channel.call", hex=question.hex())
    scene.equal(server.do("channel.question", timeout=0), told(question), "the question")
    server.do("channel.reply", at=scene.asked, hex=answer.hex())
    scene.asked += 1
    scene.equal(client.outcome(), told(answer), "the answer")


def calls(scene):
    for _ in scene.repetitions():
        name = f"/{scene.word()}"
        scene.asked = 0
        server, client = scene.start(scene.cell.second), scene.start(scene.cell.first)
        server.do("channel.service", name=name, capacity=1 << 16)
        client.do("channel.client", name=name)
        scene.equal(server.fails("channel.question", timeout=0), "EAGAIN", "no question yet")
        for question, answer in ((b"1 2", b"3"), (b"", b""), (bytes(range(256)) * 8, bytes(4000))):
            asks(scene, client, server, question, answer)
        failing(scene, client, server)
        deadline(scene, client, server)
        two_in_flight(scene, client, server)
        killed(scene, client, server, name)


def failing(scene, client, server):
    """The server's errno is the client's error."""
    for number, word in ((errno.EDOM, "EDOM"), (errno.EAGAIN, "EAGAIN")):
        client.waits("channel.call", hex=b"1 / 0".hex())
        server.do("channel.question", timeout=0)
        server.do("channel.fail", at=scene.asked, errno=number, why="division")
        scene.asked += 1
        scene.equal(client.line(), f"ERR {word}", "the server's error")


def deadline(scene, client, server):
    """Nobody answers in time; the server can tell, and its late answer does not disturb the next call."""
    client.waits("channel.call", hex="aa", timeout=50)
    scene.equal(client.line(), "ERR ETIMEDOUT", "no answer in time")
    server.do("channel.question", timeout=0)
    scene.equal(server.do("channel.expired", at=scene.asked), "1", "the server knows")
    server.do("channel.reply", at=scene.asked, hex=b"late".hex())
    scene.asked += 1
    asks(scene, client, server, b"next", b"in time")


def two_in_flight(scene, client, server):
    """Two calls are open, answered the other way round, the first of them in parts."""
    one = client.do("channel.begin", hex=b"one".hex())
    two = client.do("channel.begin", hex=b"two".hex())
    for text in (b"one", b"two"):
        scene.equal(server.do("channel.question", timeout=0), told(text), "questions in order")
    server.do("channel.reply", at=scene.asked + 1, hex=b"TWO".hex())
    server.do("channel.part", at=scene.asked, hex=b"O".hex())
    server.do("channel.reply", at=scene.asked, hex=b"NE".hex())
    scene.asked += 2
    for call, text, more in ((one, b"O", 1), (one, b"NE", 0), (two, b"TWO", 0)):
        scene.equal(client.do("channel.wait", call=call, timeout=0), f"{told(text)} more={more}", "an answer")
    scene.equal(client.fails("channel.wait", call=one, timeout=0), "EINVAL", "a call that is over")


def killed(scene, client, server, name):
    """The server that has the question dies: an error at once; another server of the name goes on."""
    client.waits("channel.call", hex=b"last".hex())
    server.do("channel.question", timeout=0)
    server.kill()
    scene.agents.remove(server)
    scene.equal(client.line(), "ERR EPIPE", "the server is dead")
    other = scene.start(scene.cell.second)
    other.do("channel.service", name=name)
    scene.asked = 0
    asks(scene, client, other, b"again", b"answered")
    for agent in (client, other):
        agent.do("channel.close")
    other.do("channel.unlink", name=name)


SCENARIOS = {"M29": calls}
