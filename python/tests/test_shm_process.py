# SPDX-License-Identifier: MIT OR Apache-2.0
"""More than one process: fork, pickling, the ends of processes; attaching and leaving never removes."""

import copy
import multiprocessing
import os
import pickle
import signal
from multiprocessing.context import BaseContext
from multiprocessing.queues import SimpleQueue

import pytest
from conftest import BACKINGS, NAMED, Maker, Runner, in_fork

from unipc import SharedMemory

# Anonymous memory is inherited by fork alone.
PASSED = [
    (method, backing)
    for method in ("fork", "spawn", "forkserver")
    for backing in BACKINGS
    if method == "fork" or backing != "anon"
]


@pytest.mark.parametrize("backing", BACKINGS)
def test_a_child_of_fork_goes_on_with_the_handle(make: Maker, backing: str) -> None:
    shm = make(backing)
    view = memoryview(shm)

    def child() -> None:
        shm.store_u32(0, 7)
        view[4:8] = b"view"
        view.release()
        shm.close()

    assert in_fork(child) == 0
    assert shm.load_u32(0) == 7
    assert shm.read_at(4, 4) == b"view"
    view.release()


@pytest.mark.parametrize("backing", NAMED)
def test_a_pickle_attaches_again(make: Maker, backing: str) -> None:
    shm = make(backing, 10_000)
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with pickle.loads(pickle.dumps(shm, protocol)) as other:
            assert (other.name, len(other), type(other)) == (shm.name, 10_000, SharedMemory)
            other.add_u32(0, 1)
    assert shm.load_u32(0) == pickle.HIGHEST_PROTOCOL + 1
    with SharedMemory.open(shm.name, read_only=True, size=100) as part, copy.copy(part) as other:
        assert (len(other), other.read_only) == (100, True)
    with copy.deepcopy(shm) as other:
        assert other.name == shm.name


def test_a_pickle_keeps_the_view(make: Maker) -> None:
    shm = make("file", 10_000)
    shm.write_at(5000, b"here")
    with SharedMemory.open(shm.name, offset=5000, private=True) as part, copy.copy(part) as other:
        assert other.read_at(0, 4) == b"here"
        assert len(other) == 5000
        other.write_at(0, b"mine")
        assert shm.read_at(5000, 4) == b"here"


def test_a_pickle_maps_as_much(make: Maker) -> None:
    shm = make("posix", 10_000)
    with SharedMemory.open_or_create(shm.name, 100, offset=10) as part, copy.copy(part) as other:
        assert len(part) == len(other)
    with SharedMemory.open(shm.name, size=100) as part:
        part.resize(300)
        with copy.copy(part) as other:
            assert len(part) == len(other) == 300


@pytest.mark.skipif(os.geteuid() != 0, reason="giving a file to somebody else takes root")
def test_a_pickle_asks_again_whose_it_is(make: Maker) -> None:
    shm = make("file", 100)
    with SharedMemory.open(shm.name, own_only=True) as ours:
        os.fchown(ours.fileno(), 12345, -1)
        with pytest.raises(PermissionError, match="user 12345"):
            copy.copy(ours)


def test_a_private_segment_is_pickled_by_its_identifier() -> None:
    with SharedMemory.create("sysv:private", 100, remove_on_close=True) as shm, copy.copy(shm) as other:
        assert other.id == shm.id


def test_a_pickle_does_not_remove(make: Maker) -> None:
    with SharedMemory.create(make("posix").name, 8, replace=True, remove_on_close=True) as shm:
        copy.copy(shm).close()
        SharedMemory.open(shm.name).close()


def test_what_has_no_name_is_not_pickled(make: Maker) -> None:
    with pytest.raises(TypeError, match="fork inherits it"):
        pickle.dumps(make("anon"))
    with pytest.raises(TypeError, match=r"multiprocessing process when it is started, or .*\.from_fd"):
        pickle.dumps(make("memfd"))
    with SharedMemory.from_fd(make("posix")) as received, pytest.raises(TypeError, match="descriptor"):
        pickle.dumps(received)


