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


class Semaphore:
    """A named semaphore. A try is its timeout 0."""

    def verbs(self):
        return {f"sem.{name}": getattr(self, name) for name in "create open acquire release value close remove".split()}

    def create(self, arguments):
        mode, value = number(arguments, "mode", 0o600), number(arguments, "value")
        self.semaphore = posix_ipc.Semaphore(arguments["name"], posix_ipc.O_CREX, mode, value)
        return "id=-1"

    def open(self, arguments):
        try:
            self.semaphore = posix_ipc.Semaphore(arguments["name"])
        except posix_ipc.ExistentialError as error:
            raise FileNotFoundError(2, str(error)) from error
        return "id=-1"

    def acquire(self, arguments):
        ms = number(arguments, "timeout") if "timeout" in arguments else None
        if ms != 0:
            waiting()
        try:
            self.semaphore.acquire(None if ms is None else ms / 1000)
        except posix_ipc.BusyError as error:
            raise OSError(110 if ms else 11, str(error)) from error
        return "taken"

    def release(self, _):
        self.semaphore.release()
        return "given"

    def value(self, _):
        return str(self.semaphore.value)

    def close(self, _):
        self.semaphore.close()
        return "closed"

    def remove(self, arguments):
        try:
            posix_ipc.unlink_semaphore(arguments["name"])
        except posix_ipc.ExistentialError as error:
            raise FileNotFoundError(2, str(error)) from error
        return "removed"


Posix().serve(**Queue().verbs(), **Semaphore().verbs())
