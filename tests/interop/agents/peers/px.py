# SPDX-License-Identifier: MIT OR Apache-2.0
"""Party PX: the posix_ipc package."""

import mmap
import os

import posix_ipc
from memory import Memory, number, waiting


class Posix(Memory):
    def attach(self, arguments, create):
        if create:
            shared = posix_ipc.SharedMemory(arguments["name"], posix_ipc.O_CREX, size=number(arguments, "size"))
        else:
            try:
                shared = posix_ipc.SharedMemory(arguments["name"])
            except posix_ipc.ExistentialError as error:
                raise FileNotFoundError(2, str(error)) from error
        self.buffer = mmap.mmap(shared.fd, 0)
        os.close(shared.fd)

    def detach(self):
        self.buffer.close()

    def delete(self, name):
        posix_ipc.unlink_shared_memory(name)


class Queue:
    """A message queue. A try is its timeout 0."""

    def verbs(self):
        names = "create open send receive close remove stat".split()
        return {f"mq.{name}": getattr(self, name) for name in names}

    def create(self, arguments):
        sizes = number(arguments, "max_messages", 10), number(arguments, "max_size", 8192)
        mode = number(arguments, "mode", 0o600)
        self.queue = posix_ipc.MessageQueue(arguments["name"], posix_ipc.O_CREX, mode, *sizes)
        return f"fd={self.queue.mqd}"

    def open(self, arguments):
        try:
            self.queue = posix_ipc.MessageQueue(arguments["name"])
        except posix_ipc.ExistentialError as error:
            raise FileNotFoundError(2, str(error)) from error
        return f"fd={self.queue.mqd}"

    def attempt(self, call, arguments, *positional, **options):
        block = "timeout" not in arguments
        if block:
            waiting()
        try:
            return call(*positional, timeout=None if block else 0, **options)
        except posix_ipc.BusyError as error:
            raise BlockingIOError(11, str(error)) from error

    def send(self, arguments):
        data = bytes.fromhex(arguments.get("hex", ""))
        self.attempt(self.queue.send, arguments, data, priority=number(arguments, "tag", 1))
        return "sent"

    def receive(self, arguments):
        data, tag = self.attempt(self.queue.receive, arguments)
        return f"tag={tag} len={len(data)} hex={data.hex()}"

    def close(self, _):
        self.queue.close()
        return "closed"

    def remove(self, arguments):
        try:
            posix_ipc.unlink_message_queue(arguments["name"])
        except posix_ipc.ExistentialError as error:
            raise FileNotFoundError(2, str(error)) from error
        return "removed"

    def stat(self, _):
        queue = self.queue
        return f"max_messages={queue.max_messages} max_size={queue.max_message_size} messages={queue.current_messages}"


Posix().serve(**Queue().verbs())
