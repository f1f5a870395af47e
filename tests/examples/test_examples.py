# SPDX-License-Identifier: MIT OR Apache-2.0
"""The examples in C, Python and Rust: alone, and each language with each other one, line by line; and the demo.

Programs are waited for by what they print. UNIPC_PAUSE_SCALE makes their pauses short; nothing relies on them.
"""

import errno
import itertools
import os
import pty
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

from unipc import MessageQueue, Semaphore, SharedMemory, SystemV

ROOT = Path(__file__).resolve().parents[2]
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
ENVIRONMENT = os.environ | {"UNIPC_PAUSE_SCALE": "0.02", "PYTHONDONTWRITEBYTECODE": "1"}
LANGUAGES = {
    "C": ("examples-c", "{}.c", lambda name: [TARGET / "examples-c" / name]),
    "Rust": ("core/examples", "{}.rs", lambda name: [TARGET / "debug/examples" / name]),
    "Python": ("python/examples", "{}.py", lambda name: [sys.executable, ROOT / f"python/examples/{name}.py"]),
}
PROGRAMS = {
    *("map_normalfile1", "map_normalfile2", "map_anon", "map_pages", "testwrite", "testread", "removal"),
    *("lock_holder", "lock_waiter"),
    *("shm_server", "shm_client", "shm_writer", "shm_reader"),
    *("pipe_demo", "fifo_write", "fifo_read", "fifo_server", "fifo_client", "tellwait"),
    *("mq_sender", "mq_receiver", "sem_holder", "sem_waiter"),
    *("signal_sender", "signal_receiver"),
    *("pager_pipe", "pager_popen", "add2", "coproc"),
    *("socket_server", "socket_client", "datagram_server", "datagram_client", "handover_server", "handover_client"),
    *("sync_counter", "sync_holder", "sync_repair", "sync_producer", "sync_consumer"),
    *("sync_library", "sync_philosophers"),
    *("record_writer", "record_reader"),
    *("queue_sender", "queue_receiver", "topic_publisher", "topic_subscriber"),
    *("calculator_server", "calculator_client", "wait_any"),
}
MYSHM2 = Path("/dev/shm/myshm2")
LIMIT = 100  # seconds: longer than what the programs themselves wait for each other

PEOPLE = [(letter, 20 + number) for number, letter in enumerate("bcdefghijk")]
TEN = [f"name: {name} age {age};" for name, age in PEOPLE]
RECORDS = [line for name, age in PEOPLE for line in (f"name:{name}", f"age {age}")]
PAGES = [
    "access page 1 over",
    "access page 1 edge over, now begin to access page 2",
    "access page 2 over",
    "access page 2 over",
    "access page 2 edge over, now begin to access page 3",
]
REMOVAL = [
    "in use: key 0x12345678, attached 2",
    "removed: key 0x00000000, attached 2, marked for removal",
    "the data are still there: name b age 20",
    "open by key: ENOENT",
    "one detached: key 0x00000000, attached 1, marked for removal",
    "the last one detached: the segment is gone",
]

each_language = pytest.mark.parametrize("language", LANGUAGES)
each_pair = pytest.mark.parametrize(("one", "other"), list(itertools.product(LANGUAGES, repeat=2)))


def command(language: str, name: str, *arguments: object) -> list[str]:
    return [str(part) for part in (*LANGUAGES[language][2](name), *arguments)]


