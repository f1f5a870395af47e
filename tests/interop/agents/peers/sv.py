# SPDX-License-Identifier: MIT OR Apache-2.0
"""Party SV: the sysv_ipc package."""

import sysv_ipc
from memory import Memory, number, repeated, waiting


def ftok(arguments):
    # Its ftok returns a negative key where the key_t is one; the third argument silences a warning.
    return f"0x{sysv_ipc.ftok(arguments['path'], number(arguments, 'proj'), True) & 0xFFFFFFFF:08x}"


def key_of(name):
    """sysv:PATH,PROJ or sysv:0xKEY as the signed key that the package takes."""
    path, comma, proj = name.removeprefix("sysv:").rpartition(",")
    if comma:
        return sysv_ipc.ftok(path, int(proj), True)
    key = int(proj, 0)
    return key - (1 << 32) if key >> 31 else key


class SystemV(Memory):
    """Reads and writes by copy: the package attaches on its own and gives no view by default."""

    def attach(self, arguments, create):
        name = arguments["name"]
        try:
            if name.startswith("sysv:id="):
                self.shared = sysv_ipc.attach(int(name.removeprefix("sysv:id=")))
            elif create:
                mode, size = number(arguments, "mode", 0o600), number(arguments, "size")
                # Zeros, as the kernel makes it: the package would fill it with blanks.
                self.shared = sysv_ipc.SharedMemory(key_of(name), sysv_ipc.IPC_CREX, mode, size, b"\0")
            else:
                self.shared = sysv_ipc.SharedMemory(key_of(name))
        except sysv_ipc.ExistentialError as error:
            raise FileNotFoundError(2, str(error)) from error
        # By itself the package attaches a segment of mode 0 read-only, even for root.
        self.shared.detach()
        self.shared.attach(None, sysv_ipc.SHM_RDONLY if "readonly" in arguments else 0)

    def create(self, arguments):
        self.attach(arguments, True)
        return f"size={self.shared.size} id={self.shared.id}"

    def open(self, arguments):
        self.attach(arguments, False)
        return f"size={self.shared.size} id={self.shared.id}"

    def write(self, arguments):
        self.shared.write(bytes.fromhex(arguments["hex"]), number(arguments, "at"))
        return "written"

    def read(self, arguments):
        return self.shared.read(number(arguments, "size", self.shared.size), number(arguments, "at"))

    def fill(self, arguments):
        self.shared.write(repeated(arguments, self.shared.size))
        return "filled"

    def match(self, arguments):
        return "same" if self.shared.read() == repeated(arguments, self.shared.size) else "different"

    def stat(self, _):
        shared = self.shared
        key, mode = shared.key & 0xFFFFFFFF, shared.mode & 0o777
        return f"key=0x{key:08x} id={shared.id} size={shared.size} mode={mode:o} nattch={shared.number_attached}"

    def detach(self):
        self.shared.detach()

    def remove(self, arguments):
        if "name" in arguments:
            sysv_ipc.remove_shared_memory(sysv_ipc.SharedMemory(key_of(arguments["name"])).id)
        else:
            self.shared.remove()
        return "removed"


class Queue:
    """A message queue. The package has one buffer size for a queue, and no MSG_NOERROR."""

    def verbs(self):
        names = "create open send receive close remove stat".split()
        return {f"mq.{name}": getattr(self, name) for name in names}

    def create(self, arguments):
        mode = number(arguments, "mode", 0o600)
        self.queue = sysv_ipc.MessageQueue(key_of(arguments["name"]), sysv_ipc.IPC_CREX, mode, 1 << 16)
        return f"id={self.queue.id}"

    def open(self, arguments):
        try:
            self.queue = sysv_ipc.MessageQueue(key_of(arguments["name"]), max_message_size=1 << 16)
        except sysv_ipc.ExistentialError as error:
            raise FileNotFoundError(2, str(error)) from error
        return f"id={self.queue.id}"

    def attempt(self, call, arguments, *positional):
        block = "timeout" not in arguments
        if block:
            waiting()
        try:
            return call(*positional, block=block, type=number(arguments, "tag" if call == self.queue.send else "want"))
        except sysv_ipc.BusyError as error:
            raise BlockingIOError(11, str(error)) from error
        except sysv_ipc.ExistentialError as error:  # removed meanwhile
            raise OSError(43, str(error)) from error

    def send(self, arguments):
        self.attempt(self.queue.send, arguments, bytes.fromhex(arguments.get("hex", "")))
        return "sent"

    def receive(self, arguments):
        data, tag = self.attempt(self.queue.receive, arguments)
        return f"tag={tag} len={len(data)} hex={data.hex()}"

    def close(self, _):
        del self.queue
        return "closed"

    def remove(self, arguments):
        sysv_ipc.remove_message_queue(sysv_ipc.MessageQueue(key_of(arguments["name"])).id)
        return "removed"

    def stat(self, _):
        queue = self.queue
        key, mode = queue.key & 0xFFFFFFFF, queue.mode & 0o777
        pids = f"lspid={queue.last_send_pid} lrpid={queue.last_receive_pid}"
        return (
            f"key=0x{key:08x} id={queue.id} mode={mode:o} messages={queue.current_messages} "
            f"max_bytes={queue.max_size} {pids}"
        )


class Semaphore:
    """Index 0 of a set. The package's wheel has no timeouts."""

    def verbs(self):
        names = "create open acquire hold zero release value close remove".split()
        return {f"sem.{name}": getattr(self, name) for name in names}

    def create(self, arguments):
        mode, value = number(arguments, "mode", 0o600), number(arguments, "value")
        self.semaphore = sysv_ipc.Semaphore(key_of(arguments["name"]), sysv_ipc.IPC_CREX, mode, value)
        return f"id={self.semaphore.id}"

    def open(self, arguments):
        try:
            self.semaphore = sysv_ipc.Semaphore(key_of(arguments["name"]))
        except sysv_ipc.ExistentialError as error:
            raise FileNotFoundError(2, str(error)) from error
        return f"id={self.semaphore.id}"

    def attempt(self, call, arguments):
        self.semaphore.block = "timeout" not in arguments
        if self.semaphore.block:
            waiting()
        try:
            call()
        except sysv_ipc.BusyError as error:
            raise BlockingIOError(11, str(error)) from error
        except sysv_ipc.ExistentialError as error:  # removed meanwhile
            raise OSError(43, str(error)) from error
        return "taken"

    def acquire(self, arguments):
        return self.attempt(self.semaphore.acquire, arguments)

    def hold(self, arguments):
        self.semaphore.undo = True
        return self.attempt(self.semaphore.acquire, arguments)

    def zero(self, arguments):
        return self.attempt(self.semaphore.Z, arguments)

    def release(self, _):
        self.semaphore.undo = False
        self.semaphore.release()
        return "given"

    def value(self, _):
        return str(self.semaphore.value)

    def close(self, _):
        del self.semaphore
        return "closed"

    def remove(self, arguments):
        try:
            sysv_ipc.remove_semaphore(sysv_ipc.Semaphore(key_of(arguments["name"])).id)
        except sysv_ipc.ExistentialError as error:
            raise FileNotFoundError(2, str(error)) from error
        return "removed"


party = SystemV()
party.serve(stat=party.stat, ftok=ftok, **Queue().verbs(), **Semaphore().verbs())
