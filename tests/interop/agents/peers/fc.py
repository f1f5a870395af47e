# SPDX-License-Identifier: MIT OR Apache-2.0
"""Party FC: Python's own fcntl module, flock and lockf (which is fcntl(F_SETLK))."""

import fcntl
import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from protocol import number, serve, waiting


class Room:
    def verbs(self):
        names = ("open", "acquire", "release", "touch", "close")
        return {f"lock.{name}": getattr(self, name) for name in names}

    def open(self, arguments):
        self.kind = arguments["kind"]
        self.file = os.open(arguments["path"], os.O_RDWR | os.O_CREAT, 0o600)
        return "opened"

    def set(self, arguments, operation):
        if self.kind == "flock":
            fcntl.flock(self.file, operation)
        else:
            fcntl.lockf(self.file, operation, number(arguments, "length"), number(arguments, "start"))

    def acquire(self, arguments):
        operation = fcntl.LOCK_SH if arguments["sharing"] == "shared" else fcntl.LOCK_EX
        if number(arguments, "wait"):
            waiting()
        else:
            operation |= fcntl.LOCK_NB
        self.set(arguments, operation)
        return "locked"

    def release(self, arguments):
        self.set(arguments, fcntl.LOCK_UN)
        return "unlocked"

    def touch(self, arguments):
        """What any other code of the process might do: look into the file."""
        pathlib.Path(arguments["path"]).read_bytes()
        return "touched"

    def close(self, _):
        os.close(self.file)
        return "closed"


serve(Room().verbs())
