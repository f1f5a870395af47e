// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where the objects of a test live, and what is to be seen of them without the library.

use std::fmt;
use std::fs;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use unipc::SharedMemory;

const POSIX_DIRECTORY: &str = "/dev/shm";

/// The backings under test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Posix,
    File,
    SystemV,
    Memfd,
    Anonymous,
}

impl Kind {
    pub(crate) const ALL: [Self; 5] =
        [Self::Posix, Self::File, Self::SystemV, Self::Memfd, Self::Anonymous];

    pub(crate) fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.to_string() == word)
    }

    /// Can others find it by a name?
    pub(crate) fn is_named(self) -> bool {
        matches!(self, Self::Posix | Self::File | Self::SystemV)
    }

    /// Can its size change?
    pub(crate) fn has_file(self) -> bool {
        matches!(self, Self::Posix | Self::File | Self::Memfd)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Posix => "posix",
            Self::File => "file",
            Self::SystemV => "sysv",
            Self::Memfd => "memfd",
            Self::Anonymous => "anon",
        })
    }
}

/// What `stat` or `/proc/sysvipc/shm` says of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) size: usize,
    pub(crate) mode: u32,
}

/// The name of one object of a backing, and the neighbourhood in which it might leave something.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) kind: Kind,
    pub(crate) name: String,
    /// A part of every name that this run uses.
    label: String,
    /// Of files: the directory that holds nothing else.
    directory: Option<PathBuf>,
}

impl Place {
    pub(crate) fn new(kind: Kind) -> Self {
        Self::below(kind, &[&std::env::temp_dir(), Path::new(POSIX_DIRECTORY)])
    }

    /// As [`Place::new`], with files in memory, where inode numbers do not come again.
    pub(crate) fn in_memory(kind: Kind) -> Self {
        Self::below(kind, &[Path::new(POSIX_DIRECTORY)])
    }

    fn below(kind: Kind, directories: &[&Path]) -> Self {
        let pid = std::process::id();
        let label = format!("unipc-crash-{pid}");
        let directory = (kind == Kind::File).then(|| own_directory(directories, &label));
        let name = match (&directory, kind) {
            (Some(directory), _) => format!("file:{}/object", directory.display()),
            (_, Kind::SystemV) => format!("sysv:{:#x}", 0x2000_0000 | pid),
            (_, Kind::Memfd) => format!("memfd:{label}"),
            (_, Kind::Anonymous) => "anon:".to_owned(),
            _ => format!("/{label}"),
        };
        Self { kind, name, label, directory }
    }

    /// The object as the kernel shows it, without the library; `None` when there is none.
    pub(crate) fn look(&self) -> Option<Seen> {
        if self.kind == Kind::SystemV {
            let key = self.key()?;
            let row = segments().into_iter().find(|row| row.key == key)?;
            // Beyond the permissions there are marks: locked, to be removed.
            return Some(Seen { size: row.size, mode: row.mode & 0o777 });
        }
        let status = fs::symlink_metadata(self.path()?).ok()?;
        Some(Seen { size: usize::try_from(status.size()).ok()?, mode: status.mode() & 0o7777 })
    }

    /// Everything in the neighbourhood but the object itself: what nobody asked for.
    /// `dead`: a process whose segments count as left behind.
    pub(crate) fn strays(&self, dead: i32) -> Vec<String> {
        match self.kind {
            Kind::Posix => self.stray_files(Path::new(POSIX_DIRECTORY), |file| {
                file.contains(".unipc-") || file.contains(&self.label)
            }),
            Kind::File => self
                .directory
                .as_deref()
                .map(|directory| self.stray_files(directory, |_| true))
                .unwrap_or_default(),
            Kind::SystemV => {
                let is_stray = |row: &Segment| {
                    row.creator == dead && (Some(row.key) != self.key() || row.attached > 0)
                };
                segments()
                    .iter()
                    .filter(|row| is_stray(row))
                    .map(|row| format!("{row:?}"))
                    .collect()
            }
            Kind::Memfd | Kind::Anonymous => Vec::new(),
        }
    }

    /// As [`Place::strays`], and removes the files among them, for the next one to find his own only.
    pub(crate) fn clear_strays(&self, dead: i32) -> Vec<String> {
        let strays = self.strays(dead);
        if self.path().is_some() {
            for stray in &strays {
                let _ = fs::remove_file(stray);
            }
        }
        strays
    }

    fn stray_files(&self, directory: &Path, counts: impl Fn(&str) -> bool) -> Vec<String> {
        let object = self.path();
        let entries = fs::read_dir(directory).into_iter().flatten().flatten();
        entries
            .map(|entry| entry.path())
            .filter(|path| Some(path) != object.as_ref())
            .map(|path| path.display().to_string())
            .filter(|path| counts(path))
            .collect()
    }

    /// Descriptors and mappings of the object that any process still has.
    pub(crate) fn holders(&self) -> Vec<String> {
        let mut holders = Vec::new();
        for process in fs::read_dir("/proc").into_iter().flatten().flatten() {
            let links = fs::read_dir(process.path().join("fd")).into_iter().flatten().flatten();
            let held = links.filter_map(|link| fs::read_link(link.path()).ok());
            let maps = fs::read_to_string(process.path().join("maps")).unwrap_or_default();
            let seen = held.map(|path| path.display().to_string());
            let seen = seen.chain(maps.lines().map(str::to_owned));
            holders.extend(seen.filter(|text| text.contains(&self.label)));
        }
        holders
    }

    fn path(&self) -> Option<PathBuf> {
        match self.kind {
            Kind::Posix => Some(Path::new(POSIX_DIRECTORY).join(&self.label)),
            _ => self.directory.as_ref().map(|directory| directory.join("object")),
        }
    }

    fn key(&self) -> Option<i32> {
        i32::from_str_radix(self.name.strip_prefix("sysv:0x")?, 16).ok()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = SharedMemory::unlink(self.name.as_str());
        if let Some(directory) = &self.directory {
            let _ = fs::remove_dir_all(directory);
        }
    }
}

/// A directory where files can be made without a name: on other file systems a creator that is killed
/// may leave its temporary name behind, as the library says.
fn own_directory(directories: &[&Path], label: &str) -> PathBuf {
    let knows_unnamed_files = |directory: &&&Path| {
        let mut options = fs::OpenOptions::new();
        options.write(true).custom_flags(libc::O_TMPFILE).open(directory).is_ok()
    };
    let place = directories.iter().find(knows_unnamed_files).expect("/dev/shm knows O_TMPFILE");
    let directory = place.join(label);
    fs::create_dir_all(&directory).expect("a directory for the test's files");
    directory
}

/// A row of `/proc/sysvipc/shm`.
#[derive(Debug)]
struct Segment {
    key: i32,
    mode: u32,
    size: usize,
    creator: i32,
    attached: u64,
}

fn segments() -> Vec<Segment> {
    let table = fs::read_to_string("/proc/sysvipc/shm").unwrap_or_default();
    let row = |line: &str| {
        let columns: Vec<&str> = line.split_whitespace().collect();
        Some(Segment {
            key: columns.first()?.parse().ok()?,
            mode: u32::from_str_radix(columns.get(2)?, 8).ok()?,
            size: columns.get(3)?.parse().ok()?,
            creator: columns.get(4)?.parse().ok()?,
            attached: columns.get(6)?.parse().ok()?,
        })
    };
    table.lines().skip(1).filter_map(row).collect()
}
