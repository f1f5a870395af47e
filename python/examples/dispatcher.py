# SPDX-License-Identifier: MIT OR Apache-2.0
"""Gives jobs to workers, several at a time, and shows the results; a job whose worker died is given to another. Then it
removes the service.

Run `worker.py NAME` in any languages, as many as you like, and `dispatcher.py NAME TEXT...`.
"""

import os
from collections import deque

from common import run, say

from unipc import Client, Service

AT_ONCE = 8


def dispatch(name: str, *texts: str) -> None:
    left, given = deque(texts), deque()
    with Client.open(name) as client:
        while left or given:
            while left and len(given) < AT_ONCE:
                text = left.popleft()
                given.append((text, client.begin(os.fsencode(text))))
            text, call = given.popleft()
            try:
                result, _more = call.wait()
            except BrokenPipeError:
                say(f"{text}: its worker died, another gets it")
                call.cancel()
                given.append((text, client.begin(os.fsencode(text))))
            else:
                say(f"{text}: {result.decode(errors='replace')}")
    Service.unlink(name)


run(dispatch, "dispatcher NAME TEXT...")
