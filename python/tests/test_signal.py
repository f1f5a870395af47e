# SPDX-License-Identifier: MIT OR Apache-2.0
"""Signals: sending, masks, waits, streams, counters, actions; beside Python's own signal module and asyncio."""

import asyncio
import copy
import errno
import os
import pickle
import select
import signal as python_signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Runner, in_fork
from waiting import Storm, interrupt, others_run

from unipc import signal

ME = os.getpid()
USR1, USR2 = python_signal.SIGUSR1, python_signal.SIGUSR2
RT = python_signal.SIGRTMIN


@pytest.fixture(autouse=True)
def same_mask() -> Iterator[None]:
    """Whatever a test does, mask and dispositions are as before."""
    mask = signal.mask()
    caught = signal.stat().caught - signal.reserved()
    yield
    assert signal.mask() == mask
    # Python's first thread makes the C library install its own.
    assert signal.stat().caught - signal.reserved() == caught
    assert signal.pending() == set()


def test_names_numbers_and_words() -> None:
    assert signal.number("SIGTERM") == signal.number("term") == signal.number(15) == python_signal.SIGTERM
    assert signal.name(RT + 3) == "SIGRTMIN+3"
    assert signal.number("RTMAX") == python_signal.SIGRTMAX
    for known in python_signal.Signals:
        assert signal.number(known.name) == known
    assert signal.description(USR1) == python_signal.strsignal(USR1) == "User defined signal 1"
    assert signal.default_action("SIGCHLD") is signal.DefaultAction.IGNORE
    assert signal.realtime(1) == RT + 1
    assert signal.cause("SIGCHLD", 1) == "CLD_EXITED"
    for bad in ("NOSUCH", 0, 65, -1):
        with pytest.raises(OSError) as caught:
            signal.number(bad)
        assert caught.value.errno == errno.EINVAL
    with pytest.raises(TypeError):
        signal.number(1.5)  # type: ignore[arg-type]


def test_a_block_gives_the_mask_back() -> None:
    before = signal.mask()
    with signal.blocked({USR1, "RTMIN+1"}) as told:
        assert told == before
        assert signal.mask() == before | {USR1, RT + 1}
        assert python_signal.SIGUSR1 in python_signal.pthread_sigmask(python_signal.SIG_BLOCK, [])
        with pytest.raises(RuntimeError), signal.blocked("SIGUSR2"):
            raise RuntimeError
        assert signal.mask() == before | {USR1, RT + 1}
        signal.raise_signal(USR1)
        assert signal.pending() == {USR1}
        assert signal.stat().blocked >= {USR1}
        assert signal.wait(USR1, 0).cause == "SI_TKILL"
    assert signal.set_mask(before) == before
    assert signal.unblock({USR1}) == before


def test_what_is_sent_is_taken_with_all_that_it_brings() -> None:
    with signal.blocked({USR1, RT, RT + 1}):
        signal.queue(ME, RT + 1, 1)
        signal.queue(ME, RT, -7)
        signal.queue(ME, RT, pointer=0x7F00_1234_5678)
        for _ in range(3):
            signal.send(ME, USR1)
        first = signal.wait({USR1, RT, RT + 1}, timeout=0)
        assert (first.signal, first.name, first.cause, first.pid) == (USR1, "SIGUSR1", "SI_USER", ME)
        assert (first.code, first.uid, first.value) == (0, os.getuid(), 0)
        second = signal.wait({USR1, RT, RT + 1})
        assert (second.signal, second.value, second.cause) == (RT, -7, "SI_QUEUE")
        third = signal.wait({RT, RT + 1}, 10)
        assert third.pointer == 0x7F00_1234_5678
        assert repr(signal.wait(RT + 1)) == f"SignalInfo(SIGRTMIN+1, SI_QUEUE, pid={ME}, uid={os.getuid()}, value=1)"
        with pytest.raises(BlockingIOError):
            signal.wait({USR1, RT}, timeout=0)
        assert first == first and first != second
        with pytest.raises(TypeError):
            pickle.dumps(first)
        with pytest.raises(AttributeError):
            first.pid = 1  # type: ignore[misc]


