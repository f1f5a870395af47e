# SPDX-License-Identifier: MIT OR Apache-2.0
"""Shared memory in Python against what people use today.  The same rows exist in C and in Rust."""

import ctypes
import mmap
import os
import sys
import tempfile
from importlib import import_module
from multiprocessing import resource_tracker, shared_memory
from pathlib import Path
from typing import Any

import numpy
from harness import HUGE_PAGE, compare, free_huge_pages, print_head

import unipc
from unipc import SharedMemory

KIB, MIB = 1 << 10, 1 << 20
LARGE = 64 * MIB

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


def shared(name: str, size: int) -> SharedMemory:
    """An object for the benchmark, which goes when it is closed."""
    return SharedMemory.create(name, size, populate=True, remove_on_close=True)


def posix_name(what: str) -> str:
    return f"/unipc-bench-{what}-{os.getpid()}"


# --- attach + detach ---


def unipc_attach(name: str, view: bool, size: int | None = None) -> None:
    shm = SharedMemory.open(name, size=size)
    if view:
        shm.array("u1")
    shm.close()


def multiprocessing_attach(name: str, view: bool) -> None:
    shm = shared_memory.SharedMemory(name[1:])
    if view:
        numpy.ndarray((shm.size,), "u1", shm.buf)
    shm.close()


def posix_ipc_attach(name: str, view: bool) -> None:
    shm = posix_ipc.SharedMemory(name)
    mapping = mmap.mmap(shm.fd, shm.size)
    shm.close_fd()
    if view:
        numpy.frombuffer(mapping, "u1")
    mapping.close()


def memmap_attach(path: str, view: bool) -> None:
    numpy.memmap(path, "u1", "r+")


def mmap_attach(path: str, view: bool) -> None:
    with open(path, "r+b", buffering=0) as file:
        mapping = mmap.mmap(file.fileno(), 0)
    if view:
        numpy.frombuffer(mapping, "u1")
    mapping.close()


def sysv_ipc_attach(segment: Any, view: bool, size: bool = False) -> None:
    if view:
        numpy.frombuffer(segment, "u1")
    elif size:
        # unipc has asked for it already, and so has whoever takes a view.
        _ = segment.size
    segment.detach()


class Untracked:
    """`multiprocessing` without its resource tracker, which attaching would otherwise tell about the object."""

    def __enter__(self) -> None:
        self.register = resource_tracker.register
        resource_tracker.register = lambda *_: None

    def __exit__(self, *_: object) -> None:
        resource_tracker.register = self.register


def attach_posix(view: bool) -> None:
    name = posix_name("attach")
    path = f"/dev/shm{name}"
    what = "attach + numpy view + detach" if view else "attach + detach"
    tracked = "multiprocessing.shared_memory"
    sides = {
        "unipc open, close": "unipc_attach(name, view)",
        f"{tracked}, without its tracker": "multiprocessing_attach(name, view)",
        "posix_ipc + mmap": "posix_ipc_attach(name, view)",
        "open + mmap": "mmap_attach(path, view)",
        "numpy.memmap in /dev/shm": "memmap_attach(path, view)",
    }
    if not posix_ipc:
        del sides["posix_ipc + mmap"]
    with shared(name, MIB):
        with Untracked():
            compare(f"{what}, POSIX object of 1 MiB {FASTER}", sides, globals() | locals())
        sides = {"unipc open, close": sides["unipc open, close"], tracked: "multiprocessing_attach(name, view)"}
        compare(f"{what}, POSIX object of 1 MiB, as it comes {FASTER}", sides, globals() | locals())
        # The tracker would remove the object at the end, and complain.
        resource_tracker.unregister(name, "shared_memory")


