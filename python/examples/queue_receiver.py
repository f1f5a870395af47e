# SPDX-License-Identifier: MIT OR Apache-2.0
"""Receives so many messages, waiting for those that are not there yet, and removes the queue.

Run `queue_sender.py NAME TEXT...` and `queue_receiver.py NAME COUNT`, in any languages, in any order.
"""

from common import run, say

from unipc import Queue


def receive(name: str, count: str) -> None:
    with Queue.open_or_create(name) as queue:
        for _ in range(int(count)):
            say(queue.recv().decode(errors="replace"))
    Queue.unlink(name)


run(receive, "queue_receiver NAME COUNT")
