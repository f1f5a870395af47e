# SPDX-License-Identifier: MIT OR Apache-2.0
"""Adds two numbers for whoever asks, so many times, and removes the service.

Run `calculator_server.py NAME COUNT`, then `calculator_client.py NAME 'A B'...`, in any languages.
"""

import errno

from common import run, say

from unipc import Service


def serve(name: str, count: str) -> None:
    with Service.create(name) as service:
        say("ready")
        for _ in range(int(count)):
            question = service.recv()
            try:
                a, b = map(int, question.data.split())
            except ValueError:
                question.fail(errno.EINVAL, "ask with two numbers")
            else:
                question.reply(str(a + b).encode())
    Service.unlink(name)


run(serve, "calculator_server NAME COUNT")
