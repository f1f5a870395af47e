// SPDX-License-Identifier: MIT OR Apache-2.0
//! What any terminal can do, one's own or a pseudoterminal.

use std::ffi::{c_int, c_uint};

use unipc_core::Result;
use unipc_core::pipe::{self, Modes, RawMode, WindowSize};

use super::boundary::Caller;
use super::unipc_raw_mode;

/// How many characters fit into the window of a terminal.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[repr(C)]
pub struct unipc_window_size {
    /// Lines.
    pub rows: u16,
    /// Characters in a line.
    pub columns: u16,
    /// The width in pixels, 0 where nobody knows.
    pub width: u16,
    /// The height in pixels, 0 where nobody knows.
    pub height: u16,
}

/// What a terminal's line discipline does to the bytes.
#[derive(Debug)]
#[repr(C)]
pub enum unipc_terminal_mode {
    /// Input is put out again, so that who types sees it (ECHO).
    UNIPC_TERMINAL_ECHO = 1 << 0,
    /// Input comes in lines, which can be edited until their end; Ctrl-D ends it (ICANON).
    UNIPC_TERMINAL_CANONICAL = 1 << 1,
    /// Ctrl-C, Ctrl-\ and Ctrl-Z are signals (ISIG).
    UNIPC_TERMINAL_SIGNALS = 1 << 2,
    /// A newline is put out as carriage return and newline (OPOST).
    UNIPC_TERMINAL_OUTPUT = 1 << 3,
}

const ECHO: c_uint = unipc_terminal_mode::UNIPC_TERMINAL_ECHO as c_uint;
const CANONICAL: c_uint = unipc_terminal_mode::UNIPC_TERMINAL_CANONICAL as c_uint;
const SIGNALS: c_uint = unipc_terminal_mode::UNIPC_TERMINAL_SIGNALS as c_uint;
const OUTPUT: c_uint = unipc_terminal_mode::UNIPC_TERMINAL_OUTPUT as c_uint;

impl From<WindowSize> for unipc_window_size {
    fn from(size: WindowSize) -> Self {
        let WindowSize { rows, columns, width, height } = size;
        Self { rows, columns, width, height }
    }
}

pub(super) fn size_of(caller: &Caller, size: *const unipc_window_size) -> Result<WindowSize> {
    let given = caller.values(size, usize::from(!size.is_null()))?.first();
    Ok(given.map_or_else(WindowSize::default, |size| WindowSize {
        rows: size.rows,
        columns: size.columns,
        width: size.width,
        height: size.height,
    }))
}

pub(super) fn bits_of(modes: Modes) -> c_int {
    let bit = |on: bool, bit: c_uint| if on { bit.cast_signed() } else { 0 };
    bit(modes.echo, ECHO)
        | bit(modes.canonical, CANONICAL)
        | bit(modes.signals, SIGNALS)
        | bit(modes.output, OUTPUT)
}

pub(super) fn modes_of(caller: &Caller, bits: c_uint) -> Result<Modes> {
    let bits = caller.flags(bits, ECHO | CANONICAL | SIGNALS | OUTPUT)?;
    Ok(Modes {
        echo: bits.has(ECHO),
        canonical: bits.has(CANONICAL),
        signals: bits.has(SIGNALS),
        output: bits.has(OUTPUT),
    })
}

/// Is it a terminal?
///
/// fd: a descriptor
///
/// Returns 1 if it is, 0 if it is something else.
/// Errors:
///   -EBADF  it is not open
/// Since 0.1. See isatty(3).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_terminal_is(fd: c_int) -> c_int {
    // SAFETY: there is no pointer.
    let caller = unsafe { Caller::trusted("is_terminal") };
    caller.guard(|| Ok(c_int::from(pipe::is_terminal(caller.duplicate(fd)?))))
}

/// The size of a terminal's window.
///
/// fd:   a terminal; either side of a pseudoterminal gives the same
/// size: gets it
///
/// Returns 0.
/// Errors:
///   -ENOTTY  it is no terminal
///   -EBADF   it is not open
///   -EINVAL  size is NULL
/// Since 0.1. See TIOCGWINSZ(2const).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_terminal_window_size(
    fd: c_int,
    size: *mut unipc_window_size,
) -> c_int {
    // SAFETY: the header asks for a place for a size.
    let caller = unsafe { Caller::trusted("window_size") };
    caller.guard(|| {
        let size = caller.output("size", size)?;
        size.set(pipe::window_size(caller.duplicate(fd)?)?.into());
        Ok(0)
    })
}

