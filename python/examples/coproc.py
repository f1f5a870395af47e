# SPDX-License-Identifier: MIT OR Apache-2.0
"""Sends each line of its input to a filter and prints the filter's answer.

Run `coproc.py FILTER`, for example `coproc.py python add2.py`, with any filter that answers each line by one. Where the
textbook's program would get SIGPIPE, because the filter has died, this one says how it ended.
"""

import sys

from common import run

from unipc import Coprocess


def drive(*command: str) -> None:
    with Coprocess(command) as coprocess:
        for line in sys.stdin.buffer:
            sys.stdout.buffer.write(coprocess.exchange(line.rstrip(b"\n")) + b"\n")
            sys.stdout.flush()


run(drive, "coproc.py FILTER [ARGUMENT...]")
