// SPDX-License-Identifier: MIT OR Apache-2.0
//! What any terminal can do, one's own or a pseudoterminal: size, modes, raw mode and back.

use std::fmt;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::sync::Mutex;

use nix::sys::termios::{
    LocalFlags, OutputFlags, SetArg, Termios, cfmakeraw, tcgetattr, tcsetattr,
};

use super::source::lock;
use super::spawn::duplicate;
use crate::error::{Error, ErrorKind, Result};
use crate::sys::terminal;

/// How many characters fit into the window of a terminal: `struct winsize`.
#[doc(alias = "winsize")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WindowSize {
    /// Lines.
    pub rows: u16,
    /// Characters in a line.
    pub columns: u16,
    /// The width in pixels, 0 where nobody knows.
    pub width: u16,
    /// The height in pixels, 0 where nobody knows.
    pub height: u16,
}

impl WindowSize {
    /// A size in characters.
    pub fn new(rows: u16, columns: u16) -> Self {
        Self { rows, columns, width: 0, height: 0 }
    }
}

/// 24 lines of 80 characters.
impl Default for WindowSize {
    fn default() -> Self {
        Self::new(24, 80)
    }
}

/// What a terminal's line discipline does to the bytes. All off is nearly what [`RawMode`] makes; a new
/// pseudoterminal has all on.
#[doc(alias = "termios")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "they are independent switches of the kernel's")]
pub struct Modes {
    /// Input is put out again, so that who types sees it (`ECHO`).
    pub echo: bool,
    /// Input comes in lines, which can be edited until their end; Ctrl-D ends it (`ICANON`).
    pub canonical: bool,
    /// Ctrl-C, Ctrl-\ and Ctrl-Z are signals (`ISIG`).
    pub signals: bool,
    /// Output is changed for printers of old: a newline becomes carriage return and newline (`OPOST`).
    pub output: bool,
}

/// Is it a terminal? `isatty(3)`. What cannot be asked, as one that has hung up, is none.
#[doc(alias = "isatty")]
pub fn is_terminal(fd: impl AsFd) -> bool {
    std::io::IsTerminal::is_terminal(&fd.as_fd())
}

/// The size of a terminal's window. Asked on a pseudoterminal, either side gives the same.
///
/// Errors: `ENOTTY` when it is no terminal.
#[doc(alias = "TIOCGWINSZ")]
pub fn window_size(fd: impl AsFd) -> Result<WindowSize> {
    let size = terminal::window_size(fd.as_fd())
        .map_err(|errno| failed(&fd, "window_size", errno.into()))?;
    Ok(WindowSize {
        rows: size.ws_row,
        columns: size.ws_col,
        width: size.ws_xpixel,
        height: size.ws_ypixel,
    })
}

/// Sets the size of a terminal's window. If it changes, the foreground programs of the terminal get SIGWINCH.
///
/// Errors: `ENOTTY` when it is no terminal.
#[doc(alias = "TIOCSWINSZ")]
#[doc(alias = "SIGWINCH")]
pub fn set_window_size(fd: impl AsFd, size: WindowSize) -> Result<()> {
    terminal::set_window_size(fd.as_fd(), kernels(size))
        .map_err(|errno| failed(&fd, "set_window_size", errno.into()))
}

pub(super) fn kernels(size: WindowSize) -> libc::winsize {
    libc::winsize {
        ws_row: size.rows,
        ws_col: size.columns,
        ws_xpixel: size.width,
        ws_ypixel: size.height,
    }
}

/// What the line discipline does. Asked on a pseudoterminal, either side gives the same.
///
/// Errors: `ENOTTY` when it is no terminal.
#[doc(alias = "tcgetattr")]
pub fn modes(fd: impl AsFd) -> Result<Modes> {
    let settings = settings(&fd, "modes")?;
    Ok(Modes {
        echo: settings.local_flags.contains(LocalFlags::ECHO),
        canonical: settings.local_flags.contains(LocalFlags::ICANON),
        signals: settings.local_flags.contains(LocalFlags::ISIG),
        output: settings.output_flags.contains(OutputFlags::OPOST),
    })
}

