# SPDX-License-Identifier: MIT OR Apache-2.0
"""Records in shared memory: one layout, known to C, Python and Rust alike.

    Layout     what a record consists of: name, offset, type and shape of each field
    Array      records in a row, with a header that tells their layout
    Cell       one record, of which everybody always gets a whole copy
    Directory  names for places inside a segment
    open       whatever lies under a name

A layout is stated once: by a numpy dtype, a `ctypes.Structure`, a class with annotated fields, a PEP 3118 format;
in C by a macro that asks the compiler, in Rust by a derive. Who opens an object with a layout of his own is refused
when that differs, and who declares none is told what is there.

    >>> import os
    >>> import unipc
    >>> from unipc.record import Array, f32, u32, u64
    >>> class Sample:
    ...     t_ns: u64
    ...     seq: u32
    ...     channels: f32[8]
    >>> name = f"/record-{os.getpid()}"
    >>> frames = Array.create(name, Sample, 1000)       # or by a C program
    >>> frames.numpy()["channels"][0] = range(8)
    >>> unipc.open(name).numpy()["channels"].mean()     # in any process: nothing is declared
    np.float32(0.0035)
    >>> print(frames.layout.c("sample").splitlines()[3])
        float channels[8];
    >>> Array.unlink(name)

The types of annotated fields: `boolean`, `i8` to `i64`, `u8` to `u64`, `f16`, `f32`, `f64`, `c64`, `c128`, `char`;
arrays are `f32[8]`, `f64[2, 3]`, `char[16]`. Also ctypes types, numpy dtypes, and other such classes.
"""

import contextlib
import errno
from collections.abc import Callable, Iterator
from os import PathLike
from typing import Any, Literal, NamedTuple, Self, TypeAlias

from ._layout import boolean, c64, c128, char, f16, f32, f64, i8, i16, i32, i64, u8, u16, u32, u64
from ._native import (
    Array,
    Barrier,
    Cell,
    Condvar,
    Event,
    Layout,
    Mutex,
    Once,
    PlaceTable,
    Queue,
    RwLock,
    Service,
    SharedMemory,
    SyncSemaphore,
    Topic,
    kind_at,
)

__all__ = [
    "Array",
    "Cell",
    "Directory",
    "Layout",
    "Place",
    "boolean",
    "c64",
    "c128",
    "char",
    "f16",
    "f32",
    "f64",
    "i8",
    "i16",
    "i32",
    "i64",
    "u8",
    "u16",
    "u32",
    "u64",
]

_Name: TypeAlias = str | bytes | PathLike[str] | PathLike[bytes]


class Place(NamedTuple):
    """A place of a directory."""

    name: str
    offset: int
    """Its first byte in the memory."""
    size: int
    """How many bytes it has: a multiple of 64."""
    kind: str | None
    """What lies there: "mutex", "array"; None where it is no object of this library."""


# What opens an object by the kind that its stamp tells, at an offset of memory or under a name.
_OPENERS: dict[str, Callable[..., Any]] = {
    "array": lambda place, offset, read_only: Array.open(place, None, offset, read_only=read_only),
    "cell": lambda place, offset, read_only: Cell.open(place, None, offset, read_only=read_only),
    "mutex": lambda place, offset, _: Mutex.open(place, offset),
    "rwlock": lambda place, offset, _: RwLock.open(place, offset),
    "condvar": lambda place, offset, _: Condvar.open(place, offset),
    "barrier": lambda place, offset, _: Barrier.open(place, offset),
    "semaphor": lambda place, offset, _: SyncSemaphore.open(place, offset),
    "event": lambda place, offset, _: Event.open(place, offset),
    "once": lambda place, offset, _: Once.open(place, offset),
    "places": lambda place, offset, _: Directory.open(place, offset),
    "queue": lambda place, offset, _: Queue.open(place, offset),
    "topic": lambda place, offset, _: Topic.open(place, offset),
    "service": lambda place, offset, _: Service.open(place, offset),
}
# Those whose rings are mapped twice, so that they begin on a page.
_CHANNELS = (Queue, Topic, Service)


def open(name: _Name, *, read_only: bool = False) -> Any:  # noqa: A001 (of this module, which says so)
    """Opens whatever object of this library lies under a name: `Array`, `Cell`, `Directory`, a lock of
    `unipc.sync`, a channel.

    Nothing is declared: the object tells what it is. `read_only` needs no permission to write; arrays and cells
    alone have it.

    Raises `FileNotFoundError` when there is nothing of that name; `LayoutError` when it is no object of this
    library, or none yet: raw memory is opened with `SharedMemory.open`.
    """
    with SharedMemory.open(name, read_only=True) as memory:
        kind = kind_at(memory, 0)
    if kind not in _OPENERS:
        # Its error says what is there instead.
        return Array.open(name, read_only=True)
    return _OPENERS[kind](name, 0, read_only)


