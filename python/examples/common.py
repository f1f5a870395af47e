# SPDX-License-Identifier: MIT OR Apache-2.0
"""What the examples share: the record, pauses that can be shortened, and how a program ends."""

import os
import struct
import sys
import time
from collections.abc import Callable
from functools import partial

from unipc import SharedMemory

# The record on which the programs of all languages agree: struct people { char name[4]; int age; }.
PEOPLE = struct.Struct("4si")

# Every line at once, into a pipe too.
say = partial(print, flush=True)


def people(number: int) -> bytes:
    """The record of this number in the experiments: b 20, c 21, d 22 ..."""
    return PEOPLE.pack(b"bcdefghijk"[number : number + 1], 20 + number)


def read_people(shm: SharedMemory, number: int) -> tuple[str, int]:
    """Name and age in the record of this number."""
    name, age = PEOPLE.unpack(shm.read_at(number * PEOPLE.size, PEOPLE.size))
    return name.split(b"\0")[0].decode(errors="replace"), age


def pause(seconds: float) -> None:
    """Sleeps so many seconds, times the environment variable UNIPC_PAUSE_SCALE."""
    time.sleep(max(0, seconds * float(os.environ.get("UNIPC_PAUSE_SCALE", 1))))


def wait_for(shm: SharedMemory, offset: int, value: int) -> None:
    """Waits until the integer at `offset` is at least `value`, but not for ever: the peer may have died."""
    deadline = time.monotonic() + 60
    while shm.load_u32(offset) < value:
        if time.monotonic() > deadline:
            raise TimeoutError("the other side did not answer within 60 s")
        time.sleep(0.001)


def run(program: Callable[..., None], usage: str = "") -> None:
    """Runs a program with its arguments; an error goes to standard error and makes the exit status 1."""
    arguments = sys.argv[1:]
    if usage and not arguments:
        sys.exit(f"usage: {usage}")
    try:
        program(*arguments)
    except OSError as error:
        sys.exit(str(error))
