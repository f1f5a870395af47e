# SPDX-License-Identifier: MIT OR Apache-2.0
"""Signals in Python against Python's own module (whose name this file must not have).  The same rows exist in C and
Rust."""

import os
import signal as python_signal

from harness import compare, print_head

import unipc
from unipc import signal

FASTER = "(expected: at most 1.00 x)"


def main() -> None:
    print_head(unipc.__version__)
    wanted = {int(python_signal.SIGRTMIN)}
    with signal.Stream.open(wanted) as stream, signal.PidFd.open(os.getpid()) as process:
        names = {
            "me": os.getpid(),
            "data": int(python_signal.SIGRTMIN),
            "wanted": wanted,
            "signal": signal,
            "python": python_signal,
            "os": os,
            "stream": stream,
            "process": process,
            "pidfd": process.fileno(),
            "BLOCK": python_signal.SIG_BLOCK,
            "SETMASK": python_signal.SIG_SETMASK,
        }
        theirs = "os.kill(me, data); python.sigwaitinfo(wanted)"
        compare(
            f"send a signal and take it {FASTER}",
            {"unipc send, wait": "signal.send(me, data); signal.wait(wanted)", "os.kill, signal.sigwaitinfo": theirs},
            names,
        )
        compare(
            "queue a value and take it; Python's own can send none",
            {"unipc queue, wait": "signal.queue(me, data, 7); signal.wait(wanted)", "os.kill, sigwaitinfo": theirs},
            names,
        )
        compare(
            "send a signal and read it from the descriptor; Python's own has none",
            {"unipc send, stream read": "signal.send(me, data); stream.read()", "os.kill, sigwaitinfo": theirs},
            names,
        )
        compare(
            f"send by descriptor and take it {FASTER}",
            {
                "unipc PidFd send, wait": "process.send(data); signal.wait(wanted)",
                "signal.pidfd_send_signal, sigwaitinfo": (
                    "python.pidfd_send_signal(pidfd, data); python.sigwaitinfo(wanted)"
                ),
            },
            names,
        )
        compare(
            f"block and give the mask back {FASTER}",
            {
                "unipc block, set_mask": "signal.set_mask(signal.block(wanted))",
                "signal.pthread_sigmask twice": (
                    "python.pthread_sigmask(SETMASK, python.pthread_sigmask(BLOCK, wanted))"
                ),
            },
            names,
        )


main()