class Directory:
    """Names for places inside a segment, so that C, Python and Rust find what is in it without agreeing on offsets.

    `place` is a `SharedMemory` with an `offset` (a multiple of 64), or a name, under which a segment is created for
    it and all that is placed in it. It takes `size` bytes (all that there are, without one): 320, and 128 for each
    of `entries` places, and the places.

        >>> import os
        >>> from unipc import Array, Cell, Directory, Mutex, Queue
        >>> name = f"/plant-{os.getpid()}"
        >>> plant = Directory.create(name, 1 << 16)
        >>> lock = plant.place("lock", Mutex)
        >>> samples = plant.place("samples", Array, "d", 100)
        >>> jobs = plant.place("jobs", Queue, 4096)
        >>> other = Directory.open(name)        # in any process, in any language
        >>> with other.find("lock"):
        ...     other.find("samples").numpy()[0] = 0.5
        >>> [(place.name, place.kind) for place in other]
        [('lock', 'mutex'), ('samples', 'array'), ('jobs', 'queue')]
        >>> other.remove("samples")             # its room is free for others
        >>> Directory.unlink(name)

    A process that is killed while it places or removes leaves the directory whole. Removing frees the place at
    once: those who still use what was there must have stopped. Threads: any. fork: a child goes on using it.
    """

    __slots__ = ("__weakref__", "_memory", "_offset", "_table")

    def __init__(self, memory: SharedMemory, table: PlaceTable | None = None, offset: int = 0) -> None:
        """Use `create`, `open` or `open_or_create`."""
        if table is None:
            raise TypeError("use Directory.create(place, size), open(place) or open_or_create(place, size)")
        self._memory = memory
        self._table = table
        self._offset = offset

    @classmethod
    def create(
        cls,
        place: SharedMemory | _Name,
        size: int | None = None,
        offset: int = 0,
        *,
        entries: int = 64,
        mode: int = 0o600,
    ) -> Self:
        """Creates a directory; under a name it needs a size.

        Raises `FileExistsError` when there is one; `OSError`: `EBUSY` when the bytes of its table are not zero,
        `ERANGE` when it does not fit, `EINVAL` when the size is too small for the table.
        """
        if isinstance(place, SharedMemory):
            return cls(place, PlaceTable.create(place, offset, size, entries, False), offset)
        return cls._within(SharedMemory.create(place, _needed(size), mode=mode), offset, size, entries, False)

    @classmethod
    def _within(cls, memory: SharedMemory, offset: int, size: int | None, entries: int, existing: bool) -> Self:
        """Creates it in a segment that was made for it, which goes when that fails."""
        try:
            return cls(memory, PlaceTable.create(memory, offset, size, entries, existing), offset)
        except FileExistsError:
            # Somebody else was faster, whose directory it is now.
            raise
        except BaseException:
            # What has no name goes by itself.
            with contextlib.suppress(OSError):
                memory.remove()
            raise

    @classmethod
    def open(cls, place: SharedMemory | _Name, offset: int = 0) -> Self:
        """Opens the directory. Raises `LayoutError` when there is none; `FileNotFoundError` for a name."""
        memory = place if isinstance(place, SharedMemory) else SharedMemory.open(place)
        return cls(memory, PlaceTable.open(memory, offset), offset)

    @classmethod
    def open_or_create(
        cls,
        place: SharedMemory | _Name,
        size: int | None = None,
        offset: int = 0,
        *,
        entries: int = 64,
        mode: int = 0o600,
    ) -> Self:
        """Opens the directory, or creates it when there is none. Raises as both do."""
        if isinstance(place, SharedMemory):
            memory = place
        else:
            needed = _needed(size)
            # Others may create and remove it meanwhile.
            for _ in range(3):
                try:
                    # All of it, however large it was made.
                    memory = SharedMemory.open(place)
                    break
                except OSError as error:
                    # memfd: and anon: have no name that could be opened.
                    if error.errno not in (errno.ENOENT, errno.EOPNOTSUPP):
                        raise
                with contextlib.suppress(FileExistsError):
                    made = SharedMemory.create(place, needed, mode=mode)
                    return cls._within(made, offset, size, entries, True)
            else:
                memory = SharedMemory.open_or_create(place, needed, mode=mode)
        return cls(memory, PlaceTable.create(memory, offset, size, entries, True), offset)

    @staticmethod
    def unlink(name: _Name) -> None:
        """Removes the segment of this name, with all that is in it."""
        SharedMemory.unlink(name)

    @property
    def memory(self) -> SharedMemory:
        """The memory in which it lies, and all of its places."""
        return self._memory

    @property
    def size(self) -> int:
        """All of its bytes, the table included."""
        return self._table.size

    @property
    def capacity(self) -> int:
        """How many places it can have."""
        return self._table.capacity

    @property
    def label(self) -> str:
        """How errors call it."""
        return self._table.label

    def place(self, name: str, what: Any, *arguments: Any, **options: Any) -> Any:
        """Makes a place, and in it an object; gives the object.

        `what` is a class (`Mutex`, `Array`, `Cell`, `Queue` and their kin), followed by the arguments of its `create`
        without place and offset; or a number of bytes, which are zeros then, and the result is a `Place`. Channels
        lie in memory that has a descriptor: not in System V segments, nor in anonymous memory.

        Raises `FileExistsError` when the name is taken; `OSError`: `ENOSPC` when there is no such room, or no entry
        left; `EINVAL` for a name that is empty, or longer than 103 bytes.
        """
        if isinstance(what, int):
            return Place(*self._table.place(name, what, False))
        size = _size_of(what, arguments, options)
        offset = self._table.place(name, size, what in _CHANNELS)[1]
        try:
            return _create(what, self.memory, offset, arguments, options)
        except BaseException:
            self._table.remove(name)
            raise

    def find_or_place(self, name: str, what: Any, *arguments: Any, **options: Any) -> Any:
        """Finds the object, or makes it: also where a process was killed between placing and creating. The
        arguments are those of `place`.

        Raises as `place`; `OSError` with `EINVAL` when the place is there with fewer bytes, `LayoutError` when
        something else lies there.
        """
        if isinstance(what, int):
            return Place(*self._table.find_or_place(name, what, False)[0])
        size = _size_of(what, arguments, options)
        offset = self._table.find_or_place(name, size, what in _CHANNELS)[0][1]
        return _create(what, self.memory, offset, arguments, options, "open_or_create")

    def find(self, name: str) -> Any:
        """The object in a place, opened as what it is; a `Place` where it is no object of this library.

        Raises `FileNotFoundError` when there is no such place.
        """
        place = Place(*self._table.find(name))
        if place.kind not in _OPENERS:
            return place
        return _OPENERS[place.kind](self.memory, place.offset, False)

    def where(self, name: str) -> Place:
        """The place itself. Raises `FileNotFoundError` when there is none of this name."""
        return Place(*self._table.find(name))

    def remove(self, name: str) -> None:
        """Frees a place. Raises `FileNotFoundError` when there is none of this name."""
        self._table.remove(name)

    def list(self) -> list[Place]:
        """All places, in the order in which they lie."""
        return [Place(*told) for told in self._table.list()]

    def __iter__(self) -> Iterator[Place]:
        return iter(self.list())

    def __len__(self) -> int:
        return len(self._table.list())

    def __contains__(self, name: object) -> bool:
        return any(place.name == name for place in self)

    def __repr__(self) -> str:
        return f"<unipc.Directory {self.label!r}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return _reopen, ("Directory", self.memory, self._offset, False)