def test_the_other_side_may_be_python_itself_or_kill(run: Runner) -> None:
    with signal.blocked({USR1, RT + 2}):
        run(f"import os, signal; os.kill({ME}, signal.SIGUSR1)")
        info = signal.wait(USR1, 10)
        assert (info.cause, info.uid) == ("SI_USER", os.getuid())
        subprocess.run(["kill", "-q", "99", "-s", "RTMIN+2", str(ME)], check=True)
        assert signal.wait(RT + 2, 10).value == 99
        signal.queue(ME, USR1, 5)
        theirs = python_signal.sigwaitinfo({USR1})
        assert (theirs.si_pid, theirs.si_code) == (ME, -1)


def test_sending_to_nobody_and_to_everybody(run: Runner) -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    for send in (signal.send, signal.send_group, signal.queue):
        with pytest.raises(ProcessLookupError):
            send(child.pid, USR1)
    with pytest.raises(ProcessLookupError):
        signal.probe(child.pid)
    signal.probe(ME)
    for pid in (0, -1, -ME):
        with pytest.raises(OSError, match="positive"):
            signal.send(pid, USR1)
    with pytest.raises(OSError, match="above 1"):
        signal.send_group(1, USR1)


def test_the_limit_is_named(run: Runner) -> None:
    said = run("""
import resource
from unipc import signal
import os
resource.setrlimit(resource.RLIMIT_SIGPENDING, (0, 0))
with signal.blocked("RTMIN"):
    try:
        signal.queue(os.getpid(), "RTMIN", 1)
    except BlockingIOError as error:
        print(error)
""").stdout
    assert "RLIMIT_SIGPENDING of the receiver is 0" in said


def test_a_thread_alone_gets_what_is_sent_to_it() -> None:
    with signal.blocked({USR1, RT}):
        taken: list[signal.SignalInfo] = []
        ready = threading.Event()

        def waiter() -> None:
            ready.set()
            taken.append(signal.wait({USR1, RT}, 30))
            taken.append(signal.wait({USR1, RT}, 30))

        thread = threading.Thread(target=waiter)
        thread.start()
        ready.wait()
        assert thread.native_id is not None
        signal.send_thread(ME, thread.native_id, USR1)
        signal.queue_thread(ME, thread.native_id, RT, 3)
        thread.join()
        assert [(info.signal, info.cause, info.value) for info in taken] == [
            (USR1, "SI_TKILL", 0),
            (RT, "SI_QUEUE", 3),
        ]


def test_a_descriptor_is_one_process_for_good() -> None:
    child = subprocess.Popen(["sleep", "60"])
    started = signal.start_time(child.pid)
    with signal.PidFd.open(child.pid) as process, signal.PidFd.open_started(child.pid, started) as same:
        assert (process.pid, process.is_alive(), same.pid) == (child.pid, True, child.pid)
        assert repr(process) == f"<unipc.signal.PidFd of process {child.pid}>"
        with pytest.raises(ProcessLookupError):
            signal.PidFd.open_started(child.pid, started + 1)
        assert select.select([process], [], [], 0)[0] == []
        process.queue("SIGTERM", 1)
        assert select.select([process], [], [], 30)[0] == [process]
        assert not process.is_alive()
        assert child.wait() == -15
        assert process.pid is None
        with pytest.raises(ProcessLookupError):
            process.send("SIGTERM")
    assert process.closed
    with pytest.raises(ValueError, match="closed"):
        process.send("SIGTERM")
    fd = os.pidfd_open(ME)
    other = signal.PidFd.from_fd(fd)
    os.close(fd)
    assert other.pid == ME
    with pytest.raises(TypeError):
        copy.copy(other)
    other.close()


