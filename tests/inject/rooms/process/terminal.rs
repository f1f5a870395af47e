// SPDX-License-Identifier: MIT OR Apache-2.0
//! Terminals, with a program on them or without.

use std::os::fd::OwnedFd;
use std::rc::Rc;

use libc::{SYS_ioctl, SYS_read};
use unipc::pipe::{
    CoprocessOptions, Modes, Pty, RawMode, WindowSize, is_terminal, modes, window_size,
};
use unipc::{Error, ErrorKind, Timeout};

use super::super::{Act, Yard};
use super::filter::{MUST_WAIT, exchanges};
use super::{ANY, Case, FOREVER, LONG, SHORT, cat, filter, in_vain, others_come_by, warm};

pub(super) const CASES: &[Case] = &[
    Case::new("coprocess on a terminal: start", |yard| {
        others_come_by(yard);
        warm();
        Box::new(|| {
            let filter = CoprocessOptions::new().terminal(true).spawn(cat().null(2))?;
            // Only a raw terminal gives back just this.
            assert_eq!(filter.exchange(b"line", FOREVER)?, b"line");
            filter.close(FOREVER).map(drop)
        })
    })
    .forgives(&[(SYS_ioctl, ANY), (libc::SYS_pwritev2, libc::EOPNOTSUPP)])
    .translates(UNLOCKED_OR_HUNG_UP),
    Case::new("coprocess on a terminal: exchange", |_| exchanges(filter(true), LONG))
        .once()
        .forgives(MUST_WAIT)
        .translates(UNLOCKED_OR_HUNG_UP),
    Case::new("terminal: open", |_| {
        Box::new(|| Pty::open(WindowSize::default())?.slave().map(drop))
    })
    .translates(UNLOCKED_OR_HUNG_UP),
    Case::new("terminal: start a program", |yard| {
        others_come_by(yard);
        Box::new(|| Pty::spawn(cat().null(1), WindowSize::default())?.close(FOREVER).map(drop))
    })
    .translates(UNLOCKED_OR_HUNG_UP),
    Case::new("terminal: write, read", |_| echoes(FOREVER)).once().translates(UNLOCKED_OR_HUNG_UP),
    Case::new("terminal: write, read in time", |_| echoes(LONG))
        .once()
        .translates(UNLOCKED_OR_HUNG_UP),
    Case::new("terminal: read in vain", |_| {
        let (pty, slave) = open();
        Box::new(move || {
            let _keeps = &slave;
            match pty.read(&mut [0; 8], SHORT) {
                Ok(0) => Err(hung_up()),
                other => in_vain(other),
            }
        })
    })
    .once()
    .translates(UNLOCKED_OR_HUNG_UP),
    Case::new("terminal: size", |_| {
        let (pty, slave) = open();
        Box::new(move || {
            let size = WindowSize::new(50, 132);
            pty.set_window_size(size)?;
            assert_eq!(window_size(&slave)?, size);
            Ok(())
        })
    }),
    Case::new("terminal: modes", sets_modes).forgives(SET),
    Case::new("terminal: raw and back", raw_and_back).forgives(SET),
    Case::new("terminal: is it one", |_| {
        let (_pty, slave) = open();
        Box::new(move || {
            is_terminal(&slave);
            Ok(())
        })
    })
    // What cannot be asked is none.
    .forgives(&[(SYS_ioctl, ANY)]),
];

/// The C library asks whether what it has set is so, and does not tell when that fails; unipc asks for itself. So success
/// is no lie, which the cases that have this look at, and the first does, too.
const SET: &[(i64, i32)] = &[(SYS_ioctl, ANY)];

/// The C library's `unlockpt` says so of what is no master; and EIO is how a terminal says that nobody is there.
const UNLOCKED_OR_HUNG_UP: &[(i64, i32, i32)] =
    &[(SYS_ioctl, libc::ENOTTY, libc::EINVAL), (SYS_read, libc::EIO, libc::EPIPE)];

fn hung_up() -> Error {
    Error::new("read", "the terminal", ErrorKind::Os(libc::EPIPE))
}

fn open() -> (Pty, OwnedFd) {
    warm();
    let pty = Pty::open(WindowSize::default()).expect("there is one");
    let slave = pty.slave().expect("it is unlocked");
    (pty, slave)
}

/// What is typed comes back.
fn echoes(timeout: Timeout) -> Act {
    let (pty, slave) = open();
    Box::new(move || {
        let _keeps = &slave;
        pty.write(b"line\n", timeout)?;
        let line = pty.read_line(timeout)?.ok_or_else(hung_up)?;
        assert_eq!(line, b"line\r");
        Ok(())
    })
}

const WANTED: Modes = Modes { echo: false, canonical: true, signals: false, output: true };

fn sets_modes(yard: &mut Yard) -> Act {
    let (pty, slave) = open();
    let pty = Rc::new(pty);
    let same = Rc::clone(&pty);
    yard.check(move |result| {
        let found = same.modes();
        (result.is_ok() && found != Ok(WANTED)).then(|| format!("success, and it is {found:?}"))
    });
    Box::new(move || {
        let _keeps = &slave;
        pty.set_modes(WANTED)
    })
}

fn raw_and_back(yard: &mut Yard) -> Act {
    let (pty, slave) = open();
    let pty = Rc::new(pty);
    let same = Rc::clone(&pty);
    let before = pty.modes().expect("a terminal");
    yard.check(move |result| {
        let now = same.modes();
        let is_back = now == Ok(before);
        (result.is_ok() && !is_back).then(|| format!("success, and it is {now:?}"))
    });
    Box::new(move || {
        let _keeps = &pty;
        let raw = RawMode::enter(&slave)?;
        assert!(!modes(&slave)?.canonical, "it is raw");
        raw.restore()
    })
}
