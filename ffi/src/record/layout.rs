// SPDX-License-Identifier: MIT OR Apache-2.0
//! Layouts.

use std::ffi::{c_char, c_int};

use unipc_core::Result;
use unipc_core::record::{Field, Layout};

use super::super::boundary::{Caller, count};
use super::{layout_of, unipc_dimensions, unipc_member};

/// Stands for a layout that could not be made: every function refuses it.
const NONE: &std::ffi::CStr = c"!";

/// Writes the layout of a structure to buffer, from what the compiler says of its members. UNIPC_LAYOUT() calls it.
///
/// buffer, capacity: where the text goes, with its NUL
/// size:             sizeof() the structure
/// members, count:   its members, in any order
///
/// Returns the buffer; or, when that fails, the text "!", which every function refuses that takes a
/// layout. unipc_last_error() says why, and errno is
///   EINVAL    a format does not parse, members overlap, a size does not fit; an argument is NULL
///   EMSGSIZE  capacity is too small
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_layout_text(
    buffer: *mut c_char,
    capacity: usize,
    size: usize,
    members: *const unipc_member,
    count: usize,
) -> *const c_char {
    // SAFETY: the header asks for room, and for members whose strings end in NUL.
    let caller = unsafe { Caller::trusted("layout_text") };
    let written: isize = caller.guard(|| {
        let room = caller.room(buffer.cast::<u8>(), capacity)?;
        let members = caller.values(members, count)?;
        let fields: Result<Vec<_>> = members.iter().map(|member| field(&caller, member)).collect();
        let text = Layout::structure(size, fields?)?.to_string();
        let given = caller.give_text(room, text.as_bytes());
        given.map_err(|kind| caller.refused("capacity", kind))
    });
    if written < 0 { NONE.as_ptr() } else { buffer.cast_const() }
}

fn field(caller: &Caller, member: &unipc_member) -> Result<Field> {
    const SCALAR: usize = unipc_dimensions::UNIPC_SCALAR as usize;
    const ROW: usize = unipc_dimensions::UNIPC_ROW as usize;
    const MATRIX: usize = unipc_dimensions::UNIPC_MATRIX as usize;
    const ANY: usize = unipc_dimensions::UNIPC_ANY as usize;
    let name = caller.text("member.name", member.name)?.to_string_lossy();
    let element = layout_of(caller, "member.format", member.format)?;
    let (size, one) = (member.size, element.size());
    let layout = match member.dimensions {
        SCALAR => element,
        ANY if size == one => element,
        ROW | ANY => element.repeated(size / one)?,
        MATRIX => {
            let rows = size.checked_div(member.row).unwrap_or(0);
            element.repeated(member.row / one)?.repeated(rows)?
        }
        other => {
            return Err(caller.invalid("member.dimensions", format!("{other} is no such number")));
        }
    };
    if layout.size() != size {
        let why = format!("{name} has {size} bytes, and its format says {}", layout.size());
        return Err(caller.invalid("member.size", why));
    }
    Ok(Field::new(name, member.offset, layout))
}

/// How many bytes a record of this layout takes.
///
/// layout: a PEP 3118 format
///
/// Returns the size, or
///   -EINVAL  it does not parse, or is NULL
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_layout_size(layout: *const c_char) -> isize {
    // SAFETY: the header asks for a string.
    let caller = unsafe { Caller::trusted("layout_size") };
    caller.guard(|| Ok(count(layout_of(&caller, "layout", layout)?.size())))
}

/// Are these two layouts the same?
///
/// declared: a PEP 3118 format
/// stored:   another one
///
/// Returns 0.
/// Errors:
///   -EPROTO  they differ: unipc_last_error() names the first field that does, with both offsets and
///            both types
///   -EINVAL  one does not parse, or is NULL
/// Since 0.1.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_layout_check(
    declared: *const c_char,
    stored: *const c_char,
) -> c_int {
    // SAFETY: the header asks for strings.
    let caller = unsafe { Caller::trusted("layout_check") };
    caller.guard(|| {
        let declared = layout_of(&caller, "declared", declared)?;
        let stored = layout_of(&caller, "stored", stored)?;
        declared.check(&stored).map_err(|kind| caller.refused("stored", kind)).map(|()| 0)
    })
}

/// Writes the declaration of a C structure with this layout, and a _Static_assert for its size and for
/// each offset. It needs <stddef.h> and <stdint.h>.
///
/// layout:           a PEP 3118 format
/// name:             the tag of the structure
/// buffer, capacity: where the text goes, with its NUL
///
/// Returns its length, or
///   -EMSGSIZE  capacity is too small
///   -EINVAL    the layout does not parse; a name is a word that C keeps for itself; an argument is NULL
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_layout_c(
    layout: *const c_char,
    name: *const c_char,
    buffer: *mut c_char,
    capacity: usize,
) -> isize {
    // SAFETY: the header asks for strings, and for room.
    let caller = unsafe { Caller::trusted("layout_c") };
    caller.guard(|| {
        let layout = layout_of(&caller, "layout", layout)?;
        let text = layout.to_c(&caller.text("name", name)?.to_string_lossy())?;
        let room = caller.room(buffer.cast::<u8>(), capacity)?;
        let given = caller.give_text(room, text.as_bytes());
        given.map_err(|kind| caller.refused("capacity", kind))
    })
}