def attach_system_v(view: bool) -> None:
    what = "attach + numpy view + detach" if view else "attach + detach"
    key = 0x30000000 | os.getpid()
    name = f"sysv:{key:#x}"
    with shared(name, MIB) as shm:
        id_name, number = f"sysv:id={shm.id}", shm.id
        sides = {
            "unipc open, close": "unipc_attach(id_name, view)",
            "sysv_ipc.attach": "sysv_ipc_attach(sysv_ipc.attach(number), view)",
            "sysv_ipc.attach, and its size": "sysv_ipc_attach(sysv_ipc.attach(number), view, True)",
        }
        compare(f"{what}, System V segment of 1 MiB by identifier {FASTER}", sides, globals() | locals())
        sides = {
            "unipc open, close": "unipc_attach(name, view)",
            "sysv_ipc.SharedMemory": "sysv_ipc_attach(sysv_ipc.SharedMemory(key), view)",
            "sysv_ipc.SharedMemory, and its size": "sysv_ipc_attach(sysv_ipc.SharedMemory(key), view, True)",
        }
        compare(f"{what}, System V segment of 1 MiB by key {FASTER}", sides, globals() | locals())
        sides = {
            "unipc open with size, close": "unipc_attach(name, view, MIB)",
            "sysv_ipc.SharedMemory": "sysv_ipc_attach(sysv_ipc.SharedMemory(key), view)",
            "sysv_ipc.SharedMemory with size": "sysv_ipc_attach(sysv_ipc.SharedMemory(key, size=MIB), view)",
        }
        compare(f"{what}, System V segment of 1 MiB by key, its size stated {FASTER}", sides, globals() | locals())


def attach_file() -> None:
    with tempfile.TemporaryDirectory() as directory:
        path, view = f"{directory}/attach", False
        name = f"file:{path}"
        with shared(name, MIB):
            sides = {
                "unipc open, close": "unipc_attach(name, view)",
                "open + mmap": "mmap_attach(path, view)",
                "numpy.memmap": "memmap_attach(path, view)",
            }
            compare(f"attach + detach, file of 1 MiB {FASTER}", sides, globals() | locals())


# --- create + remove ---


def unipc_create(name: str, size: int) -> None:
    SharedMemory.create(name, size).close()
    SharedMemory.unlink(name)


def multiprocessing_create(name: str, size: int) -> None:
    shm = shared_memory.SharedMemory(name[1:], create=True, size=size)
    shm.close()
    shm.unlink()


def posix_ipc_create(name: str, size: int) -> None:
    shm = posix_ipc.SharedMemory(name, posix_ipc.O_CREX, size=size)
    mmap.mmap(shm.fd, size).close()
    shm.close_fd()
    shm.unlink()


def sysv_ipc_create(key: int, size: int) -> None:
    shm = sysv_ipc.SharedMemory(key, sysv_ipc.IPC_CREX, size=size)
    shm.detach()
    shm.remove()


def create() -> None:
    name, size, key = posix_name("create"), 4 * KIB, 0x30000000 | os.getpid()
    key_name = f"sysv:{key:#x}"
    sides = {
        "unipc create, close, unlink": "unipc_create(name, size)",
        "multiprocessing.shared_memory": "multiprocessing_create(name, size)",
    }
    if posix_ipc:
        sides["posix_ipc + mmap"] = "posix_ipc_create(name, size)"
    compare("create + remove, POSIX object of 4 KiB", sides, globals() | locals())
    if sysv_ipc:
        sides = {
            "unipc create, close, unlink": "unipc_create(key_name, size)",
            "sysv_ipc": "sysv_ipc_create(key, size)",
        }
        compare("create + remove, System V segment of 4 KiB", sides, globals() | locals())


# --- copies and atomics ---


def copy(what: str, target: str, shm: SharedMemory, size: int, expected: str = "") -> None:
    view = memoryview(shm)[:size]
    data = bytearray(b"7" * size)
    address = ctypes.addressof(ctypes.c_char.from_buffer(view))
    private = ctypes.addressof(ctypes.c_char.from_buffer(data))
    memmove = ctypes.memmove
    sides = {
        "unipc write_at": "shm.write_at(0, data)",
        "memoryview[:] = data": "view[:] = data",
        "ctypes.memmove": "memmove(address, private, size)",
    }
    compare(f"copy {what} into a {target}{expected}", sides, locals())
    sides = {
        "unipc read_into": "shm.read_into(0, data)",
        "data[:] = memoryview": "lent[:] = view",
        "ctypes.memmove": "memmove(private, address, size)",
    }
    compare(f"copy {what} out of a {target}{expected}", sides, locals() | {"lent": memoryview(data)})
    sides = {"unipc read_at": "shm.read_at(0, size)", "memoryview.tobytes()": "view.tobytes()"}
    compare(f"copy {what} out of a {target} as new bytes", sides, locals())


