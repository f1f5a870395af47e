# SPDX-License-Identifier: MIT OR Apache-2.0
"""Records: layouts as each library states them, arrays and cells that tell theirs, directories; C beside it."""

import ctypes
import errno
import gc
import os
import pickle
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy
import pytest
from conftest import Maker, Namer

import unipc
from unipc import Array, Barrier, Cell, Directory, Layout, LayoutError, Mutex, Place, RwLock, SharedMemory
from unipc.record import boolean, c64, char, f32, f64, i16, i32, u8, u16, u32, u64
from unipc.sync import Semaphore


class People(ctypes.Structure):
    _fields_ = (("name", ctypes.c_char * 4), ("age", ctypes.c_int))


class Vector:
    x: f32
    y: f32


class Sample:
    flag: boolean
    t_ns: u64
    seq: u32
    channels: f32[8]
    matrix: f64[2, 3]
    words: char[2, 5]
    path: Layout(Vector)[3]
    volume: c64


# --- layouts ----------------------------------------------------------------------------------------------------------


def test_a_class_a_dtype_and_a_ctypes_structure_state_the_same() -> None:
    class Annotated:
        name: char[4]
        age: i32

    dtype = numpy.dtype([("name", "S4"), ("age", "i4")])
    layouts = [Layout(People), Layout(Annotated), Layout(dtype), Layout("T{4s:name:i:age:}"), Layout(Layout(People))]
    assert len(set(layouts)) == 1
    assert layouts[0].format == "T{<4s:name:<i:age:}"
    assert (layouts[0].size, layouts[0].alignment, layouts[0].shape) == (8, 4, ())
    assert layouts[0].fields == [("name", 0, char[4]), ("age", 4, i32)]
    assert layouts[0] != Layout("T{4s:name:d:age:}") and layouts[0] != 1


@pytest.mark.parametrize(
    "dtype",
    [
        numpy.dtype("f8"),
        numpy.dtype("?"),
        numpy.dtype("S7"),
        numpy.dtype(("i2", (3, 4))),
        numpy.dtype([("a", "u1"), ("b", "i8"), ("c", "f2")]),
        numpy.dtype([("a", "u1"), ("b", "i8"), ("c", "c16", (2, 2))], align=True),
        numpy.dtype([("a", "S3", (2,)), ("at", [("x", "f4"), ("y", "f8")], (3,))], align=True),
        numpy.dtype({"names": ["b", "a"], "formats": ["i4", "i2"], "offsets": [8, 2], "itemsize": 24}),
    ],
)
def test_a_dtype_comes_back(dtype: "numpy.dtype[Any]") -> None:
    layout = Layout(dtype)
    assert layout.size == dtype.itemsize
    back = layout.dtype
    assert back.itemsize == dtype.itemsize
    assert Layout(back) == layout
    for name in dtype.names or ():
        assert back.fields[name][:2] == dtype.fields[name][:2]


def test_what_numpy_exports_is_parsed_as_its_dtype() -> None:
    for dtype in [
        numpy.dtype([("a", "u1"), ("b", "i8"), ("c", "f4", (2, 3))], align=True),
        numpy.dtype([("a", "u1"), ("b", "i8"), ("c", "f4", (2, 3))]),
        numpy.dtype([("at", [("x", "f4"), ("y", "f8")], (3,)), ("z", "S5")]),
        numpy.dtype("f8"),
    ]:
        assert Layout(memoryview(numpy.zeros(1, dtype)).format) == Layout(dtype)


def test_numpy_reads_the_format_that_is_stored() -> None:
    # What numpy itself makes of a format, when an object exports it.
    _internal = pytest.importorskip("numpy._core._internal")
    for what in [People, Sample, "T{B:a:T{q:x:h:y:}:b:(2,3)f:c:}"]:
        layout = Layout(what)
        assert Layout(_internal._dtype_from_pep3118(layout.format)) == layout


