# SPDX-License-Identifier: MIT OR Apache-2.0
"""Semaphores, POSIX and System V: what the kernel tells of them, and the limits of the system."""

import enum
from dataclasses import dataclass
from typing import Any

from . import _native
from ._native import Semaphore, SemaphoreSet
from .shm import _Members as Members

__all__ = [
    "SemFlag",
    "SemLimits",
    "SemUsage",
    "Semaphore",
    "SemaphoreInfo",
    "SemaphoreSet",
    "SemaphoreSetStatus",
    "sem_limits",
    "sem_usage",
]


class SemFlag(enum.IntFlag, metaclass=Members):
    """Flags of an operation of `SemaphoreSet.operate`: the kernel's `SEM_UNDO` and `IPC_NOWAIT`.

    UNDO       the kernel undoes it when this process ends, however it ends
    NO_WAIT    fail with `BlockingIOError` where it would wait; nothing of the whole call is done then
    """

    UNDO = 0x1000
    NO_WAIT = 0o4000


@dataclass(frozen=True, kw_only=True)
class SemaphoreSetStatus:
    """What the kernel knows of a set: every field of `struct semid_ds`, see semctl(2).

    id                the identifier
    key               0 for a private set
    uid, gid          the owner
    cuid, cgid        the creator
    mode              the nine permission bits
    sequence          how often the kernel has reused the slot; part of the identifier
    count             how many semaphores it has
    operation_time    when it was last operated on, in seconds since 1970; None for never
    change_time       when it was created or last changed, by `set` or by setting values
    """

    id: int
    key: int
    uid: int
    gid: int
    cuid: int
    cgid: int
    mode: int
    sequence: int
    count: int
    operation_time: int | None
    change_time: int | None


@dataclass(frozen=True)
class SemaphoreInfo:
    """What the kernel knows of one semaphore of a set.

    value               its value
    last_pid            who changed it last; 0 for nobody, or a process of another PID namespace
    waiting_increase    how many wait for the value to increase
    waiting_zero        how many wait for the value to become 0
    """

    value: int
    last_pid: int
    waiting_increase: int
    waiting_zero: int


@dataclass(frozen=True, kw_only=True)
class SemLimits:
    """The limits of System V semaphores in this IPC namespace, as `ipcs -l` has them.

    semmsl    how many semaphores a set may have
    semmns    how many semaphores all sets together may have
    semopm    how many operations one call may have
    semmni    how many sets there may be
    semvmx    the highest value
    """

    semmsl: int
    semmns: int
    semopm: int
    semmni: int
    semvmx: int


@dataclass(frozen=True, kw_only=True)
class SemUsage:
    """What System V semaphores use in this IPC namespace.

    sets          how many sets exist
    semaphores    how many semaphores they have together
    """

    sets: int
    semaphores: int


def sem_limits() -> SemLimits:
    """The limits of System V semaphores (`IPC_INFO`)."""
    return SemLimits(**_native.sem_limits())


def sem_usage() -> SemUsage:
    """What System V semaphores use (`SEM_INFO`)."""
    return SemUsage(**_native.sem_usage())


# What follows is called by the compiled half.


def _open(cls: type[Semaphore] | type[SemaphoreSet], name: str, options: dict[str, Any]) -> Semaphore | SemaphoreSet:
    return cls.open(name, **options)
