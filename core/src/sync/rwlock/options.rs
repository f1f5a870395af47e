// SPDX-License-Identifier: MIT OR Apache-2.0
//! How a read-write lock comes to be.

use std::sync::atomic::Ordering;

use super::robust::{Quick, Robust};
use super::{Inner, RwLock};
use crate::error::{Error, ErrorKind, Result};
use crate::open::{Disposition, Mode};
use crate::sync::form::{self, Form};
use crate::sync::object::{HEAD, Kind, MAIN};
use crate::sync::options::{common_setters, constructors};
use crate::sync::place::Place;
use crate::sys::pthread::Foreign;

const KIND: Kind = Kind {
    name: *b"rwlock\0\0",
    version: 1,
    operation: ["RwLock::open", "RwLock::create", "RwLock::open_or_create"],
};

pub(super) const READERS: u32 = 60;

/// How to create or open an [`RwLock`], where the defaults do not do.
#[derive(Debug, Clone, Default)]
pub struct RwLockOptions {
    form: Form,
    mode: Mode,
    readers: Option<u32>,
}

constructors!(RwLock, RwLockOptions);

impl RwLockOptions {
    /// The defaults: robust, mode 0600, room for 60 readers.
    pub fn new() -> Self {
        Self::default()
    }

    common_setters!();

    /// How many can read at once, 1 to 65536. Robust form alone.
    #[must_use]
    pub fn readers(mut self, readers: u32) -> Self {
        self.readers = Some(readers);
        self
    }

    fn get<'a>(
        &self,
        place: impl TryInto<Place<'a>, Error: Into<Error>>,
        disposition: Disposition,
    ) -> Result<RwLock> {
        let operation = KIND.operation[disposition as usize];
        if self.form == Form::Pthread {
            let make = |foreign: &Foreign<libc::pthread_rwlock_t>| foreign.init();
            let (foreign, label) = form::establish(place, disposition, self.mode, operation, make)?;
            return Ok(RwLock { quick: Quick::none(), inner: Inner::Pthread { foreign, label } });
        }
        let readers = self.readers.unwrap_or(READERS);
        if !(1..=1 << 16).contains(&readers) {
            return Err(
                ErrorKind::invalid("there can be 1 to 65536 readers").during(operation, readers)
            );
        }
        let count = HEAD + readers as usize;
        let object = KIND.establish(place, disposition, self.mode, count, move |lines| {
            lines.cell(MAIN).limit.store(readers.into(), Ordering::Relaxed);
        })?;
        let there = (object.lines.count() - HEAD) as u64;
        if there == 0 || object.lines.cell(MAIN).limit.load(Ordering::Relaxed) != there {
            let why = ErrorKind::Layout("the table of readers has another size".into());
            return Err(object.failed(operation, why));
        }
        let quick = Quick::to(&object.lines, MAIN);
        Ok(RwLock { quick, inner: Inner::Robust(Robust::new(object)) })
    }
}
