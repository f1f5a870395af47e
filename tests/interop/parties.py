# SPDX-License-Identifier: MIT OR Apache-2.0
"""The parties: how each one's agent is started, and how the runner talks to it."""

import contextlib
import os
import pathlib
import subprocess
import sys

from cells import LIBRARY

HERE = pathlib.Path(__file__).resolve().parent
THIRD = HERE / "agents" / "peers"
ROOT = HERE.parent.parent
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")).absolute()
BUILT = pathlib.Path(os.environ.get("UNIPC_INTEROP", TARGET / "interop")).absolute()
VENV = pathlib.Path(os.environ.get("UNIPC_VENV", TARGET / "venv")).absolute()
PEERS = pathlib.Path(os.environ.get("UNIPC_VENV_PEERS", TARGET / "venv-peers")).absolute()


def core_program(*names):
    """A cargo binary: the newest of the release and the debug build."""
    places = [TARGET.joinpath(profile, *names) for profile in ("release", "debug")]
    return max(places, key=lambda place: place.stat().st_mtime if place.exists() else 0)


def python(venv, script):
    """A Python of this environment alone; compiled files go where everything goes that is built."""
    return [venv / "bin" / "python", "-Es", "-X", f"pycache_prefix={BUILT / 'pycache'}", script]


AGENTS = {
    "L": [BUILT / "plain"],
    "C": [BUILT / "abi"],
    "P": python(VENV, HERE / "agents" / "module" / "agent.py"),
    "R": [core_program("agent")],
    "SV": python(PEERS, THIRD / "sv.py"),
    "PX": python(PEERS, THIRD / "px.py"),
    "MP": python(PEERS, THIRD / "mp.py"),
    "MM": python(PEERS, THIRD / "mm.py"),
    "PS": python(PEERS, THIRD / "ps.py"),
    "FC": python(PEERS, THIRD / "fc.py"),
    "SG": python(PEERS, THIRD / "sg.py"),
    "SH": [pathlib.Path("/bin/bash"), THIRD / "shell.bash"],
}
USED = (ROOT, TARGET, BUILT, VENV, PEERS)  # paths that isolation must leave visible
# What shows in /proc/PID/maps that a process has loaded the library.
LIBRARY_FILES = ("libunipc", "unipc/_native")
# A cell may have a /tmp of its own, in which nobody has made the directory that TMPDIR names outside.
ENVIRONMENT = {**os.environ, "LC_ALL": "C", "TZ": "UTC", "TMPDIR": "/tmp"}


class Failure(Exception):
    """The cell does not pass; the text says what was seen and what was wanted."""


class Skip(Exception):
    """The cell cannot be tried here; the text says what it needs."""


