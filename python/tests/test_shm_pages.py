# SPDX-License-Identifier: MIT OR Apache-2.0
"""Changing the size, what is done to whole pages, removing."""

import errno
import os
from pathlib import Path

import pytest
from conftest import BACKINGS, NAMED, Maker

from unipc import Advice, SharedMemory

RESIZABLE = ["posix", "file", "memfd"]


@pytest.mark.parametrize("backing", RESIZABLE)
def test_resize_and_refresh(make: Maker, backing: str) -> None:
    shm = make(backing, 100, **({"seals": 0} if backing == "memfd" else {}))
    shm.write_at(0, b"kept")
    with SharedMemory.from_fd(shm) as other:
        shm.resize(1 << 20)
        assert len(shm) == os.fstat(shm.fileno()).st_size == 1 << 20
        assert shm.read_at(0, 4) == b"kept"
        shm.store_u32((1 << 20) - 4, 9)
        assert len(other) == 100
        other.refresh()
        assert other.load_u32((1 << 20) - 4) == 9
        shm.resize(50)
        assert bytes(shm) == b"kept" + bytes(46)
        with pytest.raises(OSError) as caught:
            other.read_at(0, 100)
        assert caught.value.errno == errno.EFAULT
        other.refresh()
        assert len(other) == 50


@pytest.mark.parametrize("backing", ["sysv", "anon"])
def test_some_memory_keeps_its_size(make: Maker, backing: str) -> None:
    shm = make(backing)
    with pytest.raises(OSError, match="keep their size") as caught:
        shm.resize(8192)
    assert caught.value.errno == errno.EOPNOTSUPP
    shm.refresh()
    assert len(shm) == 4096


def test_resize_is_refused_with_a_reason(posix: SharedMemory, make: Maker) -> None:
    with pytest.raises(OSError) as caught:
        posix.resize(0)
    assert caught.value.errno == errno.ENODATA
    with pytest.raises(OSError) as caught:
        posix.resize(1 << 60)
    assert caught.value.errno in (errno.ENOSPC, errno.EFBIG, errno.ENOMEM)
    assert len(posix) == 4096
    with SharedMemory.open(posix.name, read_only=True) as reader, pytest.raises(PermissionError):
        reader.resize(8192)
    with pytest.raises(PermissionError, match="seal"):
        make("memfd").resize(10)


@pytest.mark.parametrize("backing", BACKINGS)
def test_flush_in_every_form(make: Maker, backing: str) -> None:
    shm = make(backing, 10_000)
    shm.write_at(5000, b"x")
    shm.flush()
    shm.flush(5000, 1)
    shm.flush(5000)
    shm.flush(wait=False)
    shm.flush(0, 10_000, invalidate=True)
    shm.flush(wait=False, invalidate=True)
    with pytest.raises(OSError) as caught:
        shm.flush(5000, 5001)
    assert caught.value.errno == errno.ERANGE


@pytest.mark.parametrize("advice", list(Advice))
def test_every_advice_is_known(make: Maker, advice: Advice) -> None:
    shm = make("memfd", 1 << 16)
    shm.fill(0, 1 << 16, 7)
    try:
        shm.advise(advice)
        shm.advise(advice, 4096, 10)
    except OSError as error:
        # Known to the library; this kernel was built without it.
        assert "not among" not in str(error)
    assert shm.read_at(0, 1 << 16) == b"\7" * (1 << 16)


def test_an_advice_that_would_lose_bytes_is_not_offered(posix: SharedMemory) -> None:
    madv_remove = 9
    with pytest.raises(OSError, match=r"not among unipc\.Advice") as caught:
        posix.advise(madv_remove)
    assert caught.value.errno == errno.EINVAL


def locked_kilobytes() -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmLck")).split()[1])


@pytest.mark.parametrize("backing", BACKINGS)
def test_lock_in_memory(make: Maker, backing: str) -> None:
    shm = make(backing, 1 << 16)
    before = locked_kilobytes()
    try:
        shm.lock()
    except OSError as error:
        assert "RLIMIT_MEMLOCK" in str(error)
        pytest.skip(f"may not lock memory: {error}")
    assert locked_kilobytes() == before + 64
    shm.unlock()
    assert locked_kilobytes() == before


@pytest.mark.parametrize("backing", NAMED)
def test_remove_leaves_the_mapping(make: Maker, backing: str) -> None:
    shm = make(backing)
    shm.store_u32(0, 7)
    shm.remove()
    assert shm.load_u32(0) == 7
    with pytest.raises(FileNotFoundError):
        SharedMemory.open(shm.name)
    with pytest.raises(FileNotFoundError):
        SharedMemory.unlink(shm.name)
    if backing != "sysv":
        with pytest.raises(FileNotFoundError):
            shm.remove()


def test_remove_spares_another_object_of_the_name(posix: SharedMemory) -> None:
    with SharedMemory.create(posix.name, 8, replace=True):
        with pytest.raises(OSError, match="another object") as caught:
            posix.remove()
        assert caught.value.errno == errno.ESTALE
        SharedMemory.open(posix.name).close()


def test_remove_if_unused(make: Maker) -> None:
    shm = make("sysv")
    with SharedMemory.open(shm.name):
        with pytest.raises(OSError, match="attached 1 more") as caught:
            shm.remove(if_unused=True)
        assert caught.value.errno == errno.EBUSY
    shm.remove(if_unused=True)
    with pytest.raises(OSError) as caught:
        make("posix").remove(if_unused=True)
    assert caught.value.errno == errno.EOPNOTSUPP


@pytest.mark.parametrize("backing", ["memfd", "anon"])
def test_what_has_no_name_cannot_be_removed(make: Maker, backing: str) -> None:
    with pytest.raises(OSError) as caught:
        make(backing).remove()
    assert caught.value.errno == errno.EOPNOTSUPP
