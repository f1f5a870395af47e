// SPDX-License-Identifier: MIT OR Apache-2.0
//! System V shared memory: `shmget`, `shmat`, `shmdt` and every command of `shmctl`.

use std::mem::MaybeUninit;

use nix::errno::Errno;

// Linux's own commands and status bits, which the libc crate lacks. A test holds them against <sys/shm.h>.
pub(crate) const SHM_STAT_ANY: i32 = 15;
pub(crate) const SHM_INFO: i32 = 14;
pub(crate) const SHM_DEST: u32 = 0o1000;
pub(crate) const SHM_LOCKED: u32 = 0o2000;

/// `struct shminfo`: the limits, as `IPC_INFO` fills it.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub(crate) struct ShmLimits {
    pub(crate) shmmax: libc::c_ulong,
    pub(crate) shmmin: libc::c_ulong,
    pub(crate) shmmni: libc::c_ulong,
    pub(crate) shmseg: libc::c_ulong,
    pub(crate) shmall: libc::c_ulong,
    unused: [libc::c_ulong; 4],
}

/// `struct shm_info`: the usage, as `SHM_INFO` fills it.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub(crate) struct ShmUsage {
    pub(crate) used_ids: libc::c_int,
    pub(crate) shm_tot: libc::c_ulong,
    pub(crate) shm_rss: libc::c_ulong,
    pub(crate) shm_swp: libc::c_ulong,
    swap_attempts: libc::c_ulong,
    swap_successes: libc::c_ulong,
}

pub(crate) fn shmget(key: i32, size: usize, flags: i32) -> nix::Result<i32> {
    // SAFETY: shmget takes numbers only.
    Errno::result(unsafe { libc::shmget(key, size, flags) })
}

/// # Safety
///
/// With `SHM_REMAP` the segment replaces whatever is mapped at `address`: that range must be the caller's.
pub(crate) unsafe fn shmat(id: i32, address: usize, flags: i32) -> nix::Result<*mut u8> {
    let address = std::ptr::without_provenance::<libc::c_void>(address);
    // SAFETY: without SHM_REMAP the kernel refuses an occupied range; with it the caller owns the range.
    let base = unsafe { libc::shmat(id, address, flags) };
    if base.addr() == usize::MAX {
        return Err(Errno::last());
    }
    Ok(base.cast())
}

/// # Safety
///
/// `base` must come from [`shmat`], and nothing may use the bytes any more.
pub(crate) unsafe fn shmdt(base: *mut u8) -> nix::Result<()> {
    // SAFETY: by contract the attachment is the caller's and unused.
    Errno::result(unsafe { libc::shmdt(base.cast()) }).map(drop)
}

/// `shmctl` with a command that fills a `T`; returns the call's value and what it filled.
///
/// # Safety
///
/// `command` must write a `T`, entirely.
unsafe fn shmctl_get<T>(id: i32, command: i32) -> nix::Result<(i32, T)> {
    // Zeroed, since valgrind does not know that every command fills it.
    let mut value = MaybeUninit::<T>::zeroed();
    // SAFETY: the buffer has the size and alignment of what the command writes.
    let result = unsafe { libc::shmctl(id, command, value.as_mut_ptr().cast()) };
    Errno::result(result)?;
    // SAFETY: the command succeeded, so by contract the kernel has filled all of it.
    Ok((result, unsafe { value.assume_init() }))
}

pub(crate) fn shmctl_stat(id: i32) -> nix::Result<libc::shmid_ds> {
    // SAFETY: IPC_STAT fills a shmid_ds.
    unsafe { shmctl_get(id, libc::IPC_STAT) }.map(|(_, status)| status)
}

/// `IPC_STAT`, or what `SHM_STAT_ANY` shows of a segment that the caller may not read.
pub(crate) fn shmctl_status(id: i32) -> nix::Result<libc::shmid_ds> {
    match shmctl_stat(id) {
        Err(Errno::EACCES) => {
            let (last, _) = shmctl_usage()?;
            let seen = |slot| shmctl_stat_any(slot).ok();
            let this = (0..=last).filter_map(seen).find(|(seen, _)| *seen == id);
            this.map(|(_, status)| status).ok_or(Errno::EACCES)
        }
        other => other,
    }
}

/// `SHM_STAT_ANY`: the segment in a slot of the kernel's table, with its identifier; `EINVAL` for an empty slot.
pub(crate) fn shmctl_stat_any(slot: i32) -> nix::Result<(i32, libc::shmid_ds)> {
    // SAFETY: SHM_STAT_ANY fills a shmid_ds.
    unsafe { shmctl_get(slot, SHM_STAT_ANY) }
}

pub(crate) fn shmctl_limits() -> nix::Result<ShmLimits> {
    // SAFETY: IPC_INFO fills a struct shminfo.
    unsafe { shmctl_get(0, libc::IPC_INFO) }.map(|(_, limits)| limits)
}

/// The usage, and the highest slot of the kernel's table in use.
pub(crate) fn shmctl_usage() -> nix::Result<(i32, ShmUsage)> {
    // SAFETY: SHM_INFO fills a struct shm_info.
    unsafe { shmctl_get(0, SHM_INFO) }
}

pub(crate) fn shmctl_set(id: i32, status: &libc::shmid_ds) -> nix::Result<()> {
    let mut status = *status;
    // SAFETY: IPC_SET reads a shmid_ds, which `status` is.
    Errno::result(unsafe { libc::shmctl(id, libc::IPC_SET, &raw mut status) }).map(drop)
}

/// A command that takes no buffer: `IPC_RMID`, `SHM_LOCK`, `SHM_UNLOCK`.
pub(crate) fn shmctl_plain(id: i32, command: i32) -> nix::Result<()> {
    // SAFETY: these commands ignore the buffer.
    Errno::result(unsafe { libc::shmctl(id, command, std::ptr::null_mut()) }).map(drop)
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    /// What libc's own headers say, asked through the C compiler.
    #[test]
    fn constants_and_sizes_are_those_of_the_c_headers() {
        let directory = std::env::temp_dir().join(format!("unipc-probe-{}", std::process::id()));
        std::fs::create_dir_all(&directory).expect("a temporary directory");
        let source = directory.join("probe.c");
        let program = directory.join("probe");
        std::fs::write(
            &source,
            "#define _GNU_SOURCE\n#include <stdio.h>\n#include <stddef.h>\n#include <sys/shm.h>\n\
             int main(void) { printf(\"%d %d %d %d %zu %zu %zu %zu\\n\", SHM_STAT_ANY, SHM_INFO, SHM_DEST,\n\
             SHM_LOCKED, sizeof(struct shminfo), offsetof(struct shminfo, shmall),\n\
             sizeof(struct shm_info), offsetof(struct shm_info, shm_swp)); }\n",
        )
        .expect("a probe");
        let compiled = Command::new("cc").arg(&source).arg("-o").arg(&program).status();
        assert!(compiled.expect("a C compiler").success());
        let output = Command::new(&program).output().expect("the probe runs");
        std::fs::remove_dir_all(&directory).expect("ours");
        let ours = format!(
            "{SHM_STAT_ANY} {SHM_INFO} {SHM_DEST} {SHM_LOCKED} {} {} {} {}\n",
            size_of::<ShmLimits>(),
            std::mem::offset_of!(ShmLimits, shmall),
            size_of::<ShmUsage>(),
            std::mem::offset_of!(ShmUsage, shm_swp),
        );
        assert_eq!(String::from_utf8_lossy(&output.stdout), ours);
    }
}
