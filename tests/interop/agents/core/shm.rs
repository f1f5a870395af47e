// SPDX-License-Identifier: MIT OR Apache-2.0
//! The verbs of shared memory.

use std::cmp::Ordering;
use std::io::{Read, Write};
use std::os::fd::{AsRawFd, BorrowedFd};

use unipc::shm::{Status, SystemV};
use unipc::sysv::Key;
use unipc::{Error, ErrorKind, Mode, Result, SharedMemory};

use super::{Answer, Request, hex};

/// The one object that this process has open.
#[derive(Default)]
pub(super) struct Room {
    open: Option<SharedMemory>,
}

impl super::Room for Room {
    fn perform(&mut self, request: &Request) -> Answer {
        if request.verb == "close" {
            self.open = None;
            return Ok("closed".into());
        }
        let done = match request.verb {
            "create" => self.keep(create(request)),
            "open" => self.keep(open(request)),
            "remove" => self.remove(request),
            "ftok" => ftok(request),
            "stat" => self.segment(request).stat().map(|status| describe(&status)),
            "lock" => self.segment(request).lock().map(|()| "locked".into()),
            "unlock" => self.segment(request).unlock().map(|()| "unlocked".into()),
            "list" => list(),
            "limits" => limits(),
            "fork" => fork(request),
            _ => self.access(request)?,
        };
        done.map_err(|error| unipc::errname(error.errno()))
    }
}

impl Room {
    fn keep(&mut self, opened: Result<SharedMemory>) -> Result<String> {
        let shm = self.open.insert(opened?);
        let id = shm.system_v().map_or(-1, SystemV::id);
        let fd = shm.fd().map_or(-1, |fd| fd.as_raw_fd());
        Ok(format!("size={} id={id} fd={fd}", shm.len()))
    }

    /// The verbs that touch the bytes.
    fn access(&self, request: &Request) -> std::result::Result<Result<String>, String> {
        let shm = self.open.as_ref().ok_or("EBADF")?;
        let at = request.number("at").unwrap_or(0);
        Ok(match request.verb {
            "write" => shm.write_at(at, &request.bytes("hex")).map(|()| "written".into()),
            "read" => read(shm, at, request.number("size").unwrap_or(shm.len())).map(|it| hex(&it)),
            "fill" => fill(shm, &request.bytes("hex")).map(|()| "filled".into()),
            "match" => is_filled(shm, &request.bytes("hex")).map(|same| verdict(same).into()),
            _ => return Err("ENOSYS".into()),
        })
    }

    fn remove(&self, request: &Request) -> Result<String> {
        match (request.text("name"), &self.open) {
            (Some(name), _) => SharedMemory::unlink(name)?,
            (None, Some(shm)) => shm.remove()?,
            (None, None) => {}
        }
        Ok("removed".into())
    }

    /// The segment that is open, or the one with the identifier `id`.
    fn segment(&self, request: &Request) -> SystemV {
        let open = self.open.as_ref().and_then(SharedMemory::system_v);
        request.number("id").map(SystemV::from_id).or(open).unwrap_or(SystemV::from_id(-1))
    }
}

fn create(request: &Request) -> Result<SharedMemory> {
    let mut options = SharedMemory::options();
    if let Some(bits) = request.number("mode") {
        options = options.mode(Mode::new(bits)?);
    }
    options.create(request.text("name").unwrap_or_default(), request.number("size").unwrap_or(0))
}

#[allow(unsafe_code, reason = "an inherited descriptor is known by its number alone")]
fn open(request: &Request) -> Result<SharedMemory> {
    let options = SharedMemory::options()
        .read_only(request.text("readonly").is_some())
        .slack(request.text("slack").is_some());
    if let Some(number) = request.number("fd") {
        // SAFETY: the runner started this process with the descriptor open; nothing here closes it.
        let inherited = unsafe { BorrowedFd::borrow_raw(number) };
        return options.from_fd(inherited.try_clone_to_owned().map_err(|error| of_system(&error))?);
    }
    options.open(request.text("name").unwrap_or_default())
}

fn of_system(error: &std::io::Error) -> Error {
    Error::new("agent", "system call", ErrorKind::Os(error.raw_os_error().unwrap_or(libc::EIO)))
}

