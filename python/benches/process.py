# SPDX-License-Identifier: MIT OR Apache-2.0
"""Programs in Python against subprocess, os and pty. The same rows exist in C and in Rust."""

import os
import pty
import subprocess
import tty

from harness import compare, print_head, share_a_processor

import unipc

CAT, TRUE = ["/bin/cat"], ["/bin/true"]


def start_and_wait() -> None:
    compare(
        "start a program and wait for its end, elapsed",
        {
            "unipc.spawn(...).wait()": "spawn(command).wait()",
            "subprocess.Popen(...).wait()": "Popen(command).wait()",
            "os.posix_spawn, os.waitpid": "waitpid(posix_spawn(command[0], command, environ), 0)",
        },
        {
            "spawn": unipc.spawn, "Popen": subprocess.Popen, "command": TRUE,
            "posix_spawn": os.posix_spawn, "waitpid": os.waitpid, "environ": os.environ,
        },
        elapsed=True,
    )  # fmt: skip


def exchange(size: int) -> None:
    line = b"x" * (size - 1)
    pipe = subprocess.PIPE
    with (
        unipc.Coprocess(CAT) as ours,
        subprocess.Popen(CAT, stdin=pipe, stdout=pipe) as buffered,
        subprocess.Popen(CAT, stdin=pipe, stdout=pipe, bufsize=0) as raw,
    ):
        assert buffered.stdin and buffered.stdout and raw.stdin and raw.stdout
        compare(
            f"a line of {size} bytes to cat and back",
            {
                "unipc exchange": "exchange(line)",
                "subprocess.Popen: write, flush, readline": "write(whole); flush(); readline()",
                "subprocess.Popen(bufsize=0): write, read": "raw_write(whole); read_all(size)",
            },
            {
                "exchange": ours.exchange, "line": line, "whole": line + b"\n", "size": size,
                "write": buffered.stdin.write, "flush": buffered.stdin.flush, "readline": buffered.stdout.readline,
                "raw_write": raw.stdin.write, "read_all": reader(raw.stdout.read),
            },
        )  # fmt: skip
        buffered.stdin.close()
        raw.stdin.close()


def reader(read):  # type: ignore[no-untyped-def]
    """Reads so many bytes from a raw file; one call is enough for a short line."""

    def read_all(size: int) -> None:
        while size:
            size -= len(read(size))

    return read_all


def terminal() -> None:
    line = b"x" * 63 + b"\n"
    ours = unipc.Pty(CAT)
    ours.set_modes(unipc.TerminalModes.CANONICAL)
    child, master = pty.fork()
    if child == 0:
        os.execv(CAT[0], CAT)
    # Canonical, without echo and carriage returns, as ours.
    settings = tty.tcgetattr(master)
    settings[tty.OFLAG] &= ~tty.OPOST
    settings[tty.LFLAG] &= ~(tty.ECHO | tty.ISIG)
    tty.tcsetattr(master, tty.TCSANOW, settings)
    compare(
        "a line of 64 bytes to cat on a pseudoterminal and back",
        {
            "unipc.Pty write, read_line": "write(line); read_line()",
            "pty.fork, os.write, os.read": "put(fd, line); get(fd, 64)",
        },
        {"write": ours.write, "read_line": ours.read_line, "line": line, "put": os.write, "get": os.read, "fd": master},
    )
    ours.close()
    os.close(master)
    os.waitpid(child, 0)


print_head(unipc.__version__)
share_a_processor()
start_and_wait()
for size in (8, 64, 1 << 10, 1 << 16):
    exchange(size)
terminal()
