# SPDX-License-Identifier: MIT OR Apache-2.0
"""Where the C header and library in this package are, for compilers: `cc prog.c $(python -m unipc --cflags --libs)`."""

import argparse
import sys
from pathlib import Path

from . import __version__

PACKAGE = Path(__file__).resolve().parent
INCLUDE = PACKAGE / "include"
LIB = PACKAGE / "lib"


def static_libs() -> str:
    """The archive and what it needs besides, which the .pc file knows."""
    for line in (LIB / "pkgconfig" / "unipc.pc").read_text().splitlines():
        if line.startswith("Libs.private:"):
            return f"{LIB / 'libunipc.a'} {line.partition(':')[2].strip()}"
    return str(LIB / "libunipc.a")


def parser() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(prog="python -m unipc", description="What a C compiler needs to know of unipc.")
    options.add_argument("--version", action="version", version=__version__)
    options.add_argument("--cflags", action="store_true", help="flags that find the header")
    options.add_argument("--libs", action="store_true", help="flags that link, and that find the library at run time")
    options.add_argument("--static", action="store_true", help="with --libs: link the archive instead")
    options.add_argument("--include-dir", action="store_true", help="the directory of unipc.h")
    options.add_argument("--lib-dir", action="store_true", help="the directory of libunipc.so and libunipc.a")
    options.add_argument("--pkgconfig-dir", action="store_true", help="the directory of unipc.pc, for PKG_CONFIG_PATH")
    return options


def main() -> int:
    options = parser()
    asked = options.parse_args()
    if not any(vars(asked).values()):
        options.print_usage(sys.stderr)
        return 2
    if not (INCLUDE / "unipc.h").is_file() or not (LIB / "libunipc.so").is_file():
        print(f"{PACKAGE} holds no C library: install the wheel that `make wheel` builds", file=sys.stderr)
        return 1
    words = []
    if asked.cflags:
        words.append(f"-I{INCLUDE}")
    if asked.libs or asked.static:
        words.append(static_libs() if asked.static else f"-L{LIB} -Wl,-rpath,{LIB} -lunipc")
    if asked.include_dir:
        words.append(str(INCLUDE))
    if asked.lib_dir:
        words.append(str(LIB))
    if asked.pkgconfig_dir:
        words.append(str(LIB / "pkgconfig"))
    print(" ".join(words))
    return 0


if __name__ == "__main__":
    sys.exit(main())