/// Sets the size of a terminal's window. If it changes, the foreground programs of the terminal get SIGWINCH.
///
/// fd:   a terminal
/// size: the new one
///
/// Returns 0.
/// Errors:
///   -ENOTTY  it is no terminal
///   -EBADF   it is not open
///   -EINVAL  size is NULL
/// Since 0.1. See TIOCSWINSZ(2const).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_terminal_set_window_size(
    fd: c_int,
    size: *const unipc_window_size,
) -> c_int {
    // SAFETY: the header asks for a size.
    let caller = unsafe { Caller::trusted("set_window_size") };
    caller.guard(|| {
        caller.output("size", size.cast_mut())?;
        let size = size_of(&caller, size)?;
        pipe::set_window_size(caller.duplicate(fd)?, size).map(|()| 0)
    })
}

/// What a terminal's line discipline does.
///
/// fd: a terminal; either side of a pseudoterminal gives the same
///
/// Returns UNIPC_TERMINAL_ bits.
/// Errors:
///   -ENOTTY  it is no terminal
///   -EBADF   it is not open
/// Since 0.1. See termios(3).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_terminal_modes(fd: c_int) -> c_int {
    // SAFETY: there is no pointer.
    let caller = unsafe { Caller::trusted("modes") };
    caller.guard(|| Ok(bits_of(pipe::modes(caller.duplicate(fd)?)?)))
}

/// Changes what a terminal's line discipline does, at once; what the bits do not name stays.
///
/// fd:    a terminal
/// modes: UNIPC_TERMINAL_ bits
///
/// Returns 0.
/// Errors:
///   -ENOTTY  it is no terminal
///   -EBADF   it is not open
///   -EINTR   a signal came
///   -EINVAL  unknown bits
/// Since 0.1. See termios(3).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_terminal_set_modes(fd: c_int, modes: c_uint) -> c_int {
    // SAFETY: there is no pointer.
    let caller = unsafe { Caller::trusted("set_modes") };
    caller.guard(|| {
        let modes = modes_of(&caller, modes)?;
        pipe::set_modes(caller.duplicate(fd)?, modes).map(|()| 0)
    })
}

/// Puts a terminal into raw mode and remembers how it was: every byte comes as it was typed, at once, without
/// an echo, and goes as it was written.
///
/// out: gets the handle that puts it back
/// fd:  a terminal; it is duplicated
///
/// It belongs to the terminal, so all processes that use it see it; one that is killed leaves it raw.
///
/// Returns 0.
/// Errors:
///   -ENOTTY  it is no terminal
///   -EBADF   it is not open
///   -EMFILE  no descriptors are left
///   -EINTR   a signal came
///   -EINVAL  out is NULL
/// Since 0.1. See cfmakeraw(3).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_raw_mode_enter(out: *mut *mut unipc_raw_mode, fd: c_int) -> c_int {
    // SAFETY: the header asks for a place for a handle.
    let caller = unsafe { Caller::trusted("raw mode") };
    caller.construct(out, || Ok(unipc_raw_mode { raw: RawMode::enter(caller.duplicate(fd)?)? }))
}

/// Puts the terminal back to how it was. Twice is as once.
///
/// raw: a handle
///
/// Returns 0.
/// Errors:
///   -EIO     the terminal has hung up
///   -EINTR   a signal came: call it again
///   -EINVAL  raw is NULL
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_raw_mode_restore(raw: *const unipc_raw_mode) -> c_int {
    // SAFETY: the header asks for an open handle.
    let caller = unsafe { Caller::trusted("restore") };
    caller.guard(|| caller.handle(raw)?.raw.restore().map(|()| 0))
}

/// Closes the handle, and puts the terminal back if that was not done; NULL is fine.
///
/// raw: a handle, not used after this
///
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unipc_raw_mode_close(raw: *mut unipc_raw_mode) {
    // SAFETY: the header asks for NULL or an open handle that is not used any more.
    unsafe { Caller::trusted("close") }.destroy(raw);
}
