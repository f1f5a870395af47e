# SPDX-License-Identifier: MIT OR Apache-2.0
"""A camera: publishes so many frames of 64 x 48 pixels, and one without a size at the end.

Run `topic_subscriber.py NAME` in any language, as many as you like, and `topic_publisher.py NAME COUNT`. Frames that
nobody has seen yet stay, so that one subscriber may be late. What a frame consists of is stored in the topic.
"""

import numpy as np
from common import run

from unipc import Topic

FRAME = np.dtype([("number", "u4"), ("width", "u4"), ("height", "u4"), ("pixels", "u1", (48, 64))])
GRADIENT = np.add.outer(np.arange(48), np.arange(64))


def publish(name: str, count: str) -> None:
    with Topic.open_or_create(name, layout=FRAME, reliable=True) as topic:
        for number in range(int(count)):
            topic.publish((number, 64, 48, GRADIENT + number & 255))
        topic.publish((0, 0, 0, 0))


run(publish, "topic_publisher NAME COUNT")
