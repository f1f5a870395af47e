// SPDX-License-Identifier: MIT OR Apache-2.0
//! Who is in the way of a lock.

use std::fs::File;
use std::io::{Error, ErrorKind::Interrupted, Read};
use std::os::fd::{AsFd, AsRawFd};

use nix::sys::stat::{fstat, major, minor};

use super::acquire::{Action, no_ranges, record};
use super::{FileLock, Kind, Range, Sharing};
use crate::error::{ErrorKind, Result};
use crate::sys::lock as sys;

/// A lock that is in the way of another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holder {
    /// The process that took it. `None` for an OFD lock, which belongs to no process, and for processes that this one
    /// cannot see (other pid namespaces, file servers).
    pub pid: Option<i32>,
    /// Its kind.
    pub kind: Kind,
    /// How much it excludes.
    pub sharing: Sharing,
    /// Which bytes it covers.
    pub range: Range,
}

impl FileLock {
    /// A lock of another owner that would make this owner wait for such a lock now; `None`: there is none, it would be
    /// had at once. By the time of the answer that may have changed.
    ///
    /// For record locks the kernel is asked (`F_OFD_GETLK`, `F_GETLK`); it tells the first lock in the way. [`Kind::Flock`]
    /// has no such call: `/proc/locks` is read, which may name a process that has gone (the lock then belongs to
    /// those that have its descriptor from it) and which shows no locks of other pid namespaces. The kernel writes that
    /// table in pieces of a page, which do not fit each other when locks come and go elsewhere meanwhile: it is read
    /// until it came in one piece or, if it is too long for that, three readings agree, at most 21 times.
    ///
    /// Errors: `EINVAL`, `EOVERFLOW`, `EOPNOTSUPP` as for locking; for `flock` what reading `/proc` says.
    #[doc(alias = "F_OFD_GETLK")]
    #[doc(alias = "F_GETLK")]
    #[inline]
    pub fn holder(&self, range: impl Into<Range>, sharing: Sharing) -> Result<Option<Holder>> {
        let range = range.into();
        let found = match self.kind {
            Kind::Flock => self.flock_holder(range, sharing),
            Kind::Ofd | Kind::Posix => self.record_holder(range, sharing),
        };
        found.map_err(|kind| self.failed("holder", kind))
    }

    #[inline]
    fn record_holder(&self, range: Range, sharing: Sharing) -> Result<Option<Holder>, ErrorKind> {
        let mut record = record(Action::Lock(sharing), range)?;
        let command = match self.kind {
            Kind::Posix => libc::F_GETLK,
            _ => libc::F_OFD_GETLK,
        };
        sys::ask(self.file.as_fd(), command, &mut record)?;
        let sharing = match i32::from(record.l_type) {
            libc::F_UNLCK => return Ok(None),
            libc::F_RDLCK => Sharing::Shared,
            _ => Sharing::Exclusive,
        };
        Ok(Some(Holder {
            pid: (record.l_pid > 0).then_some(record.l_pid),
            kind: if record.l_pid == -1 { Kind::Ofd } else { Kind::Posix },
            sharing,
            range: Range::from_raw(record.l_start, record.l_len),
        }))
    }

    fn flock_holder(&self, range: Range, sharing: Sharing) -> Result<Option<Holder>, ErrorKind> {
        if range != Range::ALL {
            return Err(no_ranges());
        }
        let status = fstat(&self.file)?;
        let own = read(&format!("/proc/self/fdinfo/{}", self.file.as_fd().as_raw_fd()))?;
        let device = device(&own.text)?.unwrap_or_else(|| {
            format!("{:02x}:{:02x}", major(status.st_dev), minor(status.st_dev))
        });
        let file = format!("{device}:{}", status.st_ino);
        if rows(&own.text, &file).any(|row| row.sharing == Sharing::Exclusive) {
            return Ok(None);
        }
        Ok(in_the_way(&locks(&file)?, &own.text, &file, sharing))
    }
}

/// The kernel writes a page of a table at a time, less what the next row would take. A lock that comes or goes
/// elsewhere between two pieces makes it repeat a row or leave one out.
const PIECE: usize = 3000;

/// How often a table of several pieces is read again before the last reading is believed, should they not agree.
const READINGS: usize = 20;

/// How many readings must agree with the one before.
const AGREEMENTS: usize = 2;

/// A file of the kernel, in how many pieces it came, and how long the first was.
struct Reading {
    text: String,
    pieces: usize,
    first: usize,
}

/// The table of locks, as far as it tells of the file.
fn locks(file: &str) -> Result<String, ErrorKind> {
    let mut table = read("/proc/locks")?;
    let (mut long, mut agreed) = (false, 0);
    for reading in 0..READINGS {
        if table.pieces == 1 && table.first < PIECE {
            break;
        }
        // A short table comes in one piece, unless a lock came just before its end was looked for. The pieces of a long
        // one end elsewhere each time, so that the same row is not torn twice.
        long |= table.first >= PIECE;
        let most = if long { PIECE - reading % 8 * 300 } else { usize::MAX };
        let again = read_in_pieces("/proc/locks", most)?;
        let same = rows(&again.text, file).eq(rows(&table.text, file));
        agreed = if long && same { agreed + 1 } else { 0 };
        table = again;
        if agreed == AGREEMENTS {
            break;
        }
    }
    Ok(table.text)
}

