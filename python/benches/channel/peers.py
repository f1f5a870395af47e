# SPDX-License-Identifier: MIT OR Apache-2.0
"""What else moves messages between processes in Python. A module that is not there is skipped by name."""

import ctypes
import importlib
import multiprocessing
import os
from types import ModuleType
from typing import Any

from pair import COMMANDER, Skip, Transport
from transports import ring_size


def module(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise Skip(str(error)) from None


class ProcessQueue(Transport):
    name = "multiprocessing.Queue"

    def open(self, size: int) -> None:
        self.queues = [multiprocessing.Queue(max(64, ring_size(size) // max(size, 64))) for _ in range(2)]

    def attach(self, role: int) -> None:
        self.send, self.receive = self.queues[role].put, self.queues[1 - role].get


class ProcessPipe(Transport):
    name = "multiprocessing.Pipe"

    def open(self, size: int) -> None:
        self.ends = multiprocessing.Pipe()

    def attach(self, role: int) -> None:
        self.send, self.receive = self.ends[role].send_bytes, self.ends[role].recv_bytes


class OsPipe(Transport):
    name = "os.pipe"

    def open(self, size: int) -> None:
        self.pipes = [os.pipe() for _ in range(2)]

    def attach(self, role: int) -> None:
        self.reading, self.writing = self.pipes[1 - role][0], self.pipes[role][1]

    def send(self, message: bytes) -> None:
        done = os.write(self.writing, message)
        while done < self.size:
            done += os.write(self.writing, message[done:])

    def receive(self) -> bytes:
        message = os.read(self.reading, self.size)
        while len(message) < self.size:
            message += os.read(self.reading, self.size - len(message))
        return message


class FasterFifo(Transport):
    name = "faster-fifo"

    def open(self, size: int) -> None:
        made = module("faster_fifo").Queue
        self.queues = [made(max_size_bytes=ring_size(size)) for _ in range(2)]

    def attach(self, role: int) -> None:
        self.send, self.receive = self.queues[role].put, self.queues[1 - role].get


class ZeroMq(Transport):
    name = "pyzmq, ipc"

    def open(self, size: int) -> None:
        self.zmq: Any = module("zmq")
        self.address = f"ipc://@unipc-bench-{os.getpid()}"

    def attach(self, role: int) -> None:
        # The library's own thread is made here, and may run on either processor.
        here = os.sched_getaffinity(0)
        os.sched_setaffinity(0, range(os.cpu_count() or 1))
        socket = self.zmq.Context().socket(self.zmq.PAIR)
        if role == COMMANDER:
            socket.bind(self.address)
        else:
            socket.connect(self.address)
        os.sched_setaffinity(0, here)
        self.send, self.receive = socket.send, socket.recv


class Iceoryx(Transport):
    """Both poll: there is no receive that waits. Copied in and out."""

    name = "iceoryx2"

    def open(self, size: int) -> None:
        self.library: Any = module("iceoryx2")
        self.title = f"unipc-bench-{os.getpid()}"
        self.meeting = multiprocessing.Barrier(2)

    def service(self, direction: int) -> Any:
        return (
            self.node.service_builder(self.library.ServiceName.new(f"{self.title}/{direction}"))
            .publish_subscribe(self.library.Slice[ctypes.c_uint8])
            .max_publishers(1)
            .max_subscribers(1)
            .subscriber_max_buffer_size(64)
            .enable_safe_overflow(False)
            .open_or_create()
        )

    def attach(self, role: int) -> None:
        library = self.library
        library.set_log_level(library.LogLevel.Error)
        # Its files and segments have names of ours, by which `make bench-channel` removes what it leaves.
        config = library.config.default()
        config.global_cfg.prefix = library.FileName.new("unipc_bench_")
        config.global_cfg.root_path = library.Path.new("/tmp/unipc_bench")
        self.node = library.NodeBuilder.new().config(config).create(library.ServiceType.Ipc)
        self.publisher = (
            self.service(role)
            .publisher_builder()
            .initial_max_slice_len(self.size)
            .backpressure_strategy(library.BackpressureStrategy.RetryUntilDelivered)
            .create()
        )
        self.subscriber = self.service(1 - role).subscriber_builder().create()
        self.meeting.wait()
        # A subscriber is connected by its first look; what is sent before may be dropped without a word.
        if self.subscriber.receive() is not None:
            raise AssertionError("a message before the first one")
        self.meeting.wait()

    def send(self, message: bytes) -> None:
        sample = self.publisher.loan_slice_uninit(self.size)
        ctypes.memmove(sample.payload_ptr, message, self.size)
        if sample.assume_init().send() != 1:
            raise AssertionError("a message that reached nobody")

    def receive(self) -> bytes:
        look = self.subscriber.receive
        while (sample := look()) is None:
            pass
        return ctypes.string_at(sample.payload_ptr, self.size)

    def detach(self, role: int) -> None:
        del self.publisher, self.subscriber, self.node


PEERS: list[type[Transport]] = [ProcessQueue, ProcessPipe, OsPipe, FasterFifo, ZeroMq, Iceoryx]
