// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a signal brings along.

use super::Signal;
use crate::sys::signal::{Record, Siginfo};

/// What a queued signal carries: an `int` or a pointer, in one place of eight bytes.
///
/// ```
/// use unipc::signal::Value;
/// assert_eq!(Value::from(-7).int(), -7);
/// assert_eq!(Value::from_pointer(0x7f00_0000_1000).pointer(), 0x7f00_0000_1000);
/// ```
#[doc(alias = "sigval")]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Value([u8; 8]);

impl Value {
    /// A pointer. Only in the process that made it does it mean anything.
    #[doc(alias = "sival_ptr")]
    #[inline]
    pub fn from_pointer(address: usize) -> Self {
        Self((address as u64).to_ne_bytes())
    }

    /// The value as an integer.
    #[doc(alias = "sival_int")]
    #[inline]
    pub fn int(self) -> i32 {
        let [a, b, c, d, ..] = self.0;
        i32::from_ne_bytes([a, b, c, d])
    }

    /// The value as a pointer: all of its bits.
    #[inline]
    pub fn pointer(self) -> u64 {
        u64::from_ne_bytes(self.0)
    }

    #[inline]
    pub(super) fn raw(self) -> usize {
        // 64-bit machines alone.
        usize::from_ne_bytes(self.0)
    }
}

impl From<i32> for Value {
    /// As a C compiler lays out the union: the integer in the first four bytes, zeros behind it.
    #[inline]
    fn from(int: i32) -> Self {
        let [a, b, c, d] = int.to_ne_bytes();
        Self([a, b, c, d, 0, 0, 0, 0])
    }
}

/// A signal that has been taken: which, who sent it, with what. Fields that its kind does not have are 0.
///
/// The sender is told by the kernel and is true at the moment of sending; by the time of reading the process may
/// have ended and its number belong to another. To answer, see [`super::PidFd`].
#[doc(alias = "siginfo_t")]
#[doc(alias = "signalfd_siginfo")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Info {
    /// The signal.
    pub signal: Signal,
    /// Why it came: `SI_USER` for kill, `SI_QUEUE`, `SI_TKILL`, `CLD_EXITED` …; [`Info::cause`] names it.
    pub code: i32,
    /// The sender's process, as this one's PID namespace numbers it (0 from outside of it); for `SIGCHLD` the child.
    pub pid: i32,
    /// The sender's real user; for `SIGCHLD` the child's.
    pub uid: u32,
    /// The value of a queued signal, a timer or a message queue's notice.
    pub value: Value,
    /// `SIGCHLD`: the exit status (`CLD_EXITED`), or the signal that killed, stopped or continued the child.
    pub status: i32,
    /// `SIGCHLD`: the child's processor time in user mode, in clock ticks (`_SC_CLK_TCK`).
    pub user_time: u64,
    /// `SIGCHLD`: the same in the kernel.
    pub system_time: u64,
    /// `SIGIO`, or the signal that `F_SETSIG` chose instead: the descriptor.
    pub fd: i32,
    /// `SIGIO`, or the signal that `F_SETSIG` chose instead: what happened to it, as poll(2) has it.
    pub band: u32,
    /// Timers: the kernel's number of the timer.
    pub timer: u32,
    /// Timers: how often it went off while the signal was waiting.
    pub overrun: u32,
    /// `SIGSEGV`, `SIGBUS`, `SIGILL`, `SIGFPE`, `SIGTRAP`: the address of the fault.
    pub address: u64,
}

impl Info {
    #[inline]
    fn new(signo: i32, code: i32) -> Self {
        Self {
            signal: Signal::known(signo),
            code,
            pid: 0,
            uid: 0,
            value: Value::default(),
            status: 0,
            user_time: 0,
            system_time: 0,
            fd: 0,
            band: 0,
            timer: 0,
            overrun: 0,
            address: 0,
        }
    }

    /// Why it came, as the man pages call it: `SI_USER`, `SI_QUEUE`, `CLD_EXITED`. `"SI_KERNEL"` is the kernel itself.
    ///
    /// See [sigaction(2)](https://man7.org/linux/man-pages/man2/sigaction.2.html).
    pub fn cause(&self) -> &'static str {
        cause(self.signal, self.code)
    }

    #[allow(clippy::cast_possible_truncation, reason = "poll's bits are the low ones")]
    #[inline]
    pub(super) fn from_siginfo(raw: &Siginfo) -> Self {
        let mut info = Self::new(raw.signo, raw.code);
        let value = Value(raw.third.to_ne_bytes());
        let wide: u64 = zerocopy::transmute!([raw.first.cast_unsigned(), raw.second]);
        match Kind::of(info.signal, raw.code) {
            Kind::Nothing => {}
            Kind::Sender => {
                (info.pid, info.uid, info.value) = (raw.first, raw.second, value);
            }
            Kind::Timer => {
                (info.timer, info.overrun) = (raw.first.cast_unsigned(), raw.second);
                info.value = value;
            }
            Kind::Child => {
                (info.pid, info.uid, info.status) = (raw.first, raw.second, value.int());
                [info.user_time, info.system_time] = raw.times.map(i64::cast_unsigned);
            }
            // The kernel keeps `band` as a long, of which poll's bits are all.
            Kind::Descriptor => (info.band, info.fd) = (wide as u32, value.int()),
            Kind::Fault => info.address = wide,
        }
        info
    }

    #[inline]
    pub(super) fn from_record(raw: &Record) -> Self {
        let mut info = Self::new(raw.signo.cast_signed(), raw.code);
        match Kind::of(info.signal, raw.code) {
            Kind::Nothing => {}
            Kind::Sender => {
                (info.pid, info.uid) = (raw.pid.cast_signed(), raw.uid);
                info.value = Value(raw.value.to_ne_bytes());
            }
            Kind::Timer => {
                (info.timer, info.overrun) = (raw.timer, raw.overrun);
                info.value = Value(raw.value.to_ne_bytes());
            }
            Kind::Child => {
                (info.pid, info.uid, info.status) = (raw.pid.cast_signed(), raw.uid, raw.status);
                (info.user_time, info.system_time) = (raw.user_time, raw.system_time);
            }
            Kind::Descriptor => (info.band, info.fd) = (raw.band, raw.fd),
            Kind::Fault => info.address = raw.address,
        }
        info
    }
}

