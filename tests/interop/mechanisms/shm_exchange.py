# SPDX-License-Identifier: MIT OR Apache-2.0
"""Shared memory under a name: a writer and a reader, over each backing, in both orders.

Every cell exchanges each size three times. Writer first: the writer has ended before the
reader starts, so the data outlive it. Reader first: the reader makes the object, finds
zeros, waits, and then sees what the other process wrote.
"""

from scene import LARGE, PEOPLE

SIZES = (1, len(PEOPLE), 4096, 4097)


def put(scene, agent, size):
    """Writes the cell's vector over the whole object."""
    block = scene.vector(size).hex()
    agent.do("write", at=0, hex=block) if size <= 4097 else agent.do("fill", hex=block)


def got(scene, agent, size):
    """Checks that the whole object is the cell's vector."""
    block = scene.vector(size)
    if size <= 4097:
        scene.equal(bytes.fromhex(agent.do("read", at=0, size=size)), block, f"{agent.party} reads {size} bytes")
        return
    scene.equal(agent.do("match", hex=block.hex()), "same", f"{agent.party} compares {size} bytes")
    scene.equal(agent.do("match", hex=block[::-1].hex()), "different", f"{agent.party} compares other bytes")
    for at in (0, size // 2 - 7, size - 16):
        there = bytes(block[(at + i) % len(block)] for i in range(16))
        scene.equal(bytes.fromhex(agent.do("read", at=at, size=16)), there, f"{agent.party} reads at {at}")


def sized(scene, agent, verb, wanted, **arguments):
    """Creates or opens, and checks that the object has exactly the size asked for."""
    answer = agent.fields(verb, **arguments)
    scene.equal(int(answer["size"]), wanted, f"{agent.party}: {verb}: size")
    return answer


def writer_first(scene, new_place, sizes):
    """Ends with nothing but what it found."""
    writer, made = scene.start(scene.cell.first), []
    for size in sizes:
        place = new_place(scene)
        sized(scene, writer, "create", size, name=place.name(writer.party), size=size)
        put(scene, writer, size)
        writer.do("close")
        made.append((place, size))
    scene.finish(writer)
    reader = scene.start(scene.cell.second)
    for place, size in made:
        sized(scene, reader, "open", size, name=place.name(reader.party))
        got(scene, reader, size)
        reader.do("close")
        reader.do("remove", name=place.name(reader.party))
        place.clean()
    scene.finish(reader)


def reader_first(scene, new_place, sizes):
    """Returns both agents, still running and with nothing attached."""
    reader, writer = scene.start(scene.cell.second), None
    for size in sizes:
        place = new_place(scene)
        sized(scene, reader, "create", size, name=place.name(reader.party), size=size)
        scene.equal(reader.do("match", hex="00"), "same", f"{reader.party}: a new object is zeros")
        reader.is_waiting()
        writer = writer or scene.start(scene.cell.first)
        sized(scene, writer, "open", size, name=place.name(writer.party))
        put(scene, writer, size)
        writer.do("close")
        got(scene, reader, size)
        writer.do("remove", name=place.name(writer.party))
        reader.do("close")
        place.clean()
    return writer, reader


def exchange(new_place, assertions, more_sizes=()):
    """The scenario of a backing.

    new_place(scene) gives something with name(party), the object's name in that party's
    spelling, and clean(). assertions(scene, writer, reader) is what else must hold.
    """

    def scenario(scene):
        for repetition in scene.repetitions():
            sizes = SIZES + more_sizes
            writer_first(scene, new_place, sizes)
            writer, reader = reader_first(scene, new_place, sizes + ((LARGE,) if repetition == 0 else ()))
            assertions(scene, writer, reader)

    return scenario