def test_a_stream_polls_and_gives_in_order() -> None:
    with signal.Stream.open({USR1, RT, RT + 1}) as stream:
        assert stream.signals == {USR1, RT, RT + 1} <= signal.mask()
        assert select.select([stream], [], [], 0)[0] == []
        for value in range(3):
            signal.queue(ME, RT + 1, value)
            signal.queue(ME, RT, value)
        signal.send(ME, USR1)
        assert select.select([stream], [], [], 0)[0] == [stream]
        assert stream.read().signal == USR1
        assert next(stream).value == 0
        rest = stream.read_many()
        assert [(info.signal, info.value) for info in rest] == [(RT, 1), (RT, 2), *((RT + 1, i) for i in range(3))]
        with pytest.raises(BlockingIOError):
            stream.read(0)
        with pytest.raises(TimeoutError):
            stream.read(0.01)
        with pytest.raises(TimeoutError):
            stream.read_many(timeout=0.01)
        stream.change("SIGUSR2")
        assert stream.signals == {USR2}
        assert not os.get_inheritable(stream.fileno())
        with pytest.raises(TypeError):
            pickle.dumps(stream)
    assert stream.closed
    stream.close()
    for call in (stream.read, stream.fileno, stream.read_many):
        with pytest.raises(ValueError, match="closed"):
            call()
    assert repr(stream) == "<unipc.signal.Stream, closed>"
    with signal.Stream.open("SIGUSR1", keep_mask=True):
        assert USR1 not in signal.mask()
    with pytest.raises(OSError, match="no signal"):
        signal.Stream.open(())


def test_children_tell_how_they_ended() -> None:
    with signal.Stream.open("SIGCHLD") as stream:
        pid = os.fork()
        if pid == 0:
            os._exit(7)
        info = stream.read(30)
        assert (info.cause, info.status, info.pid) == ("CLD_EXITED", 7, pid)
        assert "status=7" in repr(info)
        os.waitpid(pid, 0)


def test_a_counter_counts_what_nobody_blocks() -> None:
    with signal.Counter.open({USR2, RT}) as counter:
        assert signal.action(USR2).disposition is signal.Disposition.COUNTER
        assert counter.take() == {}
        with pytest.raises(BlockingIOError):
            counter.wait(0)
        with pytest.raises(TimeoutError):
            counter.wait(0.01)
        for _ in range(2):
            signal.raise_signal(USR2)
        signal.queue(ME, RT, 1)
        assert select.select([counter], [], [], 30)[0] == [counter]
        assert counter.wait(30) == {USR2: 2, RT: 1}
        assert select.select([counter], [], [], 0)[0] == []
        os.kill(ME, USR2)
        assert next(counter) == {USR2: 1}
        with pytest.raises(OSError, match="counter") as caught:
            signal.Counter.open(USR2)
        assert caught.value.errno == errno.EBUSY
        assert counter.signals == {USR2, RT}
    assert signal.action(USR2).disposition is signal.Disposition.DEFAULT
    with pytest.raises(ValueError, match="closed"):
        counter.take()


def test_python_handlers_are_not_replaced_silently() -> None:
    seen: list[int] = []
    before = python_signal.signal(USR1, lambda number, _: seen.append(number))
    try:
        for replace in (signal.Counter.open, signal.ignore, signal.reset, signal.ensure_unhandled):
            with pytest.raises(OSError, match="handler") as caught:
                replace(USR1)
            assert caught.value.errno == errno.EBUSY
        with pytest.raises(OSError):  # KeyboardInterrupt's
            signal.Counter.open("SIGINT")
        signal.raise_signal(USR1)
        assert seen == [USR1]
        with signal.Counter.open(USR1, replace=True) as counter:
            signal.raise_signal(USR1)
            assert counter.wait(10) == {USR1: 1}
        signal.raise_signal(USR1)
        assert seen == [USR1, USR1]
        handler = signal.ignore(USR1, replace=True)
        assert handler.disposition is signal.Disposition.HANDLER
        signal.raise_signal(USR1)
        signal.set_action(USR1, handler)
        signal.raise_signal(USR1)
        assert seen == [USR1] * 3
    finally:
        python_signal.signal(USR1, before)


