# SPDX-License-Identifier: MIT OR Apache-2.0
"""The package itself: its examples, its help, its types, and the C library that the wheel carries."""

import doctest
import inspect
import os
import pickle
import pydoc
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from conftest import Runner

import unipc
from unipc import _native

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = doctest.DocTestFinder(exclude_empty=True)


def examples() -> list[doctest.DocTest]:
    found = EXAMPLES.find(unipc, "unipc", module=False)
    for name in unipc.__all__:
        found += EXAMPLES.find(getattr(unipc, name), name, module=False)
    found += EXAMPLES.find(_native.SharedMemory, "SharedMemory", module=False)
    return [test for test in found if test.examples]


@pytest.mark.parametrize("test", examples(), ids=lambda test: test.name)
def test_the_examples_in_the_docstrings_run(test: doctest.DocTest) -> None:
    said: list[str] = []
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    results = runner.run(test, out=said.append)
    assert results.failed == 0, "".join(said)


def public() -> list[tuple[str, object]]:
    """All names that users meet: those of the package and of its classes."""
    found: list[tuple[str, object]] = []
    for name in unipc.__all__:
        value = getattr(unipc, name)
        found.append((name, value))
        if inspect.isclass(value) and not issubclass(value, (BaseException, int, str)):
            members = inspect.getmembers_static(value)
            found += [(f"{name}.{member}", what) for member, what in members if not member.startswith("_")]
    return found


def test_every_public_name_is_documented() -> None:
    names = {name for name, _ in public()}
    assert {"SharedMemory.open", "SharedMemory.array", "SystemV.stat", "ftok"} <= names
    assert [name for name, value in public() if not isinstance(value, str) and not inspect.getdoc(value)] == []


def test_the_fields_of_dataclasses_are_documented() -> None:
    for kind in (unipc.SystemVStatus, unipc.ShmLimits, unipc.ShmUsage):
        for field in kind.__dataclass_fields__:
            assert field in (kind.__doc__ or "")


def test_the_help_reads_well() -> None:
    text = pydoc.plain(pydoc.render_doc(unipc))
    for words in ("sysv:PATH,PROJ", "create(name, size, *, mode=384", "class SharedMemory", "Raises `OSError`"):
        assert words in text
    assert "no docstring" not in text


@pytest.mark.parametrize(
    "kind",
    [
        *(unipc.Array, unipc.Cell, unipc.Client, unipc.Directory, unipc.Fifo, unipc.FileLock, unipc.Listener),
        *(unipc.MessageQueue, unipc.PipeEnd, unipc.Queue, unipc.Semaphore, unipc.SemaphoreSet, unipc.Service),
        *(unipc.SharedMemory, unipc.Socket, unipc.Subscriber, unipc.Topic),
        *(unipc.signal.PidFd, unipc.signal.Counter, unipc.signal.Stream),
    ],
)
def test_what_is_not_made_by_a_call_says_by_what(kind: Any) -> None:
    with pytest.raises(TypeError, match=rf"^use {kind.__name__.removeprefix('Signal')}\.\w+\(") as caught:
        kind("/name")
    for maker in re.findall(r"(\w+)\(", str(caught.value)):
        assert callable(getattr(kind, maker, None) or getattr(unipc.pipe, maker))


def test_version_and_names() -> None:
    cargo = (ROOT / "Cargo.toml").read_text()
    assert f'version = "{unipc.__version__}"' in cargo
    assert sorted(unipc.__all__) == unipc.__all__
    for name in ("SharedMemory", "RemovedError", "SystemV", "Seals"):
        assert getattr(unipc, name).__module__ == "unipc"
    assert pickle.loads(pickle.dumps(unipc.Seals.GROW)) is unipc.Seals.GROW
    assert pickle.loads(pickle.dumps(unipc.shm_limits())) == unipc.shm_limits()
    assert unipc.page_size() == os.sysconf("SC_PAGESIZE")


