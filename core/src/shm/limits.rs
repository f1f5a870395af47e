// SPDX-License-Identifier: MIT OR Apache-2.0
//! How much there may be, how much there is, and errors that name the limit that was hit.

use std::path::Path;

use nix::sys::resource::{Resource, getrlimit};

use super::{Options, posix};
use crate::error::{Error, ErrorKind, Result};
use crate::name::{Name, SystemVName};
use crate::sys;

/// The limits of System V shared memory in this IPC namespace, as `ipcs -l` and `/proc/sys/kernel/shm*` have them.
#[doc(alias = "shminfo")]
#[doc(alias = "IPC_INFO")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// `SHMMAX`: the largest segment, in bytes.
    pub shmmax: u64,
    /// `SHMMIN`: the smallest segment, in bytes.
    pub shmmin: u64,
    /// `SHMMNI`: how many segments there may be.
    pub shmmni: u64,
    /// `SHMALL`: how many pages all segments together may have.
    pub shmall: u64,
}

/// What System V shared memory uses in this IPC namespace (`SHM_INFO`).
#[doc(alias = "SHM_INFO")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// How many segments exist.
    pub segments: u64,
    /// Pages of all segments.
    pub pages: u64,
    /// Pages of them in memory.
    pub resident: u64,
    /// Pages of them swapped out.
    pub swapped: u64,
}

/// The limits. Errors: none on a kernel with System V IPC; `ENOSYS` without.
pub fn limits() -> Result<Limits> {
    let raw = sys::shm::shmctl_limits()
        .map_err(|errno| ErrorKind::from(errno).during("limits", "sysv:"))?;
    Ok(Limits { shmmax: raw.shmmax, shmmin: raw.shmmin, shmmni: raw.shmmni, shmall: raw.shmall })
}

/// The usage. Errors: as [`limits`].
pub fn usage() -> Result<Usage> {
    let (_, raw) = sys::shm::shmctl_usage()
        .map_err(|errno| ErrorKind::from(errno).during("usage", "sysv:"))?;
    Ok(Usage {
        segments: u64::from(raw.used_ids.cast_unsigned()),
        pages: raw.shm_tot,
        resident: raw.shm_rss,
        swapped: raw.shm_swp,
    })
}

/// As [`explain_with`], by the default options: for objects that lie in a segment of their own.
pub(crate) fn explain(error: Error, name: &Name) -> Error {
    explain_with(error, name, &Options::new())
}

/// Adds to an error of create or open what the reader can do about it.
pub(super) fn explain_with(error: Error, name: &Name, options: &Options) -> Error {
    let advice = match (error.kind(), name) {
        (ErrorKind::Os(libc::EEXIST), _) => {
            "the name is taken; open it, use open_or_create, or replace it".to_owned()
        }
        (ErrorKind::Os(libc::ENOENT), Name::SystemV(SystemVName::Ftok { path, .. }))
            if !path.exists() =>
        {
            let path = path.display();
            format!("the key is made of {path}, which does not exist: touch {path}")
        }
        (ErrorKind::Os(libc::ENOENT), Name::SystemV(_)) => "no segment has this key".to_owned(),
        (ErrorKind::Os(libc::ENOENT), Name::Posix(_)) => {
            "nobody has created it, or it was unlinked".to_owned()
        }
        (ErrorKind::Os(libc::ENOENT), Name::File(path)) => missing(path),
        (ErrorKind::Os(libc::EROFS), _) => "the file system is mounted read-only".to_owned(),
        (ErrorKind::Os(libc::EACCES), _) => denied(&error, name, options).to_owned(),
        (ErrorKind::Os(libc::EAGAIN | libc::EPERM), _) if options.locked => {
            return explain_memlock(error);
        }
        (ErrorKind::Os(libc::EPERM), Name::SystemV(_)) if options.huge_page_size.is_some() => {
            "huge pages of System V need CAP_IPC_LOCK, or a group that is in \
             /proc/sys/vm/hugetlb_shm_group; memfd: needs neither"
                .to_owned()
        }
        (ErrorKind::Os(libc::EFBIG), _) => match getrlimit(Resource::RLIMIT_FSIZE) {
            Ok((limit, _)) => format!("RLIMIT_FSIZE is {limit} bytes (ulimit -f)"),
            Err(_) => return error,
        },
        (ErrorKind::Os(libc::ENOSPC), Name::Posix(_)) => match posix::space() {
            Some((free, total)) => {
                let asked = match options.size {
                    Some(bytes) => format!("{bytes} bytes were asked for, "),
                    None => String::new(),
                };
                format!(
                    "{asked}/dev/shm has {free} of {total} free; mount it larger or remove what is unused"
                )
            }
            None => return error,
        },
        (ErrorKind::Os(libc::EINVAL | libc::ENOSPC | libc::ENOMEM), Name::SystemV(_)) => {
            return explain_segment(error, options);
        }
        (ErrorKind::Os(libc::ENOMEM | libc::ENOSPC | libc::EINVAL | libc::ENODEV), _)
            if options.huge_page_size.is_some() =>
        {
            "too few huge pages of this size are free; see /sys/kernel/mm/hugepages".to_owned()
        }
        (ErrorKind::Os(libc::ENOMEM), _) => match sys::available_memory() {
            Ok(bytes) => format!(
                "{bytes} bytes of memory are available; RLIMIT_AS and RLIMIT_MEMLOCK limit it too"
            ),
            Err(_) => return error,
        },
        (ErrorKind::Empty, _) => {
            "its creator has not sized it yet, or it was truncated; try again or create it"
                .to_owned()
        }
        (ErrorKind::Removed, _) => "allow_removed opens it nevertheless".to_owned(),
        _ => return error,
    };
    error.with_advice(advice)
}

