# SPDX-License-Identifier: MIT OR Apache-2.0
"""Signals: short notices from a process or the kernel, for steering and waking.

    send, send_group, send_thread, raise_signal    send; PidFd to a process that cannot be mistaken for another
    queue, queue_thread                            send a number along
    blocked, block, unblock, set_mask, mask        what the calling thread does not want to be interrupted by
    wait, Stream                                   take signals as data; a stream has a descriptor, for asyncio too
    Counter                                        count signals where nothing can be blocked
    ignore, reset, action, set_action              what a signal does
    pending, stat, reserved                        look

A signal is a number (`signal.SIGUSR1` of Python's own module) or a name: "SIGUSR1", "usr1", "RTMIN+3".

    >>> import os
    >>> from unipc import signal
    >>> with signal.Stream.open({"SIGTERM", "RTMIN+1"}) as stream:
    ...     signal.queue(os.getpid(), "RTMIN+1", 42)
    ...     info = stream.read()
    >>> info.name, info.value, info.pid == os.getpid()
    ('SIGRTMIN+1', 42, True)

It lives beside Python's own `signal` module: a handler that was set there is never replaced unless that is asked for
(`replace=True`), and runs during every wait here, so that Ctrl-C is KeyboardInterrupt at once. What is set here
`signal.getsignal` does not know.

A mask is a thread's: threads inherit it from the thread that starts them, and a signal for the process goes to any
thread that does not block it. So block before threads start; a library may have started some when it was imported
(numpy does). A `Counter` needs no mask. Programs that are executed inherit the mask (subprocess does not reset it), and
what is ignored.

A standard signal that is pending already does not become pending twice. Real-time signals queue up to the receiver's
RLIMIT_SIGPENDING, then sending raises BlockingIOError; they come lowest number first.
"""

import asyncio
import enum
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeVar
from weakref import WeakKeyDictionary

from . import _native
from ._native import PidFd, SignalInfo
from ._native import SignalCounter as Counter
from ._native import SignalStream as Stream
from ._native import signal_cause as cause
from ._native import signal_description as description
from ._native import signal_ensure_unhandled as ensure_unhandled
from ._native import signal_name as name
from ._native import signal_number as number
from ._native import signal_probe as probe
from ._native import signal_queue as queue
from ._native import signal_queue_thread as queue_thread
from ._native import signal_raise as raise_signal
from ._native import signal_realtime as realtime
from ._native import signal_send as send
from ._native import signal_send_group as send_group
from ._native import signal_send_thread as send_thread
from ._native import signal_start_time as start_time
from ._native import signal_timeout_signal as timeout_signal
from ._native import signal_wait as wait
from .shm import _Members

__all__ = [
    "Action",
    "ActionFlags",
    "Counter",
    "DefaultAction",
    "Disposition",
    "PidFd",
    "SignalInfo",
    "SignalStatus",
    "Stream",
    "action",
    "block",
    "blocked",
    "cause",
    "default_action",
    "description",
    "ensure_unhandled",
    "ignore",
    "mask",
    "name",
    "number",
    "pending",
    "probe",
    "queue",
    "queue_thread",
    "raise_signal",
    "realtime",
    "reserved",
    "reset",
    "send",
    "send_group",
    "send_thread",
    "set_action",
    "set_mask",
    "start_time",
    "stat",
    "timeout_signal",
    "unblock",
    "wait",
]

_Signal: TypeAlias = int | str
_Signals: TypeAlias = _Signal | Iterable[_Signal]
_T = TypeVar("_T")


class DefaultAction(enum.IntEnum, metaclass=_Members):
    """What a signal does to a process that has said nothing about it. CORE ends it, too, and may leave a core file."""

    TERMINATE = 1
    CORE = 2
    IGNORE = 3
    STOP = 4
    CONTINUE = 5


