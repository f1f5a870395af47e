# SPDX-License-Identifier: MIT OR Apache-2.0
"""System V segments by identifier: what shmctl(2) tells and does, and the limits of the system."""

from dataclasses import dataclass

from . import _native


@dataclass(frozen=True, kw_only=True)
class SystemVStatus:
    """What the kernel knows of a segment: every field of `struct shmid_ds`, see shmctl(2).

    id            the identifier
    key           0 for a private segment, and for one that is marked for removal
    uid, gid      the owner
    cuid, cgid    the creator
    mode          the nine permission bits
    sequence      how often the kernel has reused the slot; part of the identifier
    size          bytes, as asked for
    attach_time   when it was last attached, in seconds since 1970; None for never
    detach_time   when it was last detached; None for never
    change_time   when it was created or last changed by `set`
    creator_pid   who created it
    last_pid      who attached or detached last; 0 for nobody
    attached      how many attachments there are
    removed       marked for removal: it goes with its last attachment
    locked        locked in memory
    """

    id: int
    key: int
    uid: int
    gid: int
    cuid: int
    cgid: int
    mode: int
    sequence: int
    size: int
    attach_time: int | None
    detach_time: int | None
    change_time: int | None
    creator_pid: int
    last_pid: int
    attached: int
    removed: bool
    locked: bool


@dataclass(frozen=True)
class SystemV:
    """A System V segment, by identifier. Holding one keeps nothing alive: whoever may can remove the segment.

    All methods raise `OSError`: `EINVAL` when no segment has this identifier, `EIDRM` (`RemovedError`) when it was
    removed meanwhile, `EACCES` or `EPERM` when this user may not.

    >>> import unipc
    >>> shm = unipc.SharedMemory.create("sysv:private", 4096)
    >>> segment = shm.system_v
    >>> segment.stat().attached
    1
    >>> segment.remove()                # it goes with its last attachment
    >>> segment.stat().removed
    True
    >>> shm.close()
    """

    id: int

    def stat(self) -> SystemVStatus:
        """`shmctl(IPC_STAT)`. Needs read permission."""
        return SystemVStatus(**_native.system_v_stat(self.id))

    def set(self, *, uid: int | None = None, gid: int | None = None, mode: int | None = None) -> None:
        """`shmctl(IPC_SET)`: a new owner, group or mode; None leaves it as it is. For owner and creator only."""
        _native.system_v_set(self.id, uid, gid, mode)

    def remove(self) -> None:
        """`shmctl(IPC_RMID)`: the key is free at once, the segment goes with its last attachment."""
        _native.system_v_remove(self.id)

    def lock(self) -> None:
        """`shmctl(SHM_LOCK)`: no page is swapped out, whoever touches it. `ENOMEM`, `EPERM` beyond `RLIMIT_MEMLOCK`."""
        _native.system_v_lock(self.id)

    def unlock(self) -> None:
        """`shmctl(SHM_UNLOCK)`."""
        _native.system_v_unlock(self.id)

    @staticmethod
    def list() -> list[SystemVStatus]:
        """All segments of this IPC namespace, those of other users too (Linux 4.17), as `ipcs -m` lists them."""
        return [SystemVStatus(**status) for status in _native.system_v_list()]


@dataclass(frozen=True, kw_only=True)
class ShmLimits:
    """The limits of System V shared memory in this IPC namespace, as `ipcs -l` has them.

    shmmax    the largest segment, in bytes
    shmmin    the smallest segment, in bytes
    shmmni    how many segments there may be
    shmall    how many pages all segments together may have
    """

    shmmax: int
    shmmin: int
    shmmni: int
    shmall: int


@dataclass(frozen=True, kw_only=True)
class ShmUsage:
    """What System V shared memory uses in this IPC namespace.

    segments    how many segments exist
    pages       pages of all segments
    resident    pages of them in memory
    swapped     pages of them swapped out
    """

    segments: int
    pages: int
    resident: int
    swapped: int


def shm_limits() -> ShmLimits:
    """The limits of System V shared memory (`IPC_INFO`)."""
    return ShmLimits(**_native.shm_limits())


def shm_usage() -> ShmUsage:
    """What System V shared memory uses (`SHM_INFO`)."""
    return ShmUsage(**_native.shm_usage())
