# SPDX-License-Identifier: MIT OR Apache-2.0
"""Receives so many messages in a task of asyncio, while another task counts the time, and removes the queue.

Run `asyncio_consumer.py NAME COUNT` and `queue_sender NAME TEXT...`, in C, Rust or Python, in any order.
"""

import asyncio

from common import run, say

from unipc import Queue


async def tick() -> None:
    while True:
        await asyncio.sleep(0.01)


async def consume(name: str, count: int) -> None:
    ticking = asyncio.create_task(tick())
    with Queue.open_or_create(name) as queue:
        if count:
            async for message in queue:
                say(message.decode(errors="replace"))
                count -= 1
                if not count:
                    break
    ticking.cancel()
    Queue.unlink(name)


run(lambda name, count: asyncio.run(consume(name, int(count))), "asyncio_consumer NAME COUNT")
