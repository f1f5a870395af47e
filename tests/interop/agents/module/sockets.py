# SPDX-License-Identifier: MIT OR Apache-2.0
"""The verbs of sockets, on the module alone."""

import fcntl
import os

from protocol import number, waiting

import unipc

ROOM = 1 << 17


def limit(arguments):
    """`timeout` is in milliseconds; without it the call waits for ever. All but a try say WAIT."""
    timeout = number(arguments, "timeout") / 1000 if "timeout" in arguments else None
    if timeout != 0:
        waiting()
    return timeout


def told(handle):
    return f"name={handle.local_name or '-'}"


class Room:
    """The one listener and the one socket that this process has, and what came through it."""

    listener = socket = None
    came = ()

    def verbs(self):
        names = "listen bind connect accept send recv fill drain shutdown peer credentials recv_message send_fds "
        names += "read_fds close remove"
        return {f"socket.{name}": getattr(self, name) for name in names.split()}

    def listen(self, arguments):
        self.listener = unipc.Listener.bind(arguments["name"], kind=arguments.get("kind"))
        return told(self.listener)

    def bind(self, arguments):
        self.socket = unipc.Socket.bind(arguments["name"])
        return told(self.socket)

    def connect(self, arguments):
        options = {"kind": arguments.get("kind"), "local": arguments.get("local")}
        self.socket = unipc.Socket.connect(arguments["name"], **options)
        return told(self.socket)

    def accept(self, arguments):
        self.socket = self.listener.accept(limit(arguments))
        return told(self.socket)

    def send(self, arguments):
        data, timeout = bytes.fromhex(arguments.get("hex", "")), limit(arguments)
        if "name" in arguments:
            self.socket.send_to(data, arguments["name"], timeout)
        else:
            self.socket.send_all(data, timeout)
        return f"sent={len(data)}"

    def recv(self, arguments):
        sender = None
        if "exact" in arguments:
            data = self.socket.recv_exact(number(arguments, "exact"), limit(arguments))
        else:
            data, sender = self.socket.recv_from(number(arguments, "cap", ROOM), limit(arguments))
        return f"from={sender or '-'} len={len(data)} hex={data.hex()}"

    def fill(self, _arguments):
        count = 0
        try:
            while True:
                count += self.socket.send(bytes(1000), timeout=0)
        except BlockingIOError:
            return f"bytes={count}"

    def drain(self, _arguments):
        count = 0
        try:
            while got := len(self.socket.recv(ROOM, timeout=0)):
                count += got
        except BlockingIOError:
            pass
        return f"bytes={count}"

    def shutdown(self, arguments):
        self.socket.shutdown(arguments["how"])
        return "done"

    def peer(self, _arguments):
        return "pid={} uid={} gid={}".format(*self.socket.peer_credentials)

    def credentials(self, arguments):
        self.socket.pass_credentials(number(arguments, "on", 1) != 0)
        return "done"

    def recv_message(self, arguments):
        expected = {"max_fds": number(arguments, "max_fds", 8), "fd_kind": arguments.get("fd_kind")}
        message = self.socket.recv_message(ROOM, timeout=limit(arguments), **expected)
        if message is None:
            return "len=0 fds=0 pid=0 uid=0 gid=0"
        self.came = message.take()
        who = "pid={} uid={} gid={}".format(*message.credentials or (0, 0, 0))
        return f"len={len(message.data)} fds={len(self.came)} {who}"

    def send_fds(self, arguments):
        data = bytes.fromhex(arguments["hex"])
        reader, writer = os.pipe()
        os.write(writer, data)
        os.close(writer)
        with unipc.SharedMemory.create("memfd:interop", len(data)) as memory:
            memory.write_at(0, data)
            sent = self.socket.send_message(b"!", [reader, memory])
        os.close(reader)
        return f"sent={sent}"

    def read_fds(self, _arguments):
        closing = all(fcntl.fcntl(fd, fcntl.F_GETFD) & fcntl.FD_CLOEXEC for fd in self.came)
        with open(self.came[0], "rb") as pipe:
            data = pipe.read()
        with unipc.SharedMemory.from_fd(self.came[1], read_only=True) as memory:
            same = memory.read_at(0, len(memory)) == data
        os.close(self.came[1])
        self.came = ()
        return f"cloexec={closing:d} same={same:d} hex={data.hex()}"

    def close(self, arguments):
        if "listener" in arguments and self.listener:
            self.listener.close()
        if self.socket:
            self.socket.close()
        return "closed"

    def remove(self, arguments):
        unipc.Socket.unlink(arguments["name"])
        return "removed"
