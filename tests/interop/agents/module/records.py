# SPDX-License-Identifier: MIT OR Apache-2.0
"""The verbs of records, declared as annotated classes, on the module alone."""

import errno
from types import ModuleType

from protocol import number

import unipc
from unipc.record import char, i32, u64


def numpy() -> ModuleType:
    """Only agents that need it load it: its threads would take the signals of other cells."""
    import numpy

    return numpy


class People:
    name: char[4]
    age: i32


class Wide:
    """Whole when all words are the same."""

    words: u64[8]


class Room:
    """What this process has open."""

    array = cell = None

    def verbs(self):
        names = "over layout put tell ages sum write storm read watch unlink".split()
        own = {"record.array": self.open_array, "record.cell": self.open_cell}
        return own | {f"record.{name}": getattr(self, name) for name in names}

    def open_array(self, arguments):
        name, layout = arguments["name"], arguments.get("layout", People)
        if arguments["how"] == "open":
            self.array = unipc.Array.open(name, None if layout == "none" else layout)
        else:
            self.array = getattr(unipc.Array, arguments["how"])(name, layout, number(arguments, "count"))
        return "open"

    def over(self, arguments):
        self.array = unipc.Array.over(unipc.SharedMemory.open(arguments["name"]), People)
        return "open"

    def layout(self, _):
        return f"count={len(self.array)} {self.array.layout.format}"

    def put(self, arguments):
        one = numpy().zeros(1, self.array.layout.dtype)
        one["name"], one["age"] = arguments["name"].encode(), number(arguments, "age")
        try:
            self.array.write(number(arguments, "index"), one)
        except IndexError:
            raise OSError(errno.ERANGE, "there is no such record") from None
        return "put"

    def tell(self, arguments):
        one = self.array.numpy()[number(arguments, "index")]
        return f"name={one['name'].decode()} age={one['age']}"

    def ages(self, _):
        self.array.numpy()["age"] = numpy().arange(len(self.array))
        return "written"

    def sum(self, _):
        return str(self.array.numpy()["age"].sum())

    def open_cell(self, arguments):
        self.cell = getattr(unipc.Cell, arguments["how"])(arguments["name"], Wide)
        return "open"

    def set(self, value):
        self.cell.write(value.to_bytes(8, "little") * 8)

    def write(self, arguments):
        self.set(number(arguments, "value"))
        return "written"

    def storm(self, arguments):
        for value in range(1, number(arguments, "count") + 1):
            self.set(value)
        return "written"

    def read(self, _):
        words = self.cell.get()["words"]
        return f"value={words[0]} {'whole' if (words == words[0]).all() else 'torn'}"

    def watch(self, arguments):
        until, last, words = number(arguments, "until"), 0, numpy().zeros(8, "u8")
        while words[0] != until:
            version = self.cell.read_into(words)
            if (words != words[0]).any() or version < last:
                return "torn"
            last = version
        return "whole"

    def unlink(self, arguments):
        unipc.Array.unlink(arguments["name"])
        return "removed"
