# SPDX-License-Identifier: MIT OR Apache-2.0
"""The examples that start programs: the pagers, and coproc with add2, each language with each other."""

import os
import subprocess
from pathlib import Path

import pytest
from programs import ENVIRONMENT, command, each_language, each_pair, run


def fed(language: str, name: str, *arguments: object, text: str = "", **env: str) -> subprocess.CompletedProcess[str]:
    """Runs an example with an input and an environment."""
    whole = command(language, name, *arguments)
    return subprocess.run(whole, env=ENVIRONMENT | env, input=text, capture_output=True, text=True, check=False)


@each_pair
def test_a_filter_answers_each_line(one: str, other: str) -> None:
    done = fed(one, "coproc", *command(other, "add2"), text="1 2\n-5 3\nhello\n7\n20 22 9\n")
    assert done.stdout.splitlines() == ["3", "-2", "invalid args", "invalid args", "42"]
    assert (done.returncode, done.stderr) == (0, "")


@each_language
def test_a_filter_that_dies_is_an_error_that_says_how(language: str) -> None:
    done = fed(language, "coproc", "sh", "-c", "read x; echo first; exit 7", text="1\n2\n")
    assert (done.returncode, done.stdout) == (1, "first\n")
    assert "exit status: 7" in done.stderr and "Traceback" not in done.stderr
    done = fed(language, "coproc", "unipc-no-such-program", text="1\n")
    assert (done.returncode, done.stdout) == (1, "")
    assert "no folder of PATH" in done.stderr and "Traceback" not in done.stderr


@each_language
@pytest.mark.parametrize(("name", "pager"), [("pager_pipe", "cat"), ("pager_popen", "sed s/^/>/")])
def test_a_pager_shows_the_file(language: str, name: str, pager: str, tmp_path: Path) -> None:
    text = "".join(f"{number}\n" for number in range(3000))
    (tmp_path / "text").write_text(text)
    done = fed(language, name, tmp_path / "text", PAGER=pager)
    wanted = text if pager == "cat" else "".join(f">{number}\n" for number in range(3000))
    assert (done.returncode, done.stderr, done.stdout) == (0, "", wanted)


@each_language
@pytest.mark.parametrize("name", ["pager_pipe", "pager_popen"])
def test_leaving_the_pager_early_is_no_error(language: str, name: str, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("x" * 1_000_000)
    done = fed(language, name, tmp_path / "text", PAGER="true")
    assert (done.returncode, done.stderr, done.stdout) == (0, "", "")
    missing = fed(language, name, tmp_path / "none", PAGER="true")
    assert missing.returncode == 1 and "No such file" in missing.stderr and "Traceback" not in missing.stderr


@each_language
@pytest.mark.parametrize("name", ["pager_pipe", "pager_popen", "coproc"])
def test_a_call_without_arguments_shows_the_usage(language: str, name: str) -> None:
    done = run(language, name)
    assert done.returncode == 1
    assert done.stderr.startswith("usage: ")


@each_language
def test_nothing_of_a_coprocess_is_left(language: str) -> None:
    before = set(os.listdir("/proc"))
    fed(language, "coproc", "cat", text="x\n")
    left = [pid for pid in set(os.listdir("/proc")) - before if pid.isdigit()]
    names = [Path(f"/proc/{pid}/cmdline").read_bytes() for pid in left if Path(f"/proc/{pid}/cmdline").exists()]
    assert b"cat\0" not in names