def test_our_errors_are_oserrors() -> None:
    for kind in (unipc.RemovedError, unipc.LayoutError):
        error = pickle.loads(pickle.dumps(kind(43, "text", "/name")))
        assert isinstance(error, OSError)
        assert (type(error), error.errno, error.strerror, error.filename) == (kind, 43, "text", "/name")


def test_the_version_and_the_directories_are_told(run: Runner) -> None:
    command = [sys.executable, "-m", "unipc"]
    said = subprocess.run([*command, "--version"], capture_output=True, text=True, timeout=60)
    assert said.stdout == f"{unipc.__version__}\n"
    nothing = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert nothing.returncode == 2
    assert "--cflags" in nothing.stderr


def wheel() -> Path:
    if "UNIPC_WHEEL" in os.environ:
        return Path(os.environ["UNIPC_WHEEL"])
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    found = sorted((target / "wheels").glob("unipc-*.whl"))
    if not found:
        pytest.skip("no wheel: `make wheel` builds it, UNIPC_WHEEL names it")
    return found[-1]


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of a fresh venv with nothing in it but the wheel."""
    folder = tmp_path_factory.mktemp("wheel") / "venv"
    file = wheel()
    subprocess.run([sys.executable, "-m", "venv", folder], check=True, timeout=120)
    python = folder / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "-q", "--no-index", file], check=True, timeout=120)
    return python


PROGRAM = r"""
#include <stdio.h>
#include <string.h>
#include <unipc.h>

int main(int argc, char **argv)
{
    unipc_shm *shm = NULL;
    if (argc != 2 || unipc_shm_open(&shm, argv[1], 0, NULL) < 0) {
        fprintf(stderr, "%s\n", unipc_last_error());
        return 1;
    }
    memcpy(unipc_shm_data(shm), "hello from C", 12);
    unipc_shm_close(shm);
    puts(unipc_version_string());
    return 0;
}
"""


@pytest.mark.parametrize("libs", ["--libs", "--libs --static"])
def test_a_c_program_is_built_with_what_the_wheel_carries(empty: Path, tmp_path: Path, libs: str) -> None:
    compiler = os.environ.get("CC", "cc")
    (tmp_path / "prog.c").write_text(PROGRAM)
    build = f"{compiler} -std=c99 -Wall -Wextra -Wpedantic -Werror prog.c $({empty} -m unipc --cflags {libs}) -o prog"
    subprocess.run(["sh", "-c", build], cwd=tmp_path, check=True, timeout=120)
    name = f"/unipc-wheel-{os.getpid()}"
    with unipc.SharedMemory.create(name, 4096, remove_on_close=True) as shm:
        said = subprocess.run([tmp_path / "prog", name], check=True, capture_output=True, text=True, timeout=60)
        assert said.stdout == f"{unipc.__version__}\n"
        assert shm.read_at(0, 12) == b"hello from C"


def test_the_wheel_needs_nothing_else(empty: Path) -> None:
    code = """
import sys, unipc
with unipc.SharedMemory.create("anon:", 80) as shm:
    numbers = shm.array("i", 20)
    numbers[3] = 7
    assert type(numbers) is memoryview and shm.load_u32(12) == 7
    del numbers
assert "numpy" not in sys.modules
"""
    subprocess.run([empty, "-c", code], check=True, timeout=60)


def test_the_wheel_carries_what_it_should(empty: Path) -> None:
    said = subprocess.run([empty, "-m", "unipc", "--pkgconfig-dir"], check=True, capture_output=True, text=True)
    package = Path(said.stdout.strip()).parents[1]
    for file in ("py.typed", "_native.pyi", "include/unipc.h", "include/unipc/shm.h", "lib/libunipc.so.0",
                 "lib/libunipc.so", "lib/libunipc.a", "lib/pkgconfig/unipc.pc"):  # fmt: skip
        assert (package / file).is_file(), file
    licences = {file.name for file in package.parent.glob("unipc-*.dist-info/licenses/*")}
    assert licences == {"LICENSE-APACHE", "LICENSE-MIT"}
