// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where a case works: names that are its own, what is to be looked at, and what is to be removed.
#![allow(unsafe_code, reason = "System V objects are removed by raw calls")]

use std::cell::RefCell;
use std::fs;
use std::path::PathBuf;
use std::ptr;
use std::rc::Rc;

use unipc::Result;

type Check = Box<dyn FnOnce(&Result<()>) -> Option<String>>;
type End = Box<dyn FnOnce()>;

/// A directory, names and keys for one run of one case.
#[derive(Clone)]
pub(in crate::inject) struct Yard {
    label: String,
    key: u32,
    /// Below `/dev/shm`, where what is left in it is seen.
    directory: PathBuf,
    /// System V objects without a key that the case has made, as the audit names them.
    unnamed: Rc<RefCell<Vec<String>>>,
    checks: Rc<RefCell<Vec<Check>>>,
    ends: Rc<RefCell<Vec<End>>>,
}

#[allow(dead_code, reason = "the vocabulary of the rooms, each of which needs a part of it")]
impl Yard {
    pub(super) fn new(run: u32) -> Self {
        let pid = std::process::id();
        let label = format!("unipc-inject-{pid}-{run}");
        let directory = PathBuf::from("/dev/shm").join(&label);
        fs::create_dir(&directory).expect("a directory for the case's files");
        // 16 keys for each of 256 runs; a run comes after the other, and has removed its objects by then.
        let key = 0x4000_0000 | (pid & 0x3_ffff) << 12 | (run & 0xff) << 4;
        let (unnamed, checks, ends) = Default::default();
        Self { label, key, directory, unnamed, checks, ends }
    }

    /// A POSIX name: `/unipc-inject-…-WORD`.
    pub(in crate::inject) fn posix(&self, word: &str) -> String {
        format!("/{}-{word}", self.label)
    }

    /// A System V name with a key of its own; numbers from 0 to 15.
    pub(in crate::inject) fn key(&self, number: u32) -> String {
        format!("sysv:{:#x}", self.raw_key(number))
    }

    /// The number of a key.
    pub(in crate::inject) fn raw_key(&self, number: u32) -> i32 {
        (self.key | (number & 0xf)).cast_signed()
    }

    /// The name of a file in the case's directory.
    pub(in crate::inject) fn file(&self, word: &str) -> String {
        format!("file:{}", self.path(word).display())
    }

    /// The path of a file in the case's directory.
    pub(in crate::inject) fn path(&self, word: &str) -> PathBuf {
        self.directory.join(word)
    }

    /// Looks at the objects after the operation, while it still holds them: what is wrong, if anything.
    pub(in crate::inject) fn check(
        &mut self,
        check: impl FnOnce(&Result<()>) -> Option<String> + 'static,
    ) {
        self.checks.borrow_mut().push(Box::new(check));
    }

    /// Is done after the operation was dropped: the removal of what it made or used. The last given comes first.
    pub(in crate::inject) fn at_end(&mut self, end: impl FnOnce() + 'static) {
        self.ends.borrow_mut().push(Box::new(end));
    }

    /// In the parent: the case has made these, which nothing but their identifiers tells from others.
    pub(super) fn made(&self, unnamed: Vec<String>) {
        self.unnamed.replace(unnamed);
    }

    /// Does this name, key or identifier come from here?
    pub(in crate::inject) fn owns(&self, name: &str) -> bool {
        let key = format!("{:#x}", self.key >> 4);
        name.contains(&self.label)
            || name.split(' ').any(|word| word.starts_with(&key))
            || self.unnamed.borrow().iter().any(|unnamed| unnamed == name)
    }

    pub(super) fn complaints(&mut self, result: &Result<()>) -> Vec<String> {
        let checks = self.checks.take();
        checks.into_iter().filter_map(|check| check(result)).collect()
    }

    pub(super) fn end(&mut self) {
        // A check that was not asked may own something.
        self.checks.take();
        let ends = self.ends.take();
        ends.into_iter().rev().for_each(|end| end());
    }

    /// In the parent, when the child is gone: files and names that it left, so that the next run finds its own only.
    pub(super) fn clear(&self) {
        let _ = fs::remove_dir_all(&self.directory);
        for place in ["/dev/shm", "/dev/mqueue"] {
            let entries = fs::read_dir(place).into_iter().flatten().flatten();
            for entry in entries {
                if entry.file_name().to_string_lossy().contains(&self.label) {
                    let _ = fs::remove_file(entry.path());
                }
            }
        }
        for key in (0..16).map(|number| self.raw_key(number)) {
            // SAFETY: a number in, an identifier or -1 out.
            let segment = unsafe { libc::shmget(key, 0, 0) };
            // SAFETY: as above.
            let set = unsafe { libc::semget(key, 0, 0) };
            // SAFETY: as above.
            let queue = unsafe { libc::msgget(key, 0) };
            // SAFETY: removal takes no pointer; without an object it fails.
            unsafe { libc::shmctl(segment, libc::IPC_RMID, ptr::null_mut()) };
            // SAFETY: as above.
            unsafe { libc::semctl(set, 0, libc::IPC_RMID) };
            // SAFETY: as above.
            unsafe { libc::msgctl(queue, libc::IPC_RMID, ptr::null_mut()) };
        }
    }
}
