# SPDX-License-Identifier: MIT OR Apache-2.0
"""Sends each text as a datagram, and prints the answers.

Run `datagram_server.py NAME COUNT` in any language, then `datagram_client.py NAME TEXT...`.
"""

import os

from common import run, say

from unipc import Socket

PATIENCE = 10  # seconds


def ask(name: str, *texts: str) -> None:
    # The socket gets a free name, to which the server answers.
    with Socket.connect(name, PATIENCE, kind="datagram") as server:
        for text in texts:
            server.send(os.fsencode(text), PATIENCE)
            say(server.recv(timeout=PATIENCE).decode(errors="replace"))


run(ask, "datagram_client NAME TEXT...")
