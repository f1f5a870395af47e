# SPDX-License-Identifier: MIT OR Apache-2.0
"""Writes a text with its NUL into a FIFO, /tmp/fifo unless a path is given: makes it if need be, waits for the reader.

Run `fifo_write.py`, then `fifo_read.py`, in any two languages.
"""

from common import run

from unipc import Fifo


def write(path: str = "/tmp/fifo") -> None:
    with Fifo.open_or_create(f"file:{path}").writer() as writer:
        writer.write_all(b"www.yanbinghu.com\0")


run(write)
