# SPDX-License-Identifier: MIT OR Apache-2.0
"""The interop matrix as data: which cells exist, and which of them this tree answers for.

A cell id is GROUP.PARTY or GROUP.FROM-TO. A group has one scenario (a function in
mechanisms/), which runs for every cell of the group. A new room of the library adds its
name to ROOMS, and from then on a cell of that room without a scenario is a failure.
"""

from typing import NamedTuple

CORE = ("L", "C", "P", "R")  # plain libc C; C, Python and Rust on the library
LIBRARY = ("C", "P", "R")
ROOMS = {
    "channel",
    "shm",
    "pipe",
    "mq",
    "lock",
    "socket",
    "sem",
    "signal",
    "sync",
}  # rooms whose cells must all be there


class Cell(NamedTuple):
    """One executable scenario between two parties (`second` is "" when there is one)."""

    group: str
    title: str
    first: str
    second: str
    block: int
    room: str
    extension: bool = False

    @property
    def id(self):
        return f"{self.group}.{self.first}-{self.second}" if self.second else f"{self.group}.{self.first}"

    @property
    def parties(self):
        return tuple(party for party in (self.first, self.second) if party)

    @property
    def control(self):
        """A cell without the library: it proves the runner, not the library."""
        return self.block != 8 and not set(self.parties) & set(LIBRARY)


# group: (room, what is shared, what FROM is, what TO is)
PAIRED = {
    "M01": ("shm", "mapped file", "writer", "reader"),
    "M03": ("shm", "System V shared memory", "writer", "reader"),
    "M04": ("sem", "System V semaphore set", "giver", "taker"),
    "M05": ("mq", "System V message queue", "sender", "receiver"),
    "M06": ("shm", "POSIX shared memory", "writer", "reader"),
    "M07": ("sem", "POSIX named semaphore", "poster", "waiter"),
    "M08": ("sem", "POSIX semaphore inside shared memory", "poster", "waiter"),
    "M09": ("mq", "POSIX message queue", "sender", "receiver"),
    "M10": ("sync", "mutex in shared memory", "holder", "next"),
    "M11": ("sync", "condition variable in shared memory", "signaller", "waiter"),
    "M12": ("sync", "read-write lock in shared memory", "holder", "next"),
    "M13": ("lock", "flock", "holder", "next"),
    "M14": ("lock", "POSIX record lock", "holder", "next"),
    "M15": ("lock", "open file description lock", "holder", "next"),
    "M16": ("pipe", "inherited pipe", "writer", "reader"),
    "M17r": ("pipe", "popen for reading", "command", "caller"),
    "M17w": ("pipe", "popen for writing", "caller", "command"),
    "M18": ("pipe", "FIFO", "writer", "reader"),
    "M19": ("pipe", "coprocess", "driver", "filter"),
    "M20": ("pipe", "turnstile", "parent", "child"),
    "M21": ("signal", "standard signal", "sender", "receiver"),
    "M22": ("signal", "realtime signal with a value", "sender", "receiver"),
    "M23": ("socket", "UNIX stream socket", "client", "server"),
    "M24": ("socket", "UNIX datagram socket", "client", "server"),
    "M25": ("socket", "UNIX seqpacket socket", "client", "server"),
    "M26": ("socket", "TCP socket", "client", "server"),
    "M27": ("socket", "passed descriptor", "sender", "receiver"),
    "M28": ("pipe", "pseudoterminal", "master", "slave"),
}
# M02: parent and child are one process image, so only these pairs exist.
ANONYMOUS = ("L-L", "C-C", "P-P", "R-R", "L-C", "C-L", "L-P", "P-L")
# group: (third party, room, what is shared); each goes both ways with every core party.
THIRD = {
    "SV1": ("SV", "shm", "sysv_ipc shared memory"),
    "SV2": ("SV", "sem", "sysv_ipc semaphore"),
    "SV3": ("SV", "mq", "sysv_ipc message queue"),
    "PX1": ("PX", "shm", "posix_ipc shared memory"),
    "PX2": ("PX", "sem", "posix_ipc semaphore"),
    "PX3": ("PX", "mq", "posix_ipc message queue"),
    "MP1": ("MP", "shm", "multiprocessing.shared_memory"),
    "SH1": ("SH", "pipe", "FIFO of the shell"),
    "SH2": ("SH", "pipe", "pipe of the shell"),
}
SYSTEM_V = {"shm": "shm", "sem": "sem", "msg": "mq"}  # util-linux's word: our room
TOOLS = {
    "ipcs": "ipcs shows it as the library does",
    "lsipc": "lsipc shows it as the library does",
    "ipcrm-id": "ipcrm removes it by identifier",
    "ipcrm-key": "ipcrm removes it by key",
    "ipcmk": "the library uses what ipcmk made",
    "rm": "the library removes what ipcmk made",
    "list": "the library's list is the list of ipcs",
    "limits": "the library's limits are the limits of ipcs",
}
NAME_SPACES = {"pshm": "shm", "psem": "sem", "mq": "mq"}
DOCUMENTS = {
    "map_anon": "shm", "map_pages": "shm", "pager_pipe": "pipe", "pager_popen": "pipe",
    "tellwait": "pipe", "add2+coproc": "pipe", "pipe_demo": "pipe",
}  # fmt: skip
COMMAND = ("limits", "fifo.w", "fifo.r", "mq.s", "mq.r", "shm.w", "shm.r", "map.w", "map.r", "lock")


