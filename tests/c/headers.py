#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""Compiles the public headers in every language standard that they promise, with every warning an error.

Each header alone, unipc.h twice, and a program that uses the options macro; C99 to C23 and C++11 to C++20;
gcc and clang, where they are installed.
"""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
INCLUDE = ROOT / "include"
WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Wundef", "-Wconversion", "-Werror"]
# Compiler, language of its -x option, standards.  c2x is the name of C23 that older compilers know too.
COMPILERS = [
    ("gcc", "c", ["c99", "c11", "c17", "c2x"]),
    ("clang", "c", ["c99", "c11", "c17", "c2x"]),
    ("g++", "c++", ["c++11", "c++14", "c++17", "c++20"]),
    ("clang++", "c++", ["c++11", "c++14", "c++17", "c++20"]),
]


def sources(language: str) -> dict[str, str]:
    """What is compiled, by name."""
    headers = [str(path.relative_to(INCLUDE)) for path in sorted(INCLUDE.rglob("*.h"))]
    found = {f"{header} alone": f"#include <{header}>\n" for header in headers}
    found["unipc.h twice"] = "#include <unipc.h>\n#include <unipc.h>\n"
    program = Path(__file__).with_name("options.cpp" if language == "c++" else "options.c")
    found[program.name] = program.read_text()
    return found


def cases() -> Iterator[tuple[str, list[str], str]]:
    """Name, command and source of every compilation."""
    for compiler, language, standards in COMPILERS:
        if shutil.which(compiler) is None:
            continue
        for standard in standards:
            command = [compiler, "-x", language, f"-std={standard}", *WARNINGS, f"-I{INCLUDE}", "-fsyntax-only", "-"]
            for what, source in sources(language).items():
                yield f"{compiler} -std={standard}: {what}", command, source


def main() -> int:
    absent = [compiler for compiler, _, _ in COMPILERS if shutil.which(compiler) is None]
    for compiler in absent:
        print(f"SKIP {compiler}: it is not installed")
    todo = list(cases())
    with ThreadPoolExecutor() as pool:
        runs = pool.map(lambda case: subprocess.run(case[1], input=case[2], text=True, capture_output=True), todo)
        failed = 0
        for (name, _, _), done in zip(todo, runs, strict=True):
            if done.returncode or done.stderr:
                failed += 1
                print(f"FAIL {name}\n{done.stderr}")
    print(f"headers: {len(todo) - failed} passed, {failed} failed, {len(absent)} skipped")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
