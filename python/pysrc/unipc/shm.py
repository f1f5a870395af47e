# SPDX-License-Identifier: MIT OR Apache-2.0
"""Shared memory of every kind that Linux has, behind one class."""

import enum
from typing import Any

from ._native import SharedMemory
from .system_v import SystemV

__all__ = ["Advice", "Backing", "Seals", "SharedMemory", "SystemV"]


class _Members(enum.EnumType):
    """Shows the members alone in `help`, without what every int or str has."""

    def __dir__(cls) -> list[str]:
        return ["__doc__", "__module__", *cls.__members__]


class Backing(enum.StrEnum, metaclass=_Members):
    """What shared memory consists of. Each is also the string that stands in names: `Backing.POSIX == "posix"`."""

    SYSTEM_V = "sysv"
    POSIX = "posix"
    FILE = "file"
    MEMFD = "memfd"
    ANONYMOUS = "anon"


class Seals(enum.IntFlag, metaclass=_Members):
    """What can no longer be done to a memfd, by anybody. See `F_ADD_SEALS` in fcntl(2).

    SEAL            no further seals
    SHRINK          the size cannot decrease, so that no mapping ever loses its pages
    GROW            the size cannot increase
    WRITE           the bytes cannot change
    FUTURE_WRITE    the bytes cannot change but through mappings that exist already (Linux 5.1)
    EXEC            whether it may be executed cannot change (Linux 6.3); every memfd made here has it
    """

    NONE = 0
    SEAL = 0x1
    SHRINK = 0x2
    GROW = 0x4
    WRITE = 0x8
    FUTURE_WRITE = 0x10
    EXEC = 0x20


class Advice(enum.IntEnum, metaclass=_Members):
    """What the kernel may expect of a range, for `SharedMemory.advise`. See madvise(2).

    NORMAL, RANDOM, SEQUENTIAL        how it will be touched, which decides the read-ahead
    WILL_NEED, DONT_NEED              soon, or not soon: shared bytes stay, changes of a private mapping go
    DONT_FORK, DO_FORK                keep it from children of fork, or not
    DONT_DUMP, DO_DUMP                leave it out of core dumps, or not
    HUGE_PAGE, NO_HUGE_PAGE           use transparent huge pages, or not
    COLD, PAGE_OUT                    reclaim first, or now
    POPULATE_READ, POPULATE_WRITE     fault the pages in (Linux 5.14)
    """

    NORMAL = 0
    RANDOM = 1
    SEQUENTIAL = 2
    WILL_NEED = 3
    DONT_NEED = 4
    DONT_FORK = 10
    DO_FORK = 11
    HUGE_PAGE = 14
    NO_HUGE_PAGE = 15
    DONT_DUMP = 16
    DO_DUMP = 17
    COLD = 20
    PAGE_OUT = 21
    POPULATE_READ = 22
    POPULATE_WRITE = 23


# What follows is called by the compiled half.


def _size_of(code: Any) -> int:
    """The size of what one letter of the struct module stands for."""
    try:
        return memoryview(bytes(16)).cast(code).itemsize
    except (TypeError, ValueError):
        why = f"without NumPy a dtype is one letter of the struct module, not {code!r}"
        raise TypeError(f'{why}: install numpy, or use "d" for doubles') from None


def _bytes_at(shm: SharedMemory, offset: int, size: int) -> memoryview:
    return memoryview(shm)[offset : offset + size]


def _descriptor_for_child(shm: SharedMemory) -> Any:
    """A stand-in for the descriptor that the process being started can turn back into one."""
    from multiprocessing import context, reduction

    if context.get_spawning_popen() is None:
        raise TypeError(
            f"{shm.name} is reached by its descriptor, which pickle cannot carry: hand the handle to a "
            "multiprocessing process when it is started, or send shm.fileno() and use SharedMemory.from_fd"
        )
    return reduction.DupFd(shm.fileno())


def _attach(cls: type[SharedMemory], name: str, options: dict[str, Any]) -> SharedMemory:
    return cls.open(name, **options)


def _receive(cls: type[SharedMemory], duplicate: Any, options: dict[str, Any]) -> SharedMemory:
    import os

    fd = duplicate.detach()
    try:
        return cls.from_fd(fd, **{key: value for key, value in options.items() if key != "allow_removed"})
    finally:
        os.close(fd)
