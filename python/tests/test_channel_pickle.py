# SPDX-License-Identifier: MIT OR Apache-2.0
"""Ends of channels on their way to another process."""

import copy
import multiprocessing
import pickle

import pytest
from conftest import Maker, Namer

from unipc import Client, Queue, Service, Topic


def test_a_pickled_end_opens_the_same_channel(name_of: Namer, make: Maker) -> None:
    memory = make("posix", 1 << 20)
    for place in (name_of("posix"), memory):
        with Queue.create(place, 1 << 12) as queue, pickle.loads(pickle.dumps(queue)) as other:
            other.send(b"there")
            assert queue.recv(timeout=0) == b"there"
            with copy.copy(other) as third:
                assert type(third) is Queue
    with Topic.create(name_of("posix")) as topic, topic.subscribe(spin=True) as subscriber:
        again = pickle.loads(pickle.dumps(topic))
        with pickle.loads(pickle.dumps(subscriber)) as other:
            again.publish(b"to all")
            assert (subscriber.recv(), other.recv()) == (b"to all", b"to all")
    name = name_of("posix")
    with Service.create(name) as service, Client.open(name) as client:
        call = pickle.loads(pickle.dumps(client)).begin(b"question")
        with pickle.loads(pickle.dumps(service)) as other:
            assert other.recv().data == b"question"
        del call
    with pytest.raises(ValueError, match="closed"):
        pickle.dumps(client)


def test_an_end_without_a_name_is_not_pickled() -> None:
    with Queue.create("memfd:pickled") as nameless, Queue.from_fd(nameless.memory_fd) as received:
        for end in (nameless, received):
            with pytest.raises(TypeError, match="pass its memory_fd"):
                pickle.dumps(end)


def work(jobs: Queue, done: Queue) -> None:
    """What another process does that is given both."""
    done.send(jobs.recv(timeout=20).upper())


def test_multiprocessing_takes_a_queue(name_of: Namer) -> None:
    with Queue.create(name_of("posix")) as jobs, Queue.create(name_of("posix")) as done:
        worker = multiprocessing.get_context("spawn").Process(target=work, args=(jobs, done))
        worker.start()
        jobs.send(b"work")
        assert done.recv(timeout=20) == b"WORK"
        worker.join()
        assert worker.exitcode == 0
