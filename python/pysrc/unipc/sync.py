# SPDX-License-Identifier: MIT OR Apache-2.0
"""Locks placed in shared memory that survive a `kill -9`.

    Mutex       one thread at a time, of any process
    RwLock      many readers, or one writer alone
    Condvar     waiting for a change of what a mutex guards
    Barrier     a number of threads pass together
    Semaphore   permits, each of which knows its holder; or tokens
    Event       a flag for which others wait
    Once        something that is done once among all processes

Each lies at an offset of a `SharedMemory`, where there were zeros, or under a name of its own; C and Rust programs use
the same bytes. From the offset on it takes `Mutex.SIZE` bytes (256), `RwLock.size(readers)` and so on: data go behind
them. What was made under a name is removed by `SharedMemory.unlink(name)`.

    >>> import os
    >>> from unipc import Mutex, SharedMemory
    >>> name = f"/counter-{os.getpid()}"
    >>> shm = SharedMemory.create(name, 4096)
    >>> mutex = Mutex(shm, 0)               # in any process
    >>> with mutex:
    ...     shm.write_at(Mutex.SIZE, b"no two at once")
    >>> SharedMemory.unlink(name)

Whoever holds something may be killed at any instruction: the next one gets in. Where data may have been left
half-changed it is told so: `with mutex:` raises `OwnerDiedError`, and `with mutex.repair():` is for who knows what to
do about it.
"""

from typing import Any

from ._native import (
    Barrier,
    Condvar,
    Event,
    Mutex,
    MutexRepair,
    MutexStatus,
    Once,
    RwLock,
    RwLockSide,
    RwLockStatus,
    ThreadId,
)
from ._native import SyncSemaphore as Semaphore

__all__ = [
    "Barrier",
    "Condvar",
    "Event",
    "Mutex",
    "MutexRepair",
    "MutexStatus",
    "Once",
    "RwLock",
    "RwLockSide",
    "RwLockStatus",
    "Semaphore",
    "ThreadId",
]


def _reopen(what: tuple[str, Any, int, str | None]) -> Any:
    """Opens an object in the process to which it was pickled."""
    name, place, offset, form = what
    return globals()[name].open(place, offset, **({} if form is None else {"form": form}))