/// Changes what the line discipline does, at once; what the four switches do not name stays.
///
/// Errors: `ENOTTY` when it is no terminal; `EINVAL` when it has taken a part of that only; `EINTR`.
#[doc(alias = "tcsetattr")]
pub fn set_modes(fd: impl AsFd, modes: Modes) -> Result<()> {
    let mut settings = settings(&fd, "set_modes")?;
    settings.local_flags.set(LocalFlags::ECHO, modes.echo);
    settings.local_flags.set(LocalFlags::ICANON, modes.canonical);
    settings.local_flags.set(LocalFlags::ISIG, modes.signals);
    settings.output_flags.set(OutputFlags::OPOST, modes.output);
    apply(&fd, "set_modes", &settings)
}

fn settings(fd: impl AsFd, operation: &'static str) -> Result<Termios> {
    tcgetattr(fd.as_fd()).map_err(|errno| failed(fd, operation, errno.into()))
}

fn apply(fd: impl AsFd, operation: &'static str, settings: &Termios) -> Result<()> {
    // At once: to wait for output that nobody reads could take for ever.
    tcsetattr(fd.as_fd(), SetArg::TCSANOW, settings)
        .map_err(|errno| failed(&fd, operation, errno.into()))?;
    // That was success if any part of it could be done.
    let now = self::settings(&fd, operation)?;
    let switches =
        |of: &Termios| (of.input_flags, of.output_flags, of.local_flags, of.control_chars);
    if switches(&now) != switches(settings) {
        let why = "the terminal has taken a part of the settings only";
        return Err(failed(fd, operation, ErrorKind::invalid(why)));
    }
    Ok(())
}

/// Puts a terminal into raw mode without anything to put it back.
pub(super) fn make_raw(fd: impl AsFd) -> Result<()> {
    let mut settings = settings(&fd, "raw mode")?;
    cfmakeraw(&mut settings);
    apply(fd, "raw mode", &settings)
}

/// Raw mode of a terminal, until it is dropped: every byte comes as it was typed, at once, without an echo, and goes as
/// it was written.
///
/// For programs that pass a terminal on to another one. It belongs to the terminal, so all processes that use it
/// see it; a process that is killed leaves it raw (`stty sane` helps). A child of fork that drops its copy
/// puts the terminal back, too.
#[doc(alias = "cfmakeraw")]
pub struct RawMode {
    terminal: OwnedFd,
    before: Mutex<Option<Termios>>,
}

impl RawMode {
    /// Puts the terminal into raw mode and remembers how it was. The descriptor is duplicated.
    ///
    /// Errors: `ENOTTY` when it is no terminal; `EINVAL` when it has taken a part of the settings only; `EMFILE`; `EINTR`.
    pub fn enter(fd: impl AsFd) -> Result<Self> {
        let terminal = duplicate(fd.as_fd()).map_err(|kind| failed(&fd, "raw mode", kind))?;
        let before = settings(&terminal, "raw mode")?;
        make_raw(&terminal)?;
        Ok(Self { terminal, before: Mutex::new(Some(before)) })
    }

    /// Puts the terminal back to how it was. Twice is as once.
    ///
    /// Errors: `EIO` when the terminal has hung up; `EINTR`: call it again.
    pub fn restore(&self) -> Result<()> {
        let mut before = lock(&self.before);
        if let Some(settings) = &*before {
            apply(&self.terminal, "restore", settings)?;
            *before = None;
        }
        Ok(())
    }
}

impl Drop for RawMode {
    fn drop(&mut self) {
        // There is nobody to tell.
        while self.restore().is_err_and(|error| error.errno() == libc::EINTR) {}
    }
}

impl fmt::Debug for RawMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RawMode(fd {})", self.terminal.as_raw_fd())
    }
}

fn failed(fd: impl AsFd, operation: &'static str, kind: ErrorKind) -> Error {
    let errno = kind.errno();
    let error = kind.during(operation, format_args!("fd {}", fd.as_fd().as_raw_fd()));
    if errno == libc::ENOTTY { error.with_advice("it is no terminal") } else { error }
}
