# SPDX-License-Identifier: MIT OR Apache-2.0
"""Party MM: Python's own mmap module on a file, on a POSIX object in /dev/shm, or on a descriptor."""

import mmap
import os

from memory import Memory, number


def path_of(name):
    return name.removeprefix("file:") if name.startswith("file:") else f"/dev/shm/{name.lstrip('/')}"


class Mapped(Memory):
    def attach(self, arguments, create):
        name = arguments.get("name", "")
        if "fd" in arguments:
            self.fd = os.dup(number(arguments, "fd"))
        elif name.startswith("memfd:"):
            self.fd = os.memfd_create(name)
        else:
            self.fd = os.open(path_of(name), os.O_RDWR | (os.O_CREAT | os.O_EXCL if create else 0), 0o600)
        if create:
            os.ftruncate(self.fd, number(arguments, "size"))
        self.buffer = mmap.mmap(self.fd, 0)

    def create(self, arguments):
        return f"{super().create(arguments)} fd={self.fd}"

    def detach(self):
        self.buffer.close()
        os.close(self.fd)

    def delete(self, name):
        os.unlink(path_of(name))


Mapped().serve()
