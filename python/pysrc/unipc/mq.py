# SPDX-License-Identifier: MIT OR Apache-2.0
"""Message queues, POSIX and System V: what stat tells, System V queues by identifier, and the limits of the system."""

from dataclasses import dataclass
from typing import Any

from . import _native
from ._native import MessageQueue
from .shm import Backing

__all__ = [
    "Backing",
    "MessageQueue",
    "MqLimits",
    "MqUsage",
    "PosixQueueStatus",
    "QueueNotification",
    "SystemVQueue",
    "SystemVQueueStatus",
    "mq_limits",
    "mq_usage",
]


@dataclass(frozen=True, kw_only=True)
class QueueNotification:
    """A notification that some process has asked for by mq_notify(3).

    pid       the process
    method    how: 0 by a signal, 1 not at all, 2 by a thread (SIGEV_SIGNAL, SIGEV_NONE, SIGEV_THREAD)
    signal    which signal; 0 for the other methods
    """

    pid: int
    method: int
    signal: int


@dataclass(frozen=True, kw_only=True)
class PosixQueueStatus:
    """All that is known of a POSIX queue: `struct mq_attr`, see mq_getattr(3), and what its file in /dev/mqueue says.

    max_messages    how many messages it can hold
    max_size        the largest message, in bytes
    messages        how many messages wait in it
    bytes           bytes of these messages; None for a handle that only sends
    notification    who is to be notified of a message; None for nobody, and for a handle that only sends
    non_blocking    O_NONBLOCK of the open file description, which the methods here ignore
    uid, gid        the owner
    mode            the nine permission bits
    access_time     when a message was last received or the file read, in seconds since 1970
    change_time     when it was created, or a message last sent or received
    """

    max_messages: int
    max_size: int
    messages: int
    bytes: int | None
    notification: QueueNotification | None
    non_blocking: bool
    uid: int
    gid: int
    mode: int
    access_time: int
    change_time: int


@dataclass(frozen=True, kw_only=True)
class SystemVQueueStatus:
    """What the kernel knows of a System V queue: every field of `struct msqid_ds`, see msgctl(2).

    id                  the identifier
    key                 0 for a private queue
    uid, gid            the owner
    cuid, cgid          the creator
    mode                the nine permission bits
    sequence            how often the kernel has reused the slot; part of the identifier
    send_time           when a message was last sent, in seconds since 1970; None for never
    receive_time        when a message was last received; None for never
    change_time         when it was created or last changed by `set`
    bytes               bytes of the messages that wait in it
    messages            how many messages wait in it
    max_bytes           how many bytes all of them together may have, and how many there may be (msg_qbytes)
    last_send_pid       who sent last; 0 for nobody
    last_receive_pid    who received last; 0 for nobody
    """

    id: int
    key: int
    uid: int
    gid: int
    cuid: int
    cgid: int
    mode: int
    sequence: int
    send_time: int | None
    receive_time: int | None
    change_time: int | None
    bytes: int
    messages: int
    max_bytes: int
    last_send_pid: int
    last_receive_pid: int


@dataclass(frozen=True)
class SystemVQueue:
    """A System V queue, by identifier. Holding one keeps nothing alive: whoever may can remove the queue.

    All methods raise `OSError`: `EINVAL` when no queue has this identifier, `EACCES` or `EPERM` when this user may not.

    >>> import unipc
    >>> queue = unipc.MessageQueue.create("sysv:private")
    >>> queue.send(b"hello")
    >>> status = queue.system_v.stat()
    >>> status.messages, status.bytes
    (1, 5)
    >>> queue.system_v.remove()             # at once, with its messages
    >>> queue.receive()
    Traceback (most recent call last):
        ...
    unipc.RemovedError: [Errno 43] ...
    """

    id: int

    def stat(self) -> SystemVQueueStatus:
        """`msgctl(IPC_STAT)`. Needs read permission."""
        return SystemVQueueStatus(**_native.system_v_queue_stat(self.id))

    def set(
        self,
        *,
        uid: int | None = None,
        gid: int | None = None,
        mode: int | None = None,
        max_bytes: int | None = None,
    ) -> None:
        """`msgctl(IPC_SET)`: a new owner, group, mode or capacity; None leaves it as it is. For owner and creator only.

        More bytes than `MSGMNB` only the privileged may set (`EPERM`). A lower capacity than the messages already take
        keeps them; nothing can be sent until enough were received.
        """
        _native.system_v_queue_set(self.id, uid, gid, mode, max_bytes)

    def remove(self) -> None:
        """`msgctl(IPC_RMID)`: the queue goes at once, with its messages. Who waits at it gets `RemovedError`."""
        _native.system_v_queue_remove(self.id)

    @staticmethod
    def list() -> list[SystemVQueueStatus]:
        """All queues of this IPC namespace, those of other users too (Linux 4.17), as `ipcs -q` lists them."""
        return [SystemVQueueStatus(**status) for status in _native.system_v_queue_list()]


@dataclass(frozen=True, kw_only=True)
class MqLimits:
    """The limits of message queues in this IPC namespace, as `ipcs -l` and /proc/sys/fs/mqueue have them.

    msgmax             the largest System V message, in bytes
    msgmnb             bytes of a new System V queue; more than that only the privileged may set
    msgmni             how many System V queues there may be
    msg_max            how many messages an unprivileged user's POSIX queue may hold
    msgsize_max        the largest message of such a queue, in bytes
    queues_max         how many POSIX queues there may be
    msg_default        how many messages a POSIX queue holds unless its creator says otherwise
    msgsize_default    the largest message of a POSIX queue unless its creator says otherwise
    rlimit_msgqueue    how many bytes all POSIX queues of this user may take; None for no limit
    prio_max           how many priorities there are

    Those of POSIX queues are None where the system does not tell them.
    """

    msgmax: int
    msgmnb: int
    msgmni: int
    msg_max: int | None
    msgsize_max: int | None
    queues_max: int | None
    msg_default: int | None
    msgsize_default: int | None
    rlimit_msgqueue: int | None
    prio_max: int | None


@dataclass(frozen=True, kw_only=True)
class MqUsage:
    """What System V queues use in this IPC namespace.

    queues      how many queues exist
    messages    how many messages wait in all of them
    bytes       bytes of those messages
    """

    queues: int
    messages: int
    bytes: int


def mq_limits() -> MqLimits:
    """The limits of message queues (`IPC_INFO`, /proc/sys/fs/mqueue)."""
    return MqLimits(**_native.mq_limits())


def mq_usage() -> MqUsage:
    """What System V queues use (`MSG_INFO`)."""
    return MqUsage(**_native.mq_usage())


# What follows is called by the compiled half.


def _posix_status(fields: dict[str, Any]) -> PosixQueueStatus:
    notification = fields.pop("notification")
    if notification is not None:
        pid, method, signal = notification
        notification = QueueNotification(pid=pid, method=method, signal=signal)
    return PosixQueueStatus(notification=notification, **fields)


def _open(name: str, send_only: bool, receive_only: bool) -> MessageQueue:
    return MessageQueue.open(name, send_only=send_only, receive_only=receive_only)