def test_actions_come_and_go() -> None:
    flags = signal.ActionFlags.NO_CHILD_STOP | signal.ActionFlags.ONE_SHOT
    before = signal.set_action("SIGCHLD", signal.Action(signal.Disposition.DEFAULT, flags))
    assert signal.action("SIGCHLD").flags == flags
    assert signal.set_action("SIGCHLD", before).flags == flags
    assert signal.action("SIGCHLD") == before
    assert signal.ignore("SIGHUP").disposition is signal.Disposition.DEFAULT
    assert signal.number("SIGHUP") in signal.stat().ignored
    signal.reset("SIGHUP")
    with pytest.raises(OSError, match="nobody"):
        signal.ignore("SIGKILL")
    with pytest.raises(ValueError, match="only put back"):
        signal.set_action("SIGHUP", signal.Action(signal.Disposition.HANDLER))


def test_the_status_of_any_process() -> None:
    status = signal.stat(ME)
    lines = dict(line.split(":\t") for line in Path("/proc/self/status").read_text().splitlines() if ":\t" in line)
    for name, numbers in (("SigBlk", status.blocked), ("SigIgn", status.ignored), ("SigCgt", status.caught)):
        assert int(lines[name], 16) == sum(1 << (number - 1) for number in numbers), name
    assert status.queue_limit == int(lines["SigQ"].split("/")[1])
    with pytest.raises(ProcessLookupError):
        signal.stat(2**31 - 1)
    assert 32 in signal.reserved() and RT not in signal.reserved()
    taken = signal.timeout_signal()
    assert taken is None or taken in signal.reserved()


BLOCKING = {
    "wait": "signal.block('RTMIN'); wait = lambda: signal.wait('RTMIN')",
    "read": "wait = signal.Stream.open('RTMIN').read",
    "read_many": "wait = signal.Stream.open('RTMIN').read_many",
    "next": "wait = lambda stream=signal.Stream.open('RTMIN'): next(stream)",
    "counter": "wait = signal.Counter.open('RTMIN').wait",
    "limited": "signal.block('RTMIN'); wait = lambda: signal.wait('RTMIN', 60)",
}


@pytest.mark.parametrize("which", BLOCKING)
def test_ctrl_c_ends_every_wait(which: str) -> None:
    interrupt(f"from unipc import signal\n{BLOCKING[which]}\nprint('READY', flush=True)\nwait()")


def test_ctrl_c_ends_the_loop_that_waits_for_a_stream() -> None:
    interrupt("""
        import asyncio
        from unipc import signal
        async def main():
            stream = signal.Stream.open("RTMIN")
            asyncio.get_running_loop().call_soon(lambda: print("READY", flush=True))
            await anext(stream)
        asyncio.run(main())
    """)


@pytest.mark.parametrize("which", ["wait", "read", "counter"])
def test_other_threads_run_meanwhile(which: str) -> None:
    # Every thread inherits the mask.
    with signal.Stream.open(RT) as stream, signal.Counter.open(RT + 1) as counter:
        wait = {
            "wait": lambda: signal.wait(RT, 30),
            "read": lambda: stream.read(30),
            "counter": lambda: counter.wait(30),
        }
        others_run(wait[which], lambda: signal.queue(ME, RT + (which == "counter"), 1))


def test_a_storm_loses_nothing() -> None:
    with signal.Stream.open({RT, RT + 1}) as stream, Storm() as storm:
        for value in range(50):
            threading.Timer(0.002, signal.queue, (ME, RT, value)).start()
            assert (stream.read(30) if value % 2 else signal.wait(RT, 30)).value == value
        with pytest.raises(TimeoutError):
            stream.read(0.05)
    assert storm.signals > 0


def test_eight_threads_on_one_stream() -> None:
    with signal.Stream.open({RT, RT + 1}) as stream:
        taken: list[int] = []

        def take() -> None:
            for info in stream:
                if info.signal == RT + 1:
                    return
                taken.append(info.value)

        threads = [threading.Thread(target=take) for _ in range(8)]
        for thread in threads:
            thread.start()
        for value in range(2000):
            signal.queue(ME, RT, value)
        for _ in threads:
            signal.queue(ME, RT + 1)
        for thread in threads:
            thread.join()
        assert sorted(taken) == list(range(2000))


