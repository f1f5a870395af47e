# SPDX-License-Identifier: MIT OR Apache-2.0
"""A sender queues three numbers to the process that it is given, and then says that it is done.

Run `signal_receiver.py` in another terminal, then `signal_sender.py PID` with the number that it prints. It prints its
own. The descriptor makes sure that no other process gets the signals should the receiver end meanwhile.
"""

import os

from common import run, say

from unipc import signal


def send(pid: str) -> None:
    with signal.PidFd.open(int(pid)) as receiver:
        for value in range(20, 23):
            receiver.queue("RTMIN", value)
        # A higher number, since the lowest come first: a SIGTERM would overtake the values.
        receiver.send("RTMIN+1")
    say(f"pid {os.getpid()}")


run(send, "signal_sender.py PID")
