// SPDX-License-Identifier: MIT OR Apache-2.0
//! What any terminal can do, one's own or a pseudoterminal.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use unipc::pipe::{self, Modes, WindowSize};

use super::duplicate_of;
use crate::error::raise;

/// The bits of `unipc.TerminalModes`.
const ECHO: u32 = 1 << 0;
const CANONICAL: u32 = 1 << 1;
const SIGNALS: u32 = 1 << 2;
const OUTPUT: u32 = 1 << 3;

pub(super) fn bits_of(modes: Modes) -> u32 {
    let bit = |on: bool, bit: u32| if on { bit } else { 0 };
    bit(modes.echo, ECHO)
        | bit(modes.canonical, CANONICAL)
        | bit(modes.signals, SIGNALS)
        | bit(modes.output, OUTPUT)
}

pub(super) fn modes_of(bits: u32) -> PyResult<Modes> {
    if bits & !(ECHO | CANONICAL | SIGNALS | OUTPUT) != 0 {
        return Err(PyValueError::new_err(format!("{bits:#x} has bits that are no TerminalModes")));
    }
    Ok(Modes {
        echo: bits & ECHO != 0,
        canonical: bits & CANONICAL != 0,
        signals: bits & SIGNALS != 0,
        output: bits & OUTPUT != 0,
    })
}

/// Rows, columns, and the size in pixels where somebody knows it.
pub(super) type Size = (u16, u16, u16, u16);

pub(super) fn size_of((rows, columns, width, height): Size) -> WindowSize {
    WindowSize { rows, columns, width, height }
}

pub(super) fn tuple_of(size: WindowSize) -> Size {
    (size.rows, size.columns, size.width, size.height)
}

/// Is it a terminal? `fd` is a number or an object with `fileno()`; as `os.isatty`.
#[pyfunction]
pub(crate) fn is_terminal(fd: &Bound<'_, PyAny>) -> PyResult<bool> {
    Ok(pipe::is_terminal(duplicate_of(fd)?))
}

#[pyfunction]
#[pyo3(name = "_window_size")]
pub(crate) fn window_size(fd: &Bound<'_, PyAny>) -> PyResult<Size> {
    pipe::window_size(duplicate_of(fd)?).map(tuple_of).map_err(raise)
}

#[pyfunction]
#[pyo3(name = "_set_window_size")]
pub(crate) fn set_window_size(fd: &Bound<'_, PyAny>, size: Size) -> PyResult<()> {
    pipe::set_window_size(duplicate_of(fd)?, size_of(size)).map_err(raise)
}

#[pyfunction]
#[pyo3(name = "_terminal_modes")]
pub(crate) fn terminal_modes(fd: &Bound<'_, PyAny>) -> PyResult<u32> {
    pipe::modes(duplicate_of(fd)?).map(bits_of).map_err(raise)
}

#[pyfunction]
#[pyo3(name = "_set_terminal_modes")]
pub(crate) fn set_terminal_modes(
    py: Python<'_>,
    fd: &Bound<'_, PyAny>,
    modes: u32,
) -> PyResult<()> {
    let (fd, modes) = (duplicate_of(fd)?, modes_of(modes)?);
    crate::wait::wait(py, unipc::Timeout::Forever, |_| pipe::set_modes(&fd, modes))
}

/// Raw mode of a terminal, until `restore` or the end of a `with` block: every byte comes as it was typed, at once, without an
/// echo, and goes as it was written.
///
/// `fd` is a number or an object with `fileno()`; it is duplicated. For programs that pass a terminal on to another one. The
/// mode belongs to the terminal, so all processes that use it see it; a process that is killed leaves it raw (`stty sane`
/// helps). An object that is dropped restores, in a child of `os.fork` too.
///
/// Raises `OSError`: `ENOTTY` when it is no terminal.
///
/// >>> import unipc
/// >>> pty = unipc.Pty()
/// >>> with unipc.RawMode(pty):
/// ...     pty.modes
/// <TerminalModes: 0>
/// >>> unipc.TerminalModes.ECHO in pty.modes
/// True
#[pyclass(frozen, weakref, module = "unipc")]
pub(crate) struct RawMode(pipe::RawMode);

#[pymethods]
impl RawMode {
    #[new]
    fn new(fd: &Bound<'_, PyAny>) -> PyResult<Self> {
        pipe::RawMode::enter(duplicate_of(fd)?).map(Self).map_err(raise)
    }

    /// Puts the terminal back to how it was. Twice is as once.
    ///
    /// Raises `OSError`: `EIO` when the terminal has hung up.
    fn restore(&self, py: Python<'_>) -> PyResult<()> {
        crate::wait::wait(py, unipc::Timeout::Forever, |_| self.0.restore())
    }

    fn __enter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    #[pyo3(signature = (*_exception))]
    fn __exit__(&self, py: Python<'_>, _exception: &Bound<'_, PyTuple>) -> PyResult<()> {
        self.restore(py)
    }
}