def run(language: str, name: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Runs an example to its end."""
    whole = command(language, name, *arguments)
    return subprocess.run(whole, env=ENVIRONMENT, capture_output=True, text=True, check=False)


def lines(language: str, name: str, *arguments: object) -> list[str]:
    """What an example prints that ends well."""
    done = run(language, name, *arguments)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


@contextmanager
def started(language: str, name: str, *arguments: object) -> Iterator[subprocess.Popen[str]]:
    """An example that is still running, and must end well."""
    pipe = subprocess.PIPE
    whole = command(language, name, *arguments)
    with subprocess.Popen(whole, env=ENVIRONMENT, stdin=pipe, stdout=pipe, text=True, bufsize=1) as process:
        try:
            yield process
            assert process.wait() == 0
        finally:
            process.kill()


@pytest.fixture(autouse=True)
def watchdog() -> Iterator[None]:
    """Ends a test in which a program neither goes on nor ends."""

    def bark(number: int, frame: object) -> None:
        raise TimeoutError(f"not done after {LIMIT} s")

    signal.signal(signal.SIGALRM, bark)
    signal.alarm(LIMIT)
    yield
    signal.alarm(0)


@pytest.fixture
def path() -> Iterator[Path]:
    """A file on tmpfs, which never writes a page back: there the rest of the last page stays."""
    path = Path(f"/dev/shm/unipc-examples-{os.getpid()}")
    yield path
    path.unlink(missing_ok=True)


@pytest.fixture
def myshm2() -> Iterator[None]:
    """The path on which testwrite and testread agree, and no segment yet."""
    if MYSHM2.exists():
        pytest.skip(f"{MYSHM2} is somebody else's")
    MYSHM2.touch()
    yield
    with suppress(FileNotFoundError):
        SharedMemory.unlink(f"sysv:{MYSHM2},0")
    MYSHM2.unlink()


def test_the_three_languages_have_the_same_examples() -> None:
    for folder, pattern, _ in LANGUAGES.values():
        found = {file.stem for file in (ROOT / folder).glob(pattern.format("*"))}
        assert found - {"common", "demo", "demo_writer", "demo_observer", "asyncio_consumer"} == PROGRAMS


@each_pair
def test_ten_records_through_a_file_of_five(one: str, other: str, path: Path) -> None:
    with started(one, "map_normalfile1", path) as writer:
        assert writer.stdout and writer.stdout.readline() == " initialize over \n"
        assert lines(other, "map_normalfile2", path) == TEN
        assert writer.stdout.read() == " umap ok \n"
    assert lines(other, "map_normalfile2", path) == TEN
    assert path.stat().st_size == 40


@each_language
def test_reading_before_anybody_wrote_is_an_error(language: str, path: Path) -> None:
    for create, words in (False, "No such file"), (True, "empty"):
        if create:
            path.touch()
        done = run(language, "map_normalfile2", path)
        assert (done.returncode, done.stdout) == (1, "")
        assert words in done.stderr


@each_language
def test_parent_and_child_share_what_has_no_name(language: str) -> None:
    children = [f"child read: the {number} people's age is {19 + number}" for number in range(1, 6)]
    parent = ["parent read: the first people,s age is 100", "umap", "umap ok"]
    assert lines(language, "map_anon") == children + parent


@each_language
@pytest.mark.parametrize(("version", "reached"), [("1", 5), ("2", 2)])
def test_pages_may_be_touched_to_the_end_of_the_last(language: str, version: str, reached: int, path: Path) -> None:
    done = run(language, "map_pages", path, version)
    size = os.sysconf("SC_PAGESIZE")
    assert done.stdout.splitlines() == [f"pagesize is {size}", *PAGES[:reached]]
    # Where the plain program gets SIGBUS.
    first = size * (3 - int(version)) + 4
    assert f"bytes {first}..{first + 4} lie outside" in done.stderr
    assert done.returncode == 1


@each_pair
def test_a_segment_outlives_its_writer(one: str, other: str, myshm2: None) -> None:
    assert lines(one, "testwrite") == []
    assert lines(other, "testread") == RECORDS
    assert lines(other, "testread") == RECORDS


@each_pair
def test_reading_first_makes_an_empty_segment(one: str, other: str, myshm2: None) -> None:
    assert lines(one, "testread") == ["name:", "age 0"] * 10
    assert lines(other, "testwrite") == []
    assert lines(one, "testread") == RECORDS


@each_language
@pytest.mark.parametrize("name", ["testwrite", "testread"])
def test_a_missing_key_path_says_what_to_do(language: str, name: str) -> None:
    if MYSHM2.exists():
        pytest.skip(f"{MYSHM2} is somebody else's")
    done = run(language, name)
    assert (done.returncode, done.stdout) == (1, "")
    assert f"touch {MYSHM2}" in done.stderr


@each_language
def test_removal_of_a_segment_in_use(language: str) -> None:
    if any(segment.key == 0x12345678 for segment in SystemV.list()):
        pytest.skip("somebody else has the key 0x12345678")
    assert lines(language, "removal") == REMOVAL


@each_pair
def test_a_server_tells_the_identifier(one: str, other: str) -> None:
    with started(one, "shm_server") as server:
        assert server.stdout
        word, number = server.stdout.readline().split()
        assert word == "id"
        assert lines(other, "shm_client", number) == ["name b age 20"]
        assert server.stdout.read() == "the client made the age 21\n"
    with pytest.raises(OSError) as gone:
        SystemV(int(number)).stat()
    assert gone.value.errno in (errno.EINVAL, errno.EIDRM)


@each_pair
def test_two_programs_answer_each_other(one: str, other: str) -> None:
    if Path("/dev/shm/demo").exists():
        pytest.skip("/demo is somebody else's")
    with started(one, "shm_writer") as writer:
        assert writer.stdout and writer.stdin
        assert writer.stdout.readline() == "written; Enter when the reader has run\n"
        assert lines(other, "shm_reader") == ["0.0 1.0 4.0 9.0 16.0 25.0 36.0 49.0"]
        print(file=writer.stdin)
        assert writer.stdout.read() == "140.0\n"
    assert not Path("/dev/shm/demo").exists()


@each_pair
@pytest.mark.parametrize("kind", ["posix", "key", "private"])
def test_messages_outlive_their_sender(one: str, other: str, kind: str) -> None:
    number = os.getpid()
    name = {"posix": f"/unipc-examples-{number}", "key": f"sysv:{number | 0x50000000:#x}", "private": "sysv:private"}[
        kind
    ]
    (told,) = lines(one, "mq_sender", name, "low", "middle", "high")
    word, real = told.split()
    assert word == "queue" and (kind == "private" or real == name)
    order = ["1 low", "2 middle", "3 high"]
    with started(other, "mq_receiver", real, 4) as receiver:
        assert receiver.stdout
        got = [receiver.stdout.readline().rstrip() for _ in range(3)]
        assert got == (order[::-1] if kind == "posix" else order)
        # The fourth is not there yet.
        if kind == "private":
            with MessageQueue.open(real) as queue:
                queue.send(b"late")
        else:
            assert lines(one, "mq_sender", name, "late") == [told]
        assert receiver.stdout.read() in ("1 late\n", "0 late\n")
    done = run(other, "mq_receiver", real, 1)
    assert done.returncode == 1 and done.stderr, "the receiver has removed the queue"


@pytest.fixture
def channel() -> Iterator[str]:
    """The name of a channel that is not there yet."""
    name = f"/unipc-examples-{os.getpid()}"
    yield name
    with suppress(FileNotFoundError):
        SharedMemory.unlink(name)


@each_pair
def test_messages_stay_in_a_queue(one: str, other: str, channel: str) -> None:
    assert lines(one, "queue_sender", channel, "first", "second") == []
    with started(other, "queue_receiver", channel, 3) as receiver:
        assert receiver.stdout
        assert [receiver.stdout.readline() for _ in range(2)] == ["first\n", "second\n"]
        assert lines(one, "queue_sender", channel, "third") == []
        assert receiver.stdout.read() == "third\n"
    assert not Path(f"/dev/shm{channel}").exists()


@each_pair
def test_three_kinds_are_waited_for_at_once(one: str, other: str, channel: str) -> None:
    orders = f"sysv:{0x51000000 | os.getpid() & 0xFFFFFF:#x}"
    try:
        with started(one, "wait_any", channel, orders) as waiter:
            assert waiter.stdin and waiter.stdout and waiter.stdout.readline() == "ready\n"
            for text in ("first", "second"):
                assert lines(other, "queue_sender", channel, text) == []
                assert waiter.stdout.readline() == f"queue: {text}\n"
                assert lines(other, "mq_sender", orders, text) == [f"queue {orders}"]
                assert waiter.stdout.readline() == f"mq: {text}\n"
                print(text, file=waiter.stdin, flush=True)
                assert waiter.stdout.readline() == f"pipe: {text}\n"
            waiter.stdin.close()
        with pytest.raises(FileNotFoundError):
            MessageQueue.open(orders)
    finally:
        with suppress(FileNotFoundError):
            MessageQueue.unlink(orders)
    assert not Path(f"/dev/shm{channel}").exists()


@each_language
def test_a_task_of_asyncio_consumes(language: str, channel: str) -> None:
    assert lines(language, "queue_sender", channel, "first", "second") == []
    with started("Python", "asyncio_consumer", channel, 3) as consumer:
        assert consumer.stdout
        assert [consumer.stdout.readline() for _ in range(2)] == ["first\n", "second\n"]
        assert lines(language, "queue_sender", channel, "third") == []
        assert consumer.stdout.read() == "third\n"
    assert not Path(f"/dev/shm{channel}").exists()


@each_pair
def test_frames_reach_every_subscriber(one: str, other: str, channel: str) -> None:
    sums = [sum((x + y + number) & 255 for x in range(64) for y in range(48)) for number in range(500)]
    frames = [f"frame {number}: 64x48, sum {total}, lost 0" for number, total in enumerate(sums)]
    with started(other, "topic_subscriber", channel) as first, started(one, "topic_subscriber", channel) as second:
        for subscriber in (first, second):
            assert subscriber.stdout and subscriber.stdout.readline() == "subscribed\n"
        # More than the ring holds: the publisher waits for both, so they must be read at the same time.
        with started(one, "topic_publisher", channel, 500):
            reader = threading.Thread(target=lambda: got.append(second.stdout.read()))  # type: ignore[union-attr]
            got: list[str] = []
            reader.start()
            assert first.stdout and first.stdout.read().splitlines() == frames
            reader.join()
        assert got[0].splitlines() == frames
    assert not Path(f"/dev/shm{channel}").exists()


@each_pair
def test_a_service_adds(one: str, other: str, channel: str) -> None:
    with started(one, "calculator_server", channel, 3) as server:
        assert server.stdout and server.stdout.readline() == "ready\n"
        answers = lines(other, "calculator_client", channel, "1 2", "seven 8", "-20 9")
        assert answers == ["1 2 = 3", "seven 8: EINVAL", "-20 9 = -11"]
    done = run(other, "calculator_client", channel, "1 2")
    assert done.returncode == 1 and done.stderr, "the server has removed the service"


@pytest.fixture
def semaphore(request: pytest.FixtureRequest) -> Iterator[str]:
    """The name of a semaphore of this kind that is not there yet."""
    name = f"/unipc-examples-{os.getpid()}" if request.param == "posix" else f"sysv:{0x50000000 | os.getpid():#x}"
    yield name
    with suppress(FileNotFoundError):
        Semaphore.unlink(name)


@each_pair
@pytest.mark.parametrize("semaphore", ["posix", "sysv"], indirect=True)
def test_a_semaphore_is_held_and_waited_for(one: str, other: str, semaphore: str) -> None:
    with started(one, "sem_holder", semaphore) as holder:
        assert holder.stdout and holder.stdin
        assert holder.stdout.readline() == f"holding {semaphore}, value 0\n"
        assert lines(other, "sem_waiter", semaphore, 0) == ["somebody holds it", "not in time"]
        with started(other, "sem_waiter", semaphore, 60) as waiter:
            assert waiter.stdout and waiter.stdout.readline() == "somebody holds it\n"
            holder.stdin.close()
            assert waiter.stdout.read() == "taken\n"
        assert holder.stdout.read() == "given back\n"
    done = run(other, "sem_waiter", semaphore, 1)
    assert done.returncode == 1 and done.stderr, "the waiter has removed the semaphore"


@each_pair
@pytest.mark.parametrize("semaphore", ["posix", "sysv"], indirect=True)
def test_what_a_killed_holder_leaves(one: str, other: str, semaphore: str) -> None:
    with subprocess.Popen(
        command(one, "sem_holder", semaphore), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout and holder.stdout.readline().startswith("holding")
        holder.kill()
        holder.wait()
    seconds, told = (60, ["taken"]) if semaphore.startswith("sysv:") else (0, ["somebody holds it", "not in time"])
    assert lines(other, "sem_waiter", semaphore, seconds) == told


@pytest.fixture
def shared() -> Iterator[str]:
    """A name for shared memory that the programs create and leave."""
    name = f"/unipc-example-sync-{os.getpid()}"
    yield name
    SharedMemory.unlink(name)


@each_pair
def test_records_tell_what_they_are(one: str, other: str, shared: str) -> None:
    assert lines(one, "record_writer", shared, 20) == ["20 written"]
    told = ["20 samples of 40 bytes from adc, channel 3: 205.00", "the latest: 19000 ns, kind 1"]
    assert lines(other, "record_reader", shared) == told
    SharedMemory.unlink(f"{shared}.latest")


@each_pair
def test_two_count_together(one: str, other: str, shared: str) -> None:
    with started(one, "sync_counter", shared, 3000) as counting:
        lines(other, "sync_counter", shared, 3000)
        assert counting.wait() == 0
    assert lines(one, "sync_counter", shared, 0) == ["6000"]


@each_pair
def test_a_killed_holder_is_repaired(one: str, other: str, shared: str) -> None:
    with subprocess.Popen(
        command(one, "sync_holder", shared), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout and holder.stdout.readline() == "holding: 1 and 0\n"
        holder.kill()
        holder.wait()
    assert lines(other, "sync_repair", shared) == ["the holder died: 1 and 0", "whole: 1 and 1"]
    with started(one, "sync_holder", shared) as holder:
        assert holder.stdout and holder.stdin and holder.stdout.readline() == "holding: 2 and 1\n"
        holder.stdin.close()
        assert holder.stdout.read() == "done: 2 and 2\n"
    assert lines(other, "sync_repair", shared) == ["whole: 2 and 2"]


@each_pair
def test_what_is_produced_is_consumed(one: str, other: str, shared: str) -> None:
    with started(one, "sync_producer", shared, 200) as producer:
        assert lines(other, "sync_consumer", shared, 200) == ["20100"]
        assert producer.wait() == 0


@each_pair
def test_readers_find_what_writers_left_whole(one: str, other: str, shared: str) -> None:
    with started(one, "sync_library", shared, "writer", 1000) as writer:
        assert lines(other, "sync_library", shared, "reader", 1000) == ["0 times different"]
        assert writer.stdout and writer.stdout.read() == "0 times different\n"


def test_five_philosophers_eat_without_starving(shared: str) -> None:
    languages = list(LANGUAGES) * 2
    with ExitStack() as stack:
        table = [
            stack.enter_context(started(language, "sync_philosophers", shared, which, 300))
            for which, language in enumerate(languages[:5])
        ]
        said = [philosopher.stdout.read() for philosopher in table if philosopher.stdout]
    assert said == [f"philosopher {which} has eaten\n" for which in range(5)]


@each_language
def test_a_pipe_between_parent_and_child(language: str) -> None:
    assert lines(language, "pipe_demo") == ["read 13 bytes from pipe :www.bing.com"]


@each_pair
def test_a_pipe_between_two_programs(one: str, other: str) -> None:
    writer = subprocess.Popen(command(one, "pipe_demo", "writer"), env=ENVIRONMENT, stdout=subprocess.PIPE)
    with writer, writer.stdout as reading:  # type: ignore[union-attr]
        whole = command(other, "pipe_demo", "reader")
        said = subprocess.run(whole, env=ENVIRONMENT, stdin=reading, capture_output=True, text=True, check=True)
    assert (said.stdout, writer.returncode) == ("read 13 bytes from pipe :www.bing.com\n", 0)


@each_pair
def test_a_fifo_between_two_programs(one: str, other: str, path: Path) -> None:
    with started(one, "fifo_write", path):
        while not path.is_fifo():
            os.sched_yield()
        assert lines(other, "fifo_read", path) == ["read 18 bytes from pipe :www.yanbinghu.com"]
    assert not path.exists()
    done = run(other, "fifo_read", path)
    assert done.returncode == 1 and "No such file" in done.stderr


BASH_CLIENT = 'mkfifo "$0.$$"; echo "$$ $1" >"$0"; cat "$0.$$"; rm "$0.$$"'


@each_language
def test_clients_find_their_server_at_a_fifo(language: str, path: Path) -> None:
    """Clients in each language, and four shells at once, each with its own reply."""
    with started(language, "fifo_server", path, 7):
        while not path.is_fifo():
            os.sched_yield()
        for client in LANGUAGES:
            assert lines(client, "fifo_client", path, f"from {client}") == [f"from {client}".upper()]
        texts = [letter * 3000 for letter in "abcd"]
        shells = [subprocess.Popen(["bash", "-c", BASH_CLIENT, path, text], stdout=subprocess.PIPE) for text in texts]
        said = [shell.communicate()[0] for shell in shells]
    assert said == [text.upper().encode() for text in texts]
    assert not path.exists() and not list(path.parent.glob(f"{path.name}.*"))


def turns(first: str) -> list[str]:
    order = ("parent", "child") if first == "parent" else ("child", "parent")
    return [f"output from {side} {number}" for number in range(1, 6) for side in order]


@each_language
@pytest.mark.parametrize("first", ["parent", "child"])
def test_parent_and_child_print_in_turn(language: str, first: str) -> None:
    assert lines(language, "tellwait", first) == turns(first)


@each_pair
@pytest.mark.parametrize("first", ["parent", "child"])
def test_two_programs_print_in_turn(one: str, other: str, first: str) -> None:
    (child_hears, parent_tells), (parent_hears, child_tells), (output, log) = (os.pipe() for _ in range(3))
    programs = []
    for language, side, hear, tell in (
        (one, "parent", parent_hears, parent_tells),
        (other, "child", child_hears, child_tells),
    ):
        whole = command(language, "tellwait", first, side, hear, tell)
        programs.append(subprocess.Popen(whole, env=ENVIRONMENT, stdout=log, pass_fds=(hear, tell)))
    for fd in (child_hears, parent_tells, parent_hears, child_tells, log):
        os.close(fd)
    with open(output) as lines_read:
        assert lines_read.read().splitlines() == turns(first)
    assert [program.wait() for program in programs] == [0, 0]


@each_pair
def test_a_locked_record_is_waited_for(one: str, other: str, path: Path) -> None:
    with started(one, "lock_holder", path, 3) as holder:
        assert holder.stdout and holder.stdin
        assert holder.stdout.readline() == "record 3 is locked; Enter unlocks it\n"
        # Another record is free, and empty.
        assert lines(other, "lock_waiter", path, 1) == ["name:  age 1"]
        with started(other, "lock_waiter", path, 3) as waiter:
            assert waiter.stdout
            assert waiter.stdout.readline() == "bytes 24 to 31 are locked\n"
            print(file=holder.stdin)
            assert waiter.stdout.read() == "name: e age 24\n"
        assert holder.stdout.read() == "unlocked\n"
    assert path.read_bytes()[24:] == struct.pack("4si", b"e", 24)


SOCKETS = {"path": "unix:{}/socket", "abstract": "unix:@", "inet": "{}:127.0.0.1:0"}


def socket_name(place: str, inet: str, directory: Path) -> str:
    return SOCKETS[place].format(inet if place == "inet" else directory)


@pytest.fixture
def short() -> Iterator[Path]:
    """A directory whose path is short enough for sockets."""
    directory = Path(tempfile.mkdtemp(prefix="unipc-"))
    yield directory
    directory.rmdir()  # what is left in it makes this fail


@each_pair
@pytest.mark.parametrize("place", SOCKETS)
def test_records_go_through_a_stream_and_back(one: str, other: str, place: str, short: Path) -> None:
    with started(one, "socket_server", socket_name(place, "tcp", short)) as server:
        assert server.stdout
        word, _, name = server.stdout.readline().rstrip().rpartition(" ")
        assert word == "listening at"
        assert lines(other, "socket_client", name, "first", "", "third") == ["got first", "got ", "got third"]
        assert server.stdout.read() == "first\n\nthird\n"


@each_pair
@pytest.mark.parametrize("place", SOCKETS)
def test_datagrams_are_answered(one: str, other: str, place: str, short: Path) -> None:
    with started(one, "datagram_server", socket_name(place, "udp", short), 3) as server:
        assert server.stdout
        word, _, name = server.stdout.readline().rstrip().rpartition(" ")
        assert word == "bound to"
        assert lines(other, "datagram_client", name, "first", "second") == ["got first", "got second"]
        assert lines(other, "datagram_client", name, "third") == ["got third"]
        assert server.stdout.read() == "first\nsecond\nthird\n"


@each_pair
@pytest.mark.parametrize("place", ["path", "abstract"])
def test_memory_is_handed_over(one: str, other: str, place: str, short: Path) -> None:
    before = [segment.id for segment in SystemV.list()]
    with started(one, "handover_server", socket_name(place, "", short)) as server:
        assert server.stdout
        name = server.stdout.readline().split()[-1]
        assert lines(other, "handover_client", name) == ["segment: name b age 20", "memfd: name c age 21"]
        assert server.stdout.read() == "segment: name b age 21\nmemfd: name c age 22\n"
    assert [segment.id for segment in SystemV.list()] == before, "the segment went with its server"


@each_language
def test_reading_what_nobody_has_made_is_an_error(language: str) -> None:
    if Path("/dev/shm/demo").exists():
        pytest.skip("/demo is somebody else's")
    done = run(language, "shm_reader")
    assert (done.returncode, done.stdout) == (1, "")
    assert "nobody has created it" in done.stderr


@each_language
@pytest.mark.parametrize(
    "name",
    [
        "map_normalfile1",
        "map_normalfile2",
        "map_pages",
        "shm_client",
        "mq_sender",
        "mq_receiver",
        "sem_holder",
        "sem_waiter",
        "lock_holder",
        "lock_waiter",
        "socket_server",
        "socket_client",
        "datagram_server",
        "datagram_client",
        "handover_server",
        "handover_client",
        "queue_sender",
        "queue_receiver",
        "topic_publisher",
        "topic_subscriber",
        "calculator_server",
        "calculator_client",
        "wait_any",
    ],
)
def test_a_call_without_arguments_shows_the_usage(language: str, name: str) -> None:
    done = run(language, name)
    assert done.returncode == 1
    assert done.stderr.startswith("usage: ")


@each_pair
def test_values_come_with_signals_and_tell_their_sender(one: str, other: str) -> None:
    with started(one, "signal_receiver") as receiver:
        assert receiver.stdout
        word, number = receiver.stdout.readline().split()
        assert word == "pid"
        (line,) = lines(other, "signal_sender", number)
        sender = line.removeprefix("pid ")
        values = [f"value {value} from {sender}" for value in (20, 21, 22)]
        assert receiver.stdout.read().splitlines() == [*values, "done"]
    done = run(other, "signal_sender", number)
    assert (done.returncode, done.stdout) == (1, "")
    assert "nobody has this number" in done.stderr


@pytest.mark.skipif(shutil.which("valgrind") is None, reason="valgrind is not here")
@pytest.mark.parametrize(
    ("name", "status"), [("map_normalfile1", 0), ("map_pages", 1), ("map_anon", 0), ("removal", 0), ("testread", 0)]
)
def test_the_c_programs_under_valgrind(name: str, status: int, path: Path, myshm2: None) -> None:
    valgrind = ["valgrind", "--quiet", "--error-exitcode=9", "--leak-check=full"]
    arguments = [path] if name in ("map_normalfile1", "map_pages") else []
    whole = [*valgrind, *command("C", name, *arguments)]
    done = subprocess.run(whole, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert done.returncode == status, done.stderr
    assert "==" not in done.stderr


def demo(*arguments: str) -> list[str]:
    paths = ["--writer", str(TARGET / "examples-c/demo_writer"), "--observer", LANGUAGES["Rust"][2]("demo_observer")[0]]
    paths += ["--holder", str(TARGET / "examples-c/sync_holder")]
    return [sys.executable, str(ROOT / "python/examples/demo.py"), *map(str, paths), *arguments]


def assert_proof(output: list[str]) -> None:
    assert sum(line.endswith(" same") for line in output) == 6
    assert sum(line.endswith("done: 2 and 2") for line in output) == 1
    assert output[-1] == "0 objects left"


def leftovers() -> list[str]:
    return [entry for folder in ("/dev/shm", "/tmp") for entry in os.listdir(folder) if entry.startswith("unipc-demo")]


def test_the_demo_ends_with_its_proof() -> None:
    done = subprocess.run(demo(), env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert_proof(done.stdout.splitlines())
    assert leftovers() == []


def test_the_demo_fills_its_table_on_a_terminal() -> None:
    controller, terminal = pty.openpty()
    process = subprocess.Popen(demo(), env=ENVIRONMENT, stdout=terminal, stderr=terminal)
    os.close(terminal)
    output = b""
    with suppress(OSError):  # EIO: the last one has closed the terminal
        while chunk := os.read(controller, 4096):
            output += chunk
    os.close(controller)
    assert process.wait() == 0
    text = output.decode().replace("\r\n", "\n")
    assert "\rposix" in text
    assert_proof(text.splitlines())


@pytest.mark.parametrize("which", ["--writer", "--observer", "--holder"])
def test_the_demo_fails_when_a_part_of_it_dies(which: str) -> None:
    whole = demo(which, "/bin/true")
    done = subprocess.run(whole, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("demo: ") and "0 objects left" not in done.stdout
    assert leftovers() == []
