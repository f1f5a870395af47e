# SPDX-License-Identifier: MIT OR Apache-2.0
"""Hands memory over to one client: a System V segment without a key by its identifier, and a memfd by its descriptor.
Nobody else can find either of them. The client changes both.

Run `handover_server.py NAME`, then `handover_client.py NAME` in any language. NAME is unix:PATH or unix:@NAME; unix:@
takes a name that is free, which is printed.
"""

from common import people, read_people, run, say

from unipc import Listener, SharedMemory


def serve(name: str) -> None:
    with (
        SharedMemory.create("sysv:private", 4096, remove_on_close=True) as segment,
        SharedMemory.create("memfd:handover", 4096) as memory,
        Listener.bind(name, kind="seqpacket", remove_on_close=True) as listener,
    ):
        segment.write_at(0, people(0))
        memory.write_at(0, people(1))
        say("listening at", listener.local_name)
        with listener.accept() as client:
            # "sysv:id=42" in the message, the descriptor beside it.
            client.send_message(segment.name.encode(), [memory])
            if client.recv() != b"done":
                raise OSError("the client has ended")
        for what, shm in ("segment", segment), ("memfd", memory):
            say("{}: name {} age {}".format(what, *read_people(shm, 0)))


run(serve, "handover_server NAME")
