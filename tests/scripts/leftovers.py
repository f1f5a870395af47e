#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""leftovers.py [--neighbours] CMD ARG...: runs CMD and shows that it left nothing behind.

Compares /dev/shm, /dev/mqueue and /proc/sysvipc/* before and after CMD and waits for the processes
that CMD leaves.  Exits with CMD's status, or with 1 when something was left, changed or removed.
--neighbours is for a private IPC namespace: it first makes one object of each kind, with the help of
libc alone, and CMD must not even use them.  They vanish with the namespace.
"""

import ctypes
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

DIRECTORIES = (Path("/dev/shm"), Path("/dev/mqueue"))
TABLES = tuple(Path("/proc/sysvipc") / kind for kind in ("shm", "sem", "msg"))
# Columns that say which object it is; the others (who attached, when) say what was done to it.
IDENTITY = {"key", "shmid", "semid", "msqid", "perms", "size", "nsems", "uid", "gid", "cuid", "cgid"}
# Columns that the kernel changes by itself, when memory is short.
VOLATILE = {"rss", "swap"}
GRACE_SECONDS = 10
PR_SET_CHILD_SUBREAPER = 36


class State(NamedTuple):
    """What an object is like: who owns it, which one it is, what was done to it."""

    uid: int
    identity: str
    activity: str


Snapshot = dict[str, State]


def snapshot() -> Snapshot:
    """Every IPC object that is visible here."""
    found: Snapshot = {}
    for directory in DIRECTORIES:
        for path in sorted(directory.rglob("*")):
            try:
                status = path.lstat()
            except FileNotFoundError:
                continue
            identity = f"inode {status.st_ino}, mode {status.st_mode:o}, uid {status.st_uid}"
            activity = f"{status.st_size} bytes, mtime {status.st_mtime_ns}"
            found[str(path)] = State(status.st_uid, identity, activity)
    for table in TABLES:
        found |= sysv_objects(table)
    return found


def sysv_objects(table: Path) -> Snapshot:
    header, *lines = table.read_text().splitlines()
    names = header.split()
    found: Snapshot = {}
    for line in lines:
        row = dict(zip(names, line.split(), strict=True))
        number = next(row[name] for name in names if name in ("shmid", "semid", "msqid"))
        kept = [name for name in names if name not in VOLATILE]
        identity = " ".join(f"{name}={row[name]}" for name in kept if name in IDENTITY)
        activity = " ".join(f"{name}={row[name]}" for name in kept if name not in IDENTITY)
        found[f"System V {table.name} {number}"] = State(int(row["uid"]), identity, activity)
    return found


def appeared(before: Snapshot, after: Snapshot, uid: int | None = None) -> list[str]:
    """What is new; with a uid, only what that user owns."""
    new = {name: after[name] for name in after.keys() - before.keys()}
    return sorted(f"{name} ({new[name].identity})" for name in new if uid in (None, new[name].uid))


def disturbed(before: Snapshot, after: Snapshot, *, used: bool) -> list[str]:
    """What is gone or another object now; with `used`, also what was touched."""
    complaints = []
    for name, was in before.items():
        now = after.get(name)
        if now is None:
            complaints.append(f"{name} is gone ({was.identity})")
        elif now.identity != was.identity:
            complaints.append(f"{name} is another object: was {was.identity}, is {now.identity}")
        elif used and now.activity != was.activity:
            complaints.append(f"{name} was touched: was {was.activity}, is {now.activity}")
    return complaints


def make_neighbours() -> None:
    """A file in /dev/shm, a queue, and a System V segment, set and queue that belong to nobody here."""
    key, create = 0x4E454947, 0o1600
    libc = ctypes.CDLL(None, use_errno=True)
    ids = (libc.shmget(key, 4096, create), libc.semget(key, 3, create), libc.msgget(key, create))
    if -1 in ids:
        raise OSError(ctypes.get_errno(), "cannot make the neighbours")
    Path("/dev/shm/neighbour").write_bytes(b"not yours" * 100)
    if os.path.ismount("/dev/mqueue"):
        Path("/dev/mqueue/neighbour").touch()


def adopt_orphans() -> None:
    """Whoever loses its parent becomes a child of this process, and is noticed by stragglers()."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def stragglers(grace: float = GRACE_SECONDS) -> list[str]:
    """Waits for the processes that a command left; kills and names those that outlive the grace."""
    complaints: set[str] = set()
    deadline = time.monotonic() + grace
    while True:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return sorted(complaints)
        if pid:
            continue
        if time.monotonic() > deadline:
            for child in children():
                command = Path(f"/proc/{child}/cmdline").read_bytes().replace(b"\0", b" ")
                complaints.add(f"process {child} still runs: {command.decode(errors='replace')}")
                os.kill(child, signal.SIGKILL)
        time.sleep(0.02)


def children() -> list[int]:
    tasks = Path("/proc/self/task").glob("*/children")
    return [int(pid) for task in tasks for pid in task.read_text().split()]


def main() -> int:
    command = sys.argv[1:]
    neighbours = command[:1] == ["--neighbours"]
    if neighbours:
        del command[0]
        make_neighbours()
    adopt_orphans()
    before = snapshot()
    status = subprocess.run(command, check=False).returncode
    left = stragglers()
    after = snapshot()
    # In a shared namespace other users come and go; in a private one everything is the command's doing.
    new = appeared(before, after, None if neighbours else os.getuid())
    left += [f"{what} was left behind" for what in new]
    left += disturbed(before, after, used=neighbours)
    for complaint in left:
        print(f"LEFT {complaint}")
    if not left:
        print(f"leftovers: none; {len(before)} objects of others are as they were")
    return status if status else int(bool(left))


if __name__ == "__main__":
    sys.exit(main())
