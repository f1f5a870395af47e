# SPDX-License-Identifier: MIT OR Apache-2.0
"""The verbs of signals, on the module alone."""

from protocol import number, waiting

from unipc import signal


class Room:
    """What counts a signal, by its number."""

    def __init__(self):
        self.counters = {}

    def verbs(self):
        return {
            "signal.block": lambda arguments: changed(signal.block, arguments),
            "signal.unblock": lambda arguments: changed(signal.unblock, arguments),
            "signal.pending": lambda _: ",".join(map(str, sorted(signal.pending()))),
            "signal.send": lambda arguments: send(arguments, False),
            "signal.queue": lambda arguments: send(arguments, True),
            "signal.take": take,
            "signal.action": self.action,
            "signal.count": self.count,
        }

    def action(self, arguments):
        wanted, to = number(arguments, "signal"), arguments["to"]
        if wanted in self.counters:
            self.counters.pop(wanted).close()
        if to == "handler":
            self.counters[wanted] = signal.Counter.open(wanted)
        else:
            {"ignore": signal.ignore, "default": signal.reset}[to](wanted)
        return to

    def count(self, arguments):
        wanted = number(arguments, "signal")
        counter = self.counters[wanted]
        if "wait" not in arguments:
            return str(counter.take().get(wanted, 0))
        waiting()
        return str(counter.wait()[wanted])


def changed(how, arguments):
    how(signals(arguments))
    return "changed"


def signals(arguments):
    return [int(word) for word in arguments["signals"].split(",")]


def send(arguments, queued):
    pid, wanted, value = number(arguments, "pid"), number(arguments, "signal"), number(arguments, "value")
    if "by" in arguments:
        with signal.PidFd.open(pid) as process:
            process.queue(wanted, value) if queued else process.send(wanted)
    elif queued:
        signal.queue(pid, wanted, value)
    else:
        signal.send(pid, wanted)
    return "sent"


def take(arguments):
    timeout = None if "wait" in arguments else 0
    if arguments["by"] != "stream":
        if timeout is None:
            waiting()
        return told(signal.wait(signals(arguments), timeout))
    with signal.Stream.open(signals(arguments)) as stream:
        if timeout is None:
            waiting()
        return told(stream.read(timeout))


def told(info):
    where = f"pid={info.pid} uid={info.uid}"
    return f"signal={info.signal} code={info.code} {where} value={info.value} status={info.status}"
