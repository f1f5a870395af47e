// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a process holds, and what has a name: to be the same after everything is dropped, whatever failed.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::rooms::Yard;

/// How long a program that has no input may go on, and a thread that waits for it.
pub(super) const WATCHDOG: Duration = Duration::from_secs(20);

/// Descriptors, shared or inaccessible mappings, timers, children, and which signals are blocked.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Holdings {
    descriptors: Vec<String>,
    mappings: Vec<String>,
    others: Vec<String>,
}

impl Holdings {
    pub(super) fn now() -> Self {
        let links = fs::read_dir("/proc/self/fd").into_iter().flatten().flatten();
        let mut descriptors: Vec<_> = links
            .filter_map(|link| Some((link.file_name(), fs::read_link(link.path()).ok()?)))
            // The directory that is being read is one of them.
            .filter(|(_, target)| !target.starts_with("/proc"))
            .map(|(number, target)| format!("{}: {}", number.display(), target.display()))
            .collect();
        descriptors.sort_unstable();
        let maps = fs::read_to_string("/proc/self/maps").unwrap_or_default();
        // The allocator's memory comes and goes; what the library maps is shared, or a guard page.
        let counts = |line: &&str| {
            line.split_whitespace().nth(1).is_some_and(|mode| mode.ends_with('s') || mode == "---p")
        };
        let mappings = maps.lines().filter(counts).map(str::to_owned).collect();
        let others = lines("/proc/self/timers", "ID:")
            .chain(lines("/proc/self/status", "SigBlk:"))
            .chain(children())
            .collect();
        Self { descriptors, mappings, others }
    }

    /// What is held now and was not then.
    pub(super) fn more_than(&self, before: &Self) -> Vec<String> {
        let new = |now: &[String], before: &[String]| {
            let new = now.iter().filter(|held| !before.contains(held));
            new.map(|held| format!("still held: {held}")).collect::<Vec<_>>()
        };
        let mut more = new(&self.descriptors, &before.descriptors);
        more.extend(new(&self.mappings, &before.mappings));
        more.extend(new(&self.others, &before.others));
        more
    }
}

/// Has the C library take what it keeps for good when a process has had a second thread, large or small.
pub(super) fn warm_up() {
    for size in [2 << 20, 128 << 10] {
        let thread = std::thread::Builder::new().stack_size(size).spawn(|| ());
        thread.expect("room for a thread").join().expect("it does nothing");
    }
}

/// Waits until this process has one thread: the library's, which takes a program away that was dropped, has then ended.
pub(super) fn settle() {
    let threads = || fs::read_dir("/proc/self/task").map_or(1, Iterator::count);
    let since = Instant::now();
    while threads() > 1 && since.elapsed() < WATCHDOG {
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// The lines of a file of /proc that begin so.
fn lines(path: &str, start: &'static str) -> impl Iterator<Item = String> {
    let text = fs::read_to_string(path).unwrap_or_default();
    let lines: Vec<_> =
        text.lines().filter(|line| line.starts_with(start)).map(str::to_owned).collect();
    lines.into_iter()
}

/// Children, running or not yet waited for.
pub(super) fn children() -> Vec<String> {
    let path = format!("/proc/self/task/{}/children", std::process::id());
    let text = fs::read_to_string(path).unwrap_or_default();
    text.split_whitespace().map(|pid| format!("child {pid}")).collect()
}

/// Everything that has a name: POSIX memory, semaphores and message queues, System V objects, the files of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Names(BTreeSet<String>);

impl Names {
    /// All names where this program is alone, otherwise those of the yard.
    pub(super) fn now(yard: &Yard) -> Self {
        let mut names = BTreeSet::new();
        for directory in ["/dev/shm", "/dev/mqueue"] {
            gather(Path::new(directory), &mut names);
        }
        for table in ["shm", "sem", "msg"] {
            let rows = fs::read_to_string(format!("/proc/sysvipc/{table}")).unwrap_or_default();
            names.extend(rows.lines().skip(1).filter_map(|row| {
                let mut columns = row.split_whitespace();
                let key: i32 = columns.next()?.parse().ok()?;
                Some(system_v(table, key, columns.next()?))
            }));
        }
        if !std::env::var("UNIPC_ISOLATED").is_ok_and(|way| way != "none") {
            names.retain(|name| yard.owns(name));
        }
        Self(names)
    }

    /// What has a name now and had none then.
    pub(super) fn more_than(&self, before: &Self) -> Vec<String> {
        self.0.difference(&before.0).cloned().collect()
    }
}

/// How a System V object is called here.
pub(super) fn system_v(table: &str, key: i32, identifier: impl Display) -> String {
    format!("System V {table} {key:#x} with identifier {identifier}")
}

/// The paths of all files below, directories left out.
fn gather(directory: &Path, names: &mut BTreeSet<String>) {
    let entries: Vec<PathBuf> =
        fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    for path in entries {
        if path.is_dir() && !path.is_symlink() {
            gather(&path, names);
        } else {
            names.insert(path.display().to_string());
        }
    }
}
