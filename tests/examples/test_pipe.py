# SPDX-License-Identifier: MIT OR Apache-2.0
"""Pipes, FIFOs and turns: each language with each other."""

import os
import subprocess
from pathlib import Path

import pytest
from programs import ENVIRONMENT, LANGUAGES, command, each_language, each_pair, lines, run, started


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
