# SPDX-License-Identifier: MIT OR Apache-2.0
"""Pipes and what is made of them: bytes in order from one end to the other, each read once.

    >>> from unipc.pipe import pipe
    >>> reader, writer = pipe()
    >>> writer.write(b"hello")
    5
    >>> reader.read()
    b'hello'

`pipe` makes two ends, `duplex` two ends that both read and write, `Fifo` is a pipe with a name in the file system, and
`Turnstile` says whose turn it is, between parent and child. `unipc.FrameReader` and `unipc.FrameWriter` put records on
any of them.
"""

import os
from typing import Protocol

from ._native import Fifo, PipeEnd, Turnstile, capacity_limit, duplex, pipe

__all__ = ["PIPE_BUF", "Fifo", "PipeEnd", "Turnstile", "capacity_limit", "duplex", "pipe"]

PIPE_BUF = 4096
"""How many bytes a pipe takes together, whatever other writers do. It is no capacity."""


class _Passed(Protocol):
    """A descriptor on its way, `multiprocessing.reduction.DupFd`."""

    def detach(self) -> int: ...


def _rebuild(copy: _Passed) -> PipeEnd:
    """An end that came to a process which multiprocessing has spawned."""
    fd = copy.detach()
    try:
        return PipeEnd.from_fd(fd)
    finally:
        os.close(fd)
