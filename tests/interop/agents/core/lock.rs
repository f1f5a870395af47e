// SPDX-License-Identifier: MIT OR Apache-2.0
//! The verbs of file locks.

use std::time::Duration;

use unipc::lock::{FileLock, Kind, Range, Sharing};
use unipc::{Result, Timeout};

use super::{Answer, Request, waiting};

/// The one file that this process has open for locking.
#[derive(Default)]
pub(super) struct Room {
    lock: Option<FileLock>,
}

impl super::Room for Room {
    fn perform(&mut self, request: &Request) -> Answer {
        match request.verb {
            "open" => {
                let opened = open(request).map_err(|error| unipc::errname(error.errno()))?;
                self.lock = Some(opened);
                return Ok("opened".into());
            }
            "close" => {
                self.lock = None;
                return Ok("closed".into());
            }
            // What any other code of the process might do: look into the file.
            "touch" => {
                let path = request.text("path").unwrap_or_default();
                let read = std::fs::read(path).map(|_| "touched".into());
                return read.map_err(|error| error.to_string());
            }
            _ => {}
        }
        let lock = self.lock.as_ref().ok_or("EBADF")?;
        let done = match request.verb {
            "acquire" => lock
                .acquire(range(request), sharing(request), timeout(request))
                .map(|()| "locked".into()),
            "release" => lock.release(range(request)).map(|()| "unlocked".into()),
            "holder" => holder(lock, request),
            _ => return Err("ENOSYS".into()),
        };
        done.map_err(|error| unipc::errname(error.errno()))
    }
}

fn open(request: &Request) -> Result<FileLock> {
    let kind = match request.text("kind") {
        Some("posix") => Kind::Posix,
        Some("flock") => Kind::Flock,
        _ => Kind::Ofd,
    };
    let name = format!("file:{}", request.text("path").unwrap_or_default());
    FileLock::options().kind(kind).open_or_create(name)
}

fn range(request: &Request) -> Range {
    let length = request.number("length").filter(|&length| length > 0);
    Range::new(request.number("start").unwrap_or(0), length)
}

fn sharing(request: &Request) -> Sharing {
    if request.text("sharing") == Some("shared") { Sharing::Shared } else { Sharing::Exclusive }
}

fn timeout(request: &Request) -> Timeout {
    if request.number("wait") != Some(1) {
        return Timeout::TRY;
    }
    waiting();
    let limit = request.number("timeout").map(Duration::from_millis);
    limit.map_or(Timeout::Forever, Timeout::After)
}

fn holder(lock: &FileLock, request: &Request) -> Result<String> {
    let Some(found) = lock.holder(range(request), sharing(request))? else {
        return Ok("nobody".into());
    };
    let kind = match found.kind {
        Kind::Ofd => "ofd",
        Kind::Posix => "posix",
        Kind::Flock => "flock",
    };
    let sharing = if found.sharing == Sharing::Shared { "shared" } else { "exclusive" };
    let (start, length) = (found.range.start(), found.range.length().unwrap_or(0));
    let pid = found.pid.unwrap_or(0);
    Ok(format!("pid={pid} kind={kind} sharing={sharing} start={start} length={length}"))
}
