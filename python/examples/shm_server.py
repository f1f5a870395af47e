# SPDX-License-Identifier: MIT OR Apache-2.0
"""A server makes a segment that has no key, and tells its identifier to whom it may concern.

Run `shm_server.py`, then `shm_client.py ID` with the identifier that it prints, in any language. It
prints `id ID`, waits for the client's answer, and removes the segment.
"""

from common import PEOPLE, people, read_people, run, say, wait_for

from unipc import SharedMemory

# Behind the record, a word that says that the client has answered.
ANSWERED = PEOPLE.size


def serve() -> None:
    with SharedMemory.create("sysv:private", 4096, remove_on_close=True) as shm:
        shm.write_at(0, people(0))
        say("id", shm.id)
        wait_for(shm, ANSWERED, 1)
        _, age = read_people(shm, 0)
        say("the client made the age", age)


run(serve)
