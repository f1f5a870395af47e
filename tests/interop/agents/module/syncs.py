# SPDX-License-Identifier: MIT OR Apache-2.0
"""The verbs of locks in shared memory, on the module alone."""

import errno
import os

from protocol import number, waiting

import unipc

COND_AT, RWLOCK_AT, COUNT_AT = 1024, 2048, 3072


def limit(arguments):
    """`timeout` is in milliseconds; without it the call waits for ever. All but a try say WAIT."""
    timeout = number(arguments, "timeout") / 1000 if "timeout" in arguments else None
    if timeout != 0:
        waiting()
    return timeout


class Room:
    """The memory that this process has open, and what lies in it."""

    memory = mutex = cond = rwlock = None

    def verbs(self):
        names = "place lock unlock recovered add wait signal read write leave overwrite count"
        return {f"sync.{name}": getattr(self, name) for name in names.split()}

    def place(self, arguments):
        form = arguments.get("form", "pthread")
        self.memory = unipc.SharedMemory.open(arguments["memory"])
        if number(arguments, "make"):
            more = {"readers": 8} if form == "robust" else {}
            self.mutex = unipc.Mutex.create(self.memory, form=form)
            self.cond = unipc.Condvar.create(self.memory, COND_AT, form=form)
            self.rwlock = unipc.RwLock.create(self.memory, RWLOCK_AT, form=form, **more)
        else:
            self.mutex = unipc.Mutex.open(self.memory, form=form)
            self.cond = unipc.Condvar.open(self.memory, COND_AT, form=form)
            self.rwlock = unipc.RwLock.open(self.memory, RWLOCK_AT, form=form)
        return "placed"

    def taken(self, take, arguments, word):
        timeout = limit(arguments)
        if not take(timeout=timeout):
            number = errno.ETIMEDOUT if timeout else errno.EAGAIN
            raise OSError(number, os.strerror(number))
        return word

    def lock(self, arguments):
        word = self.taken(self.mutex.lock, arguments, "locked")
        return "owner died" if self.mutex.owner_died else word

    def unlock(self, _):
        self.mutex.unlock()
        return "unlocked"

    def recovered(self, _):
        self.mutex.recovered()
        return "recovered"

    def change(self, step):
        before = self.memory.load_u32(COUNT_AT)
        self.memory.store_u32(COUNT_AT, before + step)

    def add(self, arguments):
        for _ in range(number(arguments, "rounds")):
            with self.mutex:
                self.change(1)
        return "added"

    def turns(self, arguments, idle, step):
        with self.mutex:
            for _ in range(number(arguments, "rounds", 1)):
                self.cond.wait_for(self.mutex, lambda: (self.memory.load_u32(COUNT_AT) > 0) != idle)
                self.change(step)
                self.cond.notify_all()

    def wait(self, arguments):
        waiting()
        self.turns(arguments, False, -1)
        return "woken"

    def signal(self, arguments):
        self.turns(arguments, True, 1)
        return "signalled"

    def read(self, arguments):
        return self.taken(self.rwlock.read_lock, arguments, "held")

    def write(self, arguments):
        word = self.taken(self.rwlock.write_lock, arguments, "held")
        return "owner died" if self.rwlock.owner_died else word

    def leave(self, _):
        self.rwlock.unlock()
        return "left"

    def overwrite(self, arguments):
        for _ in range(number(arguments, "rounds")):
            with self.rwlock.write():
                self.change(1)
        return "added"

    def count(self, _):
        return str(self.memory.load_u32(COUNT_AT))
