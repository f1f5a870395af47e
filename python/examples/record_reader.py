# SPDX-License-Identifier: MIT OR Apache-2.0
"""Reads the samples of a record_writer, in whatever language that was written: nothing is declared here.

`record_reader NAME`
"""

from common import run, say

import unipc


def work(name: str) -> None:
    samples = unipc.open(name).numpy()
    last = unipc.open(f"{name}.latest").get()
    total = samples["channels"][:, 3].sum()
    source = samples["source"][0].decode()
    say(f"{len(samples)} samples of {samples.itemsize} bytes from {source}, channel 3: {total:.2f}")
    say(f"the latest: {last['t_ns']} ns, kind {last['kind']}")


run(work, "record_reader NAME")
