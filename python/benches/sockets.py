# SPDX-License-Identifier: MIT OR Apache-2.0
"""Sockets in Python against what people use today.  The same rows exist in C and in Rust.

It is called `sockets` since a `socket.py` here would hide the standard module from everything that runs here.
"""

import multiprocessing
import os
import signal
import socket
from multiprocessing.connection import Connection
from typing import Any

from harness import compare, print_head, share_a_processor

import unipc
from unipc import Listener, Socket

LARGEST, LARGEST_UDP = 65536, 32768
FASTER = "(expected: below 1.00 x)"

Ends = tuple[Socket, Socket]


def plain(end: Socket) -> socket.socket:
    """The same socket as the standard library has it."""
    return socket.socket(fileno=os.dup(end.fileno()))


def echo(end: socket.socket, size: int) -> int:
    """Another process that sends everything back, by the standard library."""
    child = os.fork()
    if child == 0:
        try:
            waitall = socket.MSG_WAITALL if end.type == socket.SOCK_STREAM else 0
            while True:
                end.sendall(end.recv(size, waitall))
        finally:
            os._exit(1)
    return child


def end(child: int) -> None:
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def sides(a: str, b: str, stream: bool) -> tuple[dict[str, str], dict[str, str]]:
    """Bytes that are made anew, and a buffer that is filled."""
    ours = f"{b}.recv_exact(size)" if stream else f"{b}.recv(size)"
    theirs = f"p{b}.recv(size, WAITALL)" if stream else f"p{b}.recv(size)"
    news = {
        "unipc send_all, recv": f"{a}.send_all(data); {ours}",
        "socket sendall, recv": f"p{a}.sendall(data); {theirs}",
    }
    into = {
        "unipc send, recv_into": f"{a}.send(data); {b}.recv_into(buffer)",
        "socket send, recv_into": f"p{a}.send(data); p{b}.recv_into(buffer)",
    }
    return news, into


def sizes(kind: str, ends: Ends, largest: int) -> None:
    near, far = ends
    pnear, pfar = plain(near), plain(far)
    stream = near.kind == "stream"
    for size in (8, 64, 1024, largest):
        names: dict[str, Any] = {
            "near": near, "far": far, "pnear": pnear, "pfar": pfar, "size": size, "data": bytes(size),
            "buffer": bytearray(size), "WAITALL": socket.MSG_WAITALL,
        }  # fmt: skip
        news, into = sides("near", "far", stream)
        compare(f"{kind}: one way, {size} bytes {FASTER}", news, names)
        if size < LARGEST_UDP:  # a stream gives a large piece in parts
            compare(f"{kind}: one way into a buffer, {size} bytes {FASTER}", into, names)
        child = echo(pfar, size)
        news, _ = sides("near", "near", stream)
        compare(f"{kind}: round trip, {size} bytes, time of this side {FASTER}", news, names)
        end(child)
    for each in (near, far, pnear, pfar):
        each.close()


def tcp() -> Ends:
    with Listener.bind("tcp:127.0.0.1:0") as listener:
        return Socket.connect(listener.local_name), listener.accept()


def udp() -> Ends:
    one, other = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
    with one, other:
        one.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        one.connect(other.getsockname())
        other.connect(one.getsockname())
        return Socket.from_fd(one), Socket.from_fd(other)


def echo_connection(connection: Connection) -> None:
    while True:
        connection.send_bytes(connection.recv_bytes())


def of_multiprocessing() -> None:
    """Messages as multiprocessing.connection has them: over a UNIX stream, with their length before them."""
    context = multiprocessing.get_context("fork")
    here, there = context.Pipe()
    process = context.Process(target=echo_connection, args=(there,), daemon=True)
    process.start()
    for size in (8, 64, 1024, LARGEST):
        near, far = Socket.pair("seqpacket")
        child = echo(plain(far), size)
        names = {"near": near, "here": here, "data": bytes(size), "size": size}
        compare(
            f"messages: round trip, {size} bytes, time of this side {FASTER}",
            {
                "unipc seqpacket send, recv": "near.send(data); near.recv()",
                "multiprocessing.connection send_bytes, recv_bytes": "here.send_bytes(data); here.recv_bytes()",
            },
            names,
        )
        end(child)
        near.close()
        far.close()
    process.kill()
    process.join()


def main() -> None:
    print_head(unipc.__version__)
    share_a_processor()
    sizes("UNIX stream", Socket.pair("stream"), LARGEST)
    sizes("UNIX datagram", Socket.pair("datagram"), LARGEST)
    sizes("UNIX seqpacket", Socket.pair("seqpacket"), LARGEST)
    sizes("TCP", tcp(), LARGEST)
    sizes("UDP", udp(), LARGEST_UDP)
    of_multiprocessing()


if __name__ == "__main__":
    main()
