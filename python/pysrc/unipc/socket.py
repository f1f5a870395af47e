# SPDX-License-Identifier: MIT OR Apache-2.0
"""Sockets: what they carry, who sent it, and descriptors that came along. It lives beside the standard `socket`."""

import os
from collections.abc import Callable
from enum import StrEnum
from types import TracebackType
from typing import Any, NamedTuple

from ._native import Listener, Socket, recv_fds, send_fds

__all__ = ["Credentials", "DescriptorKind", "Listener", "Socket", "SocketKind", "SocketMessage", "recv_fds", "send_fds"]


class SocketKind(StrEnum):
    """What a socket carries. Each is its word, so that `kind="seqpacket"` means the same.

    STREAM       bytes in order, without boundaries (SOCK_STREAM)
    DATAGRAM     messages, each for itself (SOCK_DGRAM)
    SEQPACKET    messages in order over a connection (SOCK_SEQPACKET)
    """

    STREAM = "stream"
    DATAGRAM = "datagram"
    SEQPACKET = "seqpacket"


class DescriptorKind(StrEnum):
    """What a received descriptor may refer to. Each is its word, so that `fd_kind="memfd"` means the same.

    MEMFD        memory of memfd_create: a file without a name that can be sealed
    FILE         a regular file, a memfd among them
    PIPE         one end of a pipe, or a FIFO
    SOCKET       a socket
    DIRECTORY    a directory
    DEVICE       a device: a terminal, /dev/null
    EVENT        an eventfd, timerfd, signalfd, pidfd or epoll descriptor
    """

    MEMFD = "memfd"
    FILE = "file"
    PIPE = "pipe"
    SOCKET = "socket"
    DIRECTORY = "directory"
    DEVICE = "device"
    EVENT = "event"


class Credentials(NamedTuple):
    """Who is at the other end, as the kernel says (`struct ucred`). Nobody can pretend to be another.

    pid    the process; it may have ended, and its number be used again; 0 when its pid namespace cannot be seen
    uid    its effective user
    gid    its effective group
    """

    pid: int
    uid: int
    gid: int


class SocketMessage:
    """A message with what came along. The descriptors that nobody took are closed at the end of `with`, or with it.

    As long as it has descriptors it can be neither copied nor pickled.
    """

    __slots__ = {  # noqa: RUF023, in the order of the arguments
        "data": "The bytes.",
        "fds": "The descriptors, close-on-exec; `take` makes them yours.",
        "credentials": "Who sent it, of a socket with `pass_credentials`; else None.",
        "sender": "The name of a datagram's sender; None when it has none.",
    }

    def __init__(
        self,
        data: bytes,
        fds: tuple[int, ...] = (),
        credentials: Credentials | None = None,
        sender: str | None = None,
    ) -> None:
        self.data = data
        self.fds = fds
        self.credentials = credentials
        self.sender = sender

    @classmethod
    def _make(
        cls, data: bytes, fds: tuple[int, ...], who: tuple[int, int, int] | None, sender: str | None
    ) -> "SocketMessage":
        return cls(data, fds, Credentials(*who) if who else None, sender)

    def take(self) -> tuple[int, ...]:
        """The descriptors, which are yours to close from now on."""
        fds, self.fds = self.fds, ()
        return fds

    def close(self) -> None:
        """Closes the descriptors that nobody took. Twice is fine."""
        failed = None
        for fd in self.take():
            try:
                os.close(fd)
            except OSError as error:  # somebody has closed it already; the others are closed all the same
                failed = error
        if failed is not None:
            raise failed

    def __reduce__(self) -> tuple[Any, ...]:
        if self.fds:
            raise TypeError(
                "the descriptors of a message are this object's alone, which closes them, and mean nothing in another "
                "process: take them, duplicate them, or send them with unipc.send_fds"
            )
        return type(self), (self.data, (), self.credentials, self.sender)

    def __enter__(self) -> "SocketMessage":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None = None,
        value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        self.close()

    def __del__(self) -> None:
        self.close()

    def __repr__(self) -> str:
        parts = [repr(self.data)]
        parts += [f"{name}={value!r}" for name in ("fds", "credentials", "sender") if (value := getattr(self, name))]
        return f"SocketMessage({', '.join(parts)})"


def _descriptor_for_child(handle: Any) -> Any:
    """A stand-in for the descriptor that the process being started can turn back into one."""
    from multiprocessing import context, reduction

    if context.get_spawning_popen() is None:
        raise TypeError(
            f"{handle!r} is reached by its descriptor, which pickle cannot carry: hand it to a multiprocessing process "
            "when that is started, or send the descriptor with unipc.send_fds"
        )
    return reduction.DupFd(handle.fileno())


def _receive(cls: Callable[..., Any], duplicate: Any) -> Any:
    fd = duplicate.detach()
    try:
        return cls.from_fd(fd)  # type: ignore[attr-defined]
    finally:
        os.close(fd)
