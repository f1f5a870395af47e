# SPDX-License-Identifier: MIT OR Apache-2.0
"""Reads frames until the one without a size, beginning with the oldest: number, size, sum of all pixels, and how many
were lost. They come as numpy arrays of as many as are there. Then it writes the last one as a picture (PGM), where one
is wanted, and removes the name, if no other subscriber has.

Run `topic_subscriber.py NAME [PICTURE]` in any language, as many as you like, and `topic_publisher.py NAME COUNT`.
"""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
from common import run, say

from unipc import Subscriber, Topic

FRAME = np.dtype([("number", "u4"), ("width", "u4"), ("height", "u4"), ("pixels", "u1", (48, 64))])


def frames(subscriber: Subscriber) -> Iterator[np.void]:
    for batch in subscriber.batches(100):
        for frame in batch:
            if not frame["width"]:
                return
            yield frame


def subscribe(name: str, picture: str | None = None) -> None:
    Topic.open_or_create(name, layout=FRAME, reliable=True).close()
    # Nothing is declared: the topic tells what a frame is.
    with Subscriber.open(name, oldest=True) as subscriber:
        say("subscribed")
        for frame in frames(subscriber):
            size = f"{frame['width']}x{frame['height']}"
            say(f"frame {frame['number']}: {size}, sum {frame['pixels'].sum()}, lost {subscriber.lost}")
    if picture:
        height, width = frame["pixels"].shape
        Path(picture).write_bytes(f"P5 {width} {height} 255\n".encode() + frame["pixels"].tobytes())
    with suppress(FileNotFoundError):
        Topic.unlink(name)


run(subscribe, "topic_subscriber NAME [PICTURE]")