def test_a_ctypes_class_comes_back() -> None:
    class Packed(ctypes.Structure):
        _pack_ = 1
        _layout_ = "ms"
        _fields_ = (("a", ctypes.c_uint8), ("b", ctypes.c_uint64), ("c", ctypes.c_double * 3 * 2))

    class Outer(People):
        _fields_ = (("inner", People * 2), ("flag", ctypes.c_bool))

    for what in [Packed, Outer, ctypes.c_double, ctypes.c_long * 3]:
        layout = Layout(what)
        assert layout.size == ctypes.sizeof(what)
        again = layout.ctypes("Again")
        assert ctypes.sizeof(again) == ctypes.sizeof(what)
    assert [name for name, _, _ in Layout(Outer).fields] == ["name", "age", "inner", "flag"]
    made = Layout(Outer).ctypes("Outer")(b"ann", 3)
    assert bytes(made)[:8] == b"ann\0\3\0\0\0"
    with pytest.raises(TypeError, match="complex64"):
        Layout("Zf").ctypes()


# An integer of the other byte order.
_FOREIGN: Any = getattr(ctypes.c_int, "__ctype_be__" if sys.byteorder == "little" else "__ctype_le__")


def test_a_class_has_the_fields_that_it_inherits() -> None:
    class Stamped:
        t_ns: u64
        kind: u8

    class Reading(Stamped):
        value: f64

    class Renamed(Reading):
        kind: u16  # type: ignore[assignment]

    assert Layout(Reading) == Layout("T{Q:t_ns:B:kind:d:value:}")
    assert Layout(Renamed) == Layout("T{Q:t_ns:H:kind:d:value:}")


def test_what_means_nothing_to_others_is_refused() -> None:
    class Bits(ctypes.Structure):
        _fields_ = (("a", ctypes.c_int, 3),)

    class Either(ctypes.Union):
        _fields_ = (("a", ctypes.c_int),)

    class Big(ctypes.BigEndianStructure):
        _fields_ = (("a", ctypes.c_int),)

    class Untold:
        pass

    class Number:
        a: int

    class Within(ctypes.Structure):
        _fields_ = (("a", ctypes.c_int8), ("b", _FOREIGN))

    refused: list[Any] = [
        Bits,
        Either,
        Big,
        _FOREIGN,
        _FOREIGN * 2,
        Within,
        Untold,
        Number,
        int,
        str,
        7,
        None,
        numpy.dtype(">i4"),
        numpy.dtype("U4"),
    ]
    refused += [numpy.dtype(object), numpy.dtype("g"), "P", "T{O:x:}", "nonsense", ctypes.c_void_p, ctypes.c_char_p]
    for what in refused:
        with pytest.raises((TypeError, OSError)):
            Layout(what)
    with pytest.raises(OSError, match="pointer") as caught:
        Layout("T{P:next:}")
    assert caught.value.errno == errno.EINVAL
    with pytest.raises(OSError, match=r'as "d" or .*numpy\.dtype\("f8"\)'):
        Layout("f8")


def test_a_difference_is_named() -> None:
    with pytest.raises(LayoutError, match='"age" is float64 at offset 8 in the object, int32 at offset 4'):
        Layout(People).check("T{4s:name:d:age:}")
    Layout(People).check(People)


# --- arrays -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("backing", ["posix", "sysv", "file"])
def test_an_array_tells_its_layout(name_of: Namer, backing: str) -> None:
    name = name_of(backing)
    array = Array.create(name, Sample, 10)
    records = array.numpy()
    assert records.shape == (10,) and records.dtype == Layout(Sample).dtype
    records["channels"][3] = range(8)
    records["words"][3] = [b"one", b"two"]
    other = unipc.open(name)
    assert type(other) is Array and len(other) == 10 and other.layout == Layout(Sample)
    assert other.numpy()["channels"][3].tolist() == list(range(8))
    assert other.numpy()["words"][3].tolist() == [b"one", b"two"]
    assert other.numpy()["path"].shape == (10, 3)
    with pytest.raises(LayoutError, match="not in the object"):
        Array.open(name, People)
    with pytest.raises(FileExistsError):
        Array.create(name, Sample, 10)
    with pytest.raises(LayoutError, match="10 records, 11 were asked for"):
        Array.open_or_create(name, Sample, 11)
    assert len(Array.open_or_create(name, Sample, 10)) == 10
    again = pickle.loads(pickle.dumps(array))
    assert again.numpy()["channels"][3, 7] == 7


