# SPDX-License-Identifier: MIT OR Apache-2.0
"""Sends each text as a record, and prints the answers.

Run `socket_server.py NAME` in any language, then `socket_client.py NAME TEXT...`.
"""

import os

from common import run, say

from unipc import FrameReader, FrameWriter, Socket

PATIENCE = 10  # seconds


def ask(name: str, *texts: str) -> None:
    with Socket.connect(name, PATIENCE) as server, FrameReader(server) as reader, FrameWriter(server) as writer:
        for text in texts:
            writer.write(os.fsencode(text), PATIENCE)
            if (answer := reader.read(PATIENCE)) is not None:
                say(answer.decode(errors="replace"))


run(ask, "socket_client NAME TEXT...")
