# SPDX-License-Identifier: MIT OR Apache-2.0
"""Message queues in Python against what people use today.  The same rows exist in C and in Rust."""

import multiprocessing
import os
import signal
import struct
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from harness import compare, print_head, share_a_processor

import unipc
from unipc import Backing, MessageQueue

LARGEST, DEFAULT = 65536, 8192

# The third parties have an environment of their own, which cannot load unipc; here both are needed.
PEERS = os.environ.get("UNIPC_VENV_PEERS", str(Path(__file__).parents[2] / "target" / "venv-peers"))
sys.path.append(f"{PEERS}/lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages")
FASTER = "(expected: below 1.00 x)"


def peer(name: str) -> Any:
    """A module of a third party, or None."""
    try:
        return import_module(name)
    except ImportError:
        print(f"{name} is not in {PEERS}: its lines are missing")
        return None


posix_ipc, sysv_ipc = peer("posix_ipc"), peer("sysv_ipc")


def echo(there: MessageQueue, back: MessageQueue) -> int:
    """Another process that sends everything back."""
    child = os.fork()
    if child == 0:
        try:
            while True:
                data, tag = there.receive()
                back.send(data, tag)
        finally:
            os._exit(1)
    return child


def end(child: int) -> None:
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def one_way(kind: str, size: int, queue: MessageQueue, peers: dict[str, str], names: dict[str, Any]) -> None:
    """In and out again in one process, so that nobody waits."""
    names = {**names, "queue": queue, "data": bytes(size), "buffer": bytearray(LARGEST)}
    sides = {"unipc send, receive": "queue.send(data, 1); queue.receive()"}
    compare(f"{kind}: one way, {size} bytes {FASTER}", sides | peers, names)
    into = {"unipc send, receive_into": "queue.send(data, 1); queue.receive_into(buffer)"}
    compare(f"{kind}: one way into a buffer, {size} bytes {FASTER}", into | peers, names)
    if queue.backing is Backing.SYSTEM_V:
        names |= {"out": struct.pack("l", 1) + bytes(size), "into": bytearray(struct.calcsize("l") + LARGEST)}
        whole = {"unipc send_msgbuf, receive_msgbuf": "queue.send_msgbuf(out); queue.receive_msgbuf(into)"}
        compare(f"{kind}: one way in a msgbuf, {size} bytes {FASTER}", whole | peers, names)


def round_trip(
    kind: str, size: int, queues: tuple[MessageQueue, MessageQueue], peers: dict[str, str], names: dict[str, Any]
) -> None:
    """To another process and back; this one sleeps meanwhile."""
    there, back = queues
    names = {**names, "there": there, "back": back, "data": bytes(size)}
    child = echo(there, back)
    sides = {"unipc send, receive": "there.send(data, 1); back.receive()"}
    compare(f"{kind}: round trip, {size} bytes, time of this side {FASTER}", sides | peers, names)
    end(child)


def system_v(sizes: tuple[int, ...]) -> None:
    queues = [
        MessageQueue.create(f"sysv:{os.getpid() | 0x30000000 + (n << 25):#x}", remove_on_close=True) for n in (0, 1)
    ]
    names: dict[str, Any] = {}
    through, there_and_back = {}, {}
    if sysv_ipc:
        keys = [int(queue.name.removeprefix("sysv:"), 16) for queue in queues]
        names["s0"], names["s1"] = (sysv_ipc.MessageQueue(key, max_message_size=LARGEST) for key in keys)
        through = {"sysv_ipc send, receive": "s0.send(data); s0.receive()"}
        there_and_back = {"sysv_ipc send, receive": "s0.send(data); s1.receive()"}
    for size in sizes:
        one_way("System V queue", size, queues[0], through, names)
        round_trip("System V queue", size, (queues[0], queues[1]), there_and_back, names)
    for queue in queues:
        queue.close()


def posix(sizes: tuple[int, ...]) -> None:
    largest = max(sizes)
    paths = [f"/unipc-bench-{n}-{os.getpid()}" for n in (0, 1)]
    queues = [MessageQueue.create(p, max_messages=2, max_size=largest, remove_on_close=True) for p in paths]
    names: dict[str, Any] = {}
    through, there_and_back = {}, {}
    if posix_ipc:
        names["p0"], names["p1"] = (posix_ipc.MessageQueue(path) for path in paths)
        through = {"posix_ipc send, receive": "p0.send(data); p0.receive()"}
        there_and_back = {"posix_ipc send, receive": "p0.send(data); p1.receive()"}
    for size in sizes:
        one_way("POSIX queue", size, queues[0], through, names)
        round_trip("POSIX queue", size, (queues[0], queues[1]), there_and_back, names)
    for queue in queues:
        queue.close()


def echo_pipe(end: Any) -> None:
    while True:
        end.send_bytes(end.recv_bytes())


def echo_queues(there: Any, back: Any) -> None:
    while True:
        back.put(there.get())


def of_multiprocessing(sizes: tuple[int, ...]) -> None:
    """Against what the standard library has: its Pipe, its SimpleQueue and its Queue, which has a thread."""
    context = multiprocessing.get_context("fork")
    near, far = context.Pipe()
    q0, q1, r0, r1 = context.SimpleQueue(), context.SimpleQueue(), context.Queue(), context.Queue()
    paths = [f"/unipc-bench-m{n}-{os.getpid()}" for n in (0, 1)]
    there, back = (MessageQueue.create(p, max_messages=2, max_size=max(sizes), remove_on_close=True) for p in paths)
    works = ((echo_pipe, (far,)), (echo_queues, (q0, q1)), (echo_queues, (r0, r1)))
    children = [context.Process(target=work, args=given, daemon=True) for work, given in works]
    for child in children:
        child.start()
    names = {"near": near, "q0": q0, "q1": q1, "r0": r0, "r1": r1}
    peers = {
        "multiprocessing.Pipe send_bytes, recv_bytes": "near.send_bytes(data); near.recv_bytes()",
        "multiprocessing.SimpleQueue put, get": "q0.put(data); q1.get()",
        "multiprocessing.Queue put, get": "r0.put(data); r1.get()",
    }
    for size in sizes:
        round_trip("POSIX queue and multiprocessing", size, (there, back), peers, names)
    for process in children:
        process.kill()
        process.join()
    for queue in there, back:
        queue.close()


def largest_posix() -> int:
    """The largest message that can be had, at most 64 KiB."""
    name = f"/unipc-bench-try-{os.getpid()}"
    try:
        with MessageQueue.create(name, max_messages=2, max_size=LARGEST, remove_on_close=True):
            return LARGEST
    except OSError as error:
        print(f"POSIX messages of {DEFAULT} bytes at most: {error}")
        return DEFAULT


def main() -> None:
    print_head(unipc.__version__)
    share_a_processor()
    of_system_v, of_posix = min(LARGEST, unipc.mq_limits().msgmax), largest_posix()
    system_v(tuple(sorted({8, 64, 1024, DEFAULT, of_system_v})))
    posix(tuple(sorted({8, 64, 1024, DEFAULT, of_posix})))
    of_multiprocessing((8, 64, 1024, of_posix))


if __name__ == "__main__":
    main()
