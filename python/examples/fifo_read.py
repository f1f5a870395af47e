# SPDX-License-Identifier: MIT OR Apache-2.0
"""Reads a text from a FIFO, /tmp/fifo unless a path is given, and removes the FIFO.

Run `fifo_write.py`, then `fifo_read.py`, in any two languages.
"""

from common import run, say

from unipc import Fifo


def read(path: str = "/tmp/fifo") -> None:
    fifo = Fifo.open(f"file:{path}")
    with fifo.reader() as reader:
        data = reader.read(128)
    say(f"read {len(data)} bytes from pipe :{data.split(bytes(1))[0].decode(errors='replace')}")
    Fifo.unlink(fifo.name)


run(read)
