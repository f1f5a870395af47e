# SPDX-License-Identifier: MIT OR Apache-2.0
"""M23 to M27, sockets: a client and a server over each kind, by path, by abstract name and over TCP.

The side that waits is seen asleep before the other acts: the server that accepts, the receiver of
each message, and the sender when the receiver takes no more.
"""

import os

from cells import both_ways

LIBRARY = "CPR"
SIZES = (0, 1, 4096, 4097, 60_000)


def place(scene, kind, abstract=False):
    """A name that nobody has; paths are relative to the cell's directory, where every agent is."""
    if kind == "tcp":
        return "tcp:127.0.0.1:0"
    return f"unix:@{scene.word()}" if abstract else f"unix:{scene.path('s').name}"


def fields(answer):
    return dict(word.split("=", 1) for word in answer.split(" "))


def word_of(kind):
    return "stream" if kind == "tcp" else kind


def meet(scene, kind, abstract):
    """The server waits for a client, which comes. Gives both, and the name."""
    server, client = scene.start(scene.cell.second), scene.start(scene.cell.first)
    name = server.fields("socket.listen", name=place(scene, kind, abstract), kind=word_of(kind))["name"]
    server.waits("socket.accept")
    client.do("socket.connect", name=name, kind=word_of(kind))
    server.outcome()
    return server, client, name


def carry(scene, sender, receiver, data, stream):
    """The receiver is seen waiting, then gets what the sender sends."""
    exact = {"exact": len(data)} if stream else {}
    receiver.waits("socket.recv", **exact)
    sent(scene, sender, data)
    got = fields(receiver.outcome())
    scene.equal(got["hex"], data.hex(), f"{receiver.party}: {len(data)} bytes from {sender.party}")
    return got["from"]


def sent(scene, sender, data, **more):
    sender.send("socket.send", hex=data.hex(), **more)
    sender.expect_line("WAIT")
    scene.equal(sender.outcome(), f"sent={len(data)}", f"{sender.party} sends")


def received(scene, receiver, **how):
    """What is there, without waiting."""
    return bytes.fromhex(fields(receiver.do("socket.recv", timeout=0, **how))["hex"])


def boundaries(scene, sender, receiver, stream):
    for data in (b"first", b"second"):
        sent(scene, sender, data)
    if stream:
        receiver.send("socket.recv", exact=11)
        receiver.expect_line("WAIT")
        scene.equal(fields(receiver.outcome())["hex"], b"firstsecond".hex(), "a stream has no boundaries")
        return
    scene.equal(received(scene, receiver), b"first", "the first message")
    scene.equal(received(scene, receiver), b"second", "the second message")
    sent(scene, sender, b"12345")
    scene.equal(receiver.fails("socket.recv", cap=4, timeout=0), "EMSGSIZE", "a message that does not fit")
    sent(scene, sender, b"next")
    scene.equal(received(scene, receiver), b"next", "the message after it")


def nothing(scene, receiver):
    scene.equal(receiver.fails("socket.recv", timeout=0), "EAGAIN", f"{receiver.party}: nothing there")
    if receiver.party in LIBRARY:
        receiver.waits("socket.recv", timeout=50)
        scene.equal(receiver.line(), "ERR ETIMEDOUT", f"{receiver.party}: nothing came in time")


def flow_control(scene, sender, receiver):
    """The sender is seen asleep when the receiver takes no more, and goes on when it does."""
    count = int(fields(sender.do("socket.fill"))["bytes"])
    scene.true(count >= 1000, "it takes something")
    sender.waits("socket.send", hex=bytes(1000).hex())
    total = 0
    while total < count:
        total += int(fields(receiver.do("socket.drain"))["bytes"])
    scene.equal(sender.outcome(), "sent=1000", f"{sender.party} goes on")
    while total < count + 1000:
        total += int(fields(receiver.do("socket.drain"))["bytes"])
    scene.equal(total, count + 1000, "all that was sent")
    nothing(scene, receiver)


def credentials(scene, client, server):
    for one, other in ((client, server), (server, client)):
        who = one.fields("socket.peer")
        seen = (int(who["pid"]), int(who["uid"]), int(who["gid"]))
        scene.equal(seen, (other.pid, os.geteuid(), os.getegid()), f"{one.party}: the peer's credentials")


