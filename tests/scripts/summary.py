#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""summary.py [STAGE...]: runs the test stages (all of them by default) and adds up what they say.

Each stage runs by itself in its own namespaces (isolate) beside objects of others (leftovers.py), and with a
TMPDIR of its own, which must be empty in the end.  The closing lines of cargo test, pytest and the project's own
runners are read from the output, which is shown and kept in
target/test-logs.  The last line is "N passed, N failed, N skipped"; the exit status is 1 when anything failed.

A test that cannot run prints "SKIP name: why" and counts as skipped.  Rust tests write that line to
std::io::stderr() directly, since the macros are captured; it is then taken off the passed ones.
"""

import os
import platform
import re
import selectors
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import leftovers

ROOT = Path(__file__).resolve().parents[2]
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")).resolve()
SCRIPTS = ROOT / "tests" / "scripts"
PYTHON = str(TARGET / "venv" / "bin" / "python")
GNU_X86_64 = "x86_64-unknown-linux-gnu"


@dataclass(frozen=True)
class Stage:
    """One command; `kind` says whose closing lines it prints: cargo, pytest or runner."""

    kind: str
    command: list[str]
    environment: dict[str, str] = field(default_factory=dict)
    unfit: dict[str, str] = field(default_factory=dict)  # Rust tests that make no sense here, and why
    limit: int = 600  # seconds: a watchdog, not an expectation


def cargo(*arguments: str, unfit: dict[str, str] | None = None, **environment: str) -> Stage:
    command = [os.environ.get("CARGO", "cargo"), "test", "--no-fail-fast", *arguments]
    return Stage("cargo", command, environment, unfit or {})


def runner(*command: str, limit: int = Stage.limit) -> Stage:
    return Stage("runner", [sys.executable, *command], limit=limit)


def pytest(folder: str) -> Stage:
    return Stage("pytest", [PYTHON, "-m", "pytest", "-v", "-rfEsX", "--no-fold-skipped", folder])


STAGES = {
    "core": cargo("-p", "unipc"),
    "asan": cargo(
        *("-p", "unipc", "--lib", "--tests", "--target", GNU_X86_64),
        CARGO_TARGET_DIR=str(TARGET / "asan"),
        RUSTC_BOOTSTRAP="1",
        RUSTFLAGS="-Zsanitizer=address",
        unfit={
            "a_lock_in_memory_shows_in_the_process_status": "mlock does nothing under AddressSanitizer",
            "populate_faults_the_pages_in_at_once": "AddressSanitizer's own memory faults too",
            "the_limits_are_the_kernels_and_named_when_hit": "LeakSanitizer needs the /proc that the test hides",
            "without_proc_what_needs_it_says_so": "LeakSanitizer needs the /proc that the test hides",
        },
    ),
    "tsan": cargo(
        *("-p", "unipc-tests", "--test", "races", "--target", GNU_X86_64),
        CARGO_TARGET_DIR=str(TARGET / "tsan"),
        RUSTC_BOOTSTRAP="1",
        # The standard library is built without it.
        RUSTFLAGS="-Zsanitizer=thread -Cunsafe-allow-abi-mismatch=sanitizer",
        TSAN_OPTIONS=f"suppressions={ROOT}/tests/races/suppressions",
    ),
    "ffi": cargo("-p", "unipc-ffi"),
    "faces": cargo("-p", "unipc-tests"),
    "headers": runner("tests/c/headers.py"),
    "install": pytest("tests/c"),
    "python": pytest("python/tests"),
    "examples": pytest("tests/examples"),
    "interop": runner("tests/interop/run.py"),
    "crash": runner("tests/crash/run.py", limit=1200),
    "inject": runner("tests/inject/run.py", limit=1200),
    "house": pytest("tests/scripts"),
}

# What some tests use when it is there.
OPTIONAL_TOOLS = {
    "clang": "clang",
    "ipcs": "util-linux",
    "pkg-config": "pkg-config",
    "strace": "strace",
    "unshare": "util-linux",
    "valgrind": "valgrind",
}

CARGO_CLOSING = re.compile(r"^test result: \w+\. (\d+) passed; (\d+) failed; (\d+) ignored;")
CARGO_IGNORED = re.compile(r"^test (.+?) \.\.\. ignored(?:, )?(.*)$")
CARGO_FAILED = re.compile(r"^test (.+?) \.\.\. FAILED$")
PYTEST_CLOSING = re.compile(r"^=* ?((?:\d+ \w+(?:, )?)+) in [\d.]+s")
PYTEST_SKIPPED = re.compile(r"^SKIPPED (?:\[\d+\] )?(.+)$")
PYTEST_FAILED = re.compile(r"^(?:FAILED|ERROR) (.+)$")
RUNNER_CLOSING = re.compile(r"^(?:[\w-]+: )?(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$")
RUNNER_FAILED = re.compile(r"^FAIL:? (.+)$")
SKIP = re.compile(r"\bSKIP (.+?: .*)$")
LEFT = re.compile(r"^LEFT (.+)$")


@dataclass
class Result:
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    failures: list[str] = field(default_factory=list)
    skips: list[str] = field(default_factory=list)

    def read(self, kind: str, line: str) -> None:
        """Takes what one line of output says."""
        if match := SKIP.search(line):
            self.skips.append(match[1])
            if kind == "cargo":
                self.passed -= 1
                self.skipped += 1
        elif match := LEFT.match(line):
            self.failed += 1
            self.failures.append(match[1])
        elif kind == "cargo":
            self.read_cargo(line)
        elif kind == "pytest":
            self.read_pytest(line)
        elif match := RUNNER_CLOSING.match(line):
            self.passed, failed, self.skipped = (int(number or 0) for number in match.groups())
            self.failed += failed
        elif match := RUNNER_FAILED.match(line):
            self.failures.append(match[1])

    def read_cargo(self, line: str) -> None:
        if match := CARGO_CLOSING.match(line):
            passed, failed, ignored = map(int, match.groups())
            self.passed += passed
            self.failed += failed
            self.skipped += ignored
        elif match := CARGO_IGNORED.match(line):
            self.skips.append(f"{match[1]}: {match[2] or 'ignored'}")
        elif match := CARGO_FAILED.match(line):
            self.failures.append(match[1])

    def read_pytest(self, line: str) -> None:
        if match := PYTEST_CLOSING.match(line):
            counts = {word.rstrip("s"): int(n) for n, word in (part.split() for part in match[1].split(", "))}
            self.passed += counts.get("passed", 0) + counts.get("xfailed", 0)
            self.failed += counts.get("failed", 0) + counts.get("error", 0) + counts.get("xpassed", 0)
            self.skipped += counts.get("skipped", 0)
        elif match := PYTEST_SKIPPED.match(line):
            self.skips.append(match[1].replace(" - Skipped: ", ": "))
        elif match := PYTEST_FAILED.match(line):
            self.failures.append(match[1])

    def close(self, status: int) -> None:
        """A stage that died, or that ran nothing, failed even if it counted no failure."""
        if status and not self.failed:
            self.fail(f"exit status {status}")
        elif not status and not self.passed + self.skipped:
            self.fail("no test ran")

    def fail(self, why: str) -> None:
        self.failed += 1
        self.failures.append(why)


def lines(process: subprocess.Popen[bytes], limit: int) -> Iterator[str]:
    """The process's output until its end; TimeoutError when it takes longer than `limit` seconds."""
    assert process.stdout is not None
    deadline = time.monotonic() + limit
    pending = b""
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while True:
            if not selector.select(deadline - time.monotonic()):
                yield pending.decode(errors="replace")
                raise TimeoutError(f"stopped after {limit} s")
            chunk = os.read(process.stdout.fileno(), 65536)
            *whole, pending = (pending + chunk).split(b"\n")
            yield from (line.decode(errors="replace") for line in whole)
            if not chunk:
                yield from [pending.decode(errors="replace")] if pending else []
                return


