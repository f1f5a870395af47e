# SPDX-License-Identifier: MIT OR Apache-2.0
"""Removing a System V segment that is in use: its key is free at once, its memory goes with the last one attached.

Run `removal.py`; for five seconds after the removal `ipcs -m` shows the segment with the key
0x00000000 and `dest`. It prints what becomes of the key, of the data, and of those who want to
attach or detach.
"""

import errno

from common import pause, people, read_people, run, say

from unipc import SharedMemory, SystemV

NAME = "sysv:0x12345678"


def show(what: str, segment: SystemV) -> None:
    status = segment.stat()
    mark = ", marked for removal" if status.removed else ""
    say(f"{what}: key 0x{status.key:08x}, attached {status.attached}{mark}")


def experiment() -> None:
    first = SharedMemory.create(NAME, 4096)
    second = SharedMemory.open(NAME)
    segment = first.system_v
    assert segment
    first.write_at(0, people(0))
    show("in use", segment)

    first.remove()
    show("removed", segment)
    say("the data are still there: name {} age {}".format(*read_people(second, 0)))
    try:
        SharedMemory.open(NAME)
        say("open by key: another segment")
    except FileNotFoundError as error:
        say("open by key:", errno.errorcode[error.errno])
    pause(5)

    first.close()
    show("one detached", segment)
    second.close()
    if segment.id in [status.id for status in SystemV.list()]:
        raise OSError("the segment outlived its last user")
    say("the last one detached: the segment is gone")


run(experiment)
