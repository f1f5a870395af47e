// SPDX-License-Identifier: MIT OR Apache-2.0
//! How a semaphore comes to be.

use std::sync::atomic::Ordering;

use super::robust::{ABSENT, Quick, Robust};
use super::{Inner, Semaphore};
use crate::error::{Error, ErrorKind, Result};
use crate::open::{Disposition, Mode};
use crate::sync::form::{self, Form};
use crate::sync::object::{HEAD, Kind, MAIN};
use crate::sync::options::{common_setters, constructors};
use crate::sync::place::Place;
use crate::sys::pthread::Foreign;

const KIND: Kind = Kind {
    name: *b"semaphor",
    version: 1,
    operation: ["Semaphore::open", "Semaphore::create", "Semaphore::open_or_create"],
};

/// How to create or open a [`Semaphore`], where the defaults do not do.
#[derive(Debug, Clone, Default)]
pub struct SemaphoreOptions {
    form: Form,
    mode: Mode,
    max: Option<u32>,
}

constructors!(Semaphore, SemaphoreOptions, value: u32, 0);

impl SemaphoreOptions {
    /// The defaults: robust, mode 0600, as many permits at most as there are at first, but at least 64.
    pub fn new() -> Self {
        Self::default()
    }

    common_setters!();

    /// How many permits there can be, 1 to 65536. With 1 it is a binary semaphore, whose second post is `EOVERFLOW`. Robust
    /// form alone; a `sem_t` counts to `SEM_VALUE_MAX`.
    #[must_use]
    pub fn max(mut self, max: u32) -> Self {
        self.max = Some(max);
        self
    }

    fn get<'a>(
        &self,
        place: impl TryInto<Place<'a>, Error: Into<Error>>,
        disposition: Disposition,
        value: u32,
    ) -> Result<Semaphore> {
        let operation = KIND.operation[disposition as usize];
        let refused = |why: &'static str| ErrorKind::invalid(why).during(operation, value);
        if self.form == Form::Pthread {
            if self.max.is_some() {
                return Err(refused("the pthread form has a maximum of its own"));
            }
            let make = |foreign: &Foreign<libc::sem_t>| foreign.init(value);
            let (foreign, label) = form::establish(place, disposition, self.mode, operation, make)?;
            return Ok(Semaphore {
                quick: Quick::none(),
                inner: Inner::Pthread { foreign, label },
            });
        }
        let max = self.max.unwrap_or(value.max(64));
        if !(1..=Semaphore::MAX).contains(&max) {
            return Err(refused("there can be 1 to 65536 permits"));
        }
        if value > max {
            return Err(refused("there cannot be more permits than the maximum"));
        }
        let object =
            KIND.establish(place, disposition, self.mode, HEAD + max as usize, move |lines| {
                lines.cell(MAIN).limit.store(max.into(), Ordering::Relaxed);
                for cell in &lines.cells()[HEAD + value as usize..] {
                    cell.word.store(ABSENT, Ordering::Relaxed);
                }
            })?;
        let permits = (object.lines.count() - HEAD) as u64;
        if permits == 0 || object.lines.cell(MAIN).limit.load(Ordering::Relaxed) != permits {
            let why = ErrorKind::Layout("the table of permits has another size".into());
            return Err(object.failed(operation, why));
        }
        let quick = Quick::to(&object.lines, MAIN);
        Ok(Semaphore { quick, inner: Inner::Robust(Robust::new(object)) })
    }
}
