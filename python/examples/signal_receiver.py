# SPDX-License-Identifier: MIT OR Apache-2.0
"""A receiver reads signals as a stream: SIGRTMIN with a number, until SIGRTMIN+1 says that it was the last one.

It prints its number for `signal_sender.py`, and for each value who sent it: `value 20 from 4711`.
"""

import asyncio
import os

from common import run, say

from unipc import signal


async def read() -> None:
    # Blocks both from here on: what comes before the first read waits.
    with signal.Stream.open({"RTMIN", "RTMIN+1"}) as stream:
        say(f"pid {os.getpid()}")
        async for info in stream:
            if info.name == "SIGRTMIN+1":
                break
            say(f"value {info.value} from {info.pid}")
    say("done")


def receive() -> None:
    asyncio.run(asyncio.wait_for(read(), 60))


run(receive)
