# SPDX-License-Identifier: MIT OR Apache-2.0
"""Every way in which Linux processes on one machine talk, share and wait: shared memory and records in it, locks,
queues, topics and services, and what the kernel has, from pipes to signals. C and Rust programs use the same objects.

    >>> import os
    >>> from unipc import SharedMemory
    >>> name = f"/intro-{os.getpid()}"
    >>> writer = SharedMemory.create(name, 4096)
    >>> writer.write_at(0, b"hello")
    >>> reader = SharedMemory.open(name)    # in any process, in any language
    >>> reader.read_at(0, 5)
    b'hello'
    >>> reader.close()
    >>> writer.close()                      # closing never removes
    >>> SharedMemory.unlink(name)

Messages go through a `Queue` (each to one), a `Topic` (each to all) or a `Service` (question and answer):

    >>> from unipc import Queue
    >>> jobs = Queue.open_or_create(name)   # in any process, in any language
    >>> jobs.send(b"hello")
    >>> jobs.recv()
    b'hello'
    >>> jobs.close()
    >>> Queue.unlink(name)

Records have one layout in C, Python and Rust (`unipc.record`), and tell it to whoever opens them:

    >>> from unipc import Array
    >>> frames = Array.create(name, "T{Q:t_ns:(8)f:channels:}", 1000)
    >>> import unipc
    >>> unipc.open(name).numpy().dtype.names    # in any process, in any language
    ('t_ns', 'channels')
    >>> Array.unlink(name)

One string names any object:

    /demo, posix:/demo    a POSIX object
    sysv:PATH,PROJ        the System V object with the key ftok(PATH, PROJ)
    sysv:0x1234           the System V object with that key
    sysv:private          a new System V object without a key
    sysv:id=42            an existing System V object by identifier
    file:PATH             a file
    memfd:LABEL           memory without a name: its descriptor is passed on
    anon:                 an anonymous mapping, inherited by fork
    unix:PATH             UNIX socket of that path
    unix:@NAME            UNIX socket in the abstract name space
    tcp:HOST:PORT         TCP socket; an IPv6 address stands in brackets: tcp:[::1]:80
    udp:HOST:PORT         UDP socket

A name is a str, bytes or os.PathLike (which stands for the string that os.fspath makes of it).

Errors are OSError with errno, cause, advice and the object's name in `filename`, of the subclass that Python has for
the errno (FileExistsError, FileNotFoundError, PermissionError). RemovedError, LayoutError, OwnerDiedError and
NotRecoverableError are those it lacks.

`python -m unipc --cflags --libs` tells a C compiler where the header and the library in this package are.
"""

from . import pipe, poll, record, signal, sync
from ._native import (
    Array,
    Call,
    Cell,
    Client,
    FrameReader,
    FrameWriter,
    Layout,
    LayoutError,
    NotRecoverableError,
    OwnerDiedError,
    Question,
    Queue,
    RemovedError,
    Service,
    Subscriber,
    Topic,
    __version__,
    ftok,
    page_size,
)
from .lock import FileLock, LockGuard, LockHolder, LockKind
from .mechanism import Mechanism, mechanisms
from .mq import (
    MessageQueue,
    MqLimits,
    MqUsage,
    PosixQueueStatus,
    QueueNotification,
    SystemVQueue,
    SystemVQueueStatus,
    mq_limits,
    mq_usage,
)
from .pipe import Fifo, PipeEnd, Turnstile
from .poll import Doorbell, Poller, wait, wait_async
from .process import Coprocess, Process, Pty, RawMode, Shell, TerminalModes, WindowSize, spawn
from .record import Directory, Place
from .record import open as open  # noqa: A004 (as unipc.open)
from .sem import (
    Semaphore,
    SemaphoreInfo,
    SemaphoreSet,
    SemaphoreSetStatus,
    SemFlag,
    SemLimits,
    SemUsage,
    sem_limits,
    sem_usage,
)
from .shm import Advice, Backing, Seals, SharedMemory
from .socket import Credentials, DescriptorKind, Listener, Socket, SocketKind, SocketMessage, recv_fds, send_fds
from .sync import Barrier, Condvar, Event, Mutex, Once, RwLock
from .system_v import ShmLimits, ShmUsage, SystemV, SystemVStatus, shm_limits, shm_usage

__all__ = [
    "Advice",
    "Array",
    "Backing",
    "Barrier",
    "Call",
    "Cell",
    "Client",
    "Condvar",
    "Coprocess",
    "Credentials",
    "DescriptorKind",
    "Directory",
    "Doorbell",
    "Event",
    "Fifo",
    "FileLock",
    "FrameReader",
    "FrameWriter",
    "Layout",
    "LayoutError",
    "Listener",
    "LockGuard",
    "LockHolder",
    "LockKind",
    "Mechanism",
    "MessageQueue",
    "MqLimits",
    "MqUsage",
    "Mutex",
    "NotRecoverableError",
    "Once",
    "OwnerDiedError",
    "PipeEnd",
    "Place",
    "Poller",
    "PosixQueueStatus",
    "Process",
    "Pty",
    "Question",
    "Queue",
    "QueueNotification",
    "RawMode",
    "RemovedError",
    "RwLock",
    "Seals",
    "SemFlag",
    "SemLimits",
    "SemUsage",
    "Semaphore",
    "SemaphoreInfo",
    "SemaphoreSet",
    "SemaphoreSetStatus",
    "Service",
    "SharedMemory",
    "Shell",
    "ShmLimits",
    "ShmUsage",
    "Socket",
    "SocketKind",
    "SocketMessage",
    "Subscriber",
    "SystemV",
    "SystemVQueue",
    "SystemVQueueStatus",
    "SystemVStatus",
    "TerminalModes",
    "Topic",
    "Turnstile",
    "WindowSize",
    "__version__",
    "ftok",
    "mechanisms",
    "mq_limits",
    "mq_usage",
    "page_size",
    "pipe",
    "poll",
    "record",
    "recv_fds",
    "sem_limits",
    "sem_usage",
    "send_fds",
    "shm_limits",
    "shm_usage",
    "signal",
    "spawn",
    "sync",
    "wait",
    "wait_async",
]

# Where users find them, in reprs, tracebacks and pickles.
for _public in (
    Advice,
    Backing,
    Credentials,
    DescriptorKind,
    Directory,
    LockKind,
    Mechanism,
    MqLimits,
    MqUsage,
    Place,
    PosixQueueStatus,
    Pty,
    QueueNotification,
    Seals,
    SemFlag,
    SemLimits,
    SemUsage,
    SemaphoreInfo,
    SemaphoreSetStatus,
    ShmLimits,
    ShmUsage,
    SocketKind,
    SocketMessage,
    SystemV,
    SystemVQueue,
    SystemVQueueStatus,
    SystemVStatus,
    TerminalModes,
    WindowSize,
):
    _public.__module__ = __name__
