# SPDX-License-Identifier: MIT OR Apache-2.0
"""A world of its own for one cell: IPC and mount namespaces with an empty /dev/shm and /tmp.

Names and keys of other programs can then neither pass nor fail a cell, and ipcs lists only
the cell's objects. Where namespaces are forbidden the cell runs in the shared world with
names of its own.
"""

import ctypes
import os
import pathlib
import subprocess

from parties import BUILT

CLONE_NEWNS, CLONE_NEWIPC, CLONE_NEWUSER = 0x20000, 0x8000000, 0x10000000
MS_REC, MS_PRIVATE = 0x4000, 0x40000

# Where POSIX queues are files; some systems lack the usual place.
USUAL = pathlib.Path("/dev/mqueue")
MQUEUE = USUAL if USUAL.is_dir() else BUILT / "mqueue"

libc = ctypes.CDLL(None, use_errno=True)


def call(function, *arguments):
    if function(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def mount(kind, target):
    call(libc.mount, kind, target.encode(), kind, 0, b"mode=1777" if kind == b"tmpfs" else None)


def enter(keep):
    """Moves this process (it must have one thread) into namespaces of its own.

    An ordinary user gets a user namespace around them and stays an ordinary user.
    /tmp is left alone when one of the paths in `keep` lies there.
    """
    uid, gid = os.geteuid(), os.getegid()
    if uid == 0:
        call(libc.unshare, CLONE_NEWIPC | CLONE_NEWNS)
    else:
        call(libc.unshare, CLONE_NEWUSER | CLONE_NEWIPC | CLONE_NEWNS)
        pathlib.Path("/proc/self/setgroups").write_text("deny")
        pathlib.Path("/proc/self/uid_map").write_text(f"{uid} {uid} 1")
        pathlib.Path("/proc/self/gid_map").write_text(f"{gid} {gid} 1")
    call(libc.mount, b"none", b"/", None, MS_REC | MS_PRIVATE, None)
    mount(b"tmpfs", "/dev/shm")
    if not any(pathlib.Path("/tmp") in path.resolve().parents for path in keep):
        mount(b"tmpfs", "/tmp")
    MQUEUE.mkdir(parents=True, exist_ok=True)
    mount(b"mqueue", str(MQUEUE))


def allowed(keep):
    """Whether `enter` would work here; tried in a child, which is the only way to know."""
    child = os.fork()
    if child == 0:
        try:
            enter(keep)
            os._exit(0)
        except OSError:
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def remove(name):
    """Removes one of `objects()`."""
    kind, _, rest = name.partition(" identifier ")
    if rest:
        option = {"shm": "-m", "sem": "-s", "msg": "-q"}[kind]
        subprocess.run(["ipcrm", option, rest.split()[0]], stderr=subprocess.DEVNULL, check=False)
    else:
        os.unlink(name)


def objects():
    """Every IPC object that can be seen from here, as comparable strings."""
    seen = {f"/dev/shm/{name}" for name in os.listdir("/dev/shm")}
    if os.path.ismount(MQUEUE):
        seen |= {f"{MQUEUE}/{name}" for name in os.listdir(MQUEUE)}
    for kind in ("shm", "sem", "msg"):
        rows = [row.split() for row in pathlib.Path("/proc/sysvipc", kind).read_text().splitlines()[1:]]
        seen |= {f"{kind} identifier {row[1]}" + (f" by {row[4]}" if kind == "shm" else "") for row in rows}
    return seen
