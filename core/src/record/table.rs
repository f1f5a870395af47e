// SPDX-License-Identifier: MIT OR Apache-2.0
//! The table of a directory: what is placed where. All of it happens in the caller's turn.
//!
//! | bytes of an entry | what |
//! |---|---|
//! | 0..8 | 1 when the entry counts, otherwise 0: written last |
//! | 8..16 | where the place begins, from the directory's first byte; a multiple of 64 |
//! | 16..24 | its size in bytes, a multiple of 64 |
//! | 24..128 | its name in UTF-8, padded with NULs |

use std::sync::atomic::Ordering;

use crate::error::ErrorKind;
use crate::map::lines::LINE;
use crate::map::{Map, copy};

/// Bytes of an entry.
pub(super) const ENTRY: usize = 128;
/// Where the name begins in it.
const NAME: usize = 24;
/// The longest name.
const NAME_MAX: usize = ENTRY - NAME - 1;

/// The table, and the room behind it.
pub(super) struct Table<'a> {
    pub(super) map: &'a Map,
    /// Where the directory begins in the map.
    pub(super) base: usize,
    /// Where the table begins in the directory.
    pub(super) begin: usize,
    pub(super) rows: usize,
    /// All bytes of the directory.
    pub(super) size: usize,
}

/// Where a place may begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Start {
    /// At a multiple of 64.
    Anywhere,
    /// On a page of the memory.
    Page,
}

/// An entry that counts.
#[derive(Debug, Clone)]
pub(super) struct Row {
    index: usize,
    pub(super) name: String,
    /// From the directory's first byte.
    pub(super) offset: usize,
    pub(super) size: usize,
}

impl Table<'_> {
    /// All entries that count, in the order in which their places lie.
    pub(super) fn rows(&self) -> Result<Vec<Row>, ErrorKind> {
        let mut rows = Vec::new();
        for index in 0..self.rows {
            rows.extend(self.row(index)?);
        }
        rows.sort_by_key(|row| row.offset);
        Ok(rows)
    }

    pub(super) fn find(&self, name: &str) -> Result<Option<Row>, ErrorKind> {
        check_name(name)?;
        for index in 0..self.rows {
            match self.row(index)? {
                Some(row) if row.name == name => return Ok(Some(row)),
                _ => {}
            }
        }
        Ok(None)
    }

    /// Makes a place where there is room, and its entry.
    pub(super) fn add(&self, name: &str, size: usize, start: Start) -> Result<Row, ErrorKind> {
        if size == 0 {
            return Err(ErrorKind::invalid("a place has at least one byte"));
        }
        let rows = self.rows()?;
        // The largest sizes, which cannot be rounded up, have no room either.
        let size = size.checked_next_multiple_of(LINE).unwrap_or(size);
        let offset = self.room(&rows, size, start)?;
        let is_free = |index: &usize| rows.iter().all(|row| row.index != *index);
        let index = (0..self.rows)
            .find(is_free)
            .ok_or_else(|| no_room(format!("all {} entries are taken", self.rows)))?;
        self.map.fill(self.base + offset, size, 0)?;
        let mut entry = [0; ENTRY];
        entry[8..16].copy_from_slice(&(offset as u64).to_ne_bytes());
        entry[16..24].copy_from_slice(&(size as u64).to_ne_bytes());
        entry[NAME..NAME + name.len()].copy_from_slice(name.as_bytes());
        let at = self.base + self.begin + index * ENTRY;
        self.map.copy_in(at + 8, &entry[8..])?;
        // SYNC: release, so that whoever sees the entry, after a death in this turn, sees it whole; pairs with `row`.
        self.map.atomic_u64(at)?.store(1, Ordering::Release);
        Ok(Row { index, name: name.to_owned(), offset, size })
    }

    pub(super) fn remove(&self, row: &Row) -> Result<(), ErrorKind> {
        let at = self.base + self.begin + row.index * ENTRY;
        // SYNC: the turn that ends next publishes it.
        self.map.atomic_u64(at)?.store(0, Ordering::Release);
        Ok(())
    }

    /// An entry, if it counts, checked.
    fn row(&self, index: usize) -> Result<Option<Row>, ErrorKind> {
        let at = self.base + self.begin + index * ENTRY;
        // SYNC: acquire pairs with the release in `add`.
        if self.map.atomic_u64(at)?.load(Ordering::Acquire) == 0 {
            return Ok(None);
        }
        let mut entry = [0; ENTRY];
        self.map.copy_out(at, copy::uninit(&mut entry))?;
        let number = |at: usize| {
            let told = u64::from_ne_bytes(std::array::from_fn(|byte| entry[at + byte]));
            usize::try_from(told).unwrap_or(usize::MAX)
        };
        let (offset, size) = (number(8), number(16));
        let end = offset.checked_add(size).filter(|&end| end <= self.size);
        let length = entry[NAME..].iter().position(|&byte| byte == 0).unwrap_or(ENTRY - NAME);
        let name = std::str::from_utf8(&entry[NAME..NAME + length]).map(str::to_owned);
        match (end, name) {
            (Some(_), Ok(name))
                if offset >= self.room_begins()
                    && check_name(&name).is_ok()
                    && (offset | size).is_multiple_of(LINE)
                    && size > 0 =>
            {
                Ok(Some(Row { index, name, offset, size }))
            }
            _ => Err(ErrorKind::Layout(
                format!(
                    "entry {index} of the directory is damaged: bytes {offset}+{size} of {}",
                    self.size
                )
                .into(),
            )),
        }
    }

    fn room_begins(&self) -> usize {
        self.begin + self.rows * ENTRY
    }

    /// Where a place can begin at or behind this byte of the directory.
    fn first_from(&self, begin: usize, start: Start) -> Result<usize, ErrorKind> {
        if start == Start::Anywhere {
            return Ok(begin);
        }
        // Pages count from the beginning of the file, or of the segment.
        let plan = self.map.plan();
        let base =
            usize::try_from(plan.offset).ok().and_then(|offset| offset.checked_add(self.base));
        let first = base.and_then(|base| {
            let page = base.checked_add(begin)?.checked_next_multiple_of(plan.page_size)?;
            page.checked_sub(base)
        });
        first.ok_or(ErrorKind::Os(libc::EOVERFLOW))
    }

    /// The first gap that is large enough.
    fn room(&self, rows: &[Row], size: usize, start: Start) -> Result<usize, ErrorKind> {
        let mut begin = self.room_begins();
        let mut largest = 0;
        let places = rows.iter().map(|row| (row.offset, row.offset + row.size));
        let end = self.size / LINE * LINE;
        for (next, behind) in places.chain([(end, end)]) {
            let first = self.first_from(begin, start)?;
            let gap = next.saturating_sub(first);
            if gap >= size {
                return Ok(first);
            }
            largest = largest.max(gap);
            begin = begin.max(behind);
        }
        Err(no_room(format!("{size} bytes were asked for, the largest free piece has {largest}")))
    }
}

fn no_room(why: String) -> ErrorKind {
    ErrorKind::NoRoom(why.into())
}

fn check_name(name: &str) -> Result<(), ErrorKind> {
    if (1..=NAME_MAX).contains(&name.len()) && !name.contains('\0') {
        return Ok(());
    }
    Err(ErrorKind::invalid(format!("a name has 1 to {NAME_MAX} bytes and no NUL")))
}
