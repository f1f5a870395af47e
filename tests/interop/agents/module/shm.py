# SPDX-License-Identifier: MIT OR Apache-2.0
"""The verbs of shared memory, on the module alone."""

import ctypes
import mmap
import os

from protocol import number, repeated

import unipc


class Room:
    """The one object that this process has open."""

    shm = None

    def verbs(self):
        names = ("create", "open", "write", "read", "fill", "match", "close", "remove")
        more = {"stat": self.stat, "lock": self.lock, "unlock": self.unlock, "fork": fork}
        more |= {"list": lambda _: ";".join(map(describe, unipc.SystemV.list())), "limits": limits, "ftok": ftok}
        return {name: getattr(self, name) for name in names} | more

    def told(self):
        shm = self.shm
        if shm.backing is unipc.Backing.SYSTEM_V:
            return f"size={len(shm)} id={shm.id}"
        return f"size={len(shm)} fd={shm.fileno()}"

    def create(self, arguments):
        mode = number(arguments, "mode", 0o600)
        self.shm = unipc.SharedMemory.create(arguments["name"], number(arguments, "size"), mode=mode)
        return self.told()

    def open(self, arguments):
        options = {"read_only": "readonly" in arguments, "slack": "slack" in arguments}
        if "name" in arguments:
            self.shm = unipc.SharedMemory.open(arguments["name"], **options)
        else:
            self.shm = unipc.SharedMemory.from_fd(number(arguments, "fd"), **options)
        return self.told()

    def write(self, arguments):
        self.shm.write_at(number(arguments, "at"), bytes.fromhex(arguments["hex"]))
        return "written"

    def read(self, arguments):
        return self.shm.read_at(number(arguments, "at"), number(arguments, "size", len(self.shm)))

    # The large ones go through the buffer, as numpy would.

    def fill(self, arguments):
        with memoryview(self.shm) as view:
            view[:] = repeated(arguments, len(view))
        return "filled"

    def match(self, arguments):
        with memoryview(self.shm) as view:
            return "same" if view == repeated(arguments, len(view)) else "different"

    def close(self, _):
        self.shm.close()
        return "closed"

    def remove(self, arguments):
        if "name" in arguments:
            unipc.SharedMemory.unlink(arguments["name"])
        else:
            self.shm.remove()
        return "removed"

    def stat(self, _):
        return describe(self.shm.system_v.stat())

    def lock(self, _):
        self.shm.system_v.lock()
        return "locked"

    def unlock(self, _):
        self.shm.system_v.unlock()
        return "unlocked"


def describe(status):
    """All that `stat` tells, as the words that the runner compares with the tools."""
    return " ".join(
        [
            f"key=0x{status.key & 0xFFFFFFFF:08x} id={status.id} size={status.size} mode={status.mode:o}",
            f"uid={status.uid} gid={status.gid} cuid={status.cuid} cgid={status.cgid}",
            f"cpid={status.creator_pid} lpid={status.last_pid} nattch={status.attached}",
            f"atime={status.attach_time or 0} dtime={status.detach_time or 0} ctime={status.change_time}",
            f"removed={int(status.removed)} locked={int(status.locked)}",
        ]
    )


def limits(_):
    told = unipc.shm_limits()
    return " ".join(f"{name}={getattr(told, name)}" for name in ("shmmax", "shmmin", "shmmni", "shmall"))


def ftok(arguments):
    return f"0x{unipc.ftok(arguments['path'], number(arguments, 'proj')) & 0xFFFFFFFF:08x}"


def fork(arguments):
    """An anonymous mapping over fork, where parent and child may each use the module (P) or not (L)."""
    size = number(arguments, "size")
    plain = arguments["parent"] == "L"
    memory = mmap.mmap(-1, size) if plain else unipc.SharedMemory.create("anon:", size)
    block, reply = repeated(arguments, size), repeated({"hex": arguments["reply"]}, size)
    with memoryview(memory) as view:
        view[:] = block
    out, into = os.pipe()
    child = os.fork()
    if child == 0:
        told = in_child(memory, arguments, block, reply)
        os.write(into, told.encode())
        os._exit(0)
    os.close(into)
    with open(out) as pipe:
        told = pipe.read()
    os.waitpid(child, 0)
    with memoryview(memory) as view:
        told += " " + found("parent", view, arguments["reply"], reply)
    memory.close()
    return told


def in_child(memory, arguments, block, reply):
    if arguments["child"] == "L":  # by the address alone
        plain = (ctypes.c_char * len(block)).from_buffer(memory)
        told = found("child", memoryview(plain).cast("B"), arguments["hex"], block)
        ctypes.memmove(plain, reply, len(reply))
        return told
    if arguments["parent"] == "L":
        memory = adopted()
    told = found("child", memoryview(memory)[: len(block)], arguments["hex"], block)
    memory.write_at(0, reply)
    return told


def adopted():
    """The mapping that the mmap module made, by its descriptor, which only root may have; whole pages."""
    with open("/proc/self/maps") as maps:
        line = next(line for line in maps if "/dev/zero (deleted)" in line)
    fd = os.open(f"/proc/self/map_files/{line.split()[0]}", os.O_RDWR)
    try:
        return unipc.SharedMemory.from_fd(fd)
    finally:
        os.close(fd)


def found(who, view, digits, wanted):
    first = bytes(view[: min(len(view), len(digits) // 2)])
    return f"{who} {first.hex()} {'same' if view == wanted else 'different'}"
