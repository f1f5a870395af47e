# SPDX-License-Identifier: MIT OR Apache-2.0
"""A FIFO as the place where clients find a server: answers COUNT requests, in capitals, and ends.

A request is one line, "PID TEXT", of at most PIPE_BUF bytes, so that those of several clients do not mix. The reply
goes into the client's own FIFO, PATH.PID. Run `fifo_server.py PATH COUNT`, then `fifo_client.py PATH TEXT` in any
language, or in a shell: mkfifo P.$$; echo "$$ text" >P; cat P.$$; rm P.$$
"""

from contextlib import suppress
from itertools import islice

from common import run

from unipc import Fifo


def reply(path: str, request: bytes) -> None:
    """A client that does not read its reply in time gets none."""
    pid, _, text = request.rstrip(b"\n").partition(b" ")
    if not pid.isdigit() or len(pid) > 10:
        return
    with suppress(OSError), Fifo.open(f"file:{path}.{pid.decode()}").writer(timeout=5) as writer:
        writer.write_all(text.upper(), timeout=5)


def serve(path: str, count: str = "1") -> None:
    fifo = Fifo.create(f"file:{path}")
    with fifo.reader(timeout=0) as reader:
        reader.keep_open()
        with reader.makefile("rb") as requests:
            for request in islice(requests, int(count)):
                reply(path, request)
    Fifo.unlink(fifo.name)


run(serve, "fifo_server PATH COUNT")
