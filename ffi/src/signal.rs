// SPDX-License-Identifier: MIT OR Apache-2.0
//! unipc/signal.h: signals. The types are here, the functions in the modules.

mod action;
mod counter;
mod mask;
mod number;
mod pidfd;
mod send;
mod stream;

use unipc_core::signal::{Counter, Counts, Info, Stream};

pub use action::*;
pub use counter::*;
pub use mask::*;
pub use number::*;
pub use pidfd::*;
pub use send::*;
pub use stream::*;

use super::boundary;

/// Signals as something to read: a signalfd. A child of fork() that reads takes its own signals.
#[derive(Debug)]
pub struct unipc_signal_stream {
    stream: Stream,
}

/// Signals that are counted. A child of fork() counts its own.
#[derive(Debug)]
pub struct unipc_signal_counter {
    counter: Counter,
}

/// Flags of streams and counters.
#[derive(Debug)]
#[repr(C)]
pub enum unipc_signal_flag {
    /// Stream: leave the thread's mask alone; the program blocks the signals itself.
    UNIPC_SIGNAL_KEEP_MASK = 1 << 0,
    /// Counter: let system calls that the signal interrupts fail with EINTR (no SA_RESTART).
    UNIPC_SIGNAL_NO_RESTART = 1 << 1,
    /// Counter: count one signal; the next does what it does by itself (SA_RESETHAND).
    UNIPC_SIGNAL_ONE_SHOT = 1 << 2,
    /// Counter: replace a handler that is installed. It comes back when the counter is closed.
    UNIPC_SIGNAL_REPLACE = 1 << 3,
    /// Counter of SIGCHLD: count children that end, not those that stop (SA_NOCLDSTOP).
    UNIPC_SIGNAL_NO_CHILD_STOP = 1 << 4,
    /// Counter of SIGCHLD: children that end leave no zombie (SA_NOCLDWAIT).
    UNIPC_SIGNAL_NO_CHILD_WAIT = 1 << 5,
    /// Counter: do not block the signal while it is counted (SA_NODEFER).
    UNIPC_SIGNAL_NO_DEFER = 1 << 6,
}

/// What becomes of a signal, see unipc_signal_action().
#[derive(Debug)]
#[repr(C)]
pub enum unipc_signal_disposition {
    /// What it does by itself, see unipc_signal_default_action(): SIG_DFL.
    UNIPC_SIGNAL_DEFAULT = 0,
    /// Nothing; it is not even pending: SIG_IGN.
    UNIPC_SIGNAL_IGNORE = 1,
    /// A function of the program is called, or of another library.
    UNIPC_SIGNAL_HANDLER = 2,
    /// A unipc_signal_counter counts it.
    UNIPC_SIGNAL_COUNTER = 3,
}

/// What a signal does to a process that has said nothing about it.
#[derive(Debug)]
#[repr(C)]
pub enum unipc_signal_default {
    /// It ends.
    UNIPC_SIGNAL_TERMINATES = 1,
    /// It ends, and may leave a core file.
    UNIPC_SIGNAL_DUMPS = 2,
    /// Nothing.
    UNIPC_SIGNAL_IS_IGNORED = 3,
    /// It stops.
    UNIPC_SIGNAL_STOPS = 4,
    /// It goes on, if it was stopped.
    UNIPC_SIGNAL_CONTINUES = 5,
}

/// A signal that has been taken. Fields that its kind does not have are 0. The sender is told by the
/// kernel; by now its number may belong to another process.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct unipc_signal_info {
    /// The signal.
    pub signal: i32,
    /// Why it came: SI_USER, SI_QUEUE, SI_TKILL, CLD_EXITED ...; unipc_signal_cause() names it.
    pub code: i32,
    /// The sender's process; of SIGCHLD the child.
    pub pid: i32,
    /// The sender's real user; of SIGCHLD the child's.
    pub uid: u32,
    /// The integer of a queued signal, a timer or a message queue's notice.
    pub value: i32,
    /// SIGCHLD: the exit status (CLD_EXITED), or the signal that killed, stopped or continued it.
    pub status: i32,
    /// The same value as a pointer: all of its 64 bits.
    pub pointer: u64,
    /// SIGCHLD: the child's processor time in user mode, in clock ticks.
    pub user_time: u64,
    /// SIGCHLD: the same in the kernel.
    pub system_time: u64,
    /// SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP: the address of the fault.
    pub address: u64,
    /// SIGIO, or the signal that F_SETSIG chose instead: the descriptor.
    pub fd: i32,
    /// SIGIO, or the signal that F_SETSIG chose instead: what happened to it, as poll(2) has it.
    pub band: u32,
    /// Timers: the kernel's number of the timer.
    pub timer: u32,
    /// Timers: how often it went off while the signal was waiting.
    pub overrun: u32,
    /// Room for fields of the future; 0 today.
    pub reserved: [u64; 4],
}

impl From<&Info> for unipc_signal_info {
    #[inline]
    fn from(info: &Info) -> Self {
        Self {
            signal: info.signal.number(),
            code: info.code,
            pid: info.pid,
            uid: info.uid,
            value: info.value.int(),
            status: info.status,
            pointer: info.value.pointer(),
            user_time: info.user_time,
            system_time: info.system_time,
            address: info.address,
            fd: info.fd,
            band: info.band,
            timer: info.timer,
            overrun: info.overrun,
            reserved: [0; 4],
        }
    }
}

/// How often each signal came, by its number: of[SIGUSR1]. of[0] is always 0.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct unipc_signal_counts {
    /// The counts.
    pub of: [u64; 65],
}

impl From<&Counts> for unipc_signal_counts {
    #[inline]
    fn from(counts: &Counts) -> Self {
        Self { of: *counts.by_number() }
    }
}

/// What a process does with a signal: struct sigaction, to be looked at and put back.
#[derive(Clone, Copy)]
#[repr(C)]
#[allow(missing_debug_implementations, reason = "a sigset_t has none")]
pub struct unipc_signal_action_values {
    /// A UNIPC_SIGNAL_ disposition. For setting, with DEFAULT and IGNORE the handler is not looked at.
    pub disposition: i32,
    /// SA_ flags, without SA_RESTORER.
    pub flags: i32,
    /// The address of the handler; 0 and 1 are the default and ignoring.
    pub handler: usize,
    /// What is blocked while the handler runs.
    pub mask: libc::sigset_t,
}

/// The signals of a process or thread, as /proc/PID/status has them.
#[derive(Clone, Copy)]
#[repr(C)]
#[allow(missing_debug_implementations, reason = "a sigset_t has none")]
pub struct unipc_signal_status {
    /// How many signals are queued for all processes of its user.
    pub queued: u64,
    /// How many there may be: RLIMIT_SIGPENDING of this process.
    pub queue_limit: u64,
    /// Pending for the thread.
    pub pending: libc::sigset_t,
    /// Pending for the process.
    pub shared_pending: libc::sigset_t,
    /// Blocked by the thread.
    pub blocked: libc::sigset_t,
    /// Ignored by the process.
    pub ignored: libc::sigset_t,
    /// For these it has handlers.
    pub caught: libc::sigset_t,
}
