# SPDX-License-Identifier: MIT OR Apache-2.0
"""Programs: started, waited for, at the other end of a pipe, of two, or of a terminal.

    >>> from unipc import Coprocess, Shell, spawn
    >>> spawn(["true"]).wait()
    0
    >>> with Shell("echo one; echo two", shell=True) as shell:
    ...     list(shell)
    [b'one', b'two']
    >>> with Coprocess(["cat"]) as filter:
    ...     filter.exchange(b"a line goes, a line comes")
    b'a line goes, a line comes'

`Process` is one that was started by `spawn`, `Pty` one on a terminal of its own, `RawMode` puts a terminal into raw
mode and back. The functions here work on any terminal: `is_terminal`, `window_size`, `terminal_modes` and the setters.
"""

import enum
from collections.abc import Iterable
from os import PathLike
from typing import Any, NamedTuple, Protocol, Self, TypeAlias

from . import _native
from ._native import Coprocess, Process, RawMode, Shell, is_terminal, spawn

__all__ = [
    "Coprocess",
    "Process",
    "Pty",
    "RawMode",
    "Shell",
    "TerminalModes",
    "WindowSize",
    "is_terminal",
    "set_terminal_modes",
    "set_window_size",
    "spawn",
    "terminal_modes",
    "window_size",
]


_Word: TypeAlias = str | bytes | PathLike[str] | PathLike[bytes]
_Words: TypeAlias = Iterable[_Word] | str | bytes


class _HasFileno(Protocol):
    def fileno(self) -> int: ...


class WindowSize(NamedTuple):
    """How many characters fit into the window of a terminal; its size in pixels where somebody knows it."""

    rows: int = 24
    columns: int = 80
    width: int = 0
    height: int = 0


class TerminalModes(enum.IntFlag):
    """What a terminal's line discipline does to the bytes; a new pseudoterminal does all of it.

    ECHO       input is put out again, so that who types sees it
    CANONICAL  input comes in lines, which can be edited until their end; Ctrl-D ends it (ICANON)
    SIGNALS    Ctrl-C, Ctrl-\\ and Ctrl-Z are signals (ISIG)
    OUTPUT     a newline is put out as carriage return and newline (OPOST)
    """

    ECHO = 1
    CANONICAL = 2
    SIGNALS = 4
    OUTPUT = 8


class Pty(_native.Pty):
    """The master of a pseudoterminal, with a program on the other side, or nobody yet (`slave()` gives that side).

    `Pty(command, size)` starts the program in a session of its own whose controlling terminal it is. The command is a
    sequence of words, or with `shell=True` a line for `sh -c`; the other keywords are those of `spawn` (but `stdin`).
    `Pty()` starts none.

    What is written the program reads as if it was typed, through the line discipline: it is echoed, lines can be edited
    until their end, Ctrl-C (byte 3) is SIGINT, Ctrl-D the end of the input (`end_of_file`). What the program puts out
    is read, with a carriage return before each newline. `set_modes` switches these things off one by one.

    Every call that may wait takes a `timeout` in seconds: None is for ever, 0 a try (`BlockingIOError`), and
    `TimeoutError` says that the time is over.

    `with` closes, that is hangs up, and waits for the program. Dropping hangs up and does not wait; no zombie remains.
    Threads may use it at once; a hang-up comes after the calls that others are in. It cannot be pickled; after
    `os.fork` the other side hangs up when both have closed it.

    >>> import unipc
    >>> pty = unipc.Pty(["tty"])
    >>> pty.read_line().decode() == pty.name + "\\r"
    True
    >>> pty.read_line() is None     # the program has ended
    True
    >>> pty.close()
    0
    """

    def __new__(cls, command: _Words | None = None, size: tuple[int, ...] = WindowSize(), **options: Any) -> Self:
        return super().__new__(cls, command, WindowSize(*size), **options)

    @property
    def window_size(self) -> WindowSize:
        """The size of the window."""
        return WindowSize(*self._window_size())

    def set_window_size(self, rows: int, columns: int, width: int = 0, height: int = 0) -> None:
        """Sets the size of the window. If it changes, the program in the foreground gets SIGWINCH."""
        self._set_window_size((rows, columns, width, height))

    @property
    def modes(self) -> TerminalModes:
        """What the line discipline does."""
        return TerminalModes(self._modes())


def window_size(fd: int | _HasFileno) -> WindowSize:
    """The size of a terminal's window. Either side of a pseudoterminal gives the same.

    Raises `OSError`: `ENOTTY` when it is no terminal.
    """
    return WindowSize(*_native._window_size(fd))


def set_window_size(fd: int | _HasFileno, rows: int, columns: int, width: int = 0, height: int = 0) -> None:
    """Sets the size of a terminal's window. If it changes, the foreground programs of the terminal get SIGWINCH.

    Raises `OSError`: `ENOTTY` when it is no terminal.
    """
    _native._set_window_size(fd, (rows, columns, width, height))


def terminal_modes(fd: int | _HasFileno) -> TerminalModes:
    """What a terminal's line discipline does. Either side of a pseudoterminal gives the same.

    Raises `OSError`: `ENOTTY` when it is no terminal.
    """
    return TerminalModes(_native._terminal_modes(fd))


def set_terminal_modes(fd: int | _HasFileno, modes: TerminalModes) -> None:
    """Changes what a terminal's line discipline does, at once; what the modes do not name stays.

    Raises `OSError`: `ENOTTY` when it is no terminal.
    """
    _native._set_terminal_modes(fd, modes)