def test_rows_of_plain_numbers(name_of: Namer) -> None:
    name = name_of("posix")
    array = Array.create(name, f64[8], 1000)
    assert array.numpy().shape == (1000, 8) and array.numpy().dtype == numpy.float64
    array.numpy()[5] = 2.5
    assert unipc.open(name).numpy()[5].sum() == 20


def test_records_are_read_and_written_as_bytes(name_of: Namer) -> None:
    array = Array.create(name_of("memfd"), People, 3)
    array.write(-1, People(b"ann", 21))
    assert array.read(2) == b"ann\0\x15\0\0\0"
    assert memoryview(array)[16:24] == array.read(2)
    for index in [3, -4]:
        with pytest.raises(IndexError):
            array.read(index)
    with pytest.raises(OSError, match="8 bytes"):
        array.write(0, b"short")
    handed = Array.from_fd(array.fileno(), People)
    assert handed.read(2) == array.read(2)
    with pytest.raises(TypeError):
        pickle.dumps(handed)


def test_who_may_only_read_reads(name_of: Namer) -> None:
    name = name_of("posix")
    Array.create(name, People, 3, mode=0o440).write(0, People(b"r", 1))
    array = unipc.open(name, read_only=True)
    assert array.read_only and not array.numpy().flags.writeable
    assert array.numpy()["age"][0] == 1
    with pytest.raises(PermissionError):
        array.write(0, People(b"w", 2))
    with pytest.raises(ValueError):
        array.numpy()["age"] = 2


def test_views_keep_the_records_mapped(name_of: Namer) -> None:
    name = name_of("posix")
    with Array.create(name, People, 3) as array:
        view = array.numpy()
        raw = numpy.ndarray((3,), array.layout.dtype, buffer=array)
    assert array.closed
    with pytest.raises(ValueError, match="closed"):
        array.numpy()
    with pytest.raises(ValueError, match="closed"):
        array.read(0)
    Array.unlink(name)
    del array
    gc.collect()
    view["age"][2] = 77
    assert raw["age"][2] == 77


def test_raw_memory_takes_a_layout(make: Maker) -> None:
    shm = make("posix", 80)
    people = shm.array(Layout(People))
    people["age"] = range(10)
    people["name"][3] = b"ann"
    over = Array.over(shm, People)
    assert len(over) == 10 and over.read(3) == b"ann\0\3\0\0\0"
    assert shm.load_u32(12) == 1
    with pytest.raises(OSError) as caught:
        Array.over(shm, People, 11)
    assert caught.value.errno == errno.ERANGE
    del people


def test_an_array_in_memory_has_an_offset(make: Maker) -> None:
    shm = make("anon", 1 << 16)
    array = Array.create(shm, People, 10, 4096)
    array.numpy()["age"] = 4
    assert Array.open(shm, offset=4096).numpy()["age"].sum() == 40
    assert Array.size_for(People, 10) == 384 + 80
    with pytest.raises(OSError, match="64"):
        Array.create(shm, People, 1, 4)
    shm.write_at(8192, b"data")
    with pytest.raises(OSError) as caught:
        Array.create(shm, People, 1, 8192)
    assert caught.value.errno == errno.EBUSY


# --- cells ------------------------------------------------------------------------------------------------------------


