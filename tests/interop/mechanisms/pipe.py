# SPDX-License-Identifier: MIT OR Apache-2.0
"""M16, M18, M20, SH1, SH2 and two of the documents' programs: pipes, FIFOs, turns.

A pipe is made by the runner and inherited through exec, as a shell does it; a FIFO is met at by its name.
"""

import os
import signal
import subprocess
from contextlib import contextmanager, suppress

from parties import AGENTS, ENVIRONMENT, Failure
from scene import short

from .documents import program

PIPE_BUF = 4096
SIZES = (1, 80, PIPE_BUF, PIPE_BUF + 1)
TEXT = b"www.yanbinghu.com\0"


@contextmanager
def pipes(count=1):
    """So many pipes, as a flat list of reading and writing ends; what the scenario has not closed goes."""
    ends = [fd for _ in range(count) for fd in os.pipe()]
    try:
        yield ends
    finally:
        for fd in ends:
            with suppress(OSError):
                os.close(fd)


def take(agent, fd):
    """Gives an agent the end that it has inherited; the runner's own goes."""
    agent.do("pipe.take", fd=fd)
    os.close(fd)


def start_both(scene, reading, writing):
    """The two agents, the second first in every other repetition."""
    reader, writer = scene.cell.second, scene.cell.first
    if scene.repetition % 2:
        reader = scene.start(reader, (reading,))
        writer = scene.start(writer, (writing,))
    else:
        writer = scene.start(writer, (writing,))
        reader = scene.start(reader, (reading,))
    take(reader, reading)
    take(writer, writing)
    return writer, reader


def through(scene, writer, reader):
    """Each block arrives, with the reader seen asleep before, and a writer that has to wait for room."""
    for size in SIZES:
        block = scene.vector(size)
        reader.waits("pipe.read", size=size)
        writer.do("pipe.write", hex=block.hex())
        got = bytes.fromhex(reader.outcome())
        while len(got) < size:
            got += bytes.fromhex(answer_of(reader, size - len(got)))
        scene.equal(got, block, f"{size} bytes")
    # The stream has no boundaries: two writes, one read, in order.
    writer.do("pipe.write", hex=b"one ".hex())
    writer.do("pipe.write", hex=b"two".hex())
    scene.equal(bytes.fromhex(answer_of(reader, 100)), b"one two", "two writes in one read")
    block = scene.vector(PIPE_BUF)
    for _ in range(16):
        writer.do("pipe.write", hex=block.hex())
    writer.waits("pipe.write_waiting", hex=b"late".hex())
    got = b""
    while len(got) < 16 * PIPE_BUF + 4:
        got += bytes.fromhex(answer_of(reader, 1000))
    scene.equal(got, block * 16 + b"late", "what a full pipe held, and what had to wait")
    scene.equal(writer.outcome(), "4", "the write that waited")


def answer_of(reader, size):
    reader.send("pipe.read", size=size)
    reader.expect_line("WAIT")
    return reader.outcome()


def end_of_stream(scene, writer, reader):
    reader.waits("pipe.read")
    writer.do("pipe.close")
    scene.equal(reader.outcome(), "end", "after the last writer closed")
    scene.equal(answer_of(reader, 1), "end", "and again")


def broken(scene, writer, reader):
    """A library writer hears that nobody reads; a plain one dies of it."""
    reader.do("pipe.close")
    if writer.party != "L":
        scene.equal(writer.fails("pipe.write", hex="00"), "EPIPE", "a write that nobody can read")
        scene.finish(writer)
        return
    writer.send("pipe.write", hex="00")
    scene.equal(writer.process.wait(), -signal.SIGPIPE, "how the plain writer ends")
    writer.kill()
    scene.agents.remove(writer)


def inherited_pipe(scene):
    for _ in scene.repetitions():
        with pipes() as (reading, writing):
            writer, reader = start_both(scene, reading, writing)
            through(scene, writer, reader)
            end_of_stream(scene, writer, reader)
            scene.finish()
        with pipes() as (reading, writing):
            broken(scene, *start_both(scene, reading, writing))
            scene.finish()
        with pipes() as (reading, writing):
            records(scene, reading, writing)


def records(scene, reading, writing):
    """Four writers of PIPE_BUF bytes at a time, whose records stay whole."""
    reader = scene.start(scene.cell.second, (reading,))
    writers = [scene.start(scene.cell.first, (writing,)) for _ in range(4)]
    take(reader, reading)
    for writer in writers:
        writer.do("pipe.take", fd=writing)
    os.close(writing)
    reader.send("pipe.tally")
    for writer, letter in zip(writers, "abcd", strict=True):
        writer.send("pipe.records", letter=letter, count=50)
    for writer in writers:
        scene.equal(writer.outcome(), "written", "a writer of records")
        writer.do("pipe.close")
    scene.equal(reader.outcome(), "50,50,50,50", "whole records of each writer")