def _needed(size: int | None) -> int:
    if size is None:
        raise ValueError("a directory under a name of its own needs a size")
    return size


def _size_of(what: Any, arguments: tuple[Any, ...], options: dict[str, Any]) -> int:
    """How many bytes an object of this class takes, when it is created with these arguments."""
    if what is Array:
        size: int = Array.size_for(*_first(("layout", "count"), arguments, options))
    elif what is Cell:
        size = Cell.size_for(*_first(("layout",), arguments, options))
    elif what is RwLock:
        size = RwLock.size(options.get("readers") or 60)
    elif what is Barrier:
        size = Barrier.size(*_first(("parties",), arguments, options))
    elif what is SyncSemaphore:
        (value,) = _first(("value",), arguments, options)
        size = SyncSemaphore.size(options.get("max") or max(value, 64))
    elif what in _CHANNELS:
        matters = ("capacity", "layout", "message_size", "participants", "reply_capacity")
        size = what.size_for(*arguments, **{key: value for key, value in options.items() if key in matters})
    elif hasattr(what, "SIZE"):
        size = what.SIZE
    else:
        raise TypeError(f"{what!r} is no object that lies in a place")
    return size


def _first(names: tuple[str, ...], arguments: tuple[Any, ...], options: dict[str, Any]) -> list[Any]:
    given = dict(zip(names, arguments, strict=False)) | options
    try:
        return [given[name] for name in names]
    except KeyError as missing:
        raise TypeError(f"the argument {missing} is missing") from None


def _create(
    what: Any,
    memory: SharedMemory,
    offset: int,
    arguments: tuple[Any, ...],
    options: dict[str, Any],
    how: Literal["create", "open_or_create"] = "create",
) -> Any:
    if how == "open_or_create" and not hasattr(what, how):
        # The locks' constructor is that.
        return what(memory, *arguments, offset=offset, **options)
    return getattr(what, how)(memory, *arguments, offset=offset, **options)


def _reopen(what: str, place: Any, offset: int, read_only: bool) -> Any:
    """Opens an object in the process to which it was pickled."""
    return _OPENERS[{"Array": "array", "Cell": "cell", "Directory": "places"}[what]](place, offset, read_only)
