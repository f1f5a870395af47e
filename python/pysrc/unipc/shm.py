# SPDX-License-Identifier: MIT OR Apache-2.0
"""Shared memory of every kind that Linux has, behind one class."""

import enum
import math
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar, cast

from . import _native
from .system_v import SystemV

if TYPE_CHECKING:
    import ctypes

    _C = TypeVar("_C", bound=ctypes.Structure | ctypes.Union | ctypes.Array[Any] | ctypes._SimpleCData[Any])


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


class SharedMemory(_native.SharedMemory):
    """Mapped shared memory: POSIX, System V, a file, a memfd or anonymous, by its name.

    Get one from `create`, `open`, `open_or_create` or `from_fd`. The bytes are raw: exactly those that were asked for,
    without a header, so that programs in other languages share them.

    Bytes are reached by copies (`read_at`, `write_at`), by views that copy nothing (`array` for NumPy, `view` for
    ctypes, `memoryview(shm)`), and by atomics (`load_u32`, `add_u32` and their kin).

    Lifetime: `close` unmaps and never removes; `with` closes at its end. A view keeps the mapping: `close` with live
    views is a `BufferError`. A handle that was forgotten is closed when it is collected. Attaching and leaving never
    removes the object; `unlink` and `remove` do.

    Use `array` rather than `numpy.ndarray(buffer=shm)`: NumPy does not tell how long the latter lives. `close` then
    leaves the memory mapped until the handle is collected, and `resize` is refused. (`torch.frombuffer(shm)` cannot
    even be noticed; use `torch.from_numpy(shm.array(...))`.)

    Mapping at an address of the caller's choice is not offered in Python: store offsets, never addresses.

    Threads: any thread may call any method at any time; calls that take long let other threads run. `close` during a
    call in another thread lets that call finish. The bytes themselves need a lock, or the atomics.

    fork: the child's handle goes on working; closing it affects the child alone. Do not fork while another thread
    resizes. exec ends the mapping; the descriptor is close-on-exec.

    pickle: gives the name and the options, and attaches again on the other side. A memfd, or an object that came by
    `from_fd`, can be pickled only as an argument of a `multiprocessing` process that is being started, which passes
    the descriptor; anonymous memory not at all.

    >>> import os
    >>> from unipc import SharedMemory
    >>> name = f"/class-{os.getpid()}"
    >>> shm = SharedMemory.create(name, 80)
    >>> view = memoryview(shm).cast("i")
    >>> view[0] = 20
    >>> shm.load_u32(0)
    20
    >>> shm.close()
    Traceback (most recent call last):
        ...
    BufferError: ... is in use: views (memoryview, array, ctypes object) or open guards, 1 in all; ...
    >>> view.release()
    >>> shm.close()
    >>> SharedMemory.unlink(name)
    """

    __slots__ = ()

    def __repr__(self) -> str:
        size = "closed" if self.closed else f"{len(self)} bytes"
        return f"<unipc.{type(self).__name__} {self.name!r} {self.backing} {size}>"

    @property
    def backing(self) -> Backing:
        """What the memory consists of."""
        return Backing(self._backing)

    @property
    def seals(self) -> Seals:
        """The seals of a memfd. Raises `OSError` with `EOPNOTSUPP` for other backings."""
        return Seals(self._seals)

    @property
    def system_v(self) -> SystemV | None:
        """The segment behind System V memory, with what only System V has; None for other backings."""
        return None if self.id is None else SystemV(self.id)

    def array(self, dtype: Any, shape: int | tuple[int, ...] | None = None, offset: int = 0) -> Any:
        """A NumPy array on the bytes from `offset` on, without copying; read-only if the mapping is.

        `dtype` is whatever `numpy.dtype` takes; `shape` counts elements, None for as many as fit. Without NumPy the
        result is a memoryview, and `dtype` one of the letters of the `struct` module ("i", "d", "B").

        The array counts as a view: `close` is a `BufferError` until it is gone.

        Raises `OSError` with `ERANGE` when the elements do not fit.

        >>> from unipc import SharedMemory
        >>> with SharedMemory.create("anon:", 80) as shm:
        ...     squares = shm.array("i", 10)
        ...     for i in range(10):
        ...         squares[i] = i * i
        ...     shm.array("i", offset=8)[:3].tolist()
        ...     del squares
        [4, 9, 16]
        """
        try:
            import numpy
        except ImportError:
            return self._memoryview(dtype, shape, offset)
        kind = numpy.dtype(dtype)
        count = self._count(kind.itemsize, shape, offset)
        if count == 0:
            return numpy.empty(shape, kind)
        flat = numpy.frombuffer(cast(Any, self), kind, count, offset)
        return flat if shape is None or isinstance(shape, int) else flat.reshape(shape)

    def _memoryview(self, code: Any, shape: int | tuple[int, ...] | None, offset: int) -> memoryview:
        try:
            itemsize = memoryview(bytes(16)).cast(code).itemsize
        except (TypeError, ValueError):
            why = f"without NumPy a dtype is one letter of the struct module, not {code!r}"
            raise TypeError(f'{why}: install numpy, or use "d" for doubles') from None
        count = self._count(itemsize, shape, offset)
        lengths = (count,) if shape is None or isinstance(shape, int) else shape
        return memoryview(self)[offset : offset + count * itemsize].cast(code, lengths)

    def _count(self, itemsize: int, shape: int | tuple[int, ...] | None, offset: int) -> int:
        """How many elements that are, after a check that they fit."""
        if itemsize == 0:
            raise ValueError("elements of 0 bytes do not fill anything")
        if shape is None:
            count = (len(self) - offset) // itemsize
            if count < 1:
                count = 1  # not even one fits, as the check will say
        else:
            count = shape if isinstance(shape, int) else math.prod(shape)
            if count < 0:
                raise ValueError("a shape has no negative lengths")
        size = count * itemsize
        # What no address space holds lies outside as well.
        self._check(offset, size if size < sys.maxsize else sys.maxsize)
        return count

    def view(self, kind: "type[_C]", offset: int = 0) -> "_C":
        """A ctypes object (a structure, an array of structures, an integer) on the bytes at `offset`, without copying.

        It counts as a view: `close` is a `BufferError` until it is gone.

        Raises `OSError` with `ERANGE` when it does not fit; `TypeError` on a read-only mapping, because ctypes has no
        read-only objects.

        >>> import ctypes
        >>> from unipc import SharedMemory
        >>> class People(ctypes.Structure):
        ...     _fields_ = [("name", ctypes.c_char * 4), ("age", ctypes.c_int)]
        >>> with SharedMemory.create("anon:", 80) as shm:
        ...     people = shm.view(People * 10)
        ...     people[1].name, people[1].age = b"c", 21
        ...     shm.load_u32(12)
        ...     del people
        21
        """
        from ctypes import sizeof

        self._check(offset, sizeof(kind))
        if self.read_only:
            name = getattr(kind, "__name__", "the type")
            raise TypeError(
                f"{self.name} is mapped read-only and ctypes objects can be written: copy with "
                f"{name}.from_buffer_copy(shm, offset), or use array() for a read-only view"
            )
        return cast("_C", kind.from_buffer(self, offset))

    def __reduce__(self) -> tuple[Callable[..., "SharedMemory"], tuple[Any, ...]]:
        if self.closed:
            raise ValueError(f"{self.name} is closed")
        if self.backing is Backing.ANONYMOUS:
            raise TypeError("anonymous memory cannot be pickled: fork inherits it, and memfd:LABEL can be passed")
        if self.backing is Backing.MEMFD or self._received:
            return _receive, (type(self), self._descriptor_for_child(), self._reopen)
        return _attach, (type(self), self.name, self._reopen)

    def _descriptor_for_child(self) -> Any:
        """A stand-in for the descriptor that the process being started can turn back into one."""
        from multiprocessing import context, reduction

        if context.get_spawning_popen() is None:
            raise TypeError(
                f"{self.name} is reached by its descriptor, which pickle cannot carry: hand the handle to a "
                "multiprocessing process when it is started, or send shm.fileno() and use SharedMemory.from_fd"
            )
        return reduction.DupFd(self.fileno())


def _attach(cls: type[SharedMemory], name: str, options: dict[str, Any]) -> SharedMemory:
    return cls.open(name, **options)


def _receive(cls: type[SharedMemory], duplicate: Any, options: dict[str, Any]) -> SharedMemory:
    import os

    fd = duplicate.detach()
    try:
        return cls.from_fd(fd, **{key: value for key, value in options.items() if key != "allow_removed"})
    finally:
        os.close(fd)
