# SPDX-License-Identifier: MIT OR Apache-2.0
"""The verbs of programs, on the module alone."""

import os
import pathlib
import sys

from protocol import number, repeated, waiting

from unipc import Coprocess, PipeEnd, Pty, Shell, TerminalModes
from unipc.process import is_terminal, terminal_modes, window_size


class Room:
    """The filter or the program on a terminal that this process drives."""

    driven = None

    def verbs(self):
        here = {"start": self.start, "exchange": self.exchange, "stop": self.stop, "pty": self.pty, "line": self.line}
        here |= {"type": self.type, "resize": self.resize, "read": read, "write": write, "say": say, "take": take}
        return {f"process.{name}": verb for name, verb in (here | {"terminal": terminal}).items()}

    def start(self, arguments):
        self.driven = Coprocess(arguments["command"], shell=True)
        return f"pid={self.driven.process.pid}"

    def exchange(self, arguments):
        line = bytes.fromhex(arguments["hex"])
        waiting()
        return self.driven.exchange(line)

    def stop(self, _):
        return f"status={self.driven.close()}"

    def pty(self, arguments):
        size = number(arguments, "rows", 24), number(arguments, "columns", 80)
        self.driven = Pty(arguments["command"], size, shell=True)
        return f"pid={self.driven.process.pid} name={self.driven.name}"

    def line(self, _):
        waiting()
        line = self.driven.read_line()
        if line is None:
            raise OSError(61, "the terminal has hung up")
        return line

    def type(self, arguments):
        self.driven.write(bytes.fromhex(arguments["hex"]))
        return "typed"

    def resize(self, arguments):
        self.driven.set_window_size(number(arguments, "rows"), number(arguments, "columns"))
        return "resized"


def wait_for_go(arguments):
    """Returns when the runner has opened the FIFO `go` and closed it again."""
    if "go" in arguments:
        pathlib.Path(arguments["go"]).read_bytes()


def say(arguments):
    wait_for_go(arguments)
    PipeEnd.from_fd(1).write_all(bytes.fromhex(arguments["hex"]))
    os._exit(3)


def take(arguments):
    wait_for_go(arguments)
    pipe = PipeEnd.from_fd(0)
    pathlib.Path(arguments["path"]).write_bytes(b"".join(iter(pipe.read, b"")))
    os._exit(3)


def read(arguments):
    shell = Shell(arguments["command"], shell=True)
    waiting()
    everything = b"".join(iter(shell.read, b""))
    return f"status={shell.close()} hex={everything.hex()}"


def write(arguments):
    everything = repeated(arguments, number(arguments, "size"))
    shell = Shell(arguments["command"], "w", shell=True)
    waiting()
    shell.write(everything)
    return f"status={shell.close()}"


def say_size():
    size = window_size(0)
    print(f"rows={size.rows} columns={size.columns}", flush=True)


def terminal(_):
    echo = TerminalModes.ECHO in terminal_modes(0)
    print(f"tty={int(is_terminal(0))} echo={int(echo)}", flush=True)
    say_size()
    while True:
        line = os.read(0, 255)
        if line == b"":
            print("end of file", flush=True)
        elif line == b"quit\n":
            sys.stdout.flush()
            os._exit(4)
        elif line == b"size\n":
            say_size()
        else:
            print(f"got {line.decode()}", end="", flush=True)
