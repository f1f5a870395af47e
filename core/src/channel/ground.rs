// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where a channel lies: in a segment of its own, or at a page of memory that holds other things as well.
//!
//! Under a name it is made complete before it has the name. In a place everything is written before the stamp's magic, and
//! the first of several creators holds a cell meanwhile ([`LATCH`]), so that his death is noticed, and the next one begins anew.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use super::layout::{CONTROL, VERSION};
use super::memory::Choice;
use crate::error::ErrorKind;
use crate::layout::{Layout, MAGIC};
use crate::map::Map;
use crate::map::lines::{LINE, Lines};
use crate::sync::object::{await_magic, has_magic, make_once};
use crate::sync::place::Site;

/// The line of the first page that a creator holds: the last one.
pub(super) const LATCH: usize = CONTROL / LINE - 1;

/// The file in which a channel lies.
#[derive(Debug)]
pub(super) struct Ground {
    pub(super) file: OwnedFd,
    /// Where it begins there.
    pub(super) start: usize,
    /// How many bytes there are from there on.
    pub(super) length: usize,
    /// The size of its pages.
    pub(super) page: usize,
    /// Can others take pages away? Not from a memfd that is sealed against it.
    pub(super) can_shrink: bool,
}

impl Ground {
    /// From this byte of a mapping on.
    ///
    /// Errors: `EOPNOTSUPP` for memory without a descriptor, `EINVAL` when that is no beginning of a page.
    pub(super) fn of(map: &Map, offset: usize) -> Result<Self, ErrorKind> {
        let Some(file) = map.file() else {
            return Err(ErrorKind::unsupported(
                "a channel is a POSIX object, a file or a memfd (which fork and exec hand on), or lies in one",
            ));
        };
        let plan = map.plan();
        let page = plan.page_size;
        let start = usize::try_from(plan.offset).ok().and_then(|start| start.checked_add(offset));
        let start = start.ok_or(ErrorKind::Os(libc::EOVERFLOW))?;
        if !start.is_multiple_of(page) {
            return Err(ErrorKind::invalid(format!(
                "a channel begins at a multiple of {page} bytes, since its ring is mapped twice"
            )));
        }
        let length = map.len().saturating_sub(offset);
        let file = file.try_clone()?;
        Ok(Self { file, start, length, page, can_shrink: plan.can_shrink })
    }
}

/// Makes a channel in a place, unless there is one: then false.
///
/// Errors: `ERANGE` when it does not fit, `EBUSY` when the bytes of its first page are not zero.
pub(super) fn create(site: &Site, choice: &Choice) -> Result<bool, ErrorKind> {
    // First whether it can lie there at all.
    Ground::of(&site.map, site.offset)?;
    let bytes = choice.size()?;
    let lines = head(site)?;
    if has_magic(&lines)? {
        return Ok(false);
    }
    // Before the first byte is written.
    site.check(bytes)?;
    make_once(&lines, LATCH, || {
        // What a creator that died has left, or whoever had the place before.
        for (offset, length) in choice.blank() {
            site.map.fill(site.offset + offset, length, 0)?;
        }
        let put = |at: usize, part: &[u8]| site.map.write_at(site.offset + at, part);
        choice.write(put)?;
        let stamp = Layout { kind: choice.kind, version: VERSION, size: bytes as u64 }.stamp();
        put(MAGIC.len(), &stamp[MAGIC.len()..])
    })
}

/// Waits for a moment for somebody who is about to make a channel in the place.
///
/// Errors: `EPROTO` when nothing comes.
pub(super) fn await_creator(site: &Site) -> Result<(), ErrorKind> {
    await_magic(&head(site)?, LATCH)
}

/// The lines of the first page.
fn head(site: &Site) -> Result<Lines, ErrorKind> {
    Lines::new(Arc::clone(&site.map), site.offset, CONTROL / LINE)
}
