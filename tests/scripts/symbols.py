#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""symbols.py [--bless] LIBRARY LIST: compares what the shared library exports with the checked-in list.

Also checks its soname, which must be libunipc.so.0.  --bless writes the list anew.
"""

import re
import subprocess
import sys
from pathlib import Path

SONAME = "libunipc.so.0"


def output(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def exported(library: str) -> list[str]:
    listing = output("nm", "--dynamic", "--defined-only", "--format=posix", library)
    return sorted(line.split()[0] for line in listing.splitlines())


def main() -> int:
    bless = sys.argv[1] == "--bless"
    library, checked_in = sys.argv[-2:]
    symbols = exported(library)
    if bless:
        Path(checked_in).write_text("".join(f"{symbol}\n" for symbol in symbols))
    listed = Path(checked_in).read_text().split()
    faults = [f"{symbol} is exported but not in {checked_in}" for symbol in symbols if symbol not in listed]
    faults += [f"{symbol} is in {checked_in} but not exported" for symbol in listed if symbol not in symbols]
    faults += [f"{symbol} does not begin with unipc_" for symbol in symbols if not symbol.startswith("unipc_")]
    if f"[{SONAME}]" not in re.findall(r"SONAME.*(\[.*\])", output("readelf", "--dynamic", "--wide", library)):
        faults.append(f"the soname is not {SONAME}")
    for fault in faults:
        print(f"{library}: {fault}; `make bless` accepts a change of the list")
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main())
