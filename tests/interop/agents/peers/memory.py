# SPDX-License-Identifier: MIT OR Apache-2.0
"""The verbs that every mapping in Python has in common, over a buffer that the subclass attaches."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from protocol import number, repeated, serve, waiting

__all__ = ["Memory", "number", "repeated", "waiting"]


class Memory:
    """A subclass defines attach(arguments, create), detach() and delete(name)."""

    buffer = None

    def serve(self, **more):
        names = ("create", "open", "write", "read", "fill", "match", "close", "remove")
        serve({name: getattr(self, name) for name in names} | more)

    def create(self, arguments):
        self.attach(arguments, True)
        return f"size={len(self.buffer)}"

    def open(self, arguments):
        self.attach(arguments, False)
        return f"size={len(self.buffer)}"

    def write(self, arguments):
        data, at = bytes.fromhex(arguments["hex"]), number(arguments, "at")
        self.buffer[at : at + len(data)] = data
        return "written"

    def read(self, arguments):
        at = number(arguments, "at")
        return bytes(self.buffer[at : at + number(arguments, "size", len(self.buffer))])

    def fill(self, arguments):
        self.buffer[:] = repeated(arguments, len(self.buffer))
        return "filled"

    def match(self, arguments):
        return "same" if self.buffer[:] == repeated(arguments, len(self.buffer)) else "different"

    def close(self, _):
        self.detach()
        self.buffer = None
        return "closed"

    def remove(self, arguments):
        self.delete(arguments["name"])
        return "removed"
