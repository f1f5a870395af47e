// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which thread is that, and is it alive? A number alone does not say: numbers are used again.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::sync::OnceLock;

use nix::errno::Errno;
use nix::unistd::{getpid, gettid};

/// A thread among all that ever were on this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Identity {
    /// The thread's number in its own PID namespace.
    pub(crate) tid: u32,
    /// The process's number (upper half), and a digest of the namespaces in which numbers and times mean what they say.
    pub(crate) who: u64,
    /// When the thread began, in clock ticks since boot (upper 40 bits; any number where the namespaces are not known), and a
    /// digest of the boot. 0: not known.
    pub(crate) since: u64,
}

/// Whether somebody lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Life {
    Alive,
    Dead,
    /// It cannot be told from here: another namespace, or no `/proc`. To be taken for alive.
    Unknown,
}

const BOOT_BITS: u32 = 24;
const BOOT_MASK: u64 = (1 << BOOT_BITS) - 1;

/// The calling thread.
pub(crate) fn of_this_thread() -> Identity {
    let (pid, tid) = (number(getpid()), number(gettid()));
    let spaces = namespaces();
    let who = u64::from(pid) << 32 | u64::from(spaces);
    if spaces == 0 {
        // Numbers and times do not tell this thread from one of another namespace; chance does.
        let chance = super::random();
        return Identity { tid, who, since: chance << BOOT_BITS | boot() };
    }
    let since = match (start_of(pid, tid), boot()) {
        (Some((start, _)), boot) if boot != 0 => start << BOOT_BITS | boot,
        _ => 0,
    };
    Identity { tid, who, since }
}

/// The calling process, as its first thread.
pub(crate) fn of_this_process() -> Identity {
    let pid = number(getpid());
    let since = match (start_of(pid, pid), boot()) {
        (Some((start, _)), boot) if boot != 0 => start << BOOT_BITS | boot,
        _ => 0,
    };
    Identity { tid: pid, who: u64::from(pid) << 32 | u64::from(namespaces()), since }
}

/// Is the thread that wrote this about itself alive?
pub(crate) fn judge(identity: Identity) -> Life {
    let Identity { tid, who, since } = identity;
    if tid == 0 || since == 0 || boot() == 0 {
        return Life::Unknown;
    }
    if since & BOOT_MASK != boot() {
        return Life::Dead;
    }
    #[allow(clippy::cast_possible_truncation, reason = "the two halves")]
    let (pid, spaces) = ((who >> 32) as u32, who as u32);
    if spaces == 0 || spaces != namespaces() {
        return Life::Unknown;
    }
    if !exists(pid, tid) {
        return Life::Dead;
    }
    match start_of(pid, tid) {
        Some((_, 'Z' | 'X' | 'x')) => Life::Dead,
        Some((start, _)) if start != since >> BOOT_BITS => Life::Dead,
        // Also one that is hidden from this user, or gone this moment: the next look will tell.
        _ => Life::Alive,
    }
}

/// Clock ticks between the boot and the thread's start.
pub(crate) fn start_ticks(since: u64) -> u64 {
    since >> BOOT_BITS
}

/// `tgkill(2)` with no signal: does the process have such a thread?
pub(crate) fn exists(pid: u32, tid: u32) -> bool {
    // SAFETY: signal 0 is sent to nobody.
    let result = unsafe { libc::syscall(libc::SYS_tgkill, pid, tid, 0) };
    Errno::result(result) != Err(Errno::ESRCH)
}

fn number(pid: nix::unistd::Pid) -> u32 {
    pid.as_raw().cast_unsigned()
}

/// When a thread began, in clock ticks, and its state: fields 22 and 3 of its `stat`.
fn start_of(pid: u32, tid: u32) -> Option<(u64, char)> {
    let text = super::told_by_proc(format!("/proc/{pid}/task/{tid}/stat")).ok()?;
    // The name in parentheses may hold anything.
    let mut fields = text.rsplit_once(')')?.1.split_ascii_whitespace();
    let state = fields.next()?.chars().next()?;
    // The state was the third.
    let start = fields.nth(18)?.parse().ok()?;
    Some((start, state))
}

/// A digest of what makes numbers and times comparable: the PID namespace, the time namespace, and whose `/proc` this is.
fn namespaces() -> u32 {
    let inode = |path: &str| fs::metadata(path).map_or(0, |status| status.ino());
    let proc_is_ours = fs::read_link("/proc/self")
        .is_ok_and(|path| path.to_str() == Some(getpid().to_string().as_str()));
    if !proc_is_ours {
        // Nobody can tell then.
        return 0;
    }
    let mixed = mix(inode("/proc/self/ns/pid")) ^ mix(inode("/proc/self/ns/time")).rotate_left(17);
    #[allow(clippy::cast_possible_truncation, reason = "a digest")]
    let digest = (mixed >> 32) as u32;
    digest | 1
}

/// A digest of the boot's identifier; 0 when it cannot be had.
fn boot() -> u64 {
    static BOOT: OnceLock<u64> = OnceLock::new();
    *BOOT.get_or_init(|| {
        let Ok(text) = fs::read_to_string("/proc/sys/kernel/random/boot_id") else { return 0 };
        let digest =
            text.bytes().fold(0xcbf2_9ce4_8422_2325, |sum: u64, byte| mix(sum ^ u64::from(byte)));
        (digest >> (64 - BOOT_BITS)) | 1
    })
}

/// Spreads each bit over all (the finaliser of `SplitMix64`).
pub(crate) fn mix(mut value: u64) -> u64 {
    value = (value ^ value >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    value = (value ^ value >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ value >> 31
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_thread_is_alive_and_its_like_of_another_time_is_dead() {
        let me = of_this_thread();
        assert_eq!(judge(me), Life::Alive);
        let earlier = Identity { since: me.since - (1 << BOOT_BITS), ..me };
        assert_eq!(judge(earlier), Life::Dead, "another start");
        let before = Identity { since: me.since ^ 2, ..me };
        assert_eq!(judge(before), Life::Dead, "another boot");
        let elsewhere = Identity { who: me.who ^ 2, ..me };
        assert_eq!(judge(elsewhere), Life::Unknown, "another namespace");
        assert_eq!(judge(Identity { since: 0, ..me }), Life::Unknown, "nothing written yet");
    }

    #[test]
    fn a_thread_whose_name_is_cut_in_a_letter_is_known_all_the_same() {
        let named = std::thread::Builder::new().name("fourteen bytesé".into());
        let it = named.spawn(of_this_thread).unwrap().join().unwrap();
        assert_ne!(it.since, 0);
    }

    #[test]
    fn a_thread_that_has_ended_is_dead() {
        let it = std::thread::spawn(of_this_thread).join().unwrap();
        // The thread is joined a moment before the kernel has taken it down.
        while judge(it) != Life::Dead {
            std::thread::yield_now();
        }
    }
}