/// The last of the codes for what happened to a descriptor; the first is 1.
const POLL_HUP: i32 = 6;

/// Which fields a signal has.
enum Kind {
    Nothing,
    Sender,
    Timer,
    Child,
    Descriptor,
    Fault,
}

impl Kind {
    /// As the kernel decides it: by the code alone when a process or a timer sent it, else by the signal. The codes of
    /// `SIGIO` come with any other signal, too, that `F_SETSIG` has chosen for a descriptor and that has no codes of its own.
    #[inline]
    fn of(signal: Signal, code: i32) -> Self {
        match (code, signal) {
            (libc::SI_TIMER, _) => Self::Timer,
            (libc::SI_SIGIO, _) => Self::Descriptor,
            (libc::SI_KERNEL, _) => Self::Nothing,
            (..=0, _) => Self::Sender,
            (_, Signal::CHLD) => Self::Child,
            (
                _,
                Signal::SEGV | Signal::BUS | Signal::ILL | Signal::FPE | Signal::TRAP | Signal::SYS,
            ) => Self::Fault,
            (..=POLL_HUP, _) => Self::Descriptor,
            _ => Self::Sender,
        }
    }
}

/// The name of the reason `code` for which `signal` came: [`Info::cause`] for numbers of another source. `"unknown"`
/// for one that has no name here.
pub fn cause(signal: Signal, code: i32) -> &'static str {
    match code {
        libc::SI_USER => "SI_USER",
        libc::SI_QUEUE => "SI_QUEUE",
        libc::SI_TIMER => "SI_TIMER",
        libc::SI_MESGQ => "SI_MESGQ",
        libc::SI_ASYNCIO => "SI_ASYNCIO",
        libc::SI_SIGIO => "SI_SIGIO",
        libc::SI_TKILL => "SI_TKILL",
        libc::SI_KERNEL => "SI_KERNEL",
        1.. => nth(own_causes(signal), code),
        _ => "unknown",
    }
}

/// The reasons that the kernel has for a signal, from 1 on.
fn own_causes(signal: Signal) -> &'static [&'static str] {
    match signal {
        Signal::CHLD => &[
            "CLD_EXITED",
            "CLD_KILLED",
            "CLD_DUMPED",
            "CLD_TRAPPED",
            "CLD_STOPPED",
            "CLD_CONTINUED",
        ],
        Signal::SEGV => &["SEGV_MAPERR", "SEGV_ACCERR", "SEGV_BNDERR", "SEGV_PKUERR"],
        Signal::BUS => {
            &["BUS_ADRALN", "BUS_ADRERR", "BUS_OBJERR", "BUS_MCEERR_AR", "BUS_MCEERR_AO"]
        }
        Signal::FPE => &[
            "FPE_INTDIV",
            "FPE_INTOVF",
            "FPE_FLTDIV",
            "FPE_FLTOVF",
            "FPE_FLTUND",
            "FPE_FLTRES",
            "FPE_FLTINV",
            "FPE_FLTSUB",
        ],
        Signal::ILL => &[
            "ILL_ILLOPC",
            "ILL_ILLOPN",
            "ILL_ILLADR",
            "ILL_ILLTRP",
            "ILL_PRVOPC",
            "ILL_PRVREG",
            "ILL_COPROC",
            "ILL_BADSTK",
        ],
        Signal::TRAP => &["TRAP_BRKPT", "TRAP_TRACE", "TRAP_BRANCH", "TRAP_HWBKPT"],
        Signal::SYS => &["SYS_SECCOMP"],
        // `SIGIO`, and whatever `F_SETSIG` has chosen.
        _ => &["POLL_IN", "POLL_OUT", "POLL_MSG", "POLL_ERR", "POLL_PRI", "POLL_HUP"],
    }
}

fn nth(names: &'static [&'static str], code: i32) -> &'static str {
    usize::try_from(code - 1).ok().and_then(|i| names.get(i)).copied().unwrap_or("unknown")
}
