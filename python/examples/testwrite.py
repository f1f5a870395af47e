# SPDX-License-Identifier: MIT OR Apache-2.0
"""Writes ten records to the System V segment on which testread agrees by ftok("/dev/shm/myshm2", 0).

Run `touch /dev/shm/myshm2`, then `testwrite.py`, then `testread.py`, in any language and as often
as you like. It prints nothing. The segment stays when the programs have ended: `ipcs -m` shows it,
`ipcrm -m ID` removes it.
"""

from common import PEOPLE, people, run

from unipc import SharedMemory


def experiment() -> None:
    with SharedMemory.open_or_create("sysv:/dev/shm/myshm2,0", 4096) as shm:
        for i in range(10):
            shm.write_at(i * PEOPLE.size, people(i))


run(experiment)
