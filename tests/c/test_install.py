# SPDX-License-Identifier: MIT OR Apache-2.0
"""`make install`, and what a C programmer does with it: pkg-config and CMake, shared and static."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TARGET = os.environ.get("CARGO_TARGET_DIR", str(ROOT / "target"))
PROGRAM = Path(__file__).with_name("installed.c")
VERSION = re.search(r'^version = "(.*)"', (ROOT / "Cargo.toml").read_text(), re.MULTILINE)[1]
PRINTS = f"unipc {VERSION}: 42\n"
STRICT = ["-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Werror"]
INSTALLED = {
    "include/unipc.h",
    *(f"include/unipc/{path.name}" for path in (ROOT / "include" / "unipc").glob("*.h")),
    "lib/libunipc.a",
    "lib/libunipc.so",
    "lib/libunipc.so.0",
    f"lib/libunipc.so.{VERSION}",
    "lib/pkgconfig/unipc.pc",
    "lib/cmake/unipc/unipcConfig.cmake",
    "lib/cmake/unipc/unipcConfigVersion.cmake",
}
CMAKE = """
cmake_minimum_required(VERSION 3.16)
project(installed C)
find_package(unipc {version} REQUIRED)
add_executable(shared {program})
target_link_libraries(shared PRIVATE unipc::unipc)
add_executable(static {program})
target_link_libraries(static PRIVATE unipc::unipc_static)
target_link_options(static PRIVATE -Wl,--gc-sections)
"""


def output(*command: str | Path, **environment: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | environment)
    assert done.returncode == 0, f"{command}: {done.stderr}"
    return done.stdout


def make(*arguments: str) -> None:
    """make as from a shell: what the make that runs the tests exports is not passed on."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    command = ["make", "-C", str(ROOT), f"TARGET={TARGET}", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir()}


@pytest.fixture(scope="module")
def prefix(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("prefix")
    make("install", f"PREFIX={folder}")
    return folder


@pytest.fixture
def pkg_config(prefix: Path):
    """Asks pkg-config about the installed library, and splits the answer."""
    if shutil.which("pkg-config") is None:
        pytest.skip("pkg-config is not installed")

    def ask(*options: str) -> list[str]:
        return output("pkg-config", *options, "unipc", PKG_CONFIG_PATH=str(prefix / "lib/pkgconfig")).split()

    return ask


def test_puts_each_file_in_its_place(prefix: Path) -> None:
    assert files(prefix) == INSTALLED
    assert (prefix / "lib/libunipc.so").resolve().name == f"libunipc.so.{VERSION}"
    assert "[libunipc.so.0]" in output("readelf", "--dynamic", prefix / "lib/libunipc.so")


def test_destdir_stages_without_being_written_down(tmp_path: Path) -> None:
    make("install", f"DESTDIR={tmp_path}", "PREFIX=/opt/unipc")
    assert files(tmp_path / "opt/unipc") == INSTALLED
    pc = (tmp_path / "opt/unipc/lib/pkgconfig/unipc.pc").read_text()
    assert "prefix=/opt/unipc\n" in pc
    assert str(tmp_path) not in pc
    assert "@" not in pc


def test_uninstall_removes_what_install_put(tmp_path: Path) -> None:
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib/libother.so").touch()
    make("install", f"PREFIX={tmp_path}")
    make("uninstall", f"PREFIX={tmp_path}")
    assert files(tmp_path) == {"lib/libother.so"}


def test_pkg_config_shared(prefix: Path, pkg_config, tmp_path: Path) -> None:
    program = tmp_path / "program"
    output("cc", *STRICT, PROGRAM, "-o", program, *pkg_config("--cflags", "--libs"))
    assert "libunipc.so.0" in output("readelf", "--dynamic", program)
    assert output(program, LD_LIBRARY_PATH=str(prefix / "lib")) == PRINTS


def test_pkg_config_archive(pkg_config, tmp_path: Path) -> None:
    """The archive in a program that is otherwise dynamic."""
    program = tmp_path / "program"
    libraries = ["-l:libunipc.a" if word == "-lunipc" else word for word in pkg_config("--static", "--libs")]
    output("cc", *STRICT, PROGRAM, "-o", program, *pkg_config("--cflags"), "-Wl,--gc-sections", *libraries)
    assert "libunipc" not in output("readelf", "--dynamic", program)
    assert output(program) == PRINTS


def test_pkg_config_static(pkg_config, tmp_path: Path) -> None:
    """A program without any shared library."""
    program = tmp_path / "program"
    flags = ["-static", "-Wl,--gc-sections"]
    output("cc", *STRICT, PROGRAM, "-o", program, *flags, *pkg_config("--cflags", "--static", "--libs"))
    assert "NEEDED" not in output("readelf", "--dynamic", program)
    assert output(program) == PRINTS


@pytest.fixture
def cmake(prefix: Path, tmp_path: Path):
    """Configures a project that asks for a version of unipc; returns what cmake did, and where."""
    tool = shutil.which("cmake", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    if tool is None:
        pytest.skip("cmake is not installed")

    def configure(version: str) -> subprocess.CompletedProcess:
        (tmp_path / "CMakeLists.txt").write_text(CMAKE.format(version=version, program=PROGRAM))
        command = [tool, "-S", tmp_path, "-B", tmp_path / "build", f"-DCMAKE_PREFIX_PATH={prefix}"]
        return subprocess.run(command, capture_output=True, text=True)

    return tool, configure


@pytest.mark.parametrize("version", ["", VERSION])
def test_cmake_builds_shared_and_static(cmake, tmp_path: Path, version: str) -> None:
    tool, configure = cmake
    configured = configure(version)
    assert configured.returncode == 0, configured.stderr
    output(tool, "--build", tmp_path / "build")
    assert output(tmp_path / "build/shared") == PRINTS
    assert output(tmp_path / "build/static") == PRINTS
    assert "libunipc" not in output("readelf", "--dynamic", tmp_path / "build/static")


@pytest.mark.parametrize("version", ["99", "0.0.1"])
def test_cmake_refuses_another_series(cmake, version: str) -> None:
    _, configure = cmake
    configured = configure(version)
    assert configured.returncode != 0
    assert "not compatible with the version requested" in " ".join(configured.stderr.split())
