# SPDX-License-Identifier: MIT OR Apache-2.0
"""Sends each text through a queue in shared memory, and ends: the queue and what is in it stay.

Run `queue_sender.py NAME TEXT...` and `queue_receiver.py NAME COUNT`, in any languages, in any order.
"""

import os

from common import run

from unipc import Queue


def send(name: str, *texts: str) -> None:
    with Queue.open_or_create(name) as queue:
        for text in texts:
            queue.send(os.fsencode(text))


run(send, "queue_sender NAME TEXT...")
