# SPDX-License-Identifier: MIT OR Apache-2.0
"""Answers so many datagrams, each to whoever sent it. There is no connection.

Run `datagram_server.py NAME COUNT`, then `datagram_client.py NAME TEXT...` in any language. NAME is unix:PATH,
unix:@NAME or udp:HOST:PORT; port 0 and unix:@ take what is free, which is printed.
"""

from common import run, say

from unipc import Socket


def serve(name: str, count: str) -> None:
    with Socket.bind(name, remove_on_close=True) as server:
        say("bound to", server.local_name)
        for _ in range(int(count)):
            text, sender = server.recv_from(1024)
            say(text.decode(errors="replace"))
            if sender:
                server.send_to(b"got " + text, sender)


run(serve, "datagram_server NAME COUNT")
