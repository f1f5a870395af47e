# SPDX-License-Identifier: MIT OR Apache-2.0
"""Locks in shared memory in Python against multiprocessing's, and posix_ipc's where it is installed."""

import importlib.util
import multiprocessing
import os
import threading

from harness import compare, print_head

import unipc
from unipc.sync import Semaphore


def main() -> None:
    print_head(unipc.__version__)
    shm = unipc.SharedMemory.create("anon:", 1 << 16)
    names = {
        "mutex": unipc.Mutex(shm),
        "recursive": unipc.Mutex(shm, 1024, kind="recursive"),
        "rwlock": unipc.RwLock(shm, 4096),
        "semaphore": Semaphore(shm, 1, 16384, max=1),
        "event": unipc.Event(shm, 2048),
        "theirs": multiprocessing.Lock(),
        "their_semaphore": multiprocessing.Semaphore(1),
        "their_rlock": multiprocessing.RLock(),
        "thread_lock": threading.Lock(),
    }
    sides = {
        "with unipc.Mutex": "with mutex: pass",
        "with multiprocessing.Lock": "with theirs: pass",
        "with threading.Lock": "with thread_lock: pass",
    }
    if importlib.util.find_spec("posix_ipc"):
        import posix_ipc

        name = f"/unipc-bench-sync-{os.getpid()}"
        names["posix"] = posix_ipc.Semaphore(name, posix_ipc.O_CREX, initial_value=1)
        posix_ipc.unlink_semaphore(name)
        sides["with posix_ipc.Semaphore"] = "with posix: pass"
    compare("with lock, nobody else (expected: at most 1.20 x multiprocessing.Lock)", sides, names)
    compare(
        "acquire + release",
        {
            "unipc.Mutex": "mutex.acquire(); mutex.release()",
            "multiprocessing.Lock": "theirs.acquire(); theirs.release()",
        },
        names,
    )
    compare(
        "with semaphore",
        {
            "with unipc.sync.Semaphore": "with semaphore: pass",
            "with multiprocessing.Semaphore": "with their_semaphore: pass",
        },
        names,
    )
    compare(
        "with a recursive lock",
        {"unipc.Mutex(kind='recursive')": "with recursive: pass", "multiprocessing.RLock": "with their_rlock: pass"},
        names,
    )
    compare(
        "with a read-write lock (nobody else offers one)",
        {"with rwlock.read()": "with rwlock.read(): pass", "read_lock, unlock": "rwlock.read_lock(); rwlock.unlock()"},
        names,
    )


main()
