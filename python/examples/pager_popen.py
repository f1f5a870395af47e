# SPDX-License-Identifier: MIT OR Apache-2.0
"""Shows a file in the user's pager, started by the shell.

Run `pager_popen.py FILE`. PAGER names the program (default: more), with arguments if you like. A user who leaves the
pager early ends it, no error.
"""

from contextlib import suppress

from common import run

from unipc import Shell


def show(path: str) -> None:
    with open(path, "rb") as file, Shell("${PAGER:-more}", "w", shell=True) as pager, suppress(BrokenPipeError):
        for line in file:
            pager.write(line)


run(show, "pager_popen.py FILE")
