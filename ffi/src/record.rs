// SPDX-License-Identifier: MIT OR Apache-2.0
//! unipc/record.h: records in shared memory. The types are here, the functions in the modules.

mod array;
mod cell;
mod directory;
mod layout;

use std::ffi::{CString, c_char, c_int};
use std::time::Duration;

use unipc_core::record::{Array, Cell, Directory, Layout, Options};
use unipc_core::{Result, Timeout};

pub use array::*;
pub use cell::*;
pub use directory::*;
pub use layout::*;

use super::boundary;
use boundary::{Caller, SizeFirst};

/// Records in a row, with a header that tells their layout.
///
/// A handle belongs to the process, the array to the shared memory: it stays when the handle is
/// closed, and the handle stays usable when the memory is closed.
#[derive(Debug)]
pub struct unipc_array {
    object: Array,
    layout: CString,
}

impl unipc_array {
    fn new(object: Array) -> Self {
        let layout = text_of(object.layout());
        Self { object, layout }
    }
}

/// One record, of which everybody always gets a whole copy.
///
/// A handle belongs to the process, the cell to the shared memory: it stays when the handle is
/// closed, and the handle stays usable when the memory is closed.
#[derive(Debug)]
pub struct unipc_cell {
    object: Cell,
    layout: CString,
}

impl unipc_cell {
    fn new(object: Cell) -> Self {
        let layout = text_of(object.layout());
        Self { object, layout }
    }
}

/// Names for places inside a segment.
///
/// A handle belongs to the process, the directory to the shared memory: it stays when the handle
/// is closed, and the handle stays usable when the memory is closed.
#[derive(Debug)]
pub struct unipc_directory {
    object: Directory,
}

/// A layout holds no NUL.
pub(super) fn text_of(layout: &Layout) -> CString {
    CString::new(layout.to_string()).unwrap_or_default()
}

/// What the functions that open do when there is an object, and when there is none.
#[derive(Debug)]
#[repr(C)]
pub enum unipc_record_how {
    /// Open the one that is there. Where the bytes are zero, wait for up to a second for a creator.
    UNIPC_RECORD_OPEN = 0,
    /// Create it where there are zeros.
    UNIPC_RECORD_CREATE = 1,
    /// Open it, or create it when there is none.
    UNIPC_RECORD_OPEN_OR_CREATE = 2,
}

/// Numbers of this header.
#[derive(Debug)]
#[repr(C)]
pub enum unipc_record_constant {
    /// Room for the text of a layout, for UNIPC_LAYOUT().
    UNIPC_LAYOUT_MAX = 4096,
    /// Room for the name of a place, its NUL included.
    UNIPC_PLACE_NAME_MAX = 104,
}

/// How many dimensions a member has, for unipc_layout_text().
#[derive(Debug)]
#[repr(C)]
pub enum unipc_dimensions {
    /// One value.
    UNIPC_SCALAR = 0,
    /// An array: m[4].
    UNIPC_ROW = 1,
    /// An array of arrays: m[2][3].
    UNIPC_MATRIX = 2,
    /// One value, or an array when the member is larger than the format says.
    UNIPC_ANY = 3,
}

/// A member of a structure. UNIPC_MEMBER() and its kin fill it in.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct unipc_member {
    /// Its name.
    pub name: *const c_char,
    /// The PEP 3118 format of one element.
    pub format: *const c_char,
    /// offsetof().
    pub offset: usize,
    /// sizeof() of the whole member.
    pub size: usize,
    /// sizeof() of a row, where it is a matrix.
    pub row: usize,
    /// UNIPC_SCALAR, UNIPC_ROW, UNIPC_MATRIX or UNIPC_ANY.
    pub dimensions: usize,
}

/// How to create or open, where the defaults do not do. A field that is zero has its default.
///
/// Make it with UNIPC_RECORD_OPTS() or UNIPC_RECORD_OPTS_INIT, which set sz. Later versions add
/// fields.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct unipc_record_opts {
    /// sizeof(unipc_record_opts).
    pub sz: usize,
    /// When opening by name and creating: permission bits, exact whatever the umask. 0: 0600.
    pub mode: u32,
    /// Not 0: map for reading only. When opening arrays and cells.
    pub read_only: u32,
    /// When creating a directory: how many places it can have, up to 4096. 0: 64.
    pub entries: u32,
    /// Of a directory: for how many milliseconds its calls wait for their turn. 0: for ever.
    pub turn_ms: u32,
}

const _: () = assert!(
    size_of::<unipc_record_opts>() == size_of::<usize>() + 4 * 4,
    "padding would be unset bytes between the fields"
);

// SAFETY: integers, of which zero is a value; the size comes first, and there is no padding.
unsafe impl SizeFirst for unipc_record_opts {}

/// How an object is opened, checked.
struct How {
    disposition: c_int,
    options: Options,
}

impl How {
    fn new(caller: &Caller, how: c_int, opts: *const unipc_record_opts) -> Result<Self> {
        let opts = caller.options(opts)?;
        if !(0..=2).contains(&how) {
            return Err(caller.invalid("how", format!("{how} is no UNIPC_RECORD_ number")));
        }
        let mut options =
            Options::new().mode(caller.mode(opts.mode)?).read_only(opts.read_only != 0);
        if opts.entries != 0 {
            options = options.entries(opts.entries as usize);
        }
        if opts.turn_ms != 0 {
            let turn = Duration::from_millis(opts.turn_ms.into());
            options = options.timeout(Timeout::After(turn));
        }
        Ok(Self { disposition: how, options })
    }

    fn is_open(&self) -> bool {
        self.disposition == unipc_record_how::UNIPC_RECORD_OPEN as c_int
    }

    /// The layout that was declared; who creates must.
    fn layout(&self, caller: &Caller, layout: *const c_char) -> Result<Option<Layout>> {
        if layout.is_null() && self.is_open() {
            return Ok(None);
        }
        layout_of(caller, "layout", layout).map(Some)
    }
}

/// A layout from its text.
pub(super) fn layout_of(
    caller: &Caller,
    argument: &'static str,
    text: *const c_char,
) -> Result<Layout> {
    let text = caller.text(argument, text)?;
    let text = text.to_str().ok_or_else(|| caller.invalid(argument, "it is not ASCII"))?;
    Layout::parse(text)
}