def fifo(scene):
    for repetition in scene.repetitions():
        path = scene.path("fifo")
        name = f"file:{path}"
        writer, reader = scene.start(scene.cell.first), scene.start(scene.cell.second)
        maker = writer if repetition % 2 else reader
        maker.do("pipe.create", name=name, mode=0o640)
        scene.equal((path.is_fifo(), path.stat().st_mode & 0o7777), (True, 0o640), "the FIFO and its mode")
        scene.equal(maker.fails("pipe.create", name=name), "EEXIST", "a name that is taken")
        scene.equal(writer.fails("pipe.writer", name=name, timeout=0), "ENXIO", "a writer without a reader")
        first, second = ((writer, "writer"), (reader, "reader"))[:: 1 if repetition % 2 else -1]
        first[0].waits(f"pipe.{first[1]}", name=name)
        second[0].send(f"pipe.{second[1]}", name=name)
        second[0].expect_line("WAIT")
        scene.equal((second[0].outcome(), first[0].outcome()), ("opened", "opened"), "both opens")
        through(scene, writer, reader)
        scene.equal(path.stat().st_size, 0, "the size of the file")
        end_of_stream(scene, writer, reader)
        # A reader that did not wait.
        reader.do("pipe.close")
        reader.do("pipe.reader", name=name, timeout=0)
        writer.do("pipe.writer", name=name, timeout=0)
        writer.do("pipe.write", hex=TEXT.hex())
        scene.equal(bytes.fromhex(answer_of(reader, 100)), TEXT, "after an open that did not wait")
        broken(scene, writer, reader)
        reader.do("pipe.unlink", name=name)
        scene.equal(reader.fails("pipe.reader", name=name, timeout=0), "ENOENT", "a name that is gone")
        scene.finish()
        fifo_programs(scene)


def fifo_programs(scene):
    """The documents' programs of both parties, on a path of the cell's own."""
    path = scene.path("fifo")
    writer, reader = scene.cell.parties
    with subprocess.Popen([*program(writer, "fifo_write"), str(path)], env=ENVIRONMENT) as process:
        while not path.exists():
            os.sched_yield()
        said = scene.tool(*program(reader, "fifo_read"), path)
        scene.equal(process.wait(), 0, "status of fifo_write")
    scene.equal(said, "read 18 bytes from pipe :www.yanbinghu.com\n", "fifo_read")
    scene.true(not path.exists(), "fifo_read removes the FIFO")


def turnstile(scene):
    for _ in scene.repetitions():
        for parent_first in (True, False):
            one_process(scene, parent_first)
            with pipes(3) as ends:
                two_processes(scene, ends, parent_first)
        with pipes(2) as ends:
            killed(scene, ends)


def one_process(scene, parent_first):
    """Where both parties are the same one: over a fork of its own."""
    if scene.cell.first != scene.cell.second:
        return
    agent = scene.start(scene.cell.first)
    wanted = ("pc" if parent_first else "cp") * 5
    scene.equal(agent.do("pipe.forked", first=int(parent_first)), wanted, "the turns over fork")
    scene.finish(agent)


def sides(scene, down, up, more=()):
    """Parent and child, each with its ends alone."""
    parent = scene.start(scene.cell.first, (up[0], down[1], *more))
    child = scene.start(scene.cell.second, (down[0], up[1], *more))
    parent.do("pipe.side", side="parent", hear=up[0], tell=down[1])
    child.do("pipe.side", side="child", hear=down[0], tell=up[1])
    for fd in (*down, *up):
        os.close(fd)
    return parent, child


def two_processes(scene, ends, parent_first):
    down, up, log = ends[:2], ends[2:4], ends[4:]
    parent, child = sides(scene, down, up, log[1:])
    first, second = (parent, child) if parent_first else (child, parent)
    second.waits("pipe.turns", first=0, log=log[1])
    first.send("pipe.turns", first=1, log=log[1])
    first.expect_line("WAIT")
    scene.equal((first.outcome(), second.outcome()), ("done", "done"), "five rounds")
    order = os.read(log[0], 100).decode()
    scene.equal(order, ("pc" if parent_first else "cp") * 5, "the order of the turns")
    scene.finish(parent, child)


def killed(scene, ends):
    """The child is killed while the parent waits for it."""
    parent, child = sides(scene, ends[:2], ends[2:])
    parent.waits("pipe.wait")
    child.kill()
    scene.agents.remove(child)
    # The plain one has closed the other ends too here, so that it hears the end; the textbook's does not.
    scene.equal(parent.line(), "ERR EPIPE", "what the parent hears")
    if parent.party != "L":
        scene.equal(parent.fails("pipe.tell"), "EPIPE", "telling one who is gone")


