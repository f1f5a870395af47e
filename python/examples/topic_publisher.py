# SPDX-License-Identifier: MIT OR Apache-2.0
"""A camera: publishes so many frames of 64 x 48 bytes, made where they lie, and an empty one at the end.

Run `topic_subscriber.py NAME` in any language, as many as you like, and `topic_publisher.py NAME COUNT`. Frames that
nobody has seen yet stay, so that one subscriber may be late.
"""

import numpy as np
from common import run

from unipc import Topic

FRAME = np.dtype([("number", "u4"), ("width", "u4"), ("height", "u4"), ("pixels", "u1", (48, 64))])
GRADIENT = np.add.outer(np.arange(48), np.arange(64))


def publish(name: str, count: str) -> None:
    with Topic.open_or_create(name, reliable=True) as topic:
        for number in range(int(count)):
            with topic.reserve(FRAME.itemsize) as room:
                frame = np.frombuffer(room, FRAME)
                frame[0] = number, 64, 48, GRADIENT + number & 255
                del frame
        topic.publish(b"")


run(publish, "topic_publisher NAME COUNT")
