# SPDX-License-Identifier: MIT OR Apache-2.0
"""The verbs of file locks, on the module alone."""

import errno
import os
from pathlib import Path

from protocol import number, waiting

import unipc


class Room:
    """The one file that this process has open for locking."""

    lock = None

    def verbs(self):
        names = ("open", "acquire", "release", "holder", "touch", "close")
        return {f"lock.{name}": getattr(self, name) for name in names}

    def open(self, arguments):
        self.lock = unipc.FileLock.open_or_create(f"file:{arguments['path']}", kind=arguments["kind"])
        return "opened"

    def acquire(self, arguments):
        timeout, failure = 0, errno.EAGAIN
        if number(arguments, "wait"):
            waiting()
            timeout, failure = number(arguments, "timeout") / 1000 or None, errno.ETIMEDOUT
        if not self.lock.acquire(**wanted(arguments), **area(arguments), timeout=timeout):
            raise OSError(failure, os.strerror(failure))
        return "locked"

    def release(self, arguments):
        self.lock.release(**area(arguments))
        return "unlocked"

    def holder(self, arguments):
        found = self.lock.holder(**wanted(arguments), **area(arguments))
        if found is None:
            return "nobody"
        sharing = "shared" if found.shared else "exclusive"
        return (
            f"pid={found.pid or 0} kind={found.kind} sharing={sharing} start={found.start} length={found.length or 0}"
        )

    def touch(self, arguments):
        """What any other code of the process might do: look into the file."""
        Path(arguments["path"]).read_bytes()
        return "touched"

    def close(self, _):
        self.lock.close()
        return "closed"


def wanted(arguments):
    return {"shared": arguments["sharing"] == "shared"}


def area(arguments):
    return {"start": number(arguments, "start"), "length": number(arguments, "length") or None}