def shell_fifo(scene):
    """`cat` and a redirection at one end, the other party at the other."""
    first, second = scene.cell.parties
    for _ in scene.repetitions():
        path = scene.path("fifo")
        name = f"file:{path}"
        if first == "SH":
            scene.tool("mkfifo", "-m", "600", path)
        agent = scene.start(second if first == "SH" else first)
        if first != "SH":
            agent.do("pipe.create", name=name)
        for size in SIZES:
            block = scene.vector(size)
            escaped = "".join(f"\\x{byte:02x}" for byte in block)
            if first == "SH":
                agent.waits("pipe.reader", name=name)
                with shell('printf "%b" "$1" >"$2"', escaped, path) as process:
                    agent.outcome()
                    scene.equal(agent.do("pipe.drain"), block.hex(), f"{size} bytes of the shell's")
                    scene.equal(process.wait(), 0, "status of the shell")
            else:
                agent.waits("pipe.writer", name=name)
                with shell('cat <"$1" | od -An -v -tx1 | tr -d " \\n"', path) as process:
                    agent.outcome()
                    agent.do("pipe.write", hex=block.hex())
                    agent.do("pipe.close")
                    scene.equal(process.stdout.read(), block.hex(), f"{size} bytes to the shell")
        scene.finish(agent)
        path.unlink()


def shell(script, *arguments):
    command = ["bash", "-c", script, "bash", *map(str, arguments)]
    return subprocess.Popen(command, env=ENVIRONMENT, stdout=subprocess.PIPE, text=True)


def shell_pipe(scene):
    """A pipeline of the shell: the agent is one command of it, by its standard input or by descriptor 3."""
    first, second = scene.cell.parties
    agent = [str(part) for part in AGENTS[second if first == "SH" else first]]
    for _ in scene.repetitions():
        for size in SIZES:
            block = scene.vector(size)
            escaped = "".join(f"\\x{byte:02x}" for byte in block)
            if first == "SH":
                script = 'text=$1; shift; printf "%b" "$text" | "$@"'
                said = scene.tool("bash", "-c", script, "bash", escaped, *agent, "pipe.drain", "fd=0")
                wanted = f"READY\nOK {block.hex()}\n"
            else:
                script = '"$@" 3>&1 >/dev/null | od -An -v -tx1 | tr -d " \\n"'
                said = scene.tool("bash", "-c", script, "bash", *agent, "pipe.write", "fd=3", f"hex={block.hex()}")
                wanted = block.hex()
            scene.equal(said, wanted, f"{size} bytes through a pipeline")


def pipe_demo(scene):
    """Alone, and in a pipeline with the plain one on either side."""
    wanted = "read 13 bytes from pipe :www.bing.com\n"
    party = scene.cell.first
    for _ in scene.repetitions():
        scene.equal(scene.tool(*program("L", "pipe_demo")), wanted, "the plain program")
        scene.equal(scene.tool(*program(party, "pipe_demo")), wanted, "pipe_demo")
        for writer, reader in ((party, "L"), ("L", party)):
            with subprocess.Popen(
                [*program(writer, "pipe_demo"), "writer"], env=ENVIRONMENT, stdout=subprocess.PIPE
            ) as process:
                said = subprocess.run(
                    [*program(reader, "pipe_demo"), "reader"],
                    stdin=process.stdout, stdout=subprocess.PIPE, env=ENVIRONMENT, text=True, check=False,
                )  # fmt: skip
            scene.equal((said.stdout, said.returncode, process.returncode), (wanted, 0, 0), f"{writer} to {reader}")


def tellwait(scene):
    """Alone, and with the plain one as the other side, whoever is first."""
    party = scene.cell.first
    for _ in scene.repetitions():
        for first in ("parent", "child"):
            wanted = scene.tool(*program("L", "tellwait"), first)
            order = ("parent", "child") if first == "parent" else ("child", "parent")
            lines = [f"output from {side} {number}" for number in range(1, 6) for side in order]
            scene.equal(wanted.splitlines(), lines, "the plain program")
            scene.equal(scene.tool(*program(party, "tellwait"), first), wanted, f"tellwait {first}")
            for parent, child in ((party, "L"), ("L", party)):
                with pipes(3) as ends:
                    scene.equal(mixed(parent, child, first, ends), wanted, f"parent {parent}, child {child}")


def mixed(parent, child, first, ends):
    """What two programs print into one pipe, each with one side of the turnstile."""
    down, up, log = ends[:2], ends[2:4], ends[4:]
    started = []
    for party, side, hear, tell in ((parent, "parent", up[0], down[1]), (child, "child", down[0], up[1])):
        command = [*program(party, "tellwait"), first, side, str(hear), str(tell)]
        started.append(subprocess.Popen(command, stdout=log[1], pass_fds=(hear, tell), env=ENVIRONMENT))
    for fd in (*down, *up, log[1]):
        os.close(fd)
    with open(os.dup(log[0])) as lines:
        said = lines.read()
    if any([process.wait() for process in started]):
        raise Failure(f"a side ended badly, after {short(said)}")
    return said


SCENARIOS = {
    "M16": inherited_pipe, "M18": fifo, "M20": turnstile,
    "SH1": shell_fifo, "SH2": shell_pipe,
    "DOC.pipe_demo": pipe_demo, "DOC.tellwait": tellwait,
}  # fmt: skip
