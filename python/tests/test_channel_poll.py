# SPDX-License-Identifier: MIT OR Apache-2.0
"""The descriptors of channel ends in Python's own event loops."""

import os
import select
import selectors

import pytest

import unipc
from unipc import Client, Queue, Service, Subscriber, Topic


def is_readable(end: object, timeout: float = 0) -> bool:
    return bool(select.select([end], [], [], timeout)[0])


def test_a_queue_is_readable_while_there_are_messages() -> None:
    queue = Queue.create("memfd:poll", 4096)
    assert not is_readable(queue)
    for _ in range(100):
        queue.send(b"one")
        assert is_readable(queue, 30)
        assert queue.recv(timeout=0) == b"one"
        with pytest.raises(BlockingIOError):
            queue.recv(timeout=0)
        assert not is_readable(queue)


def test_a_queue_has_room_again() -> None:
    queue = Queue.create("memfd:poll", 4096)
    assert select.select([queue.send_fileno()], [], [], 0)[0]
    with pytest.raises(BlockingIOError):
        while True:
            queue.send(bytes(1000), timeout=0)
    assert not select.select([queue.send_fileno()], [], [], 0)[0]
    queue.recv()
    assert select.select([queue.send_fileno()], [], [], 30)[0]


def test_the_other_ends_have_one_each() -> None:
    topic = Topic.create("memfd:poll", 4096, reliable=True)
    subscriber = Subscriber.from_fd(topic.memory_fd)
    assert is_readable(topic) and not is_readable(subscriber)
    topic.publish(b"news")
    assert is_readable(subscriber, 30) and subscriber.recv(timeout=0) == b"news"
    service = Service.create("memfd:poll", 4096)
    client = Client.from_fd(service.memory_fd)
    with selectors.DefaultSelector() as selector:
        selector.register(service, selectors.EVENT_READ)
        selector.register(client, selectors.EVENT_READ)
        assert selector.select(0) == []
        call = client.begin(b"?")
        assert [key.fileobj for key, _ in selector.select(30)] == [service]
        service.recv(timeout=0).reply(b"!")
        with pytest.raises(BlockingIOError):
            service.recv(timeout=0)
        assert [key.fileobj for key, _ in selector.select(30)] == [client]
        assert call.wait(timeout=0) == (b"!", False)


def test_a_descriptor_ends_with_its_handle() -> None:
    queue = Queue.create("memfd:poll", 4096)
    fd = queue.fileno()
    assert fd == queue.fileno() and not os.get_inheritable(fd)
    queue.close()
    with pytest.raises(ValueError, match="closed"):
        queue.fileno()
    with pytest.raises(OSError):
        os.fstat(fd)


def test_a_child_of_fork_has_none_of_its_parents() -> None:
    queue = Queue.create("memfd:poll", 4096)
    queue.fileno()
    child = os.fork()
    if child == 0:
        try:
            queue.fileno()
        except OSError:
            own = Queue.from_fd(queue.memory_fd)
            own.send(b"me")
            os._exit(0 if is_readable(own, 30) and unipc.Queue is Queue else 1)
        os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
