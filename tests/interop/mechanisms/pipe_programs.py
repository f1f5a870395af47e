# SPDX-License-Identifier: MIT OR Apache-2.0
"""Programs at the other end: M17 popen both ways, M19 coprocess, M28 pseudoterminal.

The command, the filter and the program on the terminal are the other party's. A FIFO called `go` and SIGSTOP keep them
from acting before the waiting side was seen asleep.
"""

import os
import shlex
import signal

from parties import AGENTS, sleeps

from .documents import program

SIZE = 100_000  # more than a pipe holds


def agent(party, verb, output="", **arguments):
    """The line of the shell by which that party performs one verb and ends."""
    words = [*map(str, AGENTS[party]), verb, *(f"{key}={value}" for key, value in arguments.items())]
    return "exec " + shlex.join(words) + output


def let_go(fifo):
    """Lets whoever reads the FIFO go on."""
    os.close(os.open(fifo, os.O_WRONLY))


def popen_reads(scene):
    command, caller = scene.cell.parties
    for _ in scene.repetitions():
        data, go = scene.vector(4096), scene.path("go")
        os.mkfifo(go)
        reader = scene.start(caller)
        reader.waits("process.read", command=agent(command, "process.say", hex=data.hex(), go=go))
        let_go(go)
        outcome = dict(word.split("=", 1) for word in reader.outcome().split())
        # Every agent greets first.
        scene.equal(bytes.fromhex(outcome["hex"]), b"READY\n" + data, f"{caller} reads what {command} says")
        scene.equal(outcome["status"], "3", "status of the command")
        killed = reader_of(reader, "kill -9 $$")
        scene.equal(killed["status"], "-9", "status of a command that was killed")
        go.unlink()


def reader_of(reader, line):
    """The answer of a read that does not have to wait long."""
    reader.send("process.read", command=line)
    reader.expect_line("WAIT")
    return dict(word.split("=", 1) for word in reader.outcome().split())


def popen_writes(scene):
    caller, command = scene.cell.parties
    for _ in scene.repetitions():
        block, go, path = scene.vector(4096), scene.path("go"), scene.path("taken")
        os.mkfifo(go)
        writer = scene.start(caller)
        line = agent(command, "process.take", " > /dev/null", path=path, go=go)
        writer.waits("process.write", command=line, size=SIZE, hex=block.hex())
        let_go(go)
        scene.equal(writer.outcome(), "status=3", "status of the command")
        wanted = (block * (SIZE // len(block) + 1))[:SIZE]
        scene.equal(path.read_bytes(), wanted, f"{command} takes what {caller} writes")
        if caller != "L":  # there the caller dies of SIGPIPE
            writer.send("process.write", command="exit 3", size=SIZE, hex=block.hex())
            writer.expect_line("WAIT")
            scene.equal(writer.line(), "ERR EPIPE", f"{caller}: a command that reads nothing")
        go.unlink()
        path.unlink()


def coprocess(scene):
    driver, filter_party = scene.cell.parties
    line = "exec " + shlex.join(program(filter_party, "add2"))
    for _ in scene.repetitions():
        agent = scene.start(driver)
        pid = int(agent.fields("process.start", command=line)["pid"])
        for asked, answer in ("1 2", "3"), ("-20 62", "42"), ("hello", "invalid args"), ("1", "invalid args"):
            scene.equal(exchange(agent, asked), answer, f"{driver} asks {asked!r} of {filter_party}")
        os.kill(pid, signal.SIGSTOP)
        agent.waits("process.exchange", hex=b"3 4".hex())
        os.kill(pid, signal.SIGCONT)
        scene.equal(bytes.fromhex(agent.outcome()), b"7", "the answer of a filter that was stopped")
        os.kill(pid, signal.SIGSTOP)
        agent.waits("process.exchange", hex=b"5 6".hex())
        os.kill(pid, signal.SIGKILL)
        scene.equal(agent.line(), "ERR EPIPE", f"{driver}: the filter was killed in the middle")
        agent.send("process.exchange", hex=b"5 6".hex())
        agent.expect_line("WAIT")
        # With a plain driver its handler has caught the SIGPIPE.
        scene.equal(agent.line(), "ERR EPIPE", f"{driver}: the filter was killed before")
        scene.equal(agent.do("process.stop"), "status=-9", "status of the filter")
        agent.do("process.start", command=line)
        scene.equal(exchange(agent, "1 1"), "2", "a second filter")
        scene.equal(agent.do("process.stop"), "status=0", "status of a filter whose input ended")


def exchange(agent, asked):
    agent.send("process.exchange", hex=asked.encode().hex())
    agent.expect_line("WAIT")
    return bytes.fromhex(agent.outcome()).decode()


def terminal(scene):
    master, slave = scene.cell.parties
    for _ in scene.repetitions():
        agent_ = scene.start(master)
        made = agent_.fields("process.pty", command=agent(slave, "process.terminal"), rows=30, columns=100)
        pid, path = int(made["pid"]), made["name"]
        scene.true(os.path.exists(path), f"{path} exists while the master is open")
        for wanted in "READY", "tty=1 echo=1", "rows=30 columns=100":
            scene.equal(line(agent_), wanted + "\r", f"{slave} on the terminal of {master}")
        # The line discipline echoes, and takes the correction back before the program reads.
        typed(agent_, b"ax\x7fb\n")
        scene.equal(line(agent_), "ax\b \bb\r", "echo")
        scene.equal(line(agent_), "got ab\r", "the edited line")
        agent_.do("process.resize", rows=50, columns=132)
        typed(agent_, b"size\n")
        scene.equal([line(agent_), line(agent_)], ["size\r", "rows=50 columns=132\r"], "the new size")
        typed(agent_, b"\x04")
        scene.equal(line(agent_), "end of file\r", "Ctrl-D")
        os.kill(pid, signal.SIGSTOP)
        typed(agent_, b"x\n")
        scene.equal(line(agent_), "x\r", "echo while the program is stopped")
        agent_.waits("process.line")
        os.kill(pid, signal.SIGCONT)
        scene.equal(bytes.fromhex(agent_.outcome()), b"got x\r", "the line after the wait")
        typed(agent_, b"quit\n")
        scene.equal(line(agent_), "quit\r", "echo of the last line")
        agent_.send("process.line")
        agent_.expect_line("WAIT")
        scene.equal(agent_.line(), "ERR ENODATA", "the end when the program has gone")
        scene.equal(agent_.do("process.stop"), "status=4", "status of the program")
        for how, status in ("interrupt", -signal.SIGINT), ("hang-up", -signal.SIGHUP):
            made = agent_.fields("process.pty", command=agent(slave, "process.terminal"))
            for _ in range(3):
                line(agent_)
            if how == "interrupt":
                # A Python that is interrupted just before it reads takes note of it only after the read.
                sleeps(int(made["pid"]))
                typed(agent_, b"\x03")
                while line(agent_) is not None:
                    pass
            scene.equal(agent_.do("process.stop"), f"status={int(status)}", f"status after {how}")


def typed(agent, text):
    agent.do("process.type", hex=text.hex())


def line(agent):
    """The next line of the terminal; None at the end."""
    agent.send("process.line")
    agent.expect_line("WAIT")
    kind, _, value = agent.line().partition(" ")
    return bytes.fromhex(value).decode() if kind == "OK" else None


SCENARIOS = {"M17r": popen_reads, "M17w": popen_writes, "M19": coprocess, "M28": terminal}
EXTENSIONS = []
