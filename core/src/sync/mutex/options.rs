// SPDX-License-Identifier: MIT OR Apache-2.0
//! How a mutex comes to be.

use std::sync::atomic::Ordering;

use super::robust::{Quick, Robust};
use super::{Inner, Mutex};
use crate::error::{Error, ErrorKind, Result};
use crate::open::{Disposition, Mode};
use crate::sync::form::{self, Form};
use crate::sync::hold::Spin;
use crate::sync::object::{HEAD, Kind, MAIN};
use crate::sync::place::Place;
use crate::sys::pthread::{Foreign, MutexKind as ForeignKind};

pub(super) const KIND: Kind = Kind {
    name: *b"mutex\0\0\0",
    version: 1,
    operation: ["Mutex::open", "Mutex::create", "Mutex::open_or_create"],
};

/// What a [`Mutex`] does when its holder locks it again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[repr(i32)]
pub enum MutexKind {
    /// It says `EDEADLK` (`PTHREAD_MUTEX_ERRORCHECK`). In the robust form this costs nothing.
    #[default]
    ErrorChecking = 0,
    /// It waits for itself, as POSIX has it (`PTHREAD_MUTEX_NORMAL`): until the time is over.
    Normal = 1,
    /// It counts, and is free when it was unlocked as often (`PTHREAD_MUTEX_RECURSIVE`).
    Recursive = 2,
}

/// How to create or open a [`Mutex`], where the defaults do not do.
#[derive(Debug, Clone, Default)]
pub struct MutexOptions {
    kind: MutexKind,
    form: Form,
    inherit: bool,
    mode: Mode,
}

impl MutexOptions {
    /// The defaults: error-checking, robust, mode 0600.
    pub fn new() -> Self {
        Self::default()
    }

    /// What happens when the holder locks again. When opening, the object's own kind counts.
    #[must_use]
    pub fn kind(mut self, kind: MutexKind) -> Self {
        self.kind = kind;
        self
    }

    /// Whose layout: this library's or the C library's.
    #[must_use]
    pub fn form(mut self, form: Form) -> Self {
        self.form = form;
        self
    }

    /// Let the holder run with the priority of the most urgent waiter (`PTHREAD_PRIO_INHERIT`). Pthread form alone.
    #[must_use]
    pub fn priority_inheritance(mut self, inherit: bool) -> Self {
        self.inherit = inherit;
        self
    }

    /// The permissions of a segment that is created for the object alone.
    #[must_use]
    pub fn mode(mut self, mode: Mode) -> Self {
        self.mode = mode;
        self
    }

    fn get<'a>(
        &self,
        place: impl TryInto<Place<'a>, Error: Into<Error>>,
        disposition: Disposition,
    ) -> Result<Mutex> {
        if self.form == Form::Pthread {
            let kind = ForeignKind { kind: self.kind.pthread(), inherit: self.inherit };
            let operation = KIND.operation[disposition as usize];
            let make = |foreign: &Foreign<libc::pthread_mutex_t>| foreign.init(kind);
            let (foreign, label) = form::establish(place, disposition, self.mode, operation, make)?;
            return Ok(Mutex { quick: Quick::none(), inner: Inner::Pthread { foreign, label } });
        }
        if self.inherit {
            let why = "priority inheritance is the pthread form's alone";
            return Err(ErrorKind::unsupported(why)
                .during(KIND.operation[disposition as usize], "priority_inheritance"));
        }
        let kind = self.kind as u32;
        let object = KIND.establish(place, disposition, self.mode, HEAD, move |lines| {
            // SYNC: relaxed, the magic that comes later publishes it.
            lines.cell(MAIN).kind.store(kind, Ordering::Relaxed);
        })?;
        let kind = match object.lines.cell(MAIN).kind.load(Ordering::Relaxed) {
            0 => MutexKind::ErrorChecking,
            1 => MutexKind::Normal,
            2 => MutexKind::Recursive,
            other => {
                let why = format!("there is no kind {other} of mutex");
                return Err(object.failed("Mutex::open", ErrorKind::Layout(why.into())));
            }
        };
        let quick = Quick::to(&object.lines, MAIN);
        let robust = Robust { object, kind, spin: Spin::default() };
        Ok(Mutex { quick, inner: Inner::Robust(robust) })
    }

    /// [`Mutex::create`] with these options.
    pub fn create<'a>(&self, place: impl TryInto<Place<'a>, Error: Into<Error>>) -> Result<Mutex> {
        self.get(place, Disposition::Create)
    }

    /// [`Mutex::open`] with these options, of which only the form counts.
    pub fn open<'a>(&self, place: impl TryInto<Place<'a>, Error: Into<Error>>) -> Result<Mutex> {
        self.get(place, Disposition::Open)
    }

    /// [`Mutex::open_or_create`] with these options.
    pub fn open_or_create<'a>(
        &self,
        place: impl TryInto<Place<'a>, Error: Into<Error>>,
    ) -> Result<Mutex> {
        self.get(place, Disposition::OpenOrCreate)
    }
}

impl MutexKind {
    pub(super) fn pthread(self) -> i32 {
        match self {
            Self::ErrorChecking => libc::PTHREAD_MUTEX_ERRORCHECK,
            Self::Normal => libc::PTHREAD_MUTEX_NORMAL,
            Self::Recursive => libc::PTHREAD_MUTEX_RECURSIVE,
        }
    }
}
