// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a signal brought along.

use pyo3::prelude::*;
use unipc::signal::Info;

/// A signal that has been taken: which, who sent it, with what. Fields that its kind does not have are 0.
///
/// The sender is told by the kernel; by the time of reading its number may belong to another process. It cannot be
/// changed, nor pickled: what it tells is true on this machine, now.
///
/// >>> import os
/// >>> from unipc import signal
/// >>> with signal.blocked("RTMIN+1"):
/// ...     signal.queue(os.getpid(), "RTMIN+1", 42)
/// ...     info = signal.wait("RTMIN+1")
/// >>> info.name, info.value, info.cause, info.pid == os.getpid()
/// ('SIGRTMIN+1', 42, 'SI_QUEUE', True)
#[pyclass(frozen, eq, module = "unipc.signal")]
#[derive(PartialEq)]
pub(crate) struct SignalInfo(Info);

impl From<Info> for SignalInfo {
    fn from(info: Info) -> Self {
        Self(info)
    }
}

#[pymethods]
impl SignalInfo {
    /// The signal's number; it equals `signal.SIGUSR1` and so on.
    #[getter]
    fn signal(&self) -> i32 {
        self.0.signal.number()
    }

    /// The signal's name: "SIGUSR1", "SIGRTMIN+3".
    #[getter]
    fn name(&self) -> String {
        self.0.signal.to_string()
    }

    /// Why it came, as a number: `SI_USER`, `SI_QUEUE`, `CLD_EXITED` ...; see `cause`.
    #[getter]
    fn code(&self) -> i32 {
        self.0.code
    }

    /// Why it came, by name: "SI_USER" for kill, "SI_QUEUE" for sigqueue, "SI_TKILL" for one thread, "CLD_EXITED" ...
    #[getter]
    fn cause(&self) -> &'static str {
        self.0.cause()
    }

    /// The sender's process; of SIGCHLD the child.
    #[getter]
    fn pid(&self) -> i32 {
        self.0.pid
    }

    /// The sender's real user; of SIGCHLD the child's.
    #[getter]
    fn uid(&self) -> u32 {
        self.0.uid
    }

    /// The integer of a queued signal, a timer or a message queue's notice.
    #[getter]
    fn value(&self) -> i32 {
        self.0.value.int()
    }

    /// The same value as a pointer: all of its 64 bits.
    #[getter]
    fn pointer(&self) -> u64 {
        self.0.value.pointer()
    }

    /// SIGCHLD: the exit status ("CLD_EXITED"), or the signal that killed, stopped or continued the child.
    #[getter]
    fn status(&self) -> i32 {
        self.0.status
    }

    /// SIGCHLD: the child's processor time in user mode, in clock ticks.
    #[getter]
    fn user_time(&self) -> u64 {
        self.0.user_time
    }

    /// SIGCHLD: the child's processor time in the kernel, in clock ticks.
    #[getter]
    fn system_time(&self) -> u64 {
        self.0.system_time
    }

    /// SIGIO, or the signal that F_SETSIG chose instead: the descriptor.
    #[getter]
    fn fd(&self) -> i32 {
        self.0.fd
    }

    /// SIGIO, or the signal that F_SETSIG chose instead: what happened to the descriptor, as poll has it.
    #[getter]
    fn band(&self) -> u32 {
        self.0.band
    }

    /// Timers: the kernel's number of the timer.
    #[getter]
    fn timer(&self) -> u32 {
        self.0.timer
    }

    /// Timers: how often it went off while the signal was waiting.
    #[getter]
    fn overrun(&self) -> u32 {
        self.0.overrun
    }

    /// SIGSEGV and its like: the address of the fault.
    #[getter]
    fn address(&self) -> u64 {
        self.0.address
    }

    fn __repr__(&self) -> String {
        let Info { signal, pid, uid, value, status, .. } = self.0;
        let (cause, value) = (self.0.cause(), value.int());
        let what = match cause.split_once('_') {
            Some(("CLD", _)) => format!("status={status}"),
            _ => format!("value={value}"),
        };
        format!("SignalInfo({signal}, {cause}, pid={pid}, uid={uid}, {what})")
    }
}
