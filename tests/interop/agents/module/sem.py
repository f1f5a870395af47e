# SPDX-License-Identifier: MIT OR Apache-2.0
"""The verbs of semaphores, on the module alone."""

import errno
import os

from protocol import number, waiting

import unipc


def limit(arguments):
    """`timeout` is in milliseconds; without it the call waits for ever. All but a try say WAIT."""
    timeout = number(arguments, "timeout") / 1000 if "timeout" in arguments else None
    if timeout != 0:
        waiting()
    return timeout


def operation(word):
    """`2:+2u`: index, delta, u for SEM_UNDO, n for IPC_NOWAIT."""
    index, rest = word.split(":")
    flags = unipc.SemFlag(0)
    flags |= unipc.SemFlag.UNDO if "u" in rest else 0
    flags |= unipc.SemFlag.NO_WAIT if "n" in rest else 0
    return int(index), int(rest.rstrip("un")), flags


def numbers(arguments):
    return [int(word) for word in arguments["values"].split(",")]


def describe(status):
    return (
        f"key=0x{status.key & 0xFFFFFFFF:08x} id={status.id} mode={status.mode:o} uid={status.uid} gid={status.gid} "
        f"cuid={status.cuid} cgid={status.cgid} nsems={status.count} otime={status.operation_time or 0} "
        f"ctime={status.change_time or 0}"
    )


class Room:
    """The one semaphore and the one set that this process has open."""

    semaphore = held = memory = several = None

    def verbs(self):
        names = (
            "create open place find acquire hold release value close remove "
            "make get operate values put info stat set list limits unmake leave"
        )
        return {f"sem.{name}": getattr(self, name) for name in names.split()}

    def told(self):
        return f"id={-1 if self.semaphore.id is None else self.semaphore.id}"

    def create(self, arguments):
        mode, value = number(arguments, "mode", 0o600), number(arguments, "value")
        self.semaphore = unipc.Semaphore.create(arguments["name"], value, mode=mode)
        return self.told()

    def open(self, arguments):
        self.semaphore = unipc.Semaphore.open(arguments["name"], index=number(arguments, "index"))
        return self.told()

    def place(self, arguments):
        self.memory = unipc.SharedMemory.open(arguments["memory"])
        self.semaphore = unipc.Semaphore.create_in(self.memory, number(arguments, "at"), number(arguments, "value"))
        return self.told()

    def find(self, arguments):
        self.memory = unipc.SharedMemory.open(arguments["memory"])
        self.semaphore = unipc.Semaphore.open_in(self.memory, number(arguments, "at"))
        return self.told()

    def acquire(self, arguments):
        timeout = limit(arguments)
        if not self.semaphore.acquire(timeout=timeout):
            number = errno.ETIMEDOUT if timeout else errno.EAGAIN
            raise OSError(number, os.strerror(number))
        return "taken"

    def hold(self, arguments):
        self.held = self.semaphore.hold(limit(arguments))
        self.held.__enter__()
        return "taken"

    def release(self, _):
        self.semaphore.release()
        return "given"

    def value(self, _):
        return str(self.semaphore.value)

    def close(self, _):
        self.semaphore.close()
        if self.memory is not None:
            self.memory.close()
        self.semaphore = self.memory = None
        return "closed"

    def remove(self, arguments):
        unipc.Semaphore.unlink(arguments["name"]) if "name" in arguments else self.semaphore.remove()
        return "removed"

    def make(self, arguments):
        mode = number(arguments, "mode", 0o600)
        self.several = unipc.SemaphoreSet.create(arguments["name"], numbers(arguments), mode=mode)
        return f"id={self.several.id}"

    def get(self, arguments):
        self.several = unipc.SemaphoreSet.open(arguments["name"])
        return f"id={self.several.id}"

    def operate(self, arguments):
        operations = [operation(word) for word in arguments["ops"].split(",")]
        self.several.operate(operations, limit(arguments))
        return "done"

    def values(self, _):
        return ",".join(map(str, self.several.values))

    def put(self, arguments):
        self.several.values = numbers(arguments)
        return "put"

    def info(self, arguments):
        it = self.several.info(number(arguments, "index"))
        return f"value={it.value} pid={it.last_pid} ncount={it.waiting_increase} zcount={it.waiting_zero}"

    def stat(self, _):
        return describe(self.several.stat())

    def set(self, arguments):
        self.several.set(mode=number(arguments, "mode"))
        return "set"

    def list(self, _):
        return ";".join(map(describe, unipc.SemaphoreSet.list()))

    def limits(self, _):
        limits = unipc.sem_limits()
        names = ("semmsl", "semmns", "semopm", "semmni", "semvmx")
        return " ".join(f"{name}={getattr(limits, name)}" for name in names)

    def unmake(self, arguments):
        unipc.SemaphoreSet.unlink(arguments["name"]) if "name" in arguments else self.several.remove()
        return "removed"

    def leave(self, _):
        self.several.close()
        self.several = None
        return "closed"
