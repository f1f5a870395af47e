# SPDX-License-Identifier: MIT OR Apache-2.0
"""Layouts of records as numpy, ctypes and classes know them, and values of them."""

import ctypes
import inspect
import sys
from typing import TYPE_CHECKING, Any

from ._native import Array, Cell, Layout

if TYPE_CHECKING:
    import numpy

boolean = Layout("?")
char = Layout("c")
i8, i16, i32, i64 = (Layout(f"={code}") for code in "bhiq")
u8, u16, u32, u64 = (Layout(f"={code}") for code in "BHIQ")
f16, f32, f64 = (Layout(f"={code}") for code in "efd")
c64, c128 = Layout("=Zf"), Layout("=Zd")


def layout_of(what: Any) -> Layout:
    """The layout that an object of Python states."""
    if isinstance(what, type) and issubclass(what, (ctypes.Structure, ctypes.Union, ctypes.Array, ctypes._SimpleCData)):
        return _of_ctypes(what)
    numpy = sys.modules.get("numpy")
    if numpy is not None:
        if isinstance(what, numpy.dtype):
            return _of_dtype(what)
        if isinstance(what, type) and issubclass(what, numpy.generic):
            return _of_dtype(numpy.dtype(what))
    if what is bool:
        return boolean
    if what is float:
        return f64
    if what is int:
        raise TypeError("int has no size in memory: say i32, i64 or another of the types in unipc.record")
    if isinstance(what, type):
        return _of_class(what)
    if isinstance(what, (list, dict)) and numpy is not None:
        # What numpy makes a dtype of.
        return _of_dtype(numpy.dtype(what))
    raise TypeError(f"{what!r} states no layout: give a numpy dtype, a ctypes type, an annotated class or a format")


def _of_class(what: type) -> Layout:
    fields: dict[str, Any] = {}
    for base in reversed(what.__mro__):
        fields |= inspect.get_annotations(base, eval_str=True)
    if not fields:
        raise TypeError(f"{what.__name__} has no annotated fields, so it states no layout")
    return Layout.aligned([(name, Layout(kind)) for name, kind in fields.items()])


def _of_ctypes(what: Any) -> Layout:
    if issubclass(what, ctypes.Array):
        return Layout(what._type_)[what._length_]
    if issubclass(what, ctypes.Union):
        raise TypeError(f"{what.__name__} is a union: its bytes mean several things")
    if not issubclass(what, ctypes.Structure):
        # Those that have another order exist in both, and each leads to the other.
        native = "__ctype_le__" if sys.byteorder == "little" else "__ctype_be__"
        if getattr(what, native, what) is not what:
            raise TypeError(f"{what.__name__} has another byte order than this machine")
        return Layout({"c": "c", "g": "g"}.get(what._type_, f"@{what._type_}"))
    foreign = ctypes.BigEndianStructure if sys.byteorder == "little" else ctypes.LittleEndianStructure
    if issubclass(what, foreign):
        raise TypeError(f"{what.__name__} has another byte order than this machine")
    fields = []
    for base in reversed(what.__mro__):
        for name, kind, *bits in base.__dict__.get("_fields_", ()):
            if bits:
                raise TypeError(f"{what.__name__}.{name} is a bit-field, which no other language has")
            fields.append((name, getattr(what, name).offset, Layout(kind)))
    return Layout.structure(ctypes.sizeof(what), fields)


def _of_dtype(dtype: "numpy.dtype[Any]") -> Layout:
    if dtype.subdtype is not None:
        base, shape = dtype.subdtype
        return _of_dtype(base)[shape]
    if dtype.fields is not None:
        fields = [(name, dtype.fields[name][1], _of_dtype(dtype.fields[name][0])) for name in dtype.names or ()]
        return Layout.structure(dtype.itemsize, fields)
    if not dtype.isnative:
        raise TypeError(f"{dtype} has another byte order than this machine")
    if dtype.kind == "S":
        return Layout(f"{dtype.itemsize}s")
    code = {"c8": "Zf", "c16": "Zd"}.get(f"{dtype.kind}{dtype.itemsize}", dtype.char)
    return Layout({"U": "w", "O": "O"}.get(dtype.kind, f"@{code}"))


def dtype_of(layout: Layout) -> "numpy.dtype[Any]":
    import numpy

    if layout.fields:
        base = numpy.dtype(
            {
                "names": [name for name, _, _ in layout.fields],
                "formats": [dtype_of(field) for _, _, field in layout.fields],
                "offsets": [offset for _, offset, _ in layout.fields],
                "itemsize": layout.element_size,
            }
        )
    elif layout.type_name.startswith("char"):
        base = numpy.dtype(f"S{layout.element_size}")
    else:
        base = numpy.dtype(layout.type_name.partition("[")[0])
    return numpy.dtype((base, layout.shape)) if layout.shape else base


def numpy_of(array: Array) -> "numpy.ndarray[Any, Any]":
    import numpy

    dtype = array.layout.dtype
    base, shape = dtype.subdtype or (dtype, ())
    flat: numpy.ndarray[Any, Any] = numpy.frombuffer(memoryview(array), base)
    return flat.reshape((len(array), *shape))


def value_of(cell: Cell) -> Any:
    import numpy

    dtype = cell.layout.dtype
    base, shape = dtype.subdtype or (dtype, ())
    values = numpy.frombuffer(bytearray(cell.read()), base)
    return values.reshape(shape) if shape else values[0]


def record_bytes(layout: Layout, value: Any) -> bytes:
    """The bytes of what numpy makes a record of."""
    import numpy

    dtype = layout.dtype
    base, shape = dtype.subdtype or (dtype, ())
    # Zeros, so that gaps between fields are.
    record = numpy.zeros(shape, base)
    record[...] = value
    return record.tobytes()


_CTYPES: dict[str, Any] = {
    "bool": ctypes.c_bool,
    "int8": ctypes.c_int8,
    "uint8": ctypes.c_uint8,
    "int16": ctypes.c_int16,
    "uint16": ctypes.c_uint16,
    "int32": ctypes.c_int32,
    "uint32": ctypes.c_uint32,
    "int64": ctypes.c_int64,
    "uint64": ctypes.c_uint64,
    "float32": ctypes.c_float,
    "float64": ctypes.c_double,
}


def ctypes_of(layout: Layout, name: str) -> Any:
    if layout.fields:
        base = _structure(layout, name)
    elif layout.type_name.startswith("char"):
        base = ctypes.c_char * layout.element_size
    else:
        scalar = layout.type_name.partition("[")[0]
        if scalar not in _CTYPES:
            raise TypeError(f"ctypes has no type for {scalar}")
        base = _CTYPES[scalar]
    for count in reversed(layout.shape):
        base = base * count
    return base


def _structure(layout: Layout, name: str) -> Any:
    fields: list[tuple[str, Any]] = []
    end = 0

    def fill(until: int) -> None:
        if until > end:
            fields.append((f"_padding{end}", ctypes.c_byte * (until - end)))

    for field, offset, kind in layout.fields:
        fill(offset)
        fields.append((field, ctypes_of(kind, f"{name}_{field}")))
        end = offset + kind.size
    fill(layout.element_size)
    # All gaps are spelled out, so nothing is left to its own ideas of alignment.
    packed = {"_pack_": 1, "_layout_": "ms"} if layout.alignment == 1 else {}
    made = type(name, (ctypes.Structure,), {**packed, "_fields_": fields})
    if ctypes.sizeof(made) != layout.element_size:
        raise TypeError(f"ctypes lays {name} out in {ctypes.sizeof(made)} bytes instead of {layout.element_size}")
    return made
