# SPDX-License-Identifier: MIT OR Apache-2.0
"""The verbs of pipes, FIFOs and turns, on the module alone."""

import errno
import os

from protocol import number, waiting

import unipc
from unipc.pipe import PIPE_BUF


class Room:
    """The one end that this process has open, and its side of a turnstile."""

    def __init__(self):
        self.end = None
        self.turnstile = None
        self.is_parent = True

    def verbs(self):
        names = ("take", "write", "write_waiting", "read", "drain", "records", "tally", "close", "create", "unlink")
        names += ("reader", "writer", "side", "turns", "tell", "wait", "forked")
        return {f"pipe.{name}": getattr(self, name) for name in names}

    def take(self, arguments):
        fd = number(arguments, "fd")
        self.end = unipc.PipeEnd.from_fd(fd)
        os.close(fd)
        return "taken"

    def write(self, arguments):
        if "fd" in arguments:
            self.take(arguments)
        data = bytes.fromhex(arguments["hex"])
        self.end.write_all(data)
        return str(len(data))

    def write_waiting(self, arguments):
        waiting()
        return self.write(arguments)

    def read(self, arguments):
        waiting()
        return self.end.read(number(arguments, "size", 65536)) or "end"

    def drain(self, arguments):
        if "fd" in arguments:
            self.take(arguments)
        return b"".join(iter(self.end.read, b""))

    def records(self, arguments):
        record = arguments["letter"].encode() * PIPE_BUF
        for _ in range(number(arguments, "count")):
            self.end.write_atomic(record)
        return "written"

    def tally(self, arguments):
        counts = dict.fromkeys("abcd", 0)
        while True:
            try:
                record = self.end.read_exact(PIPE_BUF)
            except OSError as error:
                if error.errno != errno.ENODATA:
                    raise
                return ",".join(map(str, counts.values()))
            if record != record[:1] * PIPE_BUF:
                return "torn"
            counts[chr(record[0])] += 1

    def close(self, arguments):
        self.end.close()
        return "closed"

    def create(self, arguments):
        unipc.Fifo.create(arguments["name"], mode=number(arguments, "mode", 0o600))
        return "created"

    def unlink(self, arguments):
        unipc.Fifo.unlink(arguments["name"])
        return "removed"

    def limit(self, arguments):
        if "timeout" in arguments:
            return 0
        waiting()
        return None

    def reader(self, arguments):
        self.end = unipc.Fifo.open(arguments["name"]).reader(self.limit(arguments))
        return "opened"

    def writer(self, arguments):
        self.end = unipc.Fifo.open(arguments["name"]).writer(self.limit(arguments))
        return "opened"

    def side(self, arguments):
        hear, tell = number(arguments, "hear"), number(arguments, "tell")
        self.turnstile = unipc.Turnstile.from_fds(arguments["side"], hear, tell)
        self.is_parent = arguments["side"] == "parent"
        os.close(hear)
        os.close(tell)
        return "taken"

    def say(self):
        self.turnstile.tell_child() if self.is_parent else self.turnstile.tell_parent()

    def listen(self):
        self.turnstile.wait_child() if self.is_parent else self.turnstile.wait_parent()

    def rounds(self, first, log):
        for _ in range(5):
            if not first:
                self.listen()
            os.write(log, b"p" if self.is_parent else b"c")
            self.say()
            if first:
                self.listen()

    def turns(self, arguments):
        waiting()
        self.rounds(number(arguments, "first"), number(arguments, "log"))
        return "done"

    def tell(self, arguments):
        self.say()
        return "told"

    def wait(self, arguments):
        waiting()
        self.listen()
        return "heard"

    def forked(self, arguments):
        first = number(arguments, "first")
        reader, writer = os.pipe()
        self.turnstile = unipc.Turnstile()
        child = os.fork()
        self.is_parent = child != 0
        if child == 0:
            try:
                self.rounds(not first, writer)
            finally:
                os._exit(0)
        self.rounds(first, writer)
        os.waitpid(child, 0)
        order = os.read(reader, 16).decode()
        os.close(reader)
        os.close(writer)
        try:
            self.turnstile.wait_child()
        except BrokenPipeError:
            return order
        raise ValueError("the child's death was not noticed")
