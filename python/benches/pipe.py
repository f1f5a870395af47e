# SPDX-License-Identifier: MIT OR Apache-2.0
"""Pipes in Python against what people use today.  The same rows exist in C and in Rust."""

import multiprocessing
import os
from contextlib import closing

from harness import compare, print_head, share_a_processor

import unipc
from unipc import Fifo, FrameReader, FrameWriter
from unipc.pipe import duplex, pipe

FASTER = "(expected: at most 1.00 x)"


def pairs(what: str, size: int) -> None:
    """Written by one end and read by another, in one thread."""
    data = bytes(size)
    if what == "FIFO":
        name = f"file:/tmp/unipc-bench-{os.getpid()}"
        fifo = Fifo.create(name)
        reader = fifo.reader(timeout=0)
        writer = fifo.writer()
        Fifo.unlink(name)
    else:
        reader, writer = pipe() if what == "pipe" else duplex()
    with reader, writer:
        names = {"reader": reader, "writer": writer, "data": data, "size": size}
        names |= {"r": reader.fileno(), "w": writer.fileno(), "write": os.write, "read": os.read}
        for allowed in (False, True):
            writer.set_sigpipe(allowed)
            sides = {
                "unipc write, read" + ", SIGPIPE allowed" * allowed: "writer.write(data); reader.read(size)",
                "os.write, os.read": "write(w, data); read(r, size)",
            }
            compare(f"{what}: written and read, {size} bytes {FASTER}", sides, names)


def records(size: int) -> None:
    """Messages with boundaries."""
    data = bytes(size)
    ends = pipe(capacity=1 << 18)
    other_reader, other_writer = multiprocessing.Pipe(duplex=False)
    with (
        ends[0], ends[1], closing(other_reader), closing(other_writer),
        FrameReader(ends[0]) as reader, FrameWriter(ends[1]) as writer,
    ):  # fmt: skip
        unipc.PipeEnd.from_fd(other_writer).set_capacity(1 << 18)
        sides = {
            "unipc FrameWriter, FrameReader": "writer.write(data); reader.read()",
            "multiprocessing.Pipe send_bytes, recv_bytes": "theirs.send_bytes(data); them.recv_bytes()",
            "multiprocessing.Pipe send, recv": "theirs.send(data); them.recv()",
        }
        names = {"reader": reader, "writer": writer, "data": data, "theirs": other_writer, "them": other_reader}
        compare(f"a record written and read, {size} bytes {FASTER}", sides, names)


def round_trips(size: int) -> None:
    """Through two pipes and a process that sends back what it gets."""
    data = bytes(size)
    (there, out), (back, replies) = pipe(), pipe()
    child = os.fork()
    if child == 0:
        out.close()
        while got := os.read(there.fileno(), size):
            os.write(replies.fileno(), got)
        os._exit(0)
    with there, out, back, replies:
        r, w = back.fileno(), out.fileno()
        names = {"out": out, "back": back, "data": data, "size": size, "r": r, "w": w, "os": os}
        names["exactly"] = exactly
        sides = {
            "unipc write, read_exact": "out.write(data); back.read_exact(size)",
            "os.write, os.read until all is there": "os.write(w, data); exactly(r, size)",
        }
        compare(f"round trip through two pipes and another process, {size} bytes {FASTER}", sides, names)
    os.waitpid(child, 0)


def exactly(fd: int, size: int) -> bytes:
    data = os.read(fd, size)
    while len(data) < size:
        data += os.read(fd, size - len(data))
    return data


def main() -> None:
    print_head(unipc.__version__)
    share_a_processor()
    for size in (8, 64, 1024, 65536):
        for what in ("pipe", "FIFO", "duplex"):
            pairs(what, size)
        records(size)
        round_trips(size)


if __name__ == "__main__":
    main()
