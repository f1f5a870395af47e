# SPDX-License-Identifier: MIT OR Apache-2.0
"""Does one job after the other, until it is ended: half a second's work, whose result is the text in capitals.

Run `worker.py NAME` in any languages, as many as you like, and `dispatcher.py NAME TEXT...`. Kill one of them (kill -9)
after it has said that it took a job: another worker gets that job.
"""

from contextlib import suppress

from common import pause, run, say

from unipc import Service


def work(name: str) -> None:
    with Service.open_or_create(name) as service, suppress(KeyboardInterrupt):
        say("ready")
        for job in service:
            say("took", job.data.decode(errors="replace"))
            pause(0.5)
            job.reply(job.data.upper())


run(work, "worker NAME")
