// SPDX-License-Identifier: MIT OR Apache-2.0
//! How a barrier comes to be.

use std::sync::atomic::Ordering;

use super::{Barrier, Inner};
use crate::error::{Error, ErrorKind, Result};
use crate::open::{Disposition, Mode};
use crate::sync::form::{self, Form};
use crate::sync::object::{HEAD, Kind, MAIN};
use crate::sync::options::{common_setters, constructors};
use crate::sync::place::Place;
use crate::sys::pthread::Foreign;

const KIND: Kind = Kind {
    name: *b"barrier\0",
    version: 1,
    operation: ["Barrier::open", "Barrier::create", "Barrier::open_or_create"],
};

/// How to create or open a [`Barrier`], where the defaults do not do.
#[derive(Debug, Clone, Default)]
pub struct BarrierOptions {
    form: Form,
    mode: Mode,
}

constructors!(Barrier, BarrierOptions, parties: u32, 0);

impl BarrierOptions {
    /// The defaults: robust, mode 0600.
    pub fn new() -> Self {
        Self::default()
    }

    common_setters!();

    fn get<'a>(
        &self,
        place: impl TryInto<Place<'a>, Error: Into<Error>>,
        disposition: Disposition,
        parties: u32,
    ) -> Result<Barrier> {
        let operation = KIND.operation[disposition as usize];
        let opening = disposition == Disposition::Open;
        if !opening && !(1..=Barrier::MAX).contains(&parties) {
            return Err(
                ErrorKind::invalid("a barrier has 1 to 65536 parties").during(operation, parties)
            );
        }
        if self.form == Form::Pthread {
            let make = |foreign: &Foreign<libc::pthread_barrier_t>| foreign.init(parties);
            let (foreign, label) = form::establish(place, disposition, self.mode, operation, make)?;
            return Ok(Barrier(Inner::Pthread { foreign, label, parties }));
        }
        let count = HEAD + parties.max(1) as usize;
        let object = KIND.establish(place, disposition, self.mode, count, move |lines| {
            lines.cell(MAIN).limit.store(parties.into(), Ordering::Relaxed);
        })?;
        let there = (object.lines.count() - HEAD) as u64;
        if there == 0 || object.lines.cell(MAIN).limit.load(Ordering::Relaxed) != there {
            let why = ErrorKind::Layout("the table of parties has another size".into());
            return Err(object.failed(operation, why));
        }
        if !opening && there != u64::from(parties) {
            let why = ErrorKind::invalid(format!("the barrier that is there has {there} parties"));
            return Err(object.failed(operation, why));
        }
        Ok(Barrier(Inner::Robust(object)))
    }
}
