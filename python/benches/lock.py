# SPDX-License-Identifier: MIT OR Apache-2.0
"""Benchmarks of file locks in Python: locking and unlocking with nobody in the way, beside the fcntl module.

`make bench` runs them; alone: `python python/benches/lock.py`.
"""

import contextlib
import fcntl
import os
import struct
from collections.abc import Iterator
from pathlib import Path

from harness import compare, print_head

import unipc
from unipc import FileLock, LockKind

PATH = Path(f"/dev/shm/unipc-bench-lock-{os.getpid()}")
LOCK = struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 0, 0, 0)
UNLOCK = struct.pack("hhqqi4x", fcntl.F_UNLCK, 0, 0, 0, 0)


@contextlib.contextmanager
def flocked(file: int) -> Iterator[None]:
    """What programs write around flock."""
    fcntl.flock(file, fcntl.LOCK_EX)
    try:
        yield
    finally:
        fcntl.flock(file, fcntl.LOCK_UN)


def whole(kind: LockKind, what: str, plain: str) -> None:
    lock = FileLock.open_or_create(f"file:{PATH}", kind=kind)
    file = os.open(PATH, os.O_RDWR)
    names = globals() | locals()
    sides = {
        "unipc acquire() and release()": "lock.acquire(); lock.release()",
        what: plain,
    }
    compare(f"lock and unlock the whole file, {kind}", sides, names)
    with_sides = {"with lock:": "with lock: pass", what: plain}
    if kind is LockKind.FLOCK:
        with_sides["flock in a contextmanager"] = "with flocked(file): pass"
    compare(f"a block with the whole file locked, {kind}", with_sides, names)
    compare(
        f"the same with a time limit, {kind}",
        {"unipc acquire(timeout=1) and release()": "lock.acquire(timeout=1); lock.release()", what: plain},
        names,
    )
    lock.close()
    os.close(file)


def main() -> None:
    print_head(unipc.__version__)
    ofd = "fcntl.fcntl(file, fcntl.F_OFD_SETLKW, {})"
    whole(LockKind.OFD, "fcntl.fcntl(F_OFD_SETLKW) twice", f"{ofd.format('LOCK')}; {ofd.format('UNLOCK')}")
    lockf = "fcntl.lockf(file, fcntl.LOCK_EX); fcntl.lockf(file, fcntl.LOCK_UN)"
    whole(LockKind.POSIX, "fcntl.lockf twice", lockf)
    whole(LockKind.FLOCK, "fcntl.flock twice", lockf.replace("lockf", "flock"))
    PATH.unlink()


if __name__ == "__main__":
    main()