def test_closing_gives_the_mask_back_although_another_thread_reads() -> None:
    before = signal.mask()
    stream = signal.Stream.open(RT)
    reader: list[int] = []

    def read() -> int:
        reader.append(threading.get_native_id())
        return stream.read(30).value

    def close() -> None:
        stream.close()
        assert signal.mask() == before
        # That call goes on to its end.
        signal.queue_thread(ME, reader[0], RT, 7)

    others_run(read, close)


def test_a_child_of_fork_has_its_own() -> None:
    with signal.Stream.open(RT) as stream, signal.Counter.open(USR2) as counter:
        signal.queue(ME, RT, 1)
        signal.raise_signal(USR2)

        def child() -> None:
            with pytest.raises(BlockingIOError):
                stream.read(0)
            assert counter.take() == {}
            signal.queue(os.getpid(), RT, 2)
            signal.raise_signal(USR2)
            assert stream.read(10).value == 2
            assert counter.wait(10) == {USR2: 1}

        assert in_fork(child) == 0
        assert stream.read(10).value == 1
        assert counter.wait(10) == {USR2: 1}


async def read_values(stream: signal.Stream, count: int) -> list[int]:
    values = []
    async for info in stream:
        values.append(info.value)
        if len(values) == count:
            break
    return values


def test_asyncio_reads_a_stream_and_a_counter() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        with signal.Stream.open(RT) as stream, signal.Counter.open(USR2) as counter:
            for value in range(3):
                loop.call_later(0.01 * value, signal.queue, ME, RT, value)
            assert await read_values(stream, 3) == [0, 1, 2]
            loop.call_soon(signal.raise_signal, USR2)
            assert await anext(counter) == {USR2: 1}
            # Several tasks on one stream; each signal goes to one of them.
            tasks = [asyncio.create_task(read_values(stream, 1)) for _ in range(5)]
            await asyncio.sleep(0)
            for value in range(5):
                signal.queue(ME, RT, value)
            assert sorted(value for values in await asyncio.gather(*tasks) for value in values) == list(range(5))

    asyncio.run(main())


def test_cancelling_leaves_nothing_behind() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        with signal.Stream.open(RT) as stream:
            for _ in range(2):
                with pytest.raises(TimeoutError):
                    await asyncio.wait_for(anext(stream), 0.01)
                assert not loop.remove_reader(stream.fileno()), "nobody watches it any more"
            one, other = (asyncio.create_task(read_values(stream, 1)) for _ in range(2))
            await asyncio.sleep(0.01)
            one.cancel()
            await asyncio.sleep(0.01)
            signal.queue(ME, RT, 9)
            assert await other == [9]
            with pytest.raises(asyncio.CancelledError):
                await one
            assert not loop.remove_reader(stream.fileno())
            waits = asyncio.create_task(read_values(stream, 1))
            await asyncio.sleep(0.01)
            fd = stream.fileno()
        with pytest.raises(ValueError, match="closed"):
            await waits
        assert not loop.remove_reader(fd)

    asyncio.run(main())


def test_asyncio_keeps_its_own_signal_handlers() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        handled = asyncio.Event()
        loop.add_signal_handler(USR2, handled.set)
        with pytest.raises(OSError, match="handler"):
            signal.Counter.open(USR2)
        with signal.Stream.open(RT) as stream:
            signal.raise_signal(USR2)
            await handled.wait()
            signal.queue(ME, RT, 1)
            assert (await anext(stream)).value == 1
        loop.remove_signal_handler(USR2)

    asyncio.run(main())


def test_twenty_thousand_from_a_plain_sender_in_order() -> None:
    """More than the queue holds, so sender and receiver have to keep up with each other; libc by ctypes sends."""
    code = f"""
import ctypes, errno, sys, time
libc = ctypes.CDLL(None, use_errno=True)
for value in range(20000):
    while libc.sigqueue({ME}, {RT}, ctypes.c_void_p(value)):
        assert ctypes.get_errno() == errno.EAGAIN
        time.sleep(0.0001)
"""
    with signal.Stream.open(RT) as stream:
        sender = subprocess.Popen([sys.executable, "-c", code])
        values: list[int] = []
        while len(values) < 20000:
            values += [info.value for info in stream.read_many(timeout=30)]
        assert values == list(range(20000))
        assert sender.wait() == 0
