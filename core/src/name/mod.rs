// SPDX-License-Identifier: MIT OR Apache-2.0
//! One string addresses anything: the grammar of object names, parsed and printed here and nowhere else.
//!
//! | name | means |
//! |---|---|
//! | `/demo`, `posix:/demo` | POSIX object of that name |
//! | `sysv:PATH,PROJ` | System V object with the key `ftok(PATH, PROJ)`, PROJ 0..255 |
//! | `sysv:0x1234` | System V object with that key |
//! | `sysv:private` | a new System V object without a key (`IPC_PRIVATE`) |
//! | `sysv:id=42` | an existing System V object by identifier |
//! | `file:PATH` | a file |
//! | `memfd:LABEL` | memory without a name: the descriptor is passed on |
//! | `anon:` | anonymous mapping, inherited by fork |
//! | `unix:PATH` | UNIX socket of that path, of at most 107 bytes |
//! | `unix:@NAME` | UNIX socket in the abstract name space: no file, gone with its last user; `unix:@` takes a free name |
//! | `tcp:HOST:PORT`, `udp:HOST:PORT` | TCP or UDP socket; an IPv6 address stands in brackets: `tcp:[::1]:80` |
//!
//! Names are bytes, not always UTF-8; they hold no NUL. Each object has one spelling in which it
//! is printed: `posix:/demo` prints as `/demo`, `sysv:0x00AB` as `sysv:0xab`.

mod parse;
mod socket;

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use crate::error::Result;
use crate::sysv::Key;

pub use socket::{HostPort, SOCKET_NAME_MAX, SocketName};

/// The longest POSIX name without its slash, in bytes: `NAME_MAX`.
pub const POSIX_NAME_MAX: usize = 255;

/// The longest memfd label in bytes, `NAME_MAX` less the kernel's `memfd:`.
pub const MEMFD_LABEL_MAX: usize = 249;

/// The name of an object. Parsed from a string by [`Name::parse`] or `str::parse`, printed by `Display`.
///
/// ```
/// use unipc::Name;
/// let name: Name = "posix:/demo".parse().unwrap();
/// assert_eq!(name, Name::parse("/demo").unwrap());
/// assert_eq!(name.to_string(), "/demo");
/// assert!("demo".parse::<Name>().is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Name {
    /// `/demo`: a POSIX object.
    Posix(PosixName),
    /// `sysv:…`: a System V object.
    SystemV(SystemVName),
    /// `file:PATH`.
    File(PathBuf),
    /// `memfd:LABEL`; the label is for people, it names nothing.
    Memfd(OsString),
    /// `anon:`.
    Anonymous,
    /// `unix:…`, `tcp:…` or `udp:…`: a socket.
    Socket(SocketName),
}

/// The ways to point at a System V object.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum SystemVName {
    /// `sysv:PATH,PROJ`: the key is computed from the path at each use.
    Ftok {
        /// An existing path.
        path: PathBuf,
        /// The project number.
        project: u8,
    },
    /// `sysv:0x1234`.
    Key(Key),
    /// `sysv:private`: create one without a key.
    Private,
    /// `sysv:id=42`.
    Id(i32),
}

/// A POSIX object's name: 1 to 255 bytes without slash or NUL, neither `.` nor `..`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PosixName(OsString);

impl PosixName {
    /// The name without its leading slash, as the file in `/dev/shm` is called.
    pub fn file_name(&self) -> &OsStr {
        &self.0
    }
}

impl Name {
    /// Parses a name given as text, path or bytes.
    ///
    /// Errors: `EINVAL`, saying what is wrong and, where it can be guessed, what was meant.
    pub fn parse(name: impl AsRef<OsStr>) -> Result<Self> {
        parse::parse(name.as_ref().as_bytes())
    }

    /// The name of a file, from a path that need not be UTF-8.
    pub fn file(path: impl AsRef<Path>) -> Result<Self> {
        let mut bytes = b"file:".to_vec();
        bytes.extend(path.as_ref().as_os_str().as_bytes());
        parse::parse(&bytes)
    }

    /// The exact bytes of the name in its one spelling. `Display` shows the same, with bytes that are not UTF-8 replaced.
    pub fn to_os_string(&self) -> OsString {
        let tagged = |tag: &str, rest: &OsStr| {
            // One byte to spare, for the NUL that C wants.
            let mut bytes = Vec::with_capacity(tag.len() + rest.len() + 1);
            bytes.extend(tag.as_bytes());
            bytes.extend(rest.as_bytes());
            OsString::from_vec(bytes)
        };
        match self {
            Self::Posix(name) => tagged("/", &name.0),
            Self::File(path) => tagged("file:", path.as_os_str()),
            Self::Memfd(label) => tagged("memfd:", label),
            Self::Anonymous => "anon:".into(),
            Self::Socket(name) => name.to_os_string(),
            Self::SystemV(SystemVName::Private) => "sysv:private".into(),
            Self::SystemV(SystemVName::Id(id)) => tagged("sysv:id=", id.to_string().as_ref()),
            Self::SystemV(SystemVName::Key(key)) => {
                format!("sysv:{:#x}", key.raw().cast_unsigned()).into()
            }
            Self::SystemV(SystemVName::Ftok { path, project }) => {
                let mut text = tagged("sysv:", path.as_os_str());
                text.push(format!(",{project}"));
                text
            }
        }
    }

    /// The identifier form of a System V object.
    pub(crate) fn of_id(id: i32) -> Self {
        Self::SystemV(SystemVName::Id(id))
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_os_string().display().fmt(f)
    }
}

impl std::str::FromStr for Name {
    type Err = crate::Error;

    fn from_str(name: &str) -> Result<Self> {
        Self::parse(name)
    }
}

macro_rules! name_from {
    ($($kind:ty),*) => {$(
        impl TryFrom<$kind> for Name {
            type Error = crate::Error;

            fn try_from(name: $kind) -> Result<Self> {
                Self::parse(name)
            }
        }
    )*};
}

name_from!(&str, &String, String, &OsStr, &OsString, OsString);

impl From<&Name> for Name {
    fn from(name: &Name) -> Self {
        name.clone()
    }
}
