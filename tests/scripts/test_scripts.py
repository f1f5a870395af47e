# SPDX-License-Identifier: MIT OR Apache-2.0
"""The scripts that the other tests rely on: what they are there to notice, they notice."""

import os
import re
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import summary

SCRIPTS = Path(__file__).resolve().parent
ROOT = SCRIPTS.parents[1]
WAY = subprocess.run([SCRIPTS / "isolate", "--how"], capture_output=True, text=True).stdout.strip()

isolated = pytest.mark.skipif(WAY == "none", reason="the kernel refuses namespaces here")


def run(*command: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, env=os.environ | environment)


def leftovers(script: str) -> subprocess.CompletedProcess[str]:
    """A shell script beside neighbours, in a namespace of its own."""
    command = [sys.executable, str(SCRIPTS / "leftovers.py"), "--neighbours", "bash", "-c", script]
    return run(SCRIPTS / "isolate", *command, UNIPC_ISOLATE=WAY)


@isolated
def test_isolate_starts_with_nothing_and_hides_what_is_made() -> None:
    done = run(SCRIPTS / "isolate", "bash", "-c", "ls -A /dev/shm; tail -qn +2 /proc/sysvipc/*; touch /dev/shm/inside")
    assert (done.returncode, done.stdout) == (0, "")
    assert not Path("/dev/shm/inside").exists()


@isolated
def test_isolate_keeps_the_user_and_grants_nothing() -> None:
    done = run(SCRIPTS / "isolate", "bash", "-c", "id -u; grep CapEff /proc/self/status")
    uid, capabilities = done.stdout.split("\n", 1)
    assert int(uid) == os.getuid()
    if WAY == "user":
        assert int(capabilities.split()[1], 16) == 0


def test_isolate_passes_the_status_on() -> None:
    assert run(SCRIPTS / "isolate", "bash", "-c", "exit 7").returncode == 7


@isolated
def test_leftovers_finds_nothing_after_a_clean_run() -> None:
    done = leftovers("touch /dev/shm/mine; rm /dev/shm/mine")
    assert done.returncode == 0, done.stdout
    assert "leftovers: none" in done.stdout


@isolated
@pytest.mark.parametrize(
    ("script", "complaint"),
    [
        ("touch /dev/shm/forgotten", "/dev/shm/forgotten .* was left behind"),
        ("ipcmk -Q", r"System V msg \d+ .* was left behind"),
        ("rm /dev/shm/neighbour", "/dev/shm/neighbour is gone"),
        ("ipcrm -M 0x4e454947", r"System V shm \d+ is gone"),
        ("cp /dev/shm/neighbour /dev/shm/x; mv /dev/shm/x /dev/shm/neighbour", "neighbour is another object"),
        ("echo more >> /dev/shm/neighbour", "neighbour was touched"),
    ],
)
def test_leftovers_notices(script: str, complaint: str) -> None:
    if script.startswith("ipc") and shutil.which("ipcmk") is None:
        pytest.skip("util-linux's ipcmk and ipcrm are not installed")
    done = leftovers(script)
    assert done.returncode == 1
    assert re.search(complaint, done.stdout), done.stdout


def test_need_says_in_one_line_all_that_is_missing(tmp_path: Path) -> None:
    for tool in ("bash", "dirname", "head", "sed", "sort"):
        (tmp_path / tool).symlink_to(str(shutil.which(tool)))
    done = run(tmp_path / "bash", SCRIPTS / "need", "cargo", "cc", "python", PATH=str(tmp_path), PYTHON="python3")
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    for what in ("cargo", "C compiler", "Python"):
        assert what in done.stderr


def test_need_refuses_an_old_cargo(tmp_path: Path) -> None:
    old = tmp_path / "cargo"
    old.write_text("#!/bin/sh\necho 'cargo 1.9.0 (abcdef 2016-05-24)'\n")
    old.chmod(0o755)
    done = run(SCRIPTS / "need", "cargo", CARGO=str(old))
    assert done.returncode == 1
    assert "1.9.0 is here" in done.stderr


def test_help_tells_of_every_target() -> None:
    told = run("make", "-C", ROOT, "help").stdout
    for target in "demo test check examples bench install uninstall wheel audit fuzz clean format bless".split():
        assert f"\n  {target} " in told


CARGO_OUTPUT = """
test name::parses ... ok
SKIP chown_needs_root: needs root
test shm::chown_needs_root ... ok
test shm::slow ... ignored, long
test shm::broken ... FAILED
test result: FAILED. 2 passed; 1 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.1s
test result: ok. 4 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.1s
"""
PYTEST_OUTPUT = """
SKIPPED tests/test_shm.py::test_chown - Skipped: needs root
FAILED tests/test_shm.py::test_open - assert 1 == 2
1 failed, 12 passed, 1 skipped, 2 warnings in 0.52s
"""
RUNNER_OUTPUT = """
FAIL M03 R-L
SKIP M06 bash: no bash
cells: 10 passed, 1 failed, 1 skipped
"""


@pytest.mark.parametrize(
    ("kind", "output", "counts", "failures", "skips"),
    [
        (
            "cargo",
            CARGO_OUTPUT,
            (5, 1, 2),
            ["shm::broken"],
            ["chown_needs_root: needs root", "shm::slow: long"],
        ),
        (
            "pytest",
            PYTEST_OUTPUT,
            (12, 1, 1),
            ["tests/test_shm.py::test_open - assert 1 == 2"],
            ["tests/test_shm.py::test_chown: needs root"],
        ),
        ("runner", RUNNER_OUTPUT, (10, 1, 1), ["M03 R-L"], ["M06 bash: no bash"]),
    ],
)
def test_summary_counts(kind: str, output: str, counts: tuple[int, ...], failures: list[str], skips: list[str]) -> None:
    result = summary.Result()
    for line in output.splitlines():
        result.read(kind, line)
    result.close(1)
    assert (result.passed, result.failed, result.skipped) == counts
    assert (result.failures, result.skips) == (failures, skips)


@pytest.mark.parametrize(("status", "why"), [(0, "no test ran"), (101, "exit status 101")])
def test_summary_does_not_believe_a_silent_stage(status: int, why: str) -> None:
    result = summary.Result()
    result.close(status)
    assert (result.failed, result.failures) == (1, [why])


def test_summary_stops_a_stage_that_hangs() -> None:
    stage = summary.Stage("runner", ["sleep", "1000"], limit=1)
    result = summary.run("hang", stage, "none")
    assert (result.failed, result.failures) == (1, ["stopped after 1 s"])


def test_summary_notices_a_file_that_a_stage_left() -> None:
    script = "import tempfile; tempfile.mkdtemp(); print('1 passed, 0 failed')"
    result = summary.run("left", summary.Stage("runner", [sys.executable, "-c", script]), "none")
    assert (result.passed, result.failed) == (1, 1)
    assert re.fullmatch(r"/\S+/unipc-\w+/tmp\w+ was left behind", result.failures[0])


def test_planted_faults_stand_where_they_should(monkeypatch: pytest.MonkeyPatch) -> None:
    planted = ROOT / "tests" / "planted"
    monkeypatch.syspath_prepend(planted)
    faults = [fault for path in planted.glob("faults*.py") for fault in runpy.run_path(str(path))["FAULTS"]]
    for fault in faults:
        for name, right, wrong in fault.edits:
            text = (ROOT / "core" / "src" / name).read_text()
            assert text.count(right) == 1, f"{fault.what}: {name}: {right}"
            assert right != wrong
