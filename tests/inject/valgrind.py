# SPDX-License-Identifier: MIT OR Apache-2.0
"""Runs the C examples and the C party of the interop matrix under valgrind: no wrong access, nothing lost."""

import ctypes
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import runner

EXAMPLES = runner.TARGET / "examples-c"
AGENT = Path(os.environ.get("UNIPC_INTEROP", runner.TARGET / "interop")) / "abi"
FOUND_SOMETHING = 99
COMMAND = ["valgrind", "--quiet", f"--error-exitcode={FOUND_SOMETHING}", "--leak-check=full", "--trace-children=yes"]
LIMIT = 120  # seconds: a watchdog
KEY_FILE = Path("/dev/shm/myshm2")

# A conversation with the agent over each kind of memory: tabs between the words.
VERBS = """create name={name} size=4097
write at=1 hex=616263
read at=0 size=8
fill hex=5aa5
match hex=5aa5
close
"""
NAMES = ("posix:/unipc-valgrind", "sysv:private", "memfd:valgrind", "anon:", "file:{directory}/object")


class Run:
    """Programs under valgrind, each with its output."""

    def __init__(self, directory: str) -> None:
        self.directory = directory
        self.running: list[subprocess.Popen[str]] = []
        self.wrong: list[str] = []

    def start(self, program: Path, *arguments: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [*COMMAND, str(program), *arguments],
            cwd=self.directory,
            env=os.environ | {"UNIPC_PAUSE_SCALE": "0.01"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.running.append(process)
        return process

    def end(self, process: subprocess.Popen[str], said: str = "", statuses: tuple[int, ...] = (0,)) -> str:
        """Waits for the program's end, after telling it `said`; what it printed."""
        output, complaints = process.communicate(said, timeout=LIMIT)
        if process.returncode not in statuses:
            self.wrong.append(f"exit status {process.returncode}: {complaints.strip()[:2000]}")
        return output

    def one(self, name: str, *arguments: str, statuses: tuple[int, ...] = (0,)) -> str:
        return self.end(self.start(EXAMPLES / name, *arguments), statuses=statuses)


def mapped_files(run: Run) -> None:
    for name in ("map_normalfile1", "map_normalfile2"):
        run.one(name, "people")
    # They end with the error that a plain program would have died of.
    run.one("map_pages", "pages", statuses=(1,))
    run.one("map_pages", "pages", "2", statuses=(1,))


def segments(run: Run) -> None:
    KEY_FILE.touch()
    try:
        run.one("testwrite")
        run.one("testread")
        run.one("removal")
    finally:
        libc = ctypes.CDLL(None)
        libc.shmctl(libc.shmget(libc.ftok(os.fsencode(KEY_FILE), 0), 0, 0), 0, None)  # IPC_RMID
        KEY_FILE.unlink()


def client_and_server(run: Run) -> None:
    server = run.start(EXAMPLES / "shm_server")
    assert server.stdout is not None
    number = server.stdout.readline().split()[-1]
    run.one("shm_client", number)
    run.end(server)


def reader_and_writer(run: Run) -> None:
    writer = run.start(EXAMPLES / "shm_writer")
    assert writer.stdout is not None
    writer.stdout.readline()
    run.one("shm_reader")
    run.end(writer, "\n")


def agent(run: Run) -> None:
    for template in NAMES:
        name = template.format(directory=run.directory)
        answers = run.end(run.start(AGENT), VERBS.format(name=name).replace(" ", "\t"))
        refused = [line for line in answers.splitlines() if line.startswith("ERR")]
        run.wrong += [f"{name}: {answer}" for answer in refused]
        if not name.startswith(("memfd", "anon")):
            identifier = answers.partition("id=")[2].split()[0]
            remove = f"sysv:id={identifier}" if name.startswith("sysv") else name
            run.end(run.start(AGENT, "remove", f"name={remove}"))


PARTS: dict[str, tuple[Path, Callable[[Run], object]]] = {
    "map_anon": (EXAMPLES / "map_anon", lambda run: run.one("map_anon")),
    "mapped files": (EXAMPLES / "map_pages", mapped_files),
    "segments": (EXAMPLES / "testwrite", segments),
    "client and server": (EXAMPLES / "shm_server", client_and_server),
    "reader and writer": (EXAMPLES / "shm_writer", reader_and_writer),
    "agent": (AGENT, agent),
}


def run(count: runner.Count) -> None:
    """Each part is one verdict."""
    for name, (program, part) in PARTS.items():
        if shutil.which("valgrind") is None:
            count.say(f"SKIP valgrind {name}: valgrind is not here")
        elif not program.exists():
            count.say(f"FAIL valgrind {name}: {program} is not built (make build-tests)")
        else:
            with tempfile.TemporaryDirectory() as directory:
                count.say(verdict(name, part, Run(directory)))


def verdict(name: str, part: Callable[[Run], object], run: Run) -> str:
    try:
        part(run)
    except (subprocess.TimeoutExpired, IndexError) as error:
        run.wrong.append(repr(error))
    finally:
        for process in run.running:
            process.kill()
            process.wait()
    runs = len(run.running)
    return f"FAIL valgrind {name}: {'; '.join(run.wrong)}" if run.wrong else f"PASS valgrind {name}: {runs} programs"