def add_and_tell(shm: SharedMemory, told: "SimpleQueue[str]") -> None:
    with shm:
        shm.add_u32(0, 1)
        told.put(f"{shm.backing} {len(shm)} {shm.read_only}")


def through(context: BaseContext, shm: SharedMemory) -> str:
    told = context.SimpleQueue()
    process = context.Process(target=add_and_tell, args=(shm, told))  # type: ignore[attr-defined]
    process.start()
    process.join(60)
    assert process.exitcode == 0
    answer: str = told.get()
    told.close()
    return answer


@pytest.mark.parametrize(("method", "backing"), PASSED)
def test_a_process_argument(make: Maker, backing: str, method: str) -> None:
    shm = make(backing, 5000)
    context = multiprocessing.get_context(method)
    held = []
    for count in (1, 2):
        assert through(context, shm) == f"{backing} 5000 False"
        assert shm.load_u32(0) == count
        # The first start of a kind leaves the pipes of its server.
        held.append(len(os.listdir("/proc/self/fd")))
    assert held[0] == held[1]


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_a_received_descriptor_is_passed_on(make: Maker, method: str) -> None:
    shm = make("posix")
    with SharedMemory.from_fd(shm, size=100) as received:
        shm.remove()
        assert through(multiprocessing.get_context(method), received) == "posix 100 False"
    assert shm.load_u32(0) == 1


@pytest.mark.parametrize("backing", NAMED)
def test_attaching_and_leaving_never_removes(make: Maker, run: Runner, backing: str) -> None:
    shm = make(backing)
    code = "import sys, unipc; shm = unipc.SharedMemory.open(sys.argv[1]); shm.add_u32(0, 1)"
    for ending in ("", "; shm.close()", "; import os; os._exit(0)", "; del shm"):
        run(code + ending, shm.name)
    run(code + "; import os; os.kill(os.getpid(), 9)", shm.name, status=-signal.SIGKILL)
    with SharedMemory.open(shm.name) as again:
        assert again.load_u32(0) == 5


def test_no_tracker_of_resources_is_started(run: Runner, posix: SharedMemory) -> None:
    code = """
import sys, unipc
with unipc.SharedMemory.open(sys.argv[1]):
    pass
assert "multiprocessing" not in sys.modules
"""
    run(code, posix.name)


LIVE = """
import ctypes, sys, threading, unipc
from unipc import SharedMemory
shm = SharedMemory.open(sys.argv[1])
views = [memoryview(shm), shm.array("B"), shm.view(ctypes.c_uint64), memoryview(shm)[1:]]
guard = shm.guarded()
guard.__enter__()
unipc.kept = views[3]
sys.modules["kept"] = [shm, views]
cycle = [shm.array("B")]
cycle.append(cycle)

def forever():
    while True:
        shm.read_at(0, 4096)

def at_exit():
    shm.add_u32(8, 1)

import atexit
atexit.register(at_exit)
for _ in range(2):
    threading.Thread(target=forever, daemon=True).start()
SharedMemory.create("memfd:forgotten", 1 << 20)
"""


@pytest.mark.parametrize("options", [(), ("-X", "dev"), ("-X", "faulthandler")])
def test_a_process_may_end_with_everything_alive(make: Maker, run: Runner, options: tuple[str, ...]) -> None:
    shm = make("file")
    for _ in range(3):
        done = run(LIVE, shm.name, options=options)
        assert done.stderr == ""
    assert shm.load_u32(8) == 3


def test_exec_ends_the_mapping_and_the_descriptor(make: Maker, run: Runner) -> None:
    code = """
import os, sys, unipc
shm = unipc.SharedMemory.open(sys.argv[1])
os.execv(sys.executable, [sys.executable, "-c", "import os; print(os.listdir('/proc/self/fd'))"])
"""
    held = run(code, make("posix").name).stdout
    assert held.count(",") == 3  # 0, 1, 2 and the directory
