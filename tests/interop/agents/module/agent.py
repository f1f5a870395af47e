# SPDX-License-Identifier: MIT OR Apache-2.0
"""Party P: a Python program on the library's module."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

import channel
import lock
import mq
import pipe
import process
import records
import sem
import shm
import signals
import sockets
import syncs
from protocol import serve

# The verbs of shared memory have no prefix; those of other rooms are called ROOM.VERB.
rooms = (
    shm.Room(), lock.Room(), mq.Room(), pipe.Room(), process.Room(), sem.Room(), signals.Room(), sockets.Room(),
    syncs.Room(), channel.Room(), records.Room(),
)  # fmt: skip
serve({name: verb for room in rooms for name, verb in room.verbs().items()})
