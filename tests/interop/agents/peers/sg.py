# SPDX-License-Identifier: MIT OR Apache-2.0
"""Party SG: Python's own signal module, and os.kill. It can send no value, nor through a descriptor read one."""

import os
import pathlib
import signal
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from protocol import number, serve, waiting

counts = dict.fromkeys(range(65), 0)


def signals(arguments):
    return [int(word) for word in arguments["signals"].split(",")]


def change(how):
    def changed(arguments):
        signal.pthread_sigmask(how, signals(arguments))
        return "changed"

    return changed


def send(arguments):
    pid, wanted = number(arguments, "pid"), number(arguments, "signal")
    if "by" in arguments:
        pidfd = os.pidfd_open(pid)
        signal.pidfd_send_signal(pidfd, wanted)
        os.close(pidfd)
    else:
        os.kill(pid, wanted)
    return "sent"


def take(arguments):
    if "wait" in arguments:
        waiting()
        info = signal.sigwaitinfo(signals(arguments))
    else:
        info = signal.sigtimedwait(signals(arguments), 0)
        if info is None:
            raise BlockingIOError(11, "none is there")
    where = f"pid={info.si_pid} uid={info.si_uid}"
    return f"signal={info.si_signo} code={info.si_code} {where} value=0 status={info.si_status}"


def count_one(wanted, _):
    counts[wanted] += 1


def action(arguments):
    how = {"ignore": signal.SIG_IGN, "default": signal.SIG_DFL, "handler": count_one}[arguments["to"]]
    signal.signal(number(arguments, "signal"), how)
    return arguments["to"]


def count(arguments):
    wanted = number(arguments, "signal")
    if "wait" in arguments:
        waiting()
        while counts[wanted] == 0:
            signal.pause()
    told, counts[wanted] = counts[wanted], 0
    return str(told)


serve(
    {
        "signal.block": change(signal.SIG_BLOCK),
        "signal.unblock": change(signal.SIG_UNBLOCK),
        "signal.pending": lambda _: ",".join(map(str, sorted(map(int, signal.sigpending())))),
        "signal.send": send,
        "signal.take": take,
        "signal.action": action,
        "signal.count": count,
    }
)
