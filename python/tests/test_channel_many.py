# SPDX-License-Identifier: MIT OR Apache-2.0
"""Lists of messages, each by one call."""

import errno
from concurrent.futures import ThreadPoolExecutor

import pytest

from unipc import Queue, Subscriber, Topic

SOON = 30


def test_lists_of_bytes_go_and_come_together() -> None:
    queue = Queue.create("memfd:lists", 1 << 17)
    messages = [bytes([number]) * (number * 13 % 300) for number in range(256)]
    for row in (messages, tuple(messages), iter(messages), [bytearray(it) for it in messages]):
        assert queue.send_many(row) == len(messages)
        assert queue.recv_many(10) == messages[:10]
        assert queue.recv_many(1000) == messages[10:]
    assert queue.send_many([]) == 0
    with pytest.raises(BlockingIOError):
        queue.recv_many(10, timeout=0)
    with pytest.raises(ValueError, match="1 or more"):
        queue.recv_many(0)
    with pytest.raises(TypeError):
        queue.send_many([b"one", "two"])
    assert queue.recv() == b"one"
    # What stands before one that is too long was sent, as one by one.
    with pytest.raises(OSError) as caught:
        queue.send_many([b"one", bytes(1 << 24), b"two"])
    assert caught.value.errno == errno.EMSGSIZE
    assert queue.recv_many(10) == [b"one"]


def test_a_list_that_does_not_fit_goes_as_far_as_it_can() -> None:
    small = Queue.create("memfd:small", 4096)
    messages = [bytes([number]) * 100 for number in range(100)]
    sent = small.send_many(messages, timeout=0)
    assert 0 < sent < 100
    with pytest.raises(BlockingIOError):
        small.send_many(messages, timeout=0)
    with pytest.raises(TimeoutError):
        small.send_many(messages, timeout=0.01)
    got: list[bytes] = []
    with ThreadPoolExecutor(1) as pool:
        rest = pool.submit(small.send_many, messages[sent:], SOON)
        while len(got) < 100:
            got += small.recv_many(7, timeout=SOON)
        assert rest.result() == 100 - sent
    assert got == messages


def test_lists_are_published() -> None:
    topic = Topic.create("memfd:lists", 1 << 16, reliable=True)
    subscribers = [Subscriber.from_fd(topic.memory_fd) for _ in range(2)]
    messages = [bytes([number]) * number for number in range(100)]
    assert topic.publish_many(messages) == 100
    for subscriber in subscribers:
        assert subscriber.recv_many(1000) == messages