class Agent:
    """A running agent: a conversation of lines over its standard input and output."""

    def __init__(self, party, directory, descriptors=()):
        command = [str(part) for part in AGENTS[party]]
        for part in AGENTS[party]:
            if isinstance(part, pathlib.Path) and not part.exists():
                raise Failure(f"party {party}: {part} does not exist")
        self.party = party
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env=ENVIRONMENT, cwd=directory, pass_fds=descriptors,
        )  # fmt: skip
        self.pid = self.process.pid
        self.asked = "to start"
        self.expect_line("READY")

    def line(self):
        """The next line; the cell's alarm is the watchdog."""
        line = self.process.stdout.readline()
        if not line:
            raise Failure(f"{self.party} died with status {self.process.wait()}")
        return line.rstrip("\n")

    def expect_line(self, wanted):
        got = self.line()
        if got != wanted:
            raise Failure(f"{self.party} said {got!r} instead of {wanted!r}")

    def send(self, verb, **arguments):
        words = [verb, *(f"{key}={value}" for key, value in arguments.items())]
        self.asked = verb
        self.process.stdin.write("\t".join(words) + "\n")
        self.process.stdin.flush()

    def ask(self, verb, **arguments):
        """Sends one verb and returns the whole answer, `OK ...` or `ERR ...`."""
        self.send(verb, **arguments)
        return self.line()

    def do(self, verb, **arguments):
        """The answer of a verb that has to work."""
        kind, _, value = self.ask(verb, **arguments).partition(" ")
        if kind != "OK":
            raise Failure(f"{self.party}: {verb} {brief(arguments)} failed with {value}")
        return value

    def fails(self, verb, **arguments):
        """The errno name of a verb that has to fail."""
        kind, _, value = self.ask(verb, **arguments).partition(" ")
        if kind != "ERR":
            raise Failure(f"{self.party}: {verb} {brief(arguments)} should fail, and answered {value[:60]}")
        return value

    def fields(self, verb, **arguments):
        """An answer of key=value words as a dictionary."""
        return dict(word.split("=", 1) for word in self.do(verb, **arguments).split())

    def waits(self, verb, **arguments):
        """Sends a verb that has to wait, and returns when it does. Its answer comes by `outcome`."""
        self.send(verb, **arguments)
        self.expect_line("WAIT")
        self.is_waiting()

    def outcome(self):
        """The answer of a verb sent before, which has to work."""
        kind, _, value = self.line().partition(" ")
        if kind != "OK":
            raise Failure(f"{self.party}: it failed with {value}")
        return value

    def is_waiting(self):
        sleeps(self.pid)

    def describe(self):
        """What it was asked last, and where it and the programs that it started are: for one who finds it hung."""
        return f"{self.party} was asked {self.asked} ({'; '.join(whereabouts(self.pid))})"

    def maps(self):
        return pathlib.Path(f"/proc/{self.pid}/maps").read_text()

    def finish(self):
        """Ends the conversation. A third party must not have loaded the library; that the look works, P shows."""
        loaded = any(name in self.maps() for name in LIBRARY_FILES)
        self.process.stdin.close()
        rest, status = self.process.stdout.read(), self.process.wait()
        self.process.stdout.close()
        if status != 0 or rest:
            raise Failure(f"{self.party} ended with status {status} and {rest!r}")
        if loaded if self.party not in LIBRARY else self.party == "P" and not loaded:
            raise Failure(f"{self.party}: the library is {'' if loaded else 'not '}loaded")

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        with contextlib.suppress(BrokenPipeError):  # what was asked of one that was dead already
            self.process.stdin.close()
        self.process.stdout.close()


def sleeps(pid):
    """Waits until the process sleeps in a system call; the cell's alarm is the watchdog."""
    while not status(pathlib.Path("/proc", str(pid)), "State").startswith("S"):
        os.sched_yield()


def whereabouts(pid):
    """The command, state and kernel function of a process and of its descendants."""
    process = pathlib.Path("/proc", str(pid))
    try:
        name, state = (process / "stat").read_text().split(")")[0].split("(")[1], status(process, "State")
        yield f"{name} {state} in {(process / 'wchan').read_text()}, signals {status(process, 'ShdPnd')}"
        children = (process / "task" / str(pid) / "children").read_text().split()
    except OSError:
        return
    for child in children:
        yield from whereabouts(child)


def status(process, field):
    lines = (process / "status").read_text().splitlines()
    return next(line.split(":", 1)[1].strip() for line in lines if line.startswith(field + ":"))


def brief(arguments):
    return " ".join(f"{key}={str(value)[:40]}" for key, value in arguments.items())


def describe():
    """Lines about the machine, for the results file."""
    versions = "import sysv_ipc, posix_ipc; print('sysv_ipc', sysv_ipc.VERSION, 'posix_ipc', posix_ipc.VERSION)"
    return [
        f"kernel {os.uname().release} {os.uname().machine}",
        os.confstr("CS_GNU_LIBC_VERSION"),
        f"python {sys.version.split()[0]}",
        output("ipcs", "--version"),
        output(PEERS / "bin" / "python", "-c", versions),
        f"uid {os.geteuid()}",
    ]


def output(*command):
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError) as error:
        return f"{command[0]}: {error}"
