# SPDX-License-Identifier: MIT OR Apache-2.0
"""Shows a file in the user's pager, through a pipe that is its standard input.

Run `pager_pipe.py FILE`. PAGER names the program (default /bin/more), without arguments: no shell looks at it.
pager_popen.py allows them. A user who leaves the pager early ends it, no error.
"""

import os
from contextlib import suppress

from common import run

import unipc


def show(path: str) -> None:
    with open(path, "rb") as file:
        reader, writer = unipc.pipe.pipe()
        with unipc.spawn([os.environ.get("PAGER", "/bin/more")], stdin=reader):
            # The pager has its own; with this one open it could not end before we do.
            reader.close()
            with writer, suppress(BrokenPipeError):
                for line in file:
                    writer.write_all(line)


run(show, "pager_pipe.py FILE")