class Disposition(enum.IntEnum, metaclass=_Members):
    """What becomes of a signal.

    DEFAULT    what it does by itself, see `default_action`
    IGNORE     nothing; it is not even pending
    HANDLER    a function is called: one that `signal.signal` has set, or another library
    COUNTER    a `Counter` counts it
    """

    DEFAULT = 0
    IGNORE = 1
    HANDLER = 2
    COUNTER = 3


class ActionFlags(enum.IntFlag, metaclass=_Members):
    """The flags of an action, see sigaction(2): SA_NOCLDSTOP, SA_NOCLDWAIT, SA_SIGINFO, SA_ONSTACK, SA_RESTART,
    SA_NODEFER, SA_RESETHAND."""

    NONE = 0
    NO_CHILD_STOP = 0x1
    NO_CHILD_WAIT = 0x2
    SIGINFO = 0x4
    ON_STACK = 0x08000000
    RESTART = 0x10000000
    NO_DEFER = 0x40000000
    ONE_SHOT = 0x80000000


@dataclass(frozen=True)
class Action:
    """What the process does with a signal: `struct sigaction`.

    disposition    a `Disposition`; DEFAULT and IGNORE can be made, the others come from `action` and `set_action`
    flags          `ActionFlags`
    mask           the numbers of the signals that are blocked while the handler runs
    """

    disposition: Disposition
    flags: ActionFlags = ActionFlags.NONE
    mask: frozenset[int] = frozenset()
    _handler: int = field(default=0, repr=False)

    def _parts(self) -> tuple[int, int, frozenset[int], int]:
        if self.disposition in (Disposition.HANDLER, Disposition.COUNTER) and not self._handler:
            raise ValueError("a handler cannot be made here, only put back: use signal.signal, or a Counter")
        flags = int(self.flags)
        return int(self.disposition), flags - (1 << 32) if flags >> 31 else flags, self.mask, self._handler


@dataclass(frozen=True, kw_only=True)
class SignalStatus:
    """The signals of a process or thread, as /proc/PID/status has them; sets hold numbers.

    queued            how many signals are queued for all processes of its user
    queue_limit       how many there may be: RLIMIT_SIGPENDING of this process
    pending           pending for the thread
    shared_pending    pending for the process
    blocked           blocked by the thread
    ignored           ignored by the process
    caught            for these it has handlers, the C library's own among them
    """

    queued: int
    queue_limit: int
    pending: set[int]
    shared_pending: set[int]
    blocked: set[int]
    ignored: set[int]
    caught: set[int]


def default_action(signal: _Signal) -> DefaultAction:
    """What a signal does to a process that has said nothing about it.

    >>> from unipc import signal
    >>> signal.default_action("SIGCHLD").name
    'IGNORE'
    """
    return DefaultAction(_native.signal_default_action(signal))


def block(signals: _Signals) -> set[int]:
    """Holds signals back from the calling thread; gives the mask of before, for `set_mask`.

    They stay pending: a standard signal once, a real-time signal as often as it is sent. See `blocked`.
    """
    return _native.signal_block(signals)


def unblock(signals: _Signals) -> set[int]:
    """Lets the calling thread have signals; gives the mask of before. What is pending acts before this returns."""
    return _native.signal_unblock(signals)


def set_mask(signals: _Signals) -> set[int]:
    """Blocks these signals in the calling thread and no others; gives the mask of before."""
    return _native.signal_set_mask(signals)


def mask() -> set[int]:
    """The numbers of the signals that the calling thread blocks."""
    return _native.signal_mask()


def pending() -> set[int]:
    """The numbers of the signals that were sent to the calling thread or its process and are blocked."""
    return _native.signal_pending()


@contextmanager
def blocked(signals: _Signals) -> Iterator[set[int]]:
    """Blocks signals in the calling thread for the time of the block; gives the mask of before, which comes back.

    >>> from unipc import signal
    >>> with signal.blocked({"SIGUSR1"}):
    ...     signal.number("SIGUSR1") in signal.mask()
    True
    """
    before = block(signals)
    try:
        yield before
    finally:
        set_mask(before)


