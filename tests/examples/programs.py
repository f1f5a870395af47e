# SPDX-License-Identifier: MIT OR Apache-2.0
"""The programs of the examples in each language, and how tests run them.

Programs are waited for by what they print. UNIPC_PAUSE_SCALE makes their pauses short; nothing relies on them.
"""

import itertools
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
ENVIRONMENT = os.environ | {"UNIPC_PAUSE_SCALE": "0.02"}
LANGUAGES = {
    "C": ("examples-c", "{}.c", lambda name: [TARGET / "examples-c" / name]),
    "Rust": ("core/examples", "{}.rs", lambda name: [TARGET / "debug/examples" / name]),
    "Python": ("python/examples", "{}.py", lambda name: [sys.executable, ROOT / f"python/examples/{name}.py"]),
}
MYSHM2 = Path("/dev/shm/myshm2")

each_language = pytest.mark.parametrize("language", LANGUAGES)
each_pair = pytest.mark.parametrize(("one", "other"), list(itertools.product(LANGUAGES, repeat=2)))


def command(language: str, name: str, *arguments: object) -> list[str]:
    return [str(part) for part in (*LANGUAGES[language][2](name), *arguments)]


def run(language: str, name: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Runs an example to its end."""
    whole = command(language, name, *arguments)
    return subprocess.run(whole, env=ENVIRONMENT, capture_output=True, text=True, check=False)


def lines(language: str, name: str, *arguments: object) -> list[str]:
    """What an example prints that ends well."""
    done = run(language, name, *arguments)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


@contextmanager
def started(language: str, name: str, *arguments: object) -> Iterator[subprocess.Popen[str]]:
    """An example that is still running, and must end well."""
    pipe = subprocess.PIPE
    whole = command(language, name, *arguments)
    with subprocess.Popen(whole, env=ENVIRONMENT, stdin=pipe, stdout=pipe, text=True, bufsize=1) as process:
        try:
            yield process
            assert process.wait() == 0
        finally:
            process.kill()
