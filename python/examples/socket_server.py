# SPDX-License-Identifier: MIT OR Apache-2.0
"""Listens, and answers the records of one client until it ends: a stream keeps no boundaries, frames put them there.

Run `socket_server.py NAME`, then `socket_client.py NAME TEXT...` in any language. NAME is unix:PATH, unix:@NAME or
tcp:HOST:PORT; port 0 and unix:@ take what is free, which is printed.
"""

from common import run, say

from unipc import FrameReader, FrameWriter, Listener


def serve(name: str) -> None:
    with Listener.bind(name, remove_on_close=True) as listener:
        say("listening at", listener.local_name)
        with listener.accept() as client, FrameReader(client) as reader, FrameWriter(client) as writer:
            for text in reader:
                say(text.decode(errors="replace"))
                writer.write(b"got " + text)


run(serve, "socket_server NAME")
