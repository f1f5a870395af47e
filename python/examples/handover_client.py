# SPDX-License-Identifier: MIT OR Apache-2.0
"""Takes the memory that the server hands over, shows the record in each, and makes it a year older.

Run `handover_server.py NAME` in any language, then `handover_client.py NAME`.
"""

from common import PEOPLE, read_people, run, say

from unipc import Seals, SharedMemory, Socket

PATIENCE = 10  # seconds


def use(what: str, shm: SharedMemory) -> None:
    with shm:
        name, age = read_people(shm, 0)
        say(f"{what}: name {name} age {age}")
        shm.write_at(0, PEOPLE.pack(name.encode(), age + 1))


def take(name: str) -> None:
    with Socket.connect(name, PATIENCE, kind="seqpacket", own_only=True) as server:
        # It must be memory, as large as we think, that nobody can cut short under us.
        message = server.recv_message(
            max_fds=1, min_fds=1, fd_kind="memfd", require_seals=Seals.SHRINK, fd_size=4096, timeout=PATIENCE
        )
        if message is None:
            raise OSError("the server has ended")
        with message:
            use("segment", SharedMemory.open(message.data.decode()))
            use("memfd", SharedMemory.from_fd(message.fds[0]))
        server.send(b"done", PATIENCE)


run(take, "handover_client NAME")
