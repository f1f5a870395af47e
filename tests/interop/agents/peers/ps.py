# SPDX-License-Identifier: MIT OR Apache-2.0
"""Party PS: a Python program that knows the standard library's `socket` and nothing of the library."""

import errno
import mmap
import os
import pathlib
import socket
import struct
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from protocol import number, serve, waiting

ROOM = 1 << 17
KINDS = {"datagram": socket.SOCK_DGRAM, "seqpacket": socket.SOCK_SEQPACKET}
UCRED = struct.Struct("iII")


def address(name):
    if name.startswith("tcp:"):
        host, port = name.removeprefix("tcp:").rsplit(":", 1)
        return socket.AF_INET, (host, int(port))
    path = name.removeprefix("unix:")
    return socket.AF_UNIX, "\0" + path[1:] if path.startswith("@") else path


def spelled(place):
    if isinstance(place, tuple):
        return "tcp:{}:{}".format(*place)
    if isinstance(place, bytes):
        return "unix:@" + place[1:].decode()
    return f"unix:{place}" if place else "-"


def new(arguments):
    family, place = address(arguments["name"])
    return socket.socket(family, KINDS.get(arguments.get("kind"), socket.SOCK_STREAM)), place


def flags(arguments):
    if "timeout" in arguments:
        return socket.MSG_DONTWAIT
    waiting()
    return 0


class Room:
    listener = sock = None
    came = ()

    def verbs(self):
        names = "listen bind connect accept send recv fill drain shutdown peer credentials recv_message send_fds "
        names += "read_fds close remove"
        return {f"socket.{name}": getattr(self, name) for name in names.split()}

    def told(self):
        return f"name={spelled(self.sock.getsockname())}"

    def listen(self, arguments):
        self.listener, place = new(arguments)
        self.listener.bind(place)
        self.listener.listen(8)
        return f"name={spelled(self.listener.getsockname())}"

    def bind(self, arguments):
        self.sock, place = new(arguments | {"kind": "datagram"})
        self.sock.bind(place)
        return self.told()

    def connect(self, arguments):
        self.sock, place = new(arguments)
        if "local" in arguments:
            self.sock.bind(address(arguments["local"])[1])
        self.sock.connect(place)
        return self.told()

    def accept(self, _arguments):
        waiting()
        self.sock = self.listener.accept()[0]
        return self.told()

    def send(self, arguments):
        data, how = bytes.fromhex(arguments.get("hex", "")), flags(arguments)
        if "name" in arguments:
            self.sock.sendto(data, how, address(arguments["name"])[1])
        else:
            self.sock.sendall(data, how)
        return f"sent={len(data)}"

    def recv(self, arguments):
        how, cap = flags(arguments), number(arguments, "exact", number(arguments, "cap", ROOM))
        if "exact" in arguments:
            how |= socket.MSG_WAITALL
        data, _, told, sender = self.sock.recvmsg(cap, 0, how)
        if told & socket.MSG_TRUNC:
            raise OSError(errno.EMSGSIZE, "cut")
        stream = self.sock.type == socket.SOCK_STREAM
        return f"from={'-' if stream else spelled(sender)} len={len(data)} hex={data.hex()}"

    def fill(self, _arguments):
        count = 0
        try:
            while True:
                count += self.sock.send(bytes(1000), socket.MSG_DONTWAIT)
        except BlockingIOError:
            return f"bytes={count}"

    def drain(self, _arguments):
        count = 0
        try:
            while got := len(self.sock.recv(ROOM, socket.MSG_DONTWAIT)):
                count += got
        except BlockingIOError:
            pass
        return f"bytes={count}"

    def shutdown(self, arguments):
        self.sock.shutdown(socket.SHUT_WR if arguments["how"] == "send" else socket.SHUT_RD)
        return "done"

    def peer(self, _arguments):
        who = self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, UCRED.size)
        return "pid={} uid={} gid={}".format(*UCRED.unpack(who))

    def credentials(self, arguments):
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, number(arguments, "on", 1))
        return "done"

    def recv_message(self, arguments):
        room = socket.CMSG_SPACE(8 * 4) + socket.CMSG_SPACE(UCRED.size)
        data, control, _, _ = self.sock.recvmsg(ROOM, room, flags(arguments))
        who, self.came = (0, 0, 0), ()
        for _, kind, content in control:
            if kind == socket.SCM_RIGHTS:
                self.came = struct.unpack(f"{len(content) // 4}i", content)
            else:
                who = UCRED.unpack(content)
        return "len={} fds={} pid={} uid={} gid={}".format(len(data), len(self.came), *who)

    def send_fds(self, arguments):
        data = bytes.fromhex(arguments["hex"])
        reader, writer = os.pipe()
        memory = os.memfd_create("interop")
        for fd in (writer, memory):
            os.write(fd, data)
        sent = socket.send_fds(self.sock, [b"!"], [reader, memory])
        for fd in (reader, writer, memory):
            os.close(fd)
        return f"sent={sent}"

    def read_fds(self, _arguments):
        closing = not any(os.get_inheritable(fd) for fd in self.came)
        with open(self.came[0], "rb") as pipe:
            data = pipe.read()
        with mmap.mmap(self.came[1], 0, prot=mmap.PROT_READ) as memory:
            same = memory[:] == data
        os.close(self.came[1])
        return f"cloexec={closing:d} same={same:d} hex={data.hex()}"

    def close(self, arguments):
        if "listener" in arguments and self.listener:
            self.listener.close()
        if self.sock:
            self.sock.close()
        return "closed"

    def remove(self, arguments):
        os.unlink(address(arguments["name"])[1])
        return "removed"


serve(Room().verbs())