def copy_large(what: str, size: int, expected: str = "") -> None:
    with shared(posix_name("copy"), size) as shm:
        copy(what, "POSIX object", shm, size, expected)


def small(name: str, target: str) -> None:
    with shared(name, 4 * KIB) as shm:
        add(target, shm)
        copy("8 bytes", target, shm, 8)
        copy("64 bytes", target, shm, 64)


def add(target: str, shm: SharedMemory) -> None:
    view = memoryview(shm).cast("I")
    sides = {"unipc add_u32": "shm.add_u32(0, 1)", "memoryview[0] += 1, which is not atomic": "view[0] += 1"}
    compare(f"add to an integer in a {target}", sides, locals())


# --- pages ---


def numpy_sum() -> None:
    with shared(posix_name("sum"), LARGE) as shm:
        add_up(shm)


def add_up(shm: SharedMemory) -> None:
    mapped = shm.array("f8")
    private = numpy.empty_like(mapped)
    anonymous = mmap.mmap(-1, LARGE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    anonymous.madvise(mmap.MADV_NOHUGEPAGE)
    ordinary = numpy.frombuffer(anonymous, "f8")
    mapped[:] = ordinary[:] = private[:] = 1
    sides = {
        "numpy.sum over unipc's array": "mapped.sum()",
        "private memory of ordinary pages": "ordinary.sum()",
        "private memory as numpy gets it, huge if it may be": "private.sum()",
    }
    compare("numpy.sum over 64 MiB of float64 (expected: 1.00 x of the same pages)", sides, locals())


def touch_unipc(name: str, populate: bool) -> None:
    with SharedMemory.open(name, populate=populate) as shm:
        shm.array("u1")[::4096] = 1


def touch_mmap(path: str, flags: int) -> None:
    with open(path, "r+b", buffering=0) as file:
        mapping = mmap.mmap(file.fileno(), LARGE, mmap.MAP_SHARED | flags)
    numpy.frombuffer(mapping, "u1")[::4096] = 1
    mapping.close()


def populate() -> None:
    name = posix_name("populate")
    path, now = f"/dev/shm{name}", mmap.MAP_POPULATE
    sides = {
        "unipc open with populate": "touch_unipc(name, True)",
        "unipc open without": "touch_unipc(name, False)",
        "mmap with MAP_POPULATE": "touch_mmap(path, now)",
        "mmap without": "touch_mmap(path, 0)",
    }
    with shared(name, LARGE):
        compare("attach 64 MiB, touch each page, detach", sides, globals() | locals())


def huge_pages() -> None:
    wanted = LARGE // HUGE_PAGE
    if free_huge_pages() < wanted:
        print(f"\nhuge pages: too few are free. As root: `echo {wanted} > /proc/sys/vm/nr_hugepages`")
        print("  before the benchmark, and `echo 0 > /proc/sys/vm/nr_hugepages` after it.")
        return
    with (
        SharedMemory.create("memfd:huge", LARGE, huge_pages=HUGE_PAGE, populate=True) as huge,
        SharedMemory.create("memfd:ordinary", LARGE, populate=True) as ordinary,
    ):
        wander(huge, ordinary)


def wander(huge: SharedMemory, ordinary: SharedMemory) -> None:
    places = numpy.random.default_rng(1).integers(0, LARGE // 8, 4096)
    of_huge, of_ordinary = huge.array("u8"), ordinary.array("u8")
    sides = {
        "memfd with huge pages": "of_huge[places].sum()",
        "memfd with ordinary pages": "of_ordinary[places].sum()",
    }
    compare("4096 reads of 8 bytes at random places of 64 MiB", sides, locals())


def main() -> None:
    print_head(unipc.__version__)
    for view in (False, True):
        attach_posix(view)
        if sysv_ipc:
            attach_system_v(view)
    attach_file()
    create()
    copy_large("4 KiB", 4 * KIB)
    copy_large("1 MiB", MIB)
    copy_large("64 MiB", LARGE, " (expected: at most 1.05 x)")
    numpy_sum()
    populate()
    huge_pages()
    small(posix_name("small"), "POSIX object")
    small("memfd:small", "memfd")


if __name__ == "__main__":
    main()