fn read(shm: &SharedMemory, at: usize, size: usize) -> Result<Vec<u8>> {
    let mut bytes = vec![0; size];
    shm.read_at(at, &mut bytes).map(|()| bytes)
}

/// The block often enough for few calls on large memory.
fn long(block: &[u8]) -> Vec<u8> {
    block.repeat(65536_usize.div_ceil(block.len()))
}

/// Where each copy of a block of `length` bytes lies in the memory, and how much of the block fits.
fn places(shm: &SharedMemory, length: usize) -> impl Iterator<Item = (usize, usize)> {
    let size = shm.len();
    (0..size).step_by(length).map(move |at| (at, length.min(size - at)))
}

fn fill(shm: &SharedMemory, block: &[u8]) -> Result<()> {
    let block = long(block);
    places(shm, block.len()).try_for_each(|(at, length)| shm.write_at(at, &block[..length]))
}

fn is_filled(shm: &SharedMemory, block: &[u8]) -> Result<bool> {
    let block = long(block);
    for (at, length) in places(shm, block.len()) {
        if shm.compare(at, &block[..length])? != Ordering::Equal {
            return Ok(false);
        }
    }
    Ok(true)
}

fn verdict(same: bool) -> &'static str {
    if same { "same" } else { "different" }
}

fn ftok(request: &Request) -> Result<String> {
    let path = request.text("path").unwrap_or_default();
    let key = Key::ftok(path, request.number("proj").unwrap_or(0))?;
    Ok(format!("0x{:08x}", key.raw()))
}

/// All that `stat` tells, as the words that the runner compares with the tools.
fn describe(status: &Status) -> String {
    let owner = status.permissions;
    format!(
        "key=0x{:08x} id={} size={} mode={:o} uid={} gid={} cuid={} cgid={} cpid={} lpid={} nattch={} \
         atime={} dtime={} ctime={} removed={} locked={}",
        owner.key,
        status.id,
        status.size,
        owner.mode,
        owner.uid,
        owner.gid,
        owner.cuid,
        owner.cgid,
        status.creator_pid,
        status.last_pid,
        status.attached,
        status.attach_time,
        status.detach_time,
        status.change_time,
        u8::from(status.removed),
        u8::from(status.locked),
    )
}

fn list() -> Result<String> {
    let rows: Vec<String> = SystemV::list()?.iter().map(describe).collect();
    Ok(rows.join(";"))
}

fn limits() -> Result<String> {
    let limits = unipc::shm::limits()?;
    Ok(format!(
        "shmmax={} shmmin={} shmmni={} shmall={}",
        limits.shmmax, limits.shmmin, limits.shmmni, limits.shmall
    ))
}

/// An anonymous mapping over fork: the child tells what it finds and leaves `reply`, which the parent tells.
#[allow(unsafe_code, reason = "fork is what is tested")]
fn fork(request: &Request) -> Result<String> {
    let (block, reply) = (request.bytes("hex"), request.bytes("reply"));
    let shm = SharedMemory::create("anon:", request.number("size").unwrap_or(0))?;
    fill(&shm, &block)?;
    let (mut said, mut says) = std::io::pipe().map_err(|error| of_system(&error))?;
    // SAFETY: this program has one thread, so the child may do whatever the parent may.
    let child = unsafe { libc::fork() };
    if child == 0 {
        let told = found("child", &shm, &block).and_then(|told| fill(&shm, &reply).map(|()| told));
        let told = told.unwrap_or_else(|error| error.to_string());
        let status = i32::from(says.write_all(told.as_bytes()).is_err());
        // SAFETY: ends the child without running the parent's destructors in it.
        unsafe { libc::_exit(status) };
    }
    drop(says);
    let mut told = String::new();
    said.read_to_string(&mut told).map_err(|error| of_system(&error))?;
    // SAFETY: the child is ours and has not been waited for; a null pointer asks for no status.
    unsafe { libc::waitpid(child, std::ptr::null_mut(), 0) };
    Ok(format!("{told} {}", found("parent", &shm, &reply)?))
}

fn found(who: &str, shm: &SharedMemory, block: &[u8]) -> Result<String> {
    let first = read(shm, 0, shm.len().min(block.len()))?;
    Ok(format!("{who} {} {}", hex(&first), verdict(is_filled(shm, block)?)))
}
