// SPDX-License-Identifier: MIT OR Apache-2.0
//! The objects on which the suite runs: a name of its own for each test, and what each backing can.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::memory::{Memory, Options, Result};

/// A kind of object, by the form of its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Posix,
    File,
    Key,
    Ftok,
    Private,
    Memfd,
    Anonymous,
}

impl Kind {
    /// Can anybody open it by the name under which it was created?
    pub(crate) fn is_named(self) -> bool {
        matches!(self, Self::Posix | Self::File | Self::Key | Self::Ftok)
    }

    pub(crate) fn is_system_v(self) -> bool {
        matches!(self, Self::Key | Self::Ftok | Self::Private)
    }

    /// Can its size change?
    pub(crate) fn is_resizable(self) -> bool {
        matches!(self, Self::Posix | Self::File | Self::Memfd)
    }
}

/// A name that nobody else has, and its clean-up.
#[derive(Debug)]
pub(crate) struct Object {
    pub(crate) kind: Kind,
    pub(crate) name: String,
    directory: Option<PathBuf>,
}

impl Object {
    pub(crate) fn new(kind: Kind) -> Self {
        static COUNTER: AtomicU32 = AtomicU32::new(0);
        // SYNC: a counter alone; it orders nothing.
        let number = COUNTER.fetch_add(1, Ordering::Relaxed) & 0xfff;
        let unique = (std::process::id() << 12) | number;
        let directory = matches!(kind, Kind::File | Kind::Ftok).then(|| {
            let path =
                PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("object-{unique:x}"));
            std::fs::create_dir_all(&path).unwrap();
            std::fs::write(path.join("key"), "").unwrap();
            path
        });
        let inside = |file: &str| {
            directory
                .as_ref()
                .map_or_else(String::new, |path| path.join(file).display().to_string())
        };
        let name = match kind {
            Kind::Posix => format!("/unipc-conformance-{unique:x}"),
            Kind::File => format!("file:{}", inside("data")),
            Kind::Key => format!("sysv:{:#x}", unique | 0x1000_0000),
            Kind::Ftok => format!("sysv:{},{}", inside("key"), number & 0xff),
            Kind::Private => "sysv:private".to_owned(),
            Kind::Memfd => "memfd:conformance".to_owned(),
            Kind::Anonymous => "anon:".to_owned(),
        };
        Self { kind, name, directory }
    }

    /// Creates it; what is private is removed when the handle closes.
    pub(crate) fn create<M: Memory>(&self, size: usize, options: Options) -> Result<M> {
        let remove_on_close = options.remove_on_close || self.kind == Kind::Private;
        M::create(&self.name, size, Options { remove_on_close, ..options })
    }

    /// A second handle on the object behind `memory`, as another process would get it; `None` for anonymous memory.
    pub(crate) fn again<M: Memory>(&self, memory: &M, options: Options) -> Option<M> {
        match self.kind {
            Kind::Anonymous => None,
            Kind::Memfd => Some(M::from_fd(memory.fd().unwrap(), options).unwrap()),
            _ => Some(M::open(&memory.name(), options).unwrap()),
        }
    }
}

impl Drop for Object {
    fn drop(&mut self) {
        if self.kind.is_named() {
            // The other face would do as well; the core's is nearest.
            let _ = unipc::SharedMemory::unlink(self.name.as_str());
        }
        if let Some(directory) = &self.directory {
            let _ = std::fs::remove_dir_all(directory);
        }
    }
}
