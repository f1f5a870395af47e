# SPDX-License-Identifier: MIT OR Apache-2.0
"""Asks a fifo_server, in any language, and prints its reply: see there."""

import os

from common import run, say

from unipc import Fifo


def ask(path: str, text: str) -> None:
    with Fifo.open(f"file:{path}").writer(timeout=5) as server:
        own = Fifo.create(f"file:{path}.{os.getpid()}")
        try:
            server.write_atomic(f"{os.getpid()} {text}\n".encode(), timeout=5)
            reader = own.reader(timeout=5)
        finally:
            Fifo.unlink(own.name)
    with reader:
        say(b"".join(iter(lambda: reader.read(timeout=5), b"")).decode())


run(ask, "fifo_client PATH TEXT")
