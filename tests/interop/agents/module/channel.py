# SPDX-License-Identifier: MIT OR Apache-2.0
"""The verbs of channels, on the module alone."""

import zlib

from mq import limit
from protocol import number, repeated

import unipc


def told(data):
    """A message as the runner compares it: its length, its checksum, how it begins."""
    return f"len={len(data)} sum={zlib.adler32(data)} hex={data[:16].hex()}"


def content(arguments):
    return repeated(arguments, number(arguments, "size")) if "size" in arguments else bytes.fromhex(arguments["hex"])


class Room:
    """One handle of each kind, and the questions that were not answered yet."""

    def __init__(self):
        self.open = {}
        self.questions = []
        self.calls = []

    def verbs(self):
        kinds = "queue topic subscriber service client".split()
        names = "send publish recv read flood drain question reply part fail expired call begin wait close unlink"
        return {f"channel.{name}": getattr(self, name) for name in (*kinds, *names.split())}

    def keep(self, kind, arguments, *options):
        made = {}
        if "message_size" in arguments:
            made["message_size"] = number(arguments, "message_size")
        if "reliable" in arguments:
            made["reliable"] = arguments["reliable"] == "1"
        if "capacity" in arguments:
            self.open[kind.__name__] = kind.create(arguments["name"], number(arguments, "capacity"), **made)
        else:
            self.open[kind.__name__] = kind.open(arguments["name"], **{name: True for name in options})
        return "open"

    def queue(self, arguments):
        return self.keep(unipc.Queue, arguments)

    def topic(self, arguments):
        return self.keep(unipc.Topic, {**arguments, "reliable": arguments.get("reliable", "0")})

    def subscriber(self, arguments):
        return self.keep(unipc.Subscriber, arguments, *(["oldest"] if "oldest" in arguments else []))

    def service(self, arguments):
        return self.keep(unipc.Service, arguments)

    def client(self, arguments):
        return self.keep(unipc.Client, arguments)

    def send(self, arguments):
        self.open["Queue"].send(content(arguments), limit(arguments))
        return "sent"

    def publish(self, arguments):
        self.open["Topic"].publish(content(arguments), limit(arguments))
        return "sent"

    def recv(self, arguments):
        return told(self.open["Queue"].recv(limit(arguments)))

    def read(self, arguments):
        subscriber = self.open["Subscriber"]
        before = subscriber.lost
        data = subscriber.recv(limit(arguments))
        return f"{told(data)} lost={subscriber.lost - before}"

    def flood(self, arguments):
        """Messages that begin with who sent them and a number, of many sizes."""
        me = bytes([number(arguments, "me")])
        for count in range(number(arguments, "count")):
            self.open["Queue"].send(me + count.to_bytes(4, "little") + me * (count % 100))
        return "sent"

    def drain(self, _):
        """Takes messages until an empty one: how many of each sender; `good` if in order and whole."""
        seen, last, good = [0] * 10, [-1] * 10, True
        for data in self.open["Queue"]:
            if not data:
                break
            me, count = data[0], int.from_bytes(data[1:5], "little")
            good = good and count > last[me] and data[5:] == data[:1] * (count % 100)
            seen[me], last[me] = seen[me] + 1, count
        return f"good={int(good)} seen={','.join(map(str, seen))}"

    def question(self, arguments):
        self.questions.append(self.open["Service"].recv(limit(arguments)))
        return told(self.questions[-1].data)

    def asked(self, arguments):
        return self.questions[number(arguments, "at")]

    def reply(self, arguments):
        self.asked(arguments).reply(content(arguments))
        return "replied"

    def part(self, arguments):
        self.asked(arguments).part(content(arguments))
        return "replied"

    def fail(self, arguments):
        self.asked(arguments).fail(number(arguments, "errno"), arguments["why"])
        return "replied"

    def expired(self, arguments):
        return f"{int(self.asked(arguments).has_expired)}"

    def call(self, arguments):
        return told(self.open["Client"].call(content(arguments), limit(arguments)))

    def begin(self, arguments):
        self.calls.append(self.open["Client"].begin(content(arguments)))
        return f"{len(self.calls) - 1}"

    def wait(self, arguments):
        data, more = self.calls[number(arguments, "call")].wait(limit(arguments))
        return f"{told(data)} more={int(more)}"

    def close(self, _):
        for handle in self.open.values():
            handle.close()
        self.__init__()
        return "closed"

    def unlink(self, arguments):
        unipc.Queue.unlink(arguments["name"])
        return "removed"
