# SPDX-License-Identifier: MIT OR Apache-2.0
"""Sends each text as a message of its own, with the tags 1, 2, 3 ..., and ends: messages outlive their sender.

Run `mq_sender.py NAME TEXT...`, then `mq_receiver.py NAME COUNT` in any language. /NAME is a POSIX queue,
where the tag is a priority; sysv:0x1234 or sysv:PATH,1 a System V queue, where it is a type. With
sysv:private give the receiver the name that is printed.
"""

import os

from common import run, say

from unipc import MessageQueue


def send(name: str, *texts: str) -> None:
    with MessageQueue.open_or_create(name) as queue:
        say("queue", queue.name)
        for tag, text in enumerate(texts, 1):
            queue.send(os.fsencode(text), tag)


run(send, "mq_sender NAME TEXT...")