def message_credentials(scene, sender, receiver):
    receiver.do("socket.credentials", on=1)
    receiver.waits("socket.recv_message")
    sent(scene, sender, b"who?")
    got = fields(receiver.outcome())
    seen = (got["len"], int(got["pid"]), int(got["uid"]), int(got["gid"]))
    scene.equal(seen, ("4", sender.pid, os.geteuid(), os.getegid()), f"{receiver.party}: the sender's credentials")
    receiver.do("socket.credentials", on=0)


def half_close(scene, client, server):
    client.do("socket.shutdown", how="send")
    scene.equal(received(scene, server), b"", f"{server.party}: the end")
    scene.equal(client.fails("socket.send", hex="00", timeout=0), "EPIPE", f"{client.party} has said its last word")
    client.waits("socket.recv")
    sent(scene, server, b"the other half")
    scene.equal(fields(client.outcome())["hex"], b"the other half".hex(), f"{client.party}: the other half")
    server.do("socket.close")
    scene.equal(received(scene, client), b"", f"{client.party}: the end")
    client.do("socket.close")


def killed(scene, client, server, name, kind):
    """A client that is killed is the end for the server, not a hang."""
    server.waits("socket.accept")
    client.do("socket.connect", name=name, kind=word_of(kind))
    server.outcome()
    server.waits("socket.recv")
    client.kill()
    scene.agents.remove(client)
    scene.equal(fields(server.outcome())["len"], "0", f"{server.party}: the client was killed")


def taken_over(scene, server, name, kind):
    """The file of a server that was killed: the library's next one takes it over, a living one's never."""
    path = name.removeprefix("unix:")
    inode = (scene.directory / path).stat().st_ino
    if server.party in LIBRARY:
        second = scene.start(server.party)
        scene.equal(second.fails("socket.listen", name=name, kind=word_of(kind)), "EADDRINUSE", "the server lives")
        scene.finish(second)
        scene.equal((scene.directory / path).stat().st_ino, inode, "the living server's file")
    server.kill()
    scene.agents.remove(server)
    second = scene.start(scene.cell.second)
    if second.party not in LIBRARY:
        scene.equal(
            second.fails("socket.listen", name=name, kind=word_of(kind)), "EADDRINUSE", "the dead server's file"
        )
        second.do("socket.remove", name=name)
    second.do("socket.listen", name=name, kind=word_of(kind))
    client = scene.start(scene.cell.first)
    client.do("socket.connect", name=name, kind=word_of(kind))
    client.do("socket.close")
    second.do("socket.close", listener=1)
    refused = client.fails("socket.connect", name=name, kind=word_of(kind))
    scene.equal(refused, "ECONNREFUSED", "nobody listens any more")
    second.do("socket.remove", name=name)
    refused = client.fails("socket.connect", name=name, kind=word_of(kind))
    scene.equal(refused, "ENOENT", "the file is gone")


def connected(kind):
    stream = kind != "seqpacket"

    def scenario(scene):
        for repetition in scene.repetitions():
            server, client, name = meet(scene, kind, abstract=repetition == 1)
            for size in SIZES[1:] if stream else SIZES:
                carry(scene, client, server, scene.vector(size)[:size].ljust(size, b"."), stream)
                carry(scene, server, client, scene.vector(size)[:size].ljust(size, b"."), stream)
            boundaries(scene, client, server, stream)
            boundaries(scene, server, client, stream)
            nothing(scene, server)
            flow_control(scene, client, server)
            if kind != "tcp":
                credentials(scene, client, server)
                message_credentials(scene, client, server)
            half_close(scene, client, server)
            killed(scene, client, server, name, kind)
            if name.startswith("unix:") and not name.startswith("unix:@"):
                taken_over(scene, server, name, kind)

    return scenario


