# SPDX-License-Identifier: MIT OR Apache-2.0
"""Seals of a memfd, and descriptors that stay read-only."""

import errno
import mmap
import os

import pytest
from conftest import BACKINGS, Maker

from unipc import Seals, SharedMemory


def test_a_memfd_is_sealed_against_shrinking_unless_told_otherwise(make: Maker) -> None:
    shm = make("memfd")
    assert Seals.SHRINK in shm.seals
    with pytest.raises(PermissionError):
        os.ftruncate(shm.fileno(), 0)
    assert Seals.SHRINK not in make("memfd", seals=Seals.NONE).seals
    both = Seals.GROW | Seals.SHRINK
    assert both in make("memfd", seals=both).seals


def test_seals_are_added_for_good(make: Maker) -> None:
    shm = make("memfd")
    shm.add_seals(Seals.GROW)
    shm.add_seals(Seals.GROW)
    assert Seals.GROW | Seals.SHRINK in shm.seals
    with pytest.raises(PermissionError):
        shm.resize(8192)
    with pytest.raises(OSError) as caught:
        shm.add_seals(Seals.WRITE)  # our own mapping can be written
    assert caught.value.errno == errno.EBUSY
    shm.add_seals(Seals.SEAL)
    with pytest.raises(PermissionError):
        shm.add_seals(Seals.FUTURE_WRITE)
    with pytest.raises(OSError) as caught:
        shm.add_seals(1 << 20)
    assert caught.value.errno == errno.EINVAL


def test_a_peer_can_insist_on_seals(make: Maker) -> None:
    shm = make("memfd")
    SharedMemory.from_fd(shm, require_seals=Seals.SHRINK).close()
    with pytest.raises(PermissionError, match="GROW") as caught:
        SharedMemory.from_fd(shm, require_seals=Seals.SHRINK | Seals.GROW)
    assert caught.value.errno == errno.EPERM


def test_a_read_only_descriptor_stays_read_only(make: Maker) -> None:
    shm = make("memfd")
    fd = shm.read_only_fd()
    try:
        assert not os.get_inheritable(fd)
        with SharedMemory.from_fd(fd, read_only=True) as reader:
            shm.write_at(0, b"new")
            assert reader.read_at(0, 3) == b"new"
        with pytest.raises(PermissionError):
            SharedMemory.from_fd(fd)
        # A peer of the same user reopens it for writing, in vain.
        again = os.open(f"/proc/self/fd/{fd}", os.O_RDWR)
        try:
            with pytest.raises(PermissionError):
                mmap.mmap(again, 4096)
            with pytest.raises(PermissionError):
                os.write(again, b"x")
        finally:
            os.close(again)
    finally:
        os.close(fd)


@pytest.mark.parametrize("backing", [backing for backing in BACKINGS if backing != "memfd"])
def test_only_a_memfd_has_seals(make: Maker, backing: str) -> None:
    shm = make(backing)
    for call in (lambda: shm.seals, lambda: shm.add_seals(Seals.GROW), shm.read_only_fd):
        with pytest.raises(OSError, match="only a memfd") as caught:
            call()
        assert caught.value.errno == errno.EOPNOTSUPP
    with pytest.raises(OSError, match="only a memfd"):
        make(backing, seals=Seals.GROW)