def test_a_cell_holds_the_latest_value(name_of: Namer) -> None:
    name = name_of("posix")
    cell = Cell.create(name, Sample)
    assert cell.version == 0 and cell.get()["seq"] == 0
    value = numpy.zeros((), cell.layout.dtype)
    value["seq"], value["channels"] = 7, 1.5
    cell.set(value)
    other = unipc.open(name)
    assert type(other) is Cell
    assert other.get()["seq"] == 7 and other.get()["channels"].sum() == 12
    other.write(cell.read(), timeout=0)
    assert cell.version == 2
    room = bytearray(cell.layout.size)
    assert cell.read_into(room) == 2 and bytes(room) == cell.read()
    with pytest.raises(OSError, match="bytes"):
        cell.write(b"short")
    with pytest.raises(LayoutError):
        Cell.open(name, People)
    with pytest.raises(LayoutError, match="array"):
        Array.open(name)
    with Cell.open(name, read_only=True) as reader, pytest.raises(PermissionError):
        reader.write(cell.read())
    assert reader.closed
    with pytest.raises(ValueError, match="closed"):
        reader.read()


def test_plain_values_and_rows(make: Maker) -> None:
    shm = make("memfd", 1 << 14)
    level = Cell.create(shm, float)
    level.set(0.5)
    assert Cell.open(shm).get() == 0.5
    pose = Cell.create(shm, f64[3, 3], 4096)
    pose.set(numpy.eye(3))
    assert pose.get().tolist() == numpy.eye(3).tolist()
    pair = Cell.create(shm, "T{d:x:d:y:}", 8192)
    pair.set((1.0, 2.0))
    assert pair.get()["y"] == 2


def test_a_cell_is_never_torn(name_of: Namer) -> None:
    cell = Cell.create(name_of("memfd"), u64[64])
    end = threading.Event()

    def write(start: int) -> None:
        value = start
        while not end.is_set():
            cell.write(numpy.full(64, value, numpy.uint64))
            value += 2

    writers = [threading.Thread(target=write, args=(start,)) for start in (0, 1)]
    for writer in writers:
        writer.start()
    seen = set()
    while len(seen) < 100:
        value = cell.get()
        assert (value == value[0]).all()
        seen.add(int(value[0]))
    end.set()
    for writer in writers:
        writer.join()


def test_a_writer_that_is_killed_leaves_a_whole_value(name_of: Namer) -> None:
    name = name_of("posix")
    cell = Cell.create(name, u64[64])
    code = (
        "import unipc, numpy, sys\ncell = unipc.open(sys.argv[1])\nvalue = 0\n"
        "while True:\n    value += 1\n    cell.write(numpy.full(64, value, numpy.uint64))"
    )
    for _ in range(3):
        before = cell.version
        with subprocess.Popen([sys.executable, "-c", code, name]) as writer:
            while cell.version < before + 100:
                assert writer.poll() is None
            writer.send_signal(signal.SIGKILL)
        value = cell.get()
        assert (value == value[0]).all()
        cell.set(numpy.zeros(64), timeout=20)


# --- directories ------------------------------------------------------------------------------------------------------


def test_everything_is_found_by_name(name_of: Namer) -> None:
    name = name_of("posix")
    plant = Directory.create(name, 1 << 17, entries=16)
    lock = plant.place("lock", Mutex)
    made: dict[str, Any] = {
        "lock": lock,
        "samples": plant.place("samples", Array, People, 10),
        "pose": plant.place("pose", Cell, layout="T{d:x:d:y:}"),
        "readers": plant.place("readers", RwLock, readers=3),
        "start": plant.place("start", Barrier, 2),
        "permits": plant.place("permits", Semaphore, 3),
        "event": plant.place("event", unipc.Event),
        "once": plant.place("once", unipc.Once),
        "changed": plant.place("changed", unipc.Condvar),
    }
    raw = plant.place("raw", 100)
    assert isinstance(raw, Place) and raw.size == 128 and raw.kind is None
    other = unipc.open(name)
    assert type(other) is Directory and other.capacity == 16 and len(other) == 10
    for key, value in made.items():
        assert type(other.find(key)) is type(value), key
        assert key in other
    with lock, pytest.raises(OSError) as caught:
        other.find("lock").lock(0)
    assert caught.value.errno == errno.EDEADLK
    assert other.find("raw") == raw and other.where("lock").kind == "mutex"
    assert [place.offset for place in other] == sorted(place.offset for place in other)
    again = pickle.loads(pickle.dumps(other))
    assert again.list() == other.list()

    other.remove("samples")
    assert "samples" not in plant
    with pytest.raises(FileNotFoundError):
        plant.find("samples")
    with pytest.raises(FileExistsError):
        plant.place("lock", 64)
    with pytest.raises(OSError) as caught:
        plant.place("huge", 1 << 20)
    assert caught.value.errno == errno.ENOSPC
    with pytest.raises(TypeError, match="no object that lies in a place"):
        plant.place("memory", SharedMemory)
    with pytest.raises(TypeError, match="count"):
        plant.place("short", Array, People)


