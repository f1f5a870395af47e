# SPDX-License-Identifier: MIT OR Apache-2.0
"""Locks on files: the kinds that there are. `FileLock` itself is in the compiled half."""

import enum

from ._native import FileLock, LockGuard, LockHolder
from .shm import _Members

__all__ = ["FileLock", "LockGuard", "LockHolder", "LockKind"]


class LockKind(enum.StrEnum, metaclass=_Members):
    """The three kinds of file lock of Linux. OFD and POSIX locks exclude each other; flock is a world of its own.

    OFD      record locks of the open file description, fcntl(F_OFD_SETLK): any bytes; the owner is the handle, so that
             handles of one process exclude each other; nothing that other code of the process does ends them
    POSIX    record locks, fcntl(F_SETLK), fcntl.lockf of Python: any bytes; the owner is the process, whose handles do
             not exclude each other, and which loses all its locks on a file when it closes any descriptor of it; a
             child of fork has none; a deadlock is EDEADLK
    FLOCK    flock(2), fcntl.flock of Python, the command flock: the whole file; the owner is the handle; a conversion
             gives up what it has first

    Only POSIX notices a deadlock: wait for the others with a timeout.
    """

    OFD = "ofd"
    POSIX = "posix"
    FLOCK = "flock"


def _reopen(name: str, kind: str, read_only: bool) -> FileLock:
    """How a pickled lock comes to life: as a new handle that holds nothing."""
    return FileLock.open(name, kind=kind, read_only=read_only)
