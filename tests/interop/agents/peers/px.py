# SPDX-License-Identifier: MIT OR Apache-2.0
"""Party PX: the posix_ipc package."""

import mmap
import os

import posix_ipc
from memory import Memory, number


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


Posix().serve()
