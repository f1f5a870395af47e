# SPDX-License-Identifier: MIT OR Apache-2.0
"""A filter: for each line of two numbers their sum, for any other line "invalid args".

It is written to be a coprocess, and writes each answer at once: see coproc.py.
"""

import sys

from common import run, say


def answer() -> None:
    for line in sys.stdin:
        try:
            one, other = map(int, line.split()[:2])
            say((one + other + 2**31) % 2**32 - 2**31)
        except ValueError:
            say("invalid args")


run(answer)