/// Which part of a path is not there.
fn missing(path: &Path) -> String {
    match path.parent() {
        Some(directory) if !directory.as_os_str().is_empty() && !directory.exists() => {
            format!("the directory {0} does not exist: mkdir -p {0}", directory.display())
        }
        _ => "nobody has created it, or it was removed".to_owned(),
    }
}

/// What a permission that is missing may be about.
fn denied(error: &Error, name: &Name, options: &Options) -> &'static str {
    match (error.operation(), name) {
        ("create", Name::SystemV(_)) if !options.executable => {
            "its creator, too, attaches a segment only as its mode says: 0600 at least"
        }
        ("create", _) => "this user may not write the directory, or what the path leads through",
        (_, Name::SystemV(_)) if options.executable => {
            "a segment is executable only for whom its mode says so: 0700 for the owner"
        }
        _ if options.read_only || options.private => {
            "its mode, or that of a directory on its path, does not let this user in"
        }
        _ => "its mode does not let this user in; read_only needs less",
    }
}

fn explain_segment(error: Error, options: &Options) -> Error {
    let (Ok(limits), Ok(usage)) = (limits(), usage()) else {
        return error;
    };
    let asked = options.size.unwrap_or(0) as u64;
    let pages = asked.div_ceil(sys::page_size() as u64);
    let advice = match error.errno() {
        libc::ENOSPC if usage.segments >= limits.shmmni => format!(
            "SHMMNI is {}: {} segments exist; remove unused ones (ipcs -m, ipcrm)",
            limits.shmmni, usage.segments
        ),
        libc::ENOSPC => format!(
            "SHMALL is {} pages: {} are taken, {pages} more were asked for",
            limits.shmall, usage.pages
        ),
        libc::EINVAL if asked > limits.shmmax => {
            format!("SHMMAX is {} bytes (/proc/sys/kernel/shmmax)", limits.shmmax)
        }
        libc::EINVAL if options.size.is_some() && asked < limits.shmmin => {
            format!("SHMMIN is {} bytes", limits.shmmin)
        }
        libc::EINVAL if options.placement.is_some() => {
            "no segment has this identifier, or the address is taken or lies on no page boundary"
                .to_owned()
        }
        _ if options.huge_page_size.is_some() => {
            "too few huge pages of this size are free; see /sys/kernel/mm/hugepages".to_owned()
        }
        libc::EINVAL => "no segment has this identifier".to_owned(),
        _ if options.locked => return explain_memlock(error),
        _ => "the kernel will not promise that much memory (/proc/sys/vm/overcommit_memory)"
            .to_owned(),
    };
    error.with_advice(advice)
}

/// Names the limit that a lock in memory ran into.
pub(super) fn explain_memlock(error: Error) -> Error {
    match getrlimit(Resource::RLIMIT_MEMLOCK) {
        Ok((limit, _)) => error.with_advice(format!("RLIMIT_MEMLOCK is {limit} bytes (ulimit -l)")),
        Err(_) => error,
    }
}
