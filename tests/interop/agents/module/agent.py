# SPDX-License-Identifier: MIT OR Apache-2.0
"""Party P: a Python program on the library's module."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

import lock
import mq
import pipe
import sem
import shm
import sockets
from protocol import serve

# The verbs of shared memory have no prefix; those of other rooms are called ROOM.VERB.
serve(
    shm.Room().verbs()
    | lock.Room().verbs()
    | mq.Room().verbs()
    | pipe.Room().verbs()
    | sockets.Room().verbs()
    | sem.Room().verbs()
)
