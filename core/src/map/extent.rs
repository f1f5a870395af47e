// SPDX-License-Identifier: MIT OR Apache-2.0
//! The size of a System V segment that was attached without asking for it: what the kernel says, if the mapping bears it out.

use std::fs::File;
use std::io::{ErrorKind as Io, Read};
use std::sync::atomic::Ordering;

use super::{Map, Source};
use crate::error::ErrorKind;
use crate::sys;

impl Map {
    /// A segment never changes its size, and is there as long as it is attached. But its identifier means another one, or
    /// none, in another IPC namespace; only what is mapped here tells. Async-signal-safe: nothing is allocated.
    #[cold]
    pub(super) fn ask_len(&self) -> Result<usize, ErrorKind> {
        let Source::SystemV { id, .. } = self.source else {
            return Ok(0);
        };
        let size = sys::shm::shmctl_status(id)?.shm_segsz;
        let base = self.base.addr().get();
        let mapped = extent(base).ok_or_else(|| {
            ErrorKind::unsupported("the size of a segment is not known without /proc/self/maps")
        })?;
        // No page, huge or not, is larger than what both ends of the mapping are multiples of.
        // Within one such page a smaller segment may pass for this one, a larger one never.
        let page = 1_usize << (base | mapped).trailing_zeros();
        if size.checked_next_multiple_of(page) != Some(mapped) {
            return Err(ErrorKind::invalid(
                "the identifier means another segment by now, as in another IPC namespace",
            ));
        }
        // SYNC: relaxed, a number alone: whoever asks gets the same.
        self.length.store(size, Ordering::Relaxed);
        Ok(size)
    }

    /// Whole pages that the mapping takes of the address space.
    pub(crate) fn mapped_len(&self) -> Result<usize, ErrorKind> {
        match self.mapped {
            0 => Ok(self.try_len()?.next_multiple_of(self.plan.page_size)),
            mapped => Ok(mapped),
        }
    }
}

/// How many bytes of one object are mapped at `base`, from the object's first byte on; 0 for none. `None`: nobody tells.
fn extent(base: usize) -> Option<usize> {
    let mut maps = File::open("/proc/self/maps").ok()?;
    let (mut end, mut object) = (base, None);
    // What stands before the path; the kernel gives the rows in any pieces.
    let (mut block, mut row, mut filled) = ([0; 4096], [0; 96], 0);
    loop {
        let got = match maps.read(&mut block) {
            Ok(0) => return Some(end - base),
            Ok(got) => got,
            Err(error) if error.kind() == Io::Interrupted => continue,
            Err(_) => return None,
        };
        for &byte in &block[..got] {
            if byte != b'\n' {
                if let Some(free) = row.get_mut(filled) {
                    *free = byte;
                    filled += 1;
                }
                continue;
            }
            let row = Row::parse(&row[..std::mem::take(&mut filled)])?;
            // Advice or protection for a part splits a mapping; another attachment begins at offset 0 again.
            let next = row.start == end && row.offset == (end - base) as u64;
            if next && object.is_none_or(|object| object == row.object) {
                (end, object) = (row.end, Some(row.object));
            } else if row.start >= end && object.is_some() {
                return Some(end - base);
            }
        }
    }
}

/// A row of `/proc/self/maps`.
struct Row {
    start: usize,
    end: usize,
    offset: u64,
    /// Device and inode.
    object: (u64, u64, u64),
}

impl Row {
    /// `7f5c6a000000-7f5c6a003000 rw-s 00000000 00:01 32769`
    fn parse(row: &[u8]) -> Option<Self> {
        let mut fields =
            std::str::from_utf8(row.split(|&byte| byte == b'/').next()?).ok()?.split(' ');
        let (start, end) = fields.next()?.split_once('-')?;
        let hex = |digits| u64::from_str_radix(digits, 16).ok();
        let offset = hex(fields.nth(1)?)?;
        let (major, minor) = fields.next()?.split_once(':')?;
        let inode = fields.next()?.parse().ok()?;
        Some(Self {
            start: usize::try_from(hex(start)?).ok()?,
            end: usize::try_from(hex(end)?).ok()?,
            offset,
            object: (hex(major)?, hex(minor)?, inode),
        })
    }
}
