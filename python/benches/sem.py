# SPDX-License-Identifier: MIT OR Apache-2.0
"""Semaphores in Python against what people use today.  The same rows exist in C and in Rust."""

import multiprocessing
import os
import signal
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from harness import compare, print_head, share_a_processor

import unipc
from unipc import Semaphore, SemaphoreSet

# The third parties have an environment of their own, which cannot load unipc; here both are needed.
PEERS = os.environ.get("UNIPC_VENV_PEERS", str(Path(__file__).parents[2] / "target" / "venv-peers"))
sys.path.append(f"{PEERS}/lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages")
FASTER = "(expected: below 1.00 x)"


def peer(name: str) -> Any:
    """A module of a third party, or None."""
    try:
        return import_module(name)
    except ImportError:
        print(f"{name} is not in {PEERS}: its lines are missing")
        return None


posix_ipc, sysv_ipc = peer("posix_ipc"), peer("sysv_ipc")


def echo(there: Any, back: Any) -> int:
    """Another process that gives everything back."""
    child = os.fork()
    if child == 0:
        try:
            while True:
                there.acquire()
                back.release()
        finally:
            os._exit(1)
    return child


def end(child: int) -> None:
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def undoing(semaphore: Any) -> Any:
    """Another object for the same semaphore, with SEM_UNDO."""
    other = sysv_ipc.Semaphore(semaphore.key)
    other.undo = True
    return other


def rows(kind: str, ours: list[Semaphore], peers: dict[str, list[Any]]) -> None:
    """`one`, of value 1, is taken and given; `there` and `back` go to another process."""
    names: dict[str, Any] = {"one": ours[0], "there": ours[1], "back": ours[2]}
    pairs, blocks, limits, trips = {}, {}, {}, {}
    for number, (what, semaphores) in enumerate(peers.items()):
        for place, semaphore in zip(("one", "there", "back"), semaphores, strict=True):
            names[f"{place}{number}"] = semaphore
        pairs[f"{what} acquire, release"] = f"one{number}.acquire(); one{number}.release()"
        # Ours gives back at a holder's death; of the peers sysv_ipc can do so too.
        names[f"held{number}"] = undoing(semaphores[0]) if what == "sysv_ipc" else semaphores[0]
        blocks[f"{what} with"] = f"with held{number}: pass"
        if what != "sysv_ipc":
            timeout = "True, 1" if what.startswith("multi") else "1"
            limits[f"{what} acquire with a limit, release"] = f"one{number}.acquire({timeout}); one{number}.release()"
        trips[what] = (f"there{number}.release(); back{number}.acquire()", semaphores)
    compare(
        f"{kind}: acquire and release {FASTER}",
        {"unipc acquire, release": "one.acquire(); one.release()"} | pairs,
        names,
    )
    compare(f"{kind}: with {FASTER}", {"unipc with": "with one: pass"} | blocks, names)
    if limits:
        sides = {"unipc acquire with a limit, release": "one.acquire(timeout=1); one.release()"} | limits
        compare(f"{kind}: acquire with a limit and release {FASTER}", sides, names)
    for what, (statement, semaphores) in trips.items():
        children = [echo(*ours[1:]), echo(*semaphores[1:])]
        sides = {"unipc release, acquire": "there.release(); back.acquire()", f"{what} release, acquire": statement}
        compare(f"{kind}: round trip, time of this side {FASTER}", sides, names)
        for child in children:
            end(child)


def posix() -> None:
    paths = [f"/unipc-bench-{place}-{os.getpid()}" for place in ("one", "there", "back")]
    ours = [Semaphore.create(path, value) for path, value in zip(paths, (1, 0, 0), strict=True)]
    peers: dict[str, list[Any]] = {}
    if posix_ipc:
        theirs = [f"{path}-theirs" for path in paths]
        peers["posix_ipc"] = [
            posix_ipc.Semaphore(path, posix_ipc.O_CREX, initial_value=value)
            for path, value in zip(theirs, (1, 0, 0), strict=True)
        ]
        for path in theirs:
            posix_ipc.unlink_semaphore(path)
    context = multiprocessing.get_context("fork")
    peers["multiprocessing.Semaphore"] = [context.Semaphore(value) for value in (1, 0, 0)]
    for path in paths:
        Semaphore.unlink(path)
    rows("POSIX semaphore", ours, peers)


def system_v() -> None:
    ours = [Semaphore.create("sysv:private", value, remove_on_close=True) for value in (1, 0, 0)]
    peers: dict[str, list[Any]] = {}
    if sysv_ipc:
        peers["sysv_ipc"] = [
            sysv_ipc.Semaphore(os.getpid() | 0x30000000 + (n << 25), sysv_ipc.IPC_CREX, initial_value=value)
            for n, value in enumerate((1, 0, 0))
        ]
        for semaphore in peers["sysv_ipc"]:
            semaphore.undo = False
    rows("System V semaphore", ours, peers)
    for semaphore in peers.get("sysv_ipc", []):
        semaphore.remove()
    for semaphore in ours:
        semaphore.close()


def set_of_three() -> None:
    with SemaphoreSet.create("sysv:private", [1, 1, 1], remove_on_close=True) as three:
        names = {"three": three, "take": [(0, -1), (1, -1), (2, -1)], "give": [(0, 1), (1, 1), (2, 1)]}
        sides = {"unipc operate": "three.operate(take); three.operate(give)"}
        compare("System V set: three at once and back (no peer has it)", sides, names)


print_head(unipc.__version__)
share_a_processor()
posix()
system_v()
set_of_three()