def test_what_cannot_be_made_leaves_no_place(make: Maker) -> None:
    plant = Directory.create(make("memfd", 1 << 16))
    with pytest.raises(OSError):
        plant.place("start", Barrier, 2, form="robust", mode=0o7777)
    assert "start" not in plant


def test_a_directory_that_cannot_be_made_leaves_no_name(name_of: Namer) -> None:
    for backing in ("posix", "file", "sysv"):
        name = name_of(backing)
        for make in (Directory.create, Directory.open_or_create):
            with pytest.raises(OSError) as caught:
                make(name, 100)
            assert caught.value.errno == errno.EINVAL
            with pytest.raises(FileNotFoundError):
                SharedMemory.open(name)
        # What was there before stays.
        SharedMemory.create(name, 100).close()
        with pytest.raises(OSError):
            Directory.open_or_create(name, 100)
        assert len(SharedMemory.open(name)) == 100


def test_what_was_begun_is_finished_by_the_next(make: Maker) -> None:
    shm = make("memfd", 1 << 16)
    plant = Directory.open_or_create(shm)
    # As if its placer had been killed before it created anything.
    plant.place("samples", Array.size_for(People, 10))
    plant.place("lock", Mutex.SIZE)
    assert len(plant.find_or_place("samples", Array, People, 10)) == 10
    with plant.find_or_place("lock", Mutex):
        pass
    assert type(Directory.open_or_create(shm).find("lock")) is Mutex


def test_a_directory_is_opened_whatever_size_was_asked_for(name_of: Namer) -> None:
    name = name_of("posix")
    Directory.create(name, 1 << 17).place("raw", 1 << 16)
    assert Directory.open_or_create(name, 1 << 14).find("raw").size == 1 << 16
    with pytest.raises(ValueError, match="needs a size"):
        Directory.create(name_of("posix"))
    for backing in ("memfd", "anon"):
        plant = Directory.open_or_create(name_of(backing), 1 << 14)
        assert plant.place("raw", 64).size == 64


def test_open_says_what_is_there(name_of: Namer) -> None:
    name = name_of("posix")
    with pytest.raises(FileNotFoundError):
        unipc.open(name)
    SharedMemory.create(name, 4096).write_at(0, b"raw")
    with pytest.raises(LayoutError):
        unipc.open(name)
    SharedMemory.unlink(name)
    SharedMemory.create(name, 64)
    with pytest.raises(LayoutError, match=r"only 64 bytes; raw memory is opened with SharedMemory\.open"):
        unipc.open(name)
    SharedMemory.unlink(name)
    mutex = Mutex(name)
    assert type(unipc.open(name)) is type(mutex)
    SharedMemory.unlink(name)
    queue = unipc.Queue.create(name)
    assert type(unipc.open(name)) is type(queue)


# --- beside C ---------------------------------------------------------------------------------------------------------

