# SPDX-License-Identifier: MIT OR Apache-2.0
"""Waits for a queue in shared memory, a System V queue and a pipe at once, and shows what comes from any of them.

Run `wait_any.py QUEUE MQ` with a pipe as its standard input, and then `queue_sender.py QUEUE TEXT...`,
`mq_sender.py MQ TEXT...`, in any languages. It ends with the pipe, and removes both queues.
"""

import os
import sys

from common import run, say

from unipc import MessageQueue, Poller, Queue


def show(name: str, mq: str) -> None:
    with Queue.open_or_create(name) as jobs, MessageQueue.open_or_create(mq) as orders, Poller() as poller:
        for thing in (jobs, orders, sys.stdin):
            poller.register(thing)
        say("ready")
        text: bytes | None = None
        while text != b"":
            for thing in poller.wait():
                if thing is jobs:
                    say("queue:", jobs.recv(timeout=0).decode())
                elif thing is orders:
                    say("mq:", orders.receive(timeout=0)[0].decode())
                elif text := os.read(sys.stdin.fileno(), 4096):
                    say("pipe:", text.decode().strip())
        orders.remove()
    Queue.unlink(name)


run(show, "wait_any QUEUE MQ")
