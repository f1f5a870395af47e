# SPDX-License-Identifier: MIT OR Apache-2.0
"""Party MP: multiprocessing.shared_memory."""

from multiprocessing import resource_tracker, shared_memory

from memory import Memory, number

# Before Python 3.13 a process that only attached would unlink the object when it exits.
resource_tracker.register = resource_tracker.unregister = lambda *_: None


class Multiprocessing(Memory):
    def attach(self, arguments, create):
        name, size = arguments["name"].lstrip("/"), number(arguments, "size")
        self.shared = shared_memory.SharedMemory(name, create, size)
        self.buffer = self.shared.buf

    def detach(self):
        self.buffer = None
        self.shared.close()

    def delete(self, name):
        shared = shared_memory.SharedMemory(name.lstrip("/"))
        shared.close()
        shared.unlink()


Multiprocessing().serve()
