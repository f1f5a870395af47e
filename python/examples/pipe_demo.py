# SPDX-License-Identifier: MIT OR Apache-2.0
"""A pipe between a child, which writes a text with its NUL, and its parent, which reads it.

`pipe_demo.py writer | pipe_demo.py reader` does the same with two programs, in any two languages.
"""

import os

from common import run, say

from unipc import PipeEnd
from unipc.pipe import pipe


def put(writer: PipeEnd) -> None:
    writer.write_all(b"www.bing.com\0")


def get(reader: PipeEnd) -> None:
    data = reader.read(128)
    say(f"read {len(data)} bytes from pipe :{data.split(bytes(1))[0].decode(errors='replace')}")


def demo(role: str = "") -> None:
    if role:
        put(PipeEnd.from_fd(1)) if role == "writer" else get(PipeEnd.from_fd(0))
        return
    reader, writer = pipe()
    child = os.fork()
    if child == 0:
        try:
            reader.close()
            put(writer)
        finally:
            os._exit(0)
    writer.close()
    get(reader)
    os.waitpid(child, 0)


run(demo)
