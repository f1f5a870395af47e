# SPDX-License-Identifier: MIT OR Apache-2.0
"""Views that copy nothing: memoryview, NumPy, ctypes; and what they keep alive."""

import ctypes
import errno
import gc
import weakref
from collections.abc import Callable

import pytest
from conftest import BACKINGS, Maker, Runner, address_of, mapped_at

from unipc import SharedMemory

np = pytest.importorskip("numpy")


class People(ctypes.Structure):
    _fields_ = (("name", ctypes.c_char * 4), ("age", ctypes.c_int))


PEOPLE = np.dtype([("name", "S4"), ("age", "i4")])


@pytest.mark.parametrize("backing", BACKINGS)
def test_all_views_show_the_same_bytes(make: Maker, backing: str) -> None:
    shm = make(backing, 80)
    with memoryview(shm) as view:
        assert (view.format, view.itemsize, view.shape, view.contiguous, view.readonly) == ("B", 1, (80,), True, False)
        records = shm.array(PEOPLE)
        assert records.shape == (10,)
        records[3] = (b"d", 23)
        people = shm.view(People * 10)
        assert (people[3].name, people[3].age) == (b"d", 23)
        people[4].age = 24
        assert shm.load_u32(36) == 24
        assert bytes(view[24:32]) == b"d\0\0\0\x17\0\0\0"
        del records, people


@pytest.mark.parametrize("keep", ["memoryview", "slice", "array", "reshaped", "ctypes", "element", "frombuffer"])
def test_close_with_live_views_is_refused_and_harmless(make: Maker, keep: str) -> None:
    shm = make("posix")
    makers: dict[str, Callable[[], object]] = {
        "memoryview": lambda: memoryview(shm),
        "slice": lambda: memoryview(shm)[10:20],
        "array": lambda: shm.array("u1"),
        "reshaped": lambda: shm.array("i4", (4, 4)).T[1:],
        "ctypes": lambda: shm.view(People),
        "element": lambda: shm.view(People * 10)[2],
        "frombuffer": lambda: np.frombuffer(shm, "f8"),
    }
    view = makers[keep]()
    for call in (shm.close, lambda: shm.resize(8192), shm.refresh):
        with pytest.raises(BufferError, match="in use"):
            call()
    assert not shm.closed
    shm.store_u32(0, 1)
    del view
    shm.resize(8192)
    shm.close()


def test_a_view_outlives_the_handle() -> None:
    shm = SharedMemory.create("memfd:outlive", 4096)
    view, gone, address = shm.array("i4"), weakref.ref(shm), address_of(shm)
    del shm
    gc.collect()
    view[1000] = 5
    assert view[1000] == 5
    assert mapped_at(address) == "rw-s"
    del view
    gc.collect()
    assert gone() is None
    assert mapped_at(address) != "rw-s"


def test_an_ndarray_that_numpy_does_not_tell_of_never_dangles(make: Maker) -> None:
    shm = make("posix")
    shm.store_u32(0, 7)
    with SharedMemory.open(shm.name) as other:
        array, address = np.ndarray((1024,), "u4", buffer=other), address_of(other)
        with pytest.raises(BufferError, match="NumPy does not tell"):
            other.resize(8192)
    with pytest.raises(ValueError, match="is closed"):
        other.load_u32(0)
    del other
    array[0] += 1
    assert shm.load_u32(0) == 8
    del array
    gc.collect()
    assert mapped_at(address) != "rw-s"


def test_an_exception_in_a_with_block_is_not_hidden_by_a_live_view(make: Maker) -> None:
    shm = make("posix")
    kept = []
    with pytest.raises(KeyError), shm:
        kept.append(memoryview(shm))
        raise KeyError
    assert not shm.closed
    with pytest.raises(BufferError), shm:
        pass
    kept[0].release()
    shm.close()


def test_read_only_views(make: Maker) -> None:
    shm = make("posix", 80)
    shm.write_at(8, b"c\0\0\0\x15\0\0\0")
    with SharedMemory.open(shm.name, read_only=True) as reader:
        with memoryview(reader) as view:
            assert view.readonly
            with pytest.raises(TypeError):
                view[0] = 1
        records = reader.array(PEOPLE)
        assert not records.flags.writeable
        with pytest.raises(ValueError, match="read-only"):
            records[0] = (b"x", 1)
        assert tuple(records[1]) == (b"c", 21)
        with pytest.raises(TypeError, match="from_buffer_copy"):
            reader.view(People)
        assert People.from_buffer_copy(reader, 8).age == 21
        del records


def test_shapes_of_arrays(make: Maker) -> None:
    shm = make("posix", 100)
    assert shm.array("f8").shape == (12,)
    assert shm.array("f8", offset=90).shape == (1,)
    assert shm.array("u1", 7, offset=3).shape == (7,)
    assert shm.array(np.int16, (5, 10)).shape == (5, 10)
    assert shm.array(">u2", ()).shape == ()
    assert shm.array("u1", (3, 0)).shape == (3, 0)
    assert shm.array("f8", 1, offset=3).flags.aligned is False
    # An element that is an array itself.
    assert shm.array("(2,)u2", 3).shape == shm.array("(2,)u2", (3,)).shape == (3, 2)
    assert shm.array("(2,3)u2", (4, 2)).shape == (4, 2, 2, 3)
    assert shm.array("(2,)u2", (3, 0)).shape == (3, 0, 2)
    for dtype, shape, offset in (("f8", None, 93), ("f8", 13, 0), ("u1", (1 << 40, 1 << 40), 0), ("u1", None, 100)):
        with pytest.raises(OSError) as caught:
            shm.array(dtype, shape, offset)
        assert caught.value.errno == errno.ERANGE
    for dtype, shape in (("f8", (-1, 1)), ("V0", None), ("O", 1)):
        with pytest.raises(ValueError):
            shm.array(dtype, shape)


def test_ctypes_views_fit_or_are_refused(make: Maker) -> None:
    shm = make("posix", 80)
    number = shm.view(ctypes.c_uint64, 72)
    number.value = 7
    assert shm.load_u64(72) == 7
    for kind, offset in ((People * 11, 0), (ctypes.c_uint64, 76)):
        with pytest.raises(OSError) as caught:
            shm.view(kind, offset)
        assert caught.value.errno == errno.ERANGE
    with pytest.raises(TypeError):
        shm.view(int)  # type: ignore[type-var]


def test_without_numpy_an_array_is_a_memoryview(run: Runner) -> None:
    code = """
import sys
sys.modules["numpy"] = None
import errno
from unipc import SharedMemory
with SharedMemory.create("anon:", 100) as shm:
    squares = shm.array("i", 10, 4)
    assert isinstance(squares, memoryview) and squares.format == "i" and squares.shape == (10,)
    squares[3] = 9
    assert shm.load_u32(16) == 9
    assert shm.array("d").shape == (12,)
    assert shm.array("B", (5, 2)).shape == (5, 2)
    for dtype, shape, kind in (("float64", None, TypeError), ("2i", None, TypeError), (None, None, TypeError),
                               ("d", 13, OSError)):
        try:
            shm.array(dtype, shape)
        except kind as error:
            assert kind is TypeError or error.errno == errno.ERANGE
        else:
            raise AssertionError(dtype)
    try:
        shm.close()
    except BufferError:
        del squares
    else:
        raise AssertionError
"""
    run(code)