def datagrams(scene):
    for repetition in scene.repetitions():
        abstract = repetition == 1
        server, client = scene.start(scene.cell.second), scene.start(scene.cell.first)
        name, own = place(scene, "datagram", abstract), place(scene, "datagram", abstract)
        lost = client.fails("socket.connect", name=name, kind="datagram")
        scene.equal(lost, "ECONNREFUSED" if abstract else "ENOENT", "nobody is there")
        scene.equal(server.fields("socket.bind", name=name, kind="datagram")["name"], name, "the server's name")
        client.do("socket.connect", name=name, kind="datagram", local=own)
        for size in SIZES:
            data = scene.vector(size)[:size].ljust(size, b".")
            scene.equal(carry(scene, client, server, data, False), own, f"{server.party}: the sender's name")
            client.waits("socket.recv")
            sent(scene, server, data, name=own)
            scene.equal(fields(client.outcome())["hex"], data.hex(), f"{client.party}: the answer")
        boundaries(scene, client, server, False)
        nothing(scene, server)
        flow_control(scene, client, server)
        message_credentials(scene, client, server)
        # Somebody whose queue is full makes a sender wait that is not connected to him, too.
        stranger = scene.start(scene.cell.first)
        third = place(scene, "datagram", abstract)
        stranger.do("socket.bind", name=third, kind="datagram")
        count = 0
        while stranger.ask("socket.send", name=name, hex="00", timeout=0) == "OK sent=1":
            count += 1
        stranger.waits("socket.send", name=name, hex="01")
        total = 0
        while total < count + 1:
            total += int(fields(server.do("socket.drain"))["bytes"])
        scene.equal(stranger.outcome(), "sent=1", f"{stranger.party} goes on")
        server.kill()
        scene.agents.remove(server)
        scene.equal(client.fails("socket.send", hex="00", timeout=0), "ECONNREFUSED", "the server was killed")
        if not abstract:
            for mine, file in ((client, own), (stranger, third), (client, name)):
                mine.do("socket.remove", name=file)


def passed(scene):
    """A pipe end and a memfd: readable when their sender has gone."""
    for repetition in scene.repetitions():
        for ends in ("closes", "is killed"):
            receiver, sender = scene.start(scene.cell.second), scene.start(scene.cell.first)
            name = place(scene, "stream", abstract=True)
            receiver.do("socket.listen", name=name)
            receiver.waits("socket.accept")
            sender.do("socket.connect", name=name)
            receiver.outcome()
            data = scene.vector(4096)
            if receiver.party in LIBRARY:
                refuses(scene, sender, receiver, data)
            if repetition == 1:
                receiver.waits("socket.recv_message", max_fds=2)
            sender.do("socket.send_fds", hex=data.hex())
            if ends == "closes":
                scene.finish(sender)
            else:
                sender.kill()
                scene.agents.remove(sender)
            if repetition != 1:
                receiver.send("socket.recv_message", max_fds=2)
                receiver.expect_line("WAIT")
            scene.equal(fields(receiver.outcome())["fds"], "2", f"{receiver.party}: what came, the sender {ends}")
            got = receiver.fields("socket.read_fds")
            seen = (got["hex"] == data.hex(), got["same"])
            scene.equal(seen, (True, "1"), f"{receiver.party}: the bytes of pipe and memory")
            if receiver.party != "PS":
                scene.equal(got["cloexec"], "1", f"{receiver.party}: close-on-exec")


def refuses(scene, sender, receiver, data):
    """More than asked for, and the wrong kind: an error, and nothing stays open."""
    for wrong in ({"max_fds": 1}, {"max_fds": 0}, {"max_fds": 2, "fd_kind": "memfd"}):
        before = sorted(os.listdir(f"/proc/{receiver.pid}/fd"))
        sender.do("socket.send_fds", hex=data.hex())
        receiver.send("socket.recv_message", **wrong)
        receiver.expect_line("WAIT")
        scene.equal(receiver.line(), "ERR EPERM", f"{receiver.party}: {wrong}")
        scene.equal(sorted(os.listdir(f"/proc/{receiver.pid}/fd")), before, f"{receiver.party}: open after {wrong}")


KINDS = {
    "23": ("UNIX stream", connected("stream")),
    "24": ("UNIX datagram", datagrams),
    "25": ("UNIX seqpacket", connected("seqpacket")),
    "26": ("TCP", connected("tcp")),
    "27": ("passed descriptors", passed),
}
SCENARIOS = {f"{row}{number}": scenario for row in ("M", "PS") for number, (_, scenario) in KINDS.items()}
EXTENSIONS = [
    cell
    for number, (title, _) in KINDS.items()
    for cell in both_ways(f"PS{number}", f"{title}, Python's socket", "PS", 1, "socket", extension=True)
]
