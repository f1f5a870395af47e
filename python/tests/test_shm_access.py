# SPDX-License-Identifier: MIT OR Apache-2.0
"""Copies and atomics."""

import array
import errno
import os
import random
from collections.abc import Callable

import pytest
from conftest import BACKINGS, Maker

from unipc import SharedMemory

LARGE = 3 << 20  # long enough to be copied without the interpreter


@pytest.mark.parametrize("backing", BACKINGS)
@pytest.mark.parametrize("size", [1, 4096, 4097, LARGE])
def test_what_is_written_is_read(make: Maker, backing: str, size: int) -> None:
    shm = make(backing, size + 3)
    data = random.randbytes(size)
    shm.write_at(3, data)
    assert shm.read_at(3, size) == data
    assert bytes(shm)[3:] == data
    mine = bytearray(size)
    shm.read_into(3, mine)
    assert mine == data
    assert shm.compare(3, data) == 0


def test_any_contiguous_buffer_will_do(posix: SharedMemory) -> None:
    numbers = array.array("d", [1.5, 2.5])
    posix.write_at(8, numbers)
    posix.write_at(24, memoryview(b"abcdef")[1:3])
    posix.write_at(26, b"")
    assert posix.read_at(24, 3) == b"bc\0"
    back = array.array("d", [0, 0])
    posix.read_into(8, back)
    assert back == numbers
    posix.read_into(0, bytearray())
    with pytest.raises(TypeError):
        posix.write_at(0, "text")  # type: ignore[arg-type]
    with pytest.raises(BufferError, match="side by side"):
        posix.write_at(0, memoryview(b"abcdef")[::2])
    with pytest.raises(BufferError, match="read-only"):
        posix.read_into(0, b"constant")


def test_fill_and_compare_as_memset_and_memcmp(posix: SharedMemory) -> None:
    posix.fill(10, 20, 0xFF)
    assert posix.read_at(9, 22) == b"\0" + b"\xff" * 20 + b"\0"
    assert posix.compare(10, b"\xff" * 20) == 0
    assert posix.compare(10, b"\xff\xfe") == 1
    assert posix.compare(9, b"\xff") == -1
    assert posix.compare(0, b"") == 0
    with pytest.raises(OverflowError):
        posix.fill(0, 1, 256)


Call = Callable[[SharedMemory, int], object]
AT = [
    lambda shm, at: shm.read_at(at, 8),
    lambda shm, at: shm.read_into(at, bytearray(8)),
    lambda shm, at: shm.write_at(at, bytes(8)),
    lambda shm, at: shm.fill(at, 8, 0),
    lambda shm, at: shm.compare(at, bytes(8)),
    lambda shm, at: shm.load_u64(at),
    lambda shm, at: shm.store_u64(at, 0),
    lambda shm, at: shm.add_u64(at, 0),
    lambda shm, at: shm.compare_exchange_u64(at, 0, 0),
    lambda shm, at: shm.array("B", 8, at),
    lambda shm, at: shm.flush(at, 8),
]


@pytest.mark.parametrize("call", AT)
def test_outside_is_a_range_error(posix: SharedMemory, call: Call) -> None:
    call(posix, 4088)
    for offset in (4092, 4096, 1 << 40, (1 << 64) - 4):
        with pytest.raises(OSError) as caught:
            call(posix, offset)
        assert (caught.value.errno, caught.value.filename) == (errno.ERANGE, posix.name)
    with pytest.raises(OverflowError):
        call(posix, -8)


def test_a_size_out_of_all_proportion_is_a_range_error(posix: SharedMemory) -> None:
    for size in (4097, 1 << 62):
        with pytest.raises(OSError) as caught:
            posix.read_at(0, size)
        assert caught.value.errno == errno.ERANGE


def test_copies_of_a_truncated_file_are_errors(make: Maker) -> None:
    shm = make("file", LARGE)
    os.truncate(shm.fileno(), 4096)
    assert shm.read_at(0, 4096) == bytes(4096)
    calls: list[Callable[[], object]] = [
        lambda: shm.read_at(0, LARGE),
        lambda: shm.read_into(LARGE - 8, bytearray(8)),
        lambda: shm.write_at(4096, b"x"),
        lambda: shm.fill(4090, 10, 1),
        lambda: shm.compare(4096, b"x"),
    ]
    for call in calls:
        with pytest.raises(OSError, match="truncated") as caught:
            call()
        assert caught.value.errno == errno.EFAULT


@pytest.mark.parametrize("bits", [32, 64])
def test_atomics(posix: SharedMemory, bits: int) -> None:
    size, largest = bits // 8, (1 << bits) - 1
    load = getattr(posix, f"load_u{bits}")
    store = getattr(posix, f"store_u{bits}")
    add = getattr(posix, f"add_u{bits}")
    exchange = getattr(posix, f"compare_exchange_u{bits}")
    store(size, largest)
    assert load(size) == largest
    assert posix.read_at(0, 3 * size) == bytes(size) + b"\xff" * size + bytes(size)
    assert add(size, 2) == largest
    assert load(size) == 1
    assert exchange(size, 1, 9) == (True, 1)
    assert exchange(size, 1, 10) == (False, 9)
    assert load(size) == 9
    for refused in (-1, largest + 1):
        with pytest.raises(OverflowError):
            store(0, refused)
    with pytest.raises(OSError, match="multiple of") as caught:
        load(size // 2)
    assert caught.value.errno == errno.EINVAL
