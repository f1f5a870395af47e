# SPDX-License-Identifier: MIT OR Apache-2.0
"""Writes samples into an array that tells what they consist of, and the latest one into a cell.

`record_writer NAME COUNT`, NAME being such as /frames; then any record_reader, in any language. The cell is called
NAME.latest. Remove both with rm /dev/shm/NAME, or unipc_shm_unlink().
"""

import numpy
from common import run, say

from unipc import Array, Cell
from unipc.record import char, f32, u16, u64


class Sample:
    t_ns: u64
    kind: u16
    channels: f32[4]
    source: char[6]


def work(name: str, number: str) -> None:
    count = int(number)
    samples = Array.open_or_create(name, Sample, count).numpy()
    latest = Cell.open_or_create(f"{name}.latest", Sample)
    index = numpy.arange(count)
    samples["t_ns"] = 1000 * index
    samples["kind"] = index % 3
    samples["channels"] = index[:, None] + 0.25 * numpy.arange(4)
    samples["source"] = b"adc"
    for sample in samples:
        latest.set(sample)
    say(f"{count} written")


run(work, "record_writer NAME COUNT")
