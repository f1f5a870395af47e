# SPDX-License-Identifier: MIT OR Apache-2.0
"""Asks for the sum of each pair of numbers.

Run `calculator_server.py NAME COUNT`, then `calculator_client.py NAME 'A B'...`, in any languages.
"""

import errno
import os

from common import run, say

from unipc import Client


def ask(name: str, *texts: str) -> None:
    with Client.open(name) as client:
        for text in texts:
            try:
                say(text, "=", client.call(os.fsencode(text)).decode())
            except OSError as error:
                say(f"{text}:", errno.errorcode[error.errno or 0])


run(ask, "calculator_client NAME 'A B'...")
