# SPDX-License-Identifier: MIT OR Apache-2.0
"""The verbs of message queues, on the module alone."""

import struct

from protocol import number, waiting

import unipc


def limit(arguments):
    """`timeout` is in milliseconds; without it the call waits for ever. All but a try say WAIT."""
    timeout = number(arguments, "timeout") / 1000 if "timeout" in arguments else None
    if timeout != 0:
        waiting()
    return timeout


def received(data, tag, length=None):
    return f"tag={tag} len={len(data) if length is None else length} hex={bytes(data).hex()}"


def describe(status):
    times = (status.send_time or 0, status.receive_time or 0, status.change_time or 0)
    return (
        f"key=0x{status.key & 0xFFFFFFFF:08x} id={status.id} mode={status.mode:o} uid={status.uid} gid={status.gid} "
        f"cuid={status.cuid} cgid={status.cgid} bytes={status.bytes} messages={status.messages} "
        f"max_bytes={status.max_bytes} lspid={status.last_send_pid} lrpid={status.last_receive_pid} "
        "stime={} rtime={} ctime={}".format(*times)
    )


def describe_posix(status):
    to = status.notification
    notified = (to.pid, to.method, to.signal) if to else (0, 0, 0)
    return (
        f"max_messages={status.max_messages} max_size={status.max_size} messages={status.messages} "
        f"bytes={status.bytes} mode={status.mode:o} uid={status.uid} gid={status.gid} "
        "pid={} method={} signal={} ".format(*notified)
        + f"atime={status.access_time} ctime={status.change_time}"
    )


class Room:
    """The one queue that this process has open."""

    queue = None

    def verbs(self):
        names = (
            "create open send send_msgbuf receive receive_msgbuf peek close remove stat set notify list limits".split()
        )
        return {f"mq.{name}": getattr(self, name) for name in names}

    def told(self):
        if self.queue.backing is unipc.Backing.SYSTEM_V:
            return f"id={self.queue.id}"
        return f"fd={self.queue.fileno()}"

    def create(self, arguments):
        mode = number(arguments, "mode", 0o600)
        sizes = {name: number(arguments, name) for name in ("max_messages", "max_size") if name in arguments}
        self.queue = unipc.MessageQueue.create(arguments["name"], mode=mode, **sizes)
        return self.told()

    def open(self, arguments):
        self.queue = unipc.MessageQueue.open(arguments["name"])
        return self.told()

    def send(self, arguments):
        self.queue.send(bytes.fromhex(arguments.get("hex", "")), number(arguments, "tag", 1), limit(arguments))
        return "sent"

    def receive(self, arguments):
        want = number(arguments, "want")
        chosen = {"excluded": want} if "except" in arguments else {"want": want}
        if "cap" not in arguments:
            return received(*self.queue.receive(timeout=limit(arguments), **chosen))
        buffer = bytearray(number(arguments, "cap"))
        chosen["truncate"] = "truncate" in arguments
        length, tag = self.queue.receive_into(buffer, timeout=limit(arguments), **chosen)
        return received(buffer[:length], tag, length)

    def send_msgbuf(self, arguments):
        msgbuf = struct.pack("l", number(arguments, "tag", 1)) + bytes.fromhex(arguments.get("hex", ""))
        self.queue.send_msgbuf(msgbuf, limit(arguments))
        return "sent"

    def receive_msgbuf(self, arguments):
        start = struct.calcsize("l")
        msgbuf = bytearray(start + number(arguments, "cap", 1 << 16))
        length, tag = self.queue.receive_msgbuf(msgbuf, 0, limit(arguments), truncate="truncate" in arguments)
        return received(msgbuf[start:][:length], tag)

    def peek(self, arguments):
        message = self.queue.peek(number(arguments, "index"))
        if message is None:
            raise OSError(42, "no such message")
        return received(*message)

    def close(self, _):
        self.queue.close()
        return "closed"

    def remove(self, arguments):
        unipc.MessageQueue.unlink(arguments["name"]) if "name" in arguments else self.queue.remove()
        return "removed"

    def stat(self, _):
        if self.queue.system_v is not None:
            return describe(self.queue.system_v.stat())
        return describe_posix(self.queue.posix_stat())

    def set(self, arguments):
        mode = number(arguments, "mode") if "mode" in arguments else None
        max_bytes = number(arguments, "max_bytes") if "max_bytes" in arguments else None
        self.queue.system_v.set(mode=mode, max_bytes=max_bytes)
        return "set"

    def notify(self, arguments):
        self.queue.notify_signal(number(arguments, "signal"))
        return "asked"

    def list(self, _):
        return ";".join(map(describe, unipc.SystemVQueue.list()))

    def limits(self, _):
        told = unipc.mq_limits()
        names = "msgmax msgmnb msgmni msg_max msgsize_max queues_max msg_default msgsize_default".split()
        return " ".join(f"{name}={getattr(told, name)}" for name in names)
