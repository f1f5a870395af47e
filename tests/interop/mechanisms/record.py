# SPDX-License-Identifier: MIT OR Apache-2.0
"""EXT.array, EXT.cell, EXT.raw: records that one party writes by its own declaration and another reads by its own;
a cell that is read while it is written, and after its writer was killed; plain bytes with a layout from outside."""

import struct

from cells import LIBRARY, Cell, square
from scene import PEOPLE

FORMAT = "T{<4s:name:<i:age:}"
MANY = 5000
STORM = 20_000


def told(index):
    """A record of the documents as the agents tell it."""
    name, age = struct.unpack_from("4si", PEOPLE, 8 * index)
    return f"name={name.rstrip(bytes(1)).decode()} age={age}"


def put(agent, index):
    name, age = struct.unpack_from("4si", PEOPLE, 8 * index)
    agent.do("record.put", index=index, name=name.rstrip(b"\0").decode(), age=age)


def arrays(scene):
    for repetition in scene.repetitions():
        name = f"/{scene.word()}"
        writer, reader = scene.start(scene.cell.first), scene.start(scene.cell.second)
        first, second = (writer, reader) if repetition % 2 == 0 else (reader, writer)
        first.do("record.array", name=name, how="create", count=10)
        scene.equal(second.fails("record.array", name=name, how="create", count=10), "EEXIST", "it is there")
        second.do("record.array", name=name, how=("open", "open_or_create")[repetition % 2], count=10)
        for agent in (first, second):
            scene.equal(agent.do("record.layout"), f"count=10 {FORMAT}", f"{agent.party}: what it tells")
        for index in range(10):
            put(writer, index)
            scene.equal(reader.do("record.tell", index=index), told(index), f"record {index}")
        scene.equal(writer.fails("record.put", index=10, name="x", age=1), "ERANGE", "behind the last")
        others(scene, writer, reader, name)
        writer.do("record.unlink", name=name)


def others(scene, writer, reader, name):
    """Who declares nothing gets in, who declares something else does not; and many records at once."""
    scene.equal(
        reader.fails("record.array", name=name, how="open", layout="T{4s:name:d:age:}"), "EPROTO", "another layout"
    )
    reader.do("record.array", name=name, how="open", layout="none")
    scene.equal(reader.do("record.tell", index=9), told(9), "without a declaration")
    more = f"{name}-more"
    writer.do("record.array", name=more, how="create", count=MANY)
    reader.do("record.array", name=more, how="open")
    writer.do("record.ages")
    scene.equal(reader.do("record.sum"), str(sum(range(MANY))), "the sum of all ages")
    reader.do("record.unlink", name=more)


def cells_of_records(scene):
    for repetition in scene.repetitions():
        name = f"/{scene.word()}"
        writer, reader = scene.start(scene.cell.first), scene.start(scene.cell.second)
        maker, other = (writer, reader) if repetition % 2 == 0 else (reader, writer)
        maker.do("record.cell", name=name, how="create")
        other.do("record.cell", name=name, how="open")
        scene.equal(reader.do("record.read"), "value=0 whole", "a new cell")
        writer.do("record.write", value=7)
        scene.equal(reader.do("record.read"), "value=7 whole", "what was written")
        reader.send("record.watch", until=STORM)
        writer.send("record.storm", count=STORM)
        scene.equal(writer.outcome(), "written", "writing again and again")
        scene.equal(reader.outcome(), "whole", "what was read meanwhile, in order and never a mixture")
        dies(scene, reader, name)
        reader.do("record.unlink", name=name)


def dies(scene, reader, name):
    """A writer is killed in the midst: the value is whole, and the next writer goes on."""
    doomed = scene.start(scene.cell.first)
    doomed.do("record.cell", name=name, how="open")
    doomed.send("record.storm", count=1 << 40)
    while reader.do("record.read") == f"value={STORM} whole":
        pass
    doomed.kill()
    scene.agents.remove(doomed)
    scene.true(reader.do("record.read").endswith(" whole"), "the value of a killed writer")
    reader.do("record.write", value=9)
    scene.equal(reader.do("record.read"), "value=9 whole", "what the next one wrote")


def raw(scene):
    """One party knows libc alone: bytes at offsets. The other sees records there."""
    for repetition in scene.repetitions():
        name = f"/{scene.word()}"
        writer, reader = scene.start(scene.cell.first), scene.start(scene.cell.second)
        maker, other = (writer, reader) if repetition % 2 == 0 else (reader, writer)
        maker.do("create", name=name, size=len(PEOPLE))
        other.do("open", name=name)
        if writer.party == "L":
            writer.do("write", at=0, hex=PEOPLE.hex())
            reader.do("record.over", name=name)
            scene.equal(reader.do("record.layout"), f"count=10 {FORMAT}", "as many as there are bytes for")
            for index in range(10):
                scene.equal(reader.do("record.tell", index=index), told(index), f"record {index}")
            scene.equal(reader.do("record.sum"), str(sum(range(20, 30))), "the sum of all ages")
        else:
            writer.do("record.over", name=name)
            for index in range(10):
                put(writer, index)
            scene.equal(reader.do("read", at=0, size=len(PEOPLE)), PEOPLE.hex(), "the bytes")
        maker.do("remove", name=name)


SCENARIOS = {"EXT.array": arrays, "EXT.cell": cells_of_records, "EXT.raw": raw}
EXTENSIONS = [
    *square("EXT.array", "array of records", 9, "record", LIBRARY, True),
    *square("EXT.cell", "cell of one record", 9, "record", LIBRARY, True),
    *(Cell("EXT.raw", "layout applied to plain bytes", "L", party, 9, "record", True) for party in LIBRARY),
    *(Cell("EXT.raw", "layout applied to plain bytes", party, "L", 9, "record", True) for party in LIBRARY),
]
