// SPDX-License-Identifier: MIT OR Apache-2.0
//! Anonymous memory: shared with the children of fork, and with nobody else.

use super::options::Object;
use super::{Backing, Identity, Options, SharedMemory};
use crate::error::ErrorKind;
use crate::map::Source;
use crate::name::Name;
use crate::open::Disposition;
use crate::sys;

pub(super) fn create(
    options: &Options,
    disposition: Disposition,
) -> Result<SharedMemory, ErrorKind> {
    if disposition == Disposition::Open {
        return Err(ErrorKind::unsupported(
            "anonymous memory has no name to open; children of fork inherit it",
        ));
    }
    if options.offset != 0 {
        return Err(ErrorKind::invalid("anonymous memory begins at offset 0"));
    }
    let object = Object {
        source: Source::Anonymous,
        backing: Backing::Anonymous,
        identity: Identity::Nameless,
        size: options.size.unwrap_or(0) as u64,
        page_size: options.huge_page_size.unwrap_or_else(sys::page_size),
        can_shrink: false,
    };
    let length = options.length(object.size, object.page_size)?;
    options.map(object, Name::Anonymous, length)
}
