# SPDX-License-Identifier: MIT OR Apache-2.0
"""A client attaches the segment whose identifier it is given, reads a record and answers.

Run `shm_server.py` in another terminal, then `shm_client.py ID` with the identifier that it prints.
It prints `name b age 20` and makes the age 21.
"""

from common import PEOPLE, read_people, run, say

from unipc import SharedMemory

# Behind the record, a word that says that the client has answered.
ANSWERED = PEOPLE.size


def ask(number: str) -> None:
    with SharedMemory.open(f"sysv:id={number}") as shm:
        name, age = read_people(shm, 0)
        say(f"name {name} age {age}")
        shm.write_at(0, PEOPLE.pack(name.encode(), age + 1))
        shm.store_u32(ANSWERED, 1)


run(ask, "shm_client.py ID")
