# SPDX-License-Identifier: MIT OR Apache-2.0
"""Sockets: each language with each other, by each kind of name."""

from pathlib import Path

import pytest
from programs import each_pair, lines, started

from unipc import SystemV

SOCKETS = {"path": "unix:{}/socket", "abstract": "unix:@", "inet": "{}:127.0.0.1:0"}


def socket_name(place: str, inet: str, directory: Path) -> str:
    return SOCKETS[place].format(inet if place == "inet" else directory)


@each_pair
@pytest.mark.parametrize("place", SOCKETS)
def test_records_go_through_a_stream_and_back(one: str, other: str, place: str, short: Path) -> None:
    with started(one, "socket_server", socket_name(place, "tcp", short)) as server:
        assert server.stdout
        word, _, name = server.stdout.readline().rstrip().rpartition(" ")
        assert word == "listening at"
        assert lines(other, "socket_client", name, "first", "", "third") == ["got first", "got ", "got third"]
        assert server.stdout.read() == "first\n\nthird\n"


@each_pair
@pytest.mark.parametrize("place", SOCKETS)
def test_datagrams_are_answered(one: str, other: str, place: str, short: Path) -> None:
    with started(one, "datagram_server", socket_name(place, "udp", short), 3) as server:
        assert server.stdout
        word, _, name = server.stdout.readline().rstrip().rpartition(" ")
        assert word == "bound to"
        assert lines(other, "datagram_client", name, "first", "second") == ["got first", "got second"]
        assert lines(other, "datagram_client", name, "third") == ["got third"]
        assert server.stdout.read() == "first\nsecond\nthird\n"


@each_pair
@pytest.mark.parametrize("place", ["path", "abstract"])
def test_memory_is_handed_over(one: str, other: str, place: str, short: Path) -> None:
    before = [segment.id for segment in SystemV.list()]
    with started(one, "handover_server", socket_name(place, "", short)) as server:
        assert server.stdout
        name = server.stdout.readline().split()[-1]
        assert lines(other, "handover_client", name) == ["segment: name b age 20", "memfd: name c age 21"]
        assert server.stdout.read() == "segment: name b age 21\nmemfd: name c age 22\n"
    assert [segment.id for segment in SystemV.list()] == before, "the segment went with its server"