def stat(pid: int = 0) -> SignalStatus:
    """The signals of a process or thread, by number; 0 is the calling thread. Of a process it is the first thread whose
    mask is told. Raises ProcessLookupError.
    """
    return SignalStatus(**_native.signal_stat(pid))


def reserved() -> set[int]:
    """The numbers of the signals that a program must leave alone: those that the C library uses for its threads, and
    `timeout_signal`."""
    return _native.signal_reserved()


def action(signal: _Signal) -> Action:
    """What the process does with a signal. Raises OSError with EINVAL for the C library's own."""
    return _action(_native.signal_action(signal))


def set_action(signal: _Signal, action: Action, *, replace: bool = False) -> Action:
    """Sets what the process does with a signal, for all its threads; gives what was in force.

    A handler, of `signal.signal` or of anybody, is replaced only with `replace=True`; EBUSY otherwise. Raises OSError
    with EINVAL for SIGKILL, SIGSTOP and the C library's own.

    >>> from unipc import signal
    >>> before = signal.set_action("SIGHUP", signal.Action(signal.Disposition.IGNORE))
    >>> _ = signal.set_action("SIGHUP", before)
    """
    return _action(_native.signal_set_action(signal, action._parts(), replace))


def ignore(signal: _Signal, *, replace: bool = False) -> Action:
    """Ignores a signal from now on; gives what was in force. As `set_action`."""
    return set_action(signal, Action(Disposition.IGNORE), replace=replace)


def reset(signal: _Signal, *, replace: bool = False) -> Action:
    """Lets a signal do what it does by itself; gives what was in force. As `set_action`."""
    return set_action(signal, Action(Disposition.DEFAULT), replace=replace)


def _action(parts: tuple[int, int, set[int], int]) -> Action:
    disposition, flags, mask, handler = parts
    return Action(Disposition(disposition), ActionFlags(flags & 0xFFFFFFFF), frozenset(mask), handler)


# What follows is called by the compiled half.

# Who waits for what: a stream or counter, its descriptor, and for each loop the futures of its tasks.
_Waiters: TypeAlias = tuple[int, dict[asyncio.AbstractEventLoop, list["asyncio.Future[None]"]]]
_waiting: WeakKeyDictionary[Any, _Waiters] = WeakKeyDictionary()


async def _next(source: Any, take: Callable[[float], _T]) -> _T:
    """Takes what is there; as long as nothing is, waits for the descriptor with the running loop."""
    while True:
        try:
            return take(0)
        except BlockingIOError:
            await _readable(source)


def _readable(source: Any) -> Awaitable[None]:
    loop = asyncio.get_running_loop()
    future: asyncio.Future[None] = loop.create_future()
    fd, loops = _waiting.setdefault(source, (source.fileno(), {}))
    futures = loops.setdefault(loop, [])

    def ready() -> None:
        """Wakes all: who finds nothing left waits again."""
        for waiter in futures.copy():
            if not waiter.done():
                waiter.set_result(None)
        futures.clear()
        end()

    def end() -> None:
        if not futures and loops.get(loop) is futures:
            del loops[loop]
            loop.remove_reader(fd)

    def forget(done: "asyncio.Future[None]") -> None:
        """A task that is cancelled leaves nothing behind."""
        if done in futures:
            futures.remove(done)
            end()

    if not futures:
        loop.add_reader(fd, ready)
    futures.append(future)
    future.add_done_callback(forget)
    return future


def _closing(source: Any) -> None:
    """The descriptor is about to be closed: no loop may watch it any more."""
    fd, loops = _waiting.pop(source, (-1, {}))
    for loop, futures in loops.items():
        loop.remove_reader(fd)
        for future in futures.copy():
            if not future.done():
                future.set_exception(ValueError("it was closed"))
        futures.clear()
    loops.clear()