def both_ways(group, title, other, block, room, extension=False):
    """The third party `other` with every core party, as first and as second."""
    for party in CORE:
        yield Cell(group, title, other, party, block, room, extension)
        yield Cell(group, title, party, other, block, room, extension)


def square(group, title, block, room, parties=CORE, extension=False):
    for first in parties:
        for second in parties:
            yield Cell(group, title, first, second, block, room, extension)


def matrix():
    """Every cell of the matrix: 694 that are the goal, then 30 extensions."""
    for group, (room, title, *_) in PAIRED.items():
        yield from square(group, title, 1, room)
    for pair in ANONYMOUS:
        yield Cell("M02", "anonymous mapping over fork", *pair.split("-"), 1, "shm")
    yield from square("M29", "remote procedure call", 1, "channel", CORE[1:])
    for group, (other, room, title) in THIRD.items():
        yield from both_ways(group, title, other, 2, room)
    for party in CORE[1:]:
        for kind, room in SYSTEM_V.items():
            for tool, title in TOOLS.items():
                yield Cell(f"UL.{tool}.{kind}", f"{kind}: {title}", party, "", 3, room)
            if kind != "shm":
                yield Cell(f"UL.wake.{kind}", f"{kind}: ipcrm wakes a waiter", party, "", 3, room)
        for kind in ("flock", "posix", "ofd"):
            yield Cell(f"LK.lslocks.{kind}", f"lslocks shows a {kind} lock", party, "", 4, "lock")
        yield Cell("LK.flock1", "flock(1) waits", party, "tool", 4, "lock")
        yield Cell("LK.flock1", "flock(1) holds", "tool", party, 4, "lock")
        for kind, room in NAME_SPACES.items():
            yield Cell(f"NS.show.{kind}", f"{kind} is a file", party, "", 5, room)
            yield Cell(f"NS.rm.{kind}", f"rm unlinks a {kind}", party, "", 5, room)
        for program, room in DOCUMENTS.items():
            yield Cell(f"DOC.{program}", f"port of {program}", party, "", 6, room)
        yield Cell("KEY.ftok", "ftok is libc's", party, "", 7, "shm")
        yield Cell("KEY.sysv_ipc", "ftok is sysv_ipc's", party, "", 7, "shm")
    for kind in SYSTEM_V:
        for verb in ("create", "ls", "rm"):
            yield Cell(f"CLI.{verb}", "the library's command", kind, "", 8, "inspect")
    for name in COMMAND:
        yield Cell("CLI", "the library's command", name, "", 8, "inspect")
    for party in CORE[1:]:
        for kind in ("msg", "sem"):
            for other in ("L", "SV"):
                yield Cell(f"EXT.poll.{kind}", f"poll wakes for a {kind}", other, party, 9, "poll", True)
        for other in CORE[1:]:
            yield Cell("EXT.gc", "a killed creator's objects go", party, other, 9, "inspect", True)
            yield Cell("EXT.ring", "broadcast ring", party, other, 9, "channel", True)
