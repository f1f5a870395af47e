# SPDX-License-Identifier: MIT OR Apache-2.0
"""Receives so many messages, waiting for those that are not there yet, and removes the queue.

Run `mq_sender.py NAME TEXT...` in any language, then `mq_receiver.py NAME COUNT`. It prints the tag and the
text of each message: of a POSIX queue the highest priority first, of a System V queue the oldest.
"""

from common import run, say

from unipc import MessageQueue


def receive(name: str, count: str) -> None:
    with MessageQueue.open(name, remove_on_close=True) as queue:
        for _ in range(int(count)):
            text, tag = queue.receive()
            say(tag, text.decode(errors="replace"))


run(receive, "mq_receiver NAME COUNT")