C_PROGRAM = r"""
#include <stdio.h>
#include <unipc.h>

struct record {
    unsigned char kind;
    short level;
    double value[2];
    char name[6];
    unsigned seq;
};

int main(int argc, char **argv)
{
    const char *layout = UNIPC_LAYOUT(struct record, kind, level, value, name, seq);
    unipc_array *array;
    struct record *all;
    size_t i;

    if (argc != 3 || unipc_array_open_named(&array, argv[1], UNIPC_RECORD_OPEN_OR_CREATE, layout, 100, NULL) < 0) {
        fprintf(stderr, "%s\n", unipc_last_error());
        return 1;
    }
    all = unipc_array_data(array);
    for (i = 0; i < 100; i++) {
        if (argv[2][0] == 'w') {
            all[i] = (struct record){.kind = (unsigned char)i, .level = (short)-i, .value = {i + 0.5, 2.0}, .seq = 7};
            snprintf(all[i].name, sizeof all[i].name, "n%zu", i);
        } else if (all[i].kind != 99 - i || all[i].level != (short)(300 + i) || all[i].value[1] != i * 0.25 ||
                   all[i].name[0] != 'p' || all[i].seq != 4000000000u + i) {
            return 2;
        }
    }
    unipc_array_close(array);
    return 0;
}
"""


@pytest.fixture(scope="module")
def c_program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("cc") is None:
        pytest.skip("there is no C compiler")
    folder = tmp_path_factory.mktemp("record")
    source, program = folder / "record.c", folder / "record"
    source.write_text(C_PROGRAM)
    asked = [sys.executable, "-m", "unipc", "--cflags", "--libs"]
    flags = subprocess.run(asked, check=True, capture_output=True, text=True).stdout.split()
    subprocess.run(["cc", "-std=c11", "-Wall", "-Werror", str(source), "-o", str(program), *flags], check=True)
    return program


def test_what_c_writes_numpy_reads_and_back(name_of: Namer, c_program: Path) -> None:
    name = name_of("posix")
    subprocess.run([c_program, name, "w"], check=True)
    records = unipc.open(name).numpy()
    assert records.dtype.names == ("kind", "level", "value", "name", "seq")
    assert records["kind"].tolist() == list(range(100))
    assert records["level"].tolist() == [-i for i in range(100)]
    assert records["value"][:, 0].tolist() == [i + 0.5 for i in range(100)]
    assert records["name"][42] == b"n42" and (records["seq"] == 7).all()

    index = numpy.arange(100)
    records["kind"], records["level"], records["value"][:, 1] = 99 - index, 300 + index, index * 0.25
    records["name"], records["seq"] = b"py", 4_000_000_000 + index
    subprocess.run([c_program, name, "r"], check=True)


def test_python_creates_what_c_opens_and_c_refuses_another(name_of: Namer, c_program: Path) -> None:
    class Record:
        kind: u8
        level: i16
        value: f64[2]
        name: char[6]
        seq: u32

    name = name_of("posix")
    array = Array.create(name, Record, 100)
    subprocess.run([c_program, name, "w"], check=True)
    assert array.numpy()["name"][7] == b"n7"
    Array.unlink(name)

    class Other(Record):
        kind: u8
        level: u16
        value: f64[2]
        name: char[6]
        seq: u32

    Array.create(name, Other, 100)
    done = subprocess.run([c_program, name, "w"], capture_output=True, text=True)
    assert done.returncode == 1
    assert '"level" is uint16 at offset 2 in the object, int16 at offset 2 in the declaration' in done.stderr


def test_random_structures_lie_as_ctypes_lays_them() -> None:
    import random

    scalars = [ctypes.c_bool, ctypes.c_int8, ctypes.c_uint16, ctypes.c_int32, ctypes.c_uint64, ctypes.c_float]
    scalars += [ctypes.c_double, ctypes.c_long]
    dice = random.Random(os.getpid())
    for number in range(300):
        kinds: list[Any] = []
        for _ in range(dice.randint(1, 8)):
            kind: Any = dice.choice(scalars)
            for _ in range(dice.randint(0, 2)):
                kind = kind * dice.randint(1, 4)
            kinds.append(kind)
        fields = tuple((f"m{index}", kind) for index, kind in enumerate(kinds))
        structure = type(f"S{number}", (ctypes.Structure,), {"_fields_": fields})
        layout = Layout(structure)
        assert layout == Layout.aligned(list(fields))
        assert layout.size == ctypes.sizeof(structure) and layout.alignment == ctypes.alignment(structure)
        assert Layout(layout.dtype) == layout
        assert Layout(layout.ctypes("Again")).size == layout.size