def run(name: str, stage: Stage, way: str) -> Result:
    """Runs one stage, shows its output and keeps it in a log.  What cargo builds is built outside."""
    is_gnu_x86_64 = platform.machine() == "x86_64" and platform.libc_ver()[0] == "glibc"
    if name in ("asan", "tsan") and not is_gnu_x86_64:
        print(f"SKIP {name}: it is for {GNU_X86_64}")
        return Result(skipped=1, skips=[f"{name}: it is for {GNU_X86_64}"])
    guard = [str(SCRIPTS / "isolate"), sys.executable, str(SCRIPTS / "leftovers.py")]
    guard += ["--neighbours"] if way != "none" else []
    environment = os.environ | stage.environment | {"UNIPC_ISOLATE": way}
    result = Result(skipped=len(stage.unfit), skips=[f"{test}: {why}" for test, why in stage.unfit.items()])
    command = stage.command + (["--", *(f"--skip={test}" for test in stage.unfit)] if stage.unfit else [])
    if stage.kind == "cargo" and subprocess.run([*stage.command, "--no-run"], cwd=ROOT, env=environment).returncode:
        result.fail("it does not build")
        return result
    log = TARGET / "test-logs" / f"{name}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w") as kept, tempfile.TemporaryDirectory(prefix="unipc-") as scratch:
        os.chmod(scratch, 0o1777)
        process = subprocess.Popen(
            [*guard, *command],
            cwd=ROOT,
            env=environment | {"TMPDIR": scratch},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            process_group=0,
        )
        try:
            for line in lines(process, stage.limit):
                print(line, flush=True)
                print(line, file=kept)
                result.read(stage.kind, line)
            result.close(process.wait())
        except TimeoutError as error:
            result.fail(str(error))
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            leftovers.stragglers(grace=0)
            for left in sorted(os.listdir(scratch)):
                result.fail(f"{scratch}/{left} was left behind")
    return result