/// The whole file, with as few calls as possible: between two calls the kernel's tables change.
fn read(path: &str) -> Result<Reading, ErrorKind> {
    read_in_pieces(path, usize::MAX)
}

/// As `read`, with at most so many bytes a call.
fn read_in_pieces(path: &str, most: usize) -> Result<Reading, ErrorKind> {
    let failed = |error: Error| ErrorKind::Os(error.raw_os_error().unwrap_or(libc::EIO));
    let mut file = File::open(path).map_err(failed)?;
    let mut bytes = vec![0; 1 << 16];
    let (mut end, mut pieces, mut first) = (0, 0, 0);
    loop {
        let room = &mut bytes[end..];
        let room_now = most.min(room.len());
        match file.read(&mut room[..room_now]) {
            Ok(0) => break,
            Ok(more) => {
                first = if pieces == 0 { more } else { first };
                (end, pieces) = (end + more, pieces + 1);
            }
            Err(error) if error.kind() == Interrupted => {}
            Err(error) => return Err(failed(error)),
        }
        if bytes.len() - end < 1 << 12 {
            bytes.resize(2 * bytes.len(), 0);
        }
    }
    bytes.truncate(end);
    Ok(Reading { text: String::from_utf8_lossy(&bytes).into_owned(), pieces, first })
}

/// A lock in the table that is not this handle's own.
fn in_the_way(table: &str, own: &str, file: &str, sharing: Sharing) -> Option<Holder> {
    let mut ours: Vec<_> = rows(own, file).collect();
    let row = rows(table, file).find(|row| {
        // What this handle has is in nobody's way; of equal rows one is its own.
        if let Some(at) = ours.iter().position(|own| own == row) {
            ours.swap_remove(at);
            return false;
        }
        sharing == Sharing::Exclusive || row.sharing == Sharing::Exclusive
    })?;
    Some(Holder {
        pid: (row.pid > 0).then_some(row.pid),
        kind: Kind::Flock,
        sharing: row.sharing,
        range: Range::ALL,
    })
}

/// A flock that is held, as `/proc/locks` and `/proc/PID/fdinfo/FD` write it:
/// `1: FLOCK  ADVISORY  WRITE 1234 fd:02:4711 0 EOF`.
#[derive(Debug, PartialEq, Eq)]
struct Row<'a> {
    sharing: Sharing,
    pid: i32,
    /// `MAJOR:MINOR:INODE`.
    file: &'a str,
}

fn rows<'a>(table: &'a str, file: &str) -> impl Iterator<Item = Row<'a>> {
    let all = table.lines().filter_map(|line| {
        let line = line.strip_prefix("lock:").unwrap_or(line);
        let mut words = line.split_whitespace().skip(1);
        // Those who wait have an arrow here.
        if words.next()? != "FLOCK" {
            return None;
        }
        let mut words = words.skip(1);
        let sharing = if words.next()? == "READ" { Sharing::Shared } else { Sharing::Exclusive };
        Some(Row { sharing, pid: words.next()?.parse().ok()?, file: words.next()? })
    });
    all.filter(move |row| row.file == file)
}

/// The device by which the kernel's table calls the file, which is that of its mount: some file systems give
/// another one to `stat`.
fn device(own: &str) -> Result<Option<String>, ErrorKind> {
    let Some(mount) = own.lines().find_map(|line| line.strip_prefix("mnt_id:")) else {
        return Ok(None);
    };
    let mounts = read("/proc/self/mountinfo")?.text;
    let numbers = mounts.lines().find_map(|line| {
        let mut words = line.split_whitespace();
        let this = words.next()? == mount.trim();
        words.nth(1).filter(|_| this)
    });
    let hexadecimal = |numbers: &str| {
        let (major, minor) = numbers.split_once(':')?;
        Some(format!("{:02x}:{:02x}", major.parse::<u32>().ok()?, minor.parse::<u32>().ok()?))
    };
    Ok(numbers.and_then(hexadecimal))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_table_is_read() {
        let table = "1: FLOCK  ADVISORY  WRITE 12 fd:02:47 0 EOF\n\
                     1: -> FLOCK  ADVISORY  WRITE 13 fd:02:47 0 EOF\n\
                     2: POSIX  ADVISORY  READ 14 fd:02:47 0 9\n\
                     3: OFDLCK ADVISORY  READ -1 fd:02:47 0 9\n\
                     lock:\t4: FLOCK  ADVISORY  READ 15 00:2a:48 0 EOF\n\
                     mnt_id:\t29\n";
        let found = |file| rows(table, file).collect::<Vec<_>>();
        let (here, there) = ("fd:02:47", "00:2a:48");
        assert_eq!(found(here), [Row { sharing: Sharing::Exclusive, pid: 12, file: here }]);
        assert_eq!(found(there), [Row { sharing: Sharing::Shared, pid: 15, file: there }]);
    }
}
