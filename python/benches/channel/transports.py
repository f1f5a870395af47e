# SPDX-License-Identifier: MIT OR Apache-2.0
"""Channels of unipc, used in each of the ways that Python has for them."""

import asyncio
import os
from itertools import islice
from typing import Any

import numpy as np
from pair import COMMANDER, SERVER, Transport

import unipc

ROW = 32
RECORDS = 4096
RECORD = np.dtype([("sequence", "u8"), ("values", "f8", 7)])


def ring_size(size: int) -> int:
    return 1 << 20 if size <= 1024 else size * 64


class Queue(Transport):
    """A queue in each direction."""

    name = "queue"
    spin = False

    def open(self, size: int) -> None:
        # The descriptors outlive these: a child opens its own ends.
        self.made = [unipc.Queue.create("memfd:bench", ring_size(size), message_size=size) for _ in range(2)]

    def attach(self, role: int) -> None:
        self.queues = [unipc.Queue.from_fd(queue.memory_fd, spin=self.spin) for queue in self.made]
        self.out, self.back = self.queues[role], self.queues[1 - role]
        self.send, self.receive = self.out.send, self.back.recv


class SpinningQueue(Queue):
    name = "queue, spinning"
    spin = True


class Rows(Queue):
    """Lists of messages, each list by one call."""

    name = f"queue, lists of {ROW}"

    def pour(self, count: int) -> None:
        while count:
            row = list(islice(self.messages, min(ROW, count)))
            count -= len(row)
            while row:
                del row[: self.out.send_many(row)]

    def drink(self, count: int) -> None:
        while count:
            row = self.back.recv_many(min(ROW, count))
            if row != list(islice(self.messages, len(row))):
                raise AssertionError("other messages")
            count -= len(row)


class Records(Queue):
    """numpy arrays of records, each array by one call."""

    name = "queue, numpy records"

    def prepare(self, size: int) -> None:
        super().prepare(size)
        self.done = 0
        self.numbers = np.arange(RECORDS, dtype="u8")
        self.array = np.zeros(RECORDS, RECORD)

    def pour(self, count: int) -> None:
        while count:
            now = min(RECORDS, count)
            row = self.array[:now]
            row["sequence"] = self.numbers[:now] + np.uint64(self.done)
            self.done += now
            count -= now
            while len(row):
                row = row[self.out.send_many(row) :]

    def drink(self, count: int) -> None:
        while count:
            row: Any = self.back.recv_many(min(RECORDS, count), RECORD)
            if not np.array_equal(row["sequence"], self.numbers[: len(row)] + np.uint64(self.done)):
                raise AssertionError("other records")
            self.done += len(row)
            count -= len(row)


class Loans(Queue):
    """Written and read where they lie; all bytes are read, as a sum."""

    name = "queue, lent views"

    def attach(self, role: int) -> None:
        super().attach(role)
        self.sums: dict[bytes, int] = {}

    def pour(self, count: int) -> None:
        reserve, size = self.out.reserve, self.size
        for message in islice(self.messages, count):
            with reserve(size) as view:
                view[:] = message

    def sum_of(self, message: bytes) -> int:
        if message not in self.sums:
            self.sums[message] = int(np.frombuffer(message, "u8").sum())
        return self.sums[message]

    def drink(self, count: int) -> None:
        peek = self.back.peek
        for message in islice(self.messages, count):
            with peek() as view:
                if int(np.frombuffer(view, "u8").sum()) != self.sum_of(message):
                    raise AssertionError("another message")


class Asyncio(Queue):
    """Who answers waits in an event loop; who asks spins for the answer."""

    name = "asyncio, queue"

    def attach(self, role: int) -> None:
        asks = unipc.Queue.from_fd(self.made[0].memory_fd)
        answers = unipc.Queue.from_fd(self.made[1].memory_fd, spin=True)
        self.ends = asks, answers
        if role == COMMANDER:
            self.send, self.receive = asks.send, answers.recv
        else:
            self.loop = asyncio.new_event_loop()

    def answer(self, count: int) -> None:
        self.loop.run_until_complete(self.answer_all(count))

    async def answer_all(self, count: int) -> None:
        asks, answers = self.ends
        for expected in islice(self.messages, count):
            message = await asks.recv_async()
            if message != expected:
                raise AssertionError("another question")
            answers.send(message)


class AddReader(Asyncio):
    """The same with a bare eventfd in place of the queue that asks."""

    name = "asyncio, add_reader on an eventfd"

    def open(self, size: int) -> None:
        super().open(size)
        self.eventfd = os.eventfd(0, os.EFD_NONBLOCK)

    def attach(self, role: int) -> None:
        super().attach(role)
        if role == COMMANDER:
            self.send = lambda _message: os.eventfd_write(self.eventfd, 1)
        else:
            self.loop.add_reader(self.eventfd, self.woken)

    def woken(self) -> None:
        os.eventfd_read(self.eventfd)
        self.ends[SERVER].send(next(self.messages))
        self.left -= 1
        if self.left == 0:
            self.loop.stop()

    def answer(self, count: int) -> None:
        self.left = count
        self.loop.run_forever()
