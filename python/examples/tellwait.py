# SPDX-License-Identifier: MIT OR Apache-2.0
"""Five rounds in which parent and child print in turn; if one of them ends, the other hears so.

tellwait.py [parent|child]                  who prints first; the parent unless told otherwise
tellwait.py FIRST parent|child HEAR TELL    one side, on descriptors that were inherited
"""

import os

from common import run, say

from unipc import Turnstile


def parent(turnstile: Turnstile, goes_first: bool) -> None:
    for number in range(1, 6):
        if not goes_first:
            turnstile.wait_child()
        say("output from parent", number)
        turnstile.tell_child()
        if goes_first:
            turnstile.wait_child()


def child(turnstile: Turnstile, goes_first: bool) -> None:
    for number in range(1, 6):
        if not goes_first:
            turnstile.wait_parent()
        say("output from child", number)
        turnstile.tell_parent()
        if goes_first:
            turnstile.wait_parent()


def rounds(first: str = "parent", side: str = "", hear: str = "", tell: str = "") -> None:
    parent_first = first != "child"
    if side:
        turnstile = Turnstile.from_fds("parent" if side == "parent" else "child", int(hear), int(tell))
        os.close(int(hear))
        os.close(int(tell))
        parent(turnstile, parent_first) if side == "parent" else child(turnstile, not parent_first)
        return
    turnstile = Turnstile()
    pid = os.fork()
    if pid == 0:
        try:
            child(turnstile, not parent_first)
        finally:
            os._exit(0)
    parent(turnstile, parent_first)
    os.waitpid(pid, 0)


run(rounds)
