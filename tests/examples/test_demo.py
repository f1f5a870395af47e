# SPDX-License-Identifier: MIT OR Apache-2.0
"""The demo, to its end and with parts that die."""

import os
import pty
import subprocess
import sys
from contextlib import suppress

import pytest
from programs import ENVIRONMENT, LANGUAGES, ROOT, TARGET


def demo(*arguments: str) -> list[str]:
    paths = ["--writer", str(TARGET / "examples-c/demo_writer"), "--observer", LANGUAGES["Rust"][2]("demo_observer")[0]]
    paths += ["--holder", str(TARGET / "examples-c/sync_holder")]
    paths += ["--camera", str(TARGET / "examples-c/topic_publisher")]
    return [sys.executable, str(ROOT / "python/examples/demo.py"), *map(str, paths), *arguments]


def assert_proof(output: list[str]) -> None:
    assert sum(line.endswith(" same") for line in output) == 6
    assert sum(line.endswith("done: 2 and 2") for line in output) == 1
    assert sum(" frames/s, " in line and line.endswith(" none lost") for line in output) == 1
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


@pytest.mark.parametrize("which", ["--writer", "--observer", "--holder", "--camera"])
def test_the_demo_fails_when_a_part_of_it_dies(which: str) -> None:
    whole = demo(which, "/bin/true")
    done = subprocess.run(whole, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("demo: ") and "0 objects left" not in done.stdout
    assert leftovers() == []