def introduce() -> str:
    """Says what this machine lacks, and returns the way into namespaces."""
    way = subprocess.run([SCRIPTS / "isolate", "--how"], capture_output=True, text=True, check=True).stdout.strip()
    if way == "none":
        print("The kernel refuses namespaces here: the tests run beside this machine's own IPC objects.")
    for tool, package in OPTIONAL_TOOLS.items():
        if shutil.which(tool) is None:
            print(f"{tool} is not here (package {package}): tests that need it are skipped.")
    return way


def check_machine(before: leftovers.Snapshot, way: str) -> Result:
    """The machine's own objects, outside of the namespaces, are as they were before the run."""
    after = leftovers.snapshot()
    complaints = leftovers.appeared(before, after, os.getuid()) + leftovers.disturbed(before, after, used=False)
    if way != "none":
        # The tests could not reach these: somebody else's doing.
        for complaint in complaints:
            print(f"note: outside of the tests, meanwhile: {complaint}")
        complaints = []
    return Result(1 - bool(complaints), len(complaints), 0, complaints)


def report(results: dict[str, tuple[Result, float]]) -> int:
    print(f"\n{'stage':<12}{'passed':>8}{'failed':>8}{'skipped':>8}{'seconds':>9}")
    for name, (result, seconds) in results.items():
        print(f"{name:<12}{result.passed:>8}{result.failed:>8}{result.skipped:>8}{seconds:>9.1f}")
    for name, (result, _) in results.items():
        for skip in result.skips:
            print(f"skipped in {name}: {skip}")
    for name, (result, _) in results.items():
        for failure in result.failures:
            print(f"failed in {name}: {failure}")
    passed, failed, skipped = (
        sum(getattr(result, count) for result, _ in results.values()) for count in ("passed", "failed", "skipped")
    )
    print(f"\n{passed} passed, {failed} failed, {skipped} skipped", flush=True)
    return int(failed > 0)


def main() -> int:
    # A shell gives what it runs in the background ignored SIGINT and SIGQUIT, which every test would inherit.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGQUIT, signal.SIG_DFL)
    names = sys.argv[1:] or list(STAGES)
    if unknown := set(names) - STAGES.keys():
        sys.exit(f"summary.py: no stage {', '.join(sorted(unknown))}; there are {', '.join(STAGES)}")
    way = introduce()
    leftovers.adopt_orphans()
    before = leftovers.snapshot()
    results = {}
    for name in names:
        print(f"\n=== {name}: {' '.join(STAGES[name].command)}", flush=True)
        start = time.monotonic()
        result = run(name, STAGES[name], way)
        results[name] = (result, time.monotonic() - start)
    results["machine"] = (check_machine(before, way), 0.0)
    return report(results)


if __name__ == "__main__":
    sys.exit(main())
