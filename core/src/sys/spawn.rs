// SPDX-License-Identifier: MIT OR Apache-2.0
//! Starting a program: `clone(2)` as `vfork(2)` uses it, then `execve(2)`; and the process as a descriptor.
//!
//! The child borrows the memory of the parent, whose calling thread stands still until the child has executed
//! the program or given up. So a process of many gigabytes starts a program as fast as a small one does, and nothing
//! has to be copied. In return the child may do nothing but system calls on what was prepared before: no allocation,
//! no lock, no panic. All signals are blocked meanwhile, so that no handler runs on borrowed memory.

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::ptr;

use nix::errno::Errno;
use nix::sys::signal::{SigSet, SigmaskHow, pthread_sigmask};

/// Room for the few calls of the child, in units of 16 bytes, to which a stack is aligned.
const STACK: usize = 64 * 1024 / 16;
/// The signals that a program may have handlers for are numbered from 1 to this.
const LAST_SIGNAL: c_int = 64;
/// Without `close_range(2)` the child closes descriptors one by one, up to this number.
const LAST_CLOSED: RawFd = 1 << 16;

unsafe extern "C" {
    /// `environ(7)`.
    static environ: *const *const c_char;
}

/// A program to start, complete.
#[derive(Debug)]
pub(crate) struct Plan<'a> {
    /// The files to try in turn.
    pub(crate) files: &'a [CString],
    pub(crate) arguments: &'a [CString],
    /// Nothing: that of this process.
    pub(crate) environment: Option<&'a [CString]>,
    pub(crate) directory: Option<&'a CStr>,
    /// Which descriptor of ours is which of the child's; sorted by the child's, each at most once.
    pub(crate) descriptors: &'a [(RawFd, RawFd)],
    /// A new session, of which descriptor 0 is the controlling terminal.
    pub(crate) terminal: bool,
    /// A new process group, led by the child.
    pub(crate) group: bool,
}

/// What the child was doing when it failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    Clone,
    Group,
    Terminal,
    Directory,
    Descriptors,
    Execute,
}

/// What the child works on: all made before it exists.
struct Child<'a> {
    plan: &'a Plan<'a>,
    arguments: Vec<*const c_char>,
    environment: Option<Vec<*const c_char>>,
    /// Where a descriptor is put aside, for each of the plan's.
    aside: Vec<RawFd>,
    /// What went wrong, if anything.
    failure: Option<(Step, Errno)>,
}

/// Starts the program. Returns when it runs: the child's process identifier.
pub(crate) fn spawn(plan: &Plan<'_>) -> Result<libc::pid_t, (Step, Errno)> {
    let mut child = Child {
        plan,
        arguments: pointers(plan.arguments),
        environment: plan.environment.map(pointers),
        aside: plan.descriptors.iter().map(|&(ours, _)| ours).collect(),
        failure: None,
    };
    let mut stack = Vec::<MaybeUninit<u128>>::with_capacity(STACK);
    let top = stack.spare_capacity_mut().as_mut_ptr_range().end;
    let mut before = SigSet::empty();
    let failed = |errno| (Step::Clone, errno);
    pthread_sigmask(SigmaskHow::SIG_BLOCK, Some(&SigSet::all()), Some(&mut before))
        .map_err(failed)?;
    let flags = libc::CLONE_VM | libc::CLONE_VFORK | libc::SIGCHLD;
    // SAFETY: the stack is free memory that stays until the child has left it, and so do `child` and all that it
    // points to: CLONE_VFORK makes this thread wait for that. `run` does system calls only.
    let pid = unsafe { libc::clone(run, top.cast(), flags, (&raw mut child).cast()) };
    let cloned = Errno::result(pid);
    let _ = pthread_sigmask(SigmaskHow::SIG_SETMASK, Some(&before), None);
    let pid = cloned.map_err(failed)?;
    match child.failure {
        None => Ok(pid),
        Some(failure) => {
            forget(pid);
            Err(failure)
        }
    }
}

/// The array of pointers that `execve` takes.
fn pointers(strings: &[CString]) -> Vec<*const c_char> {
    strings.iter().map(|string| string.as_ptr()).chain([ptr::null()]).collect()
}

/// Takes a child away that did not get to its program.
fn forget(pid: libc::pid_t) {
    // SAFETY: the call asks for no status.
    while unsafe { libc::waitpid(pid, ptr::null_mut(), 0) } < 0 && Errno::last() == Errno::EINTR {}
}

/// The child: from here on the parent's memory is only borrowed.
extern "C" fn run(child: *mut c_void) -> c_int {
    // SAFETY: `spawn` gave a Child, which stays until this process has executed or ended, and looks at it after that.
    let child = unsafe { &mut *child.cast::<Child<'_>>() };
    child.failure = Some(child.prepare_and_execute());
    // SAFETY: ends this process, and runs nothing of the parent's.
    unsafe { libc::_exit(127) }
}

impl Child<'_> {
    /// Returns only when it failed.
    fn prepare_and_execute(&mut self) -> (Step, Errno) {
        match self.prepare() {
            Err(failure) => failure,
            Ok(()) => (Step::Execute, self.execute()),
        }
    }

    fn prepare(&mut self) -> Result<(), (Step, Errno)> {
        if self.plan.group && !self.plan.terminal {
            // SAFETY: numbers only.
            done(unsafe { libc::setpgid(0, 0) }, Step::Group)?;
        }
        if self.plan.terminal {
            // SAFETY: the call takes nothing.
            done(unsafe { libc::setsid() }, Step::Terminal)?;
        }
        self.place_descriptors()?;
        if self.plan.terminal {
            // SAFETY: numbers only.
            done(unsafe { libc::ioctl(0, libc::TIOCSCTTY, 0) }, Step::Terminal)?;
        }
        if let Some(directory) = self.plan.directory {
            // SAFETY: the string ends in NUL.
            done(unsafe { libc::chdir(directory.as_ptr()) }, Step::Directory)?;
        }
        default_signals();
        Ok(())
    }

    /// Gives the descriptors their numbers, and closes all others at the execution but 0, 1 and 2.
    fn place_descriptors(&mut self) -> Result<(), (Step, Errno)> {
        let descriptors = self.plan.descriptors;
        let is_target = |number| descriptors.iter().any(|&(_, theirs)| theirs == number);
        for aside in &mut self.aside {
            // Its number is another one's, or its own, which a copy takes without close-on-exec. A copy of which that is
            // true again is left there: what belongs there replaces it.
            while is_target(*aside) {
                // SAFETY: numbers only.
                let copy = unsafe { libc::fcntl(*aside, libc::F_DUPFD_CLOEXEC, 3) };
                *aside = done(copy, Step::Descriptors)?;
            }
        }
        for (&aside, &(_, theirs)) in self.aside.iter().zip(descriptors) {
            // SAFETY: numbers only.
            done(unsafe { libc::dup2(aside, theirs) }, Step::Descriptors)?;
        }
        let mut from = 3;
        for &(_, kept) in descriptors.iter().filter(|&&(_, theirs)| theirs >= 3) {
            close_between(from, kept - 1);
            from = kept + 1;
        }
        close_between(from, RawFd::MAX);
        Ok(())
    }

    fn execute(&self) -> Errno {
        let environment = match &self.environment {
            Some(environment) => environment.as_ptr(),
            // SAFETY: the C library's own variable; who changes the environment while another thread starts a
            // program races with every other reader of it, too.
            None => unsafe { environ },
        };
        let mut refused = None;
        for file in self.plan.files {
            // SAFETY: strings that end in NUL, and arrays that end in NULL.
            unsafe { libc::execve(file.as_ptr(), self.arguments.as_ptr(), environment) };
            match Errno::last() {
                Errno::EACCES => refused = Some(Errno::EACCES),
                Errno::ENOENT | Errno::ENOTDIR => {}
                other => return other,
            }
        }
        refused.unwrap_or(Errno::ENOENT)
    }
}

fn done(result: c_int, step: Step) -> Result<c_int, (Step, Errno)> {
    if result < 0 { Err((step, Errno::last())) } else { Ok(result) }
}

/// Lets the execution close the descriptors from `first` to `last`.
fn close_between(first: RawFd, last: RawFd) {
    if first > last {
        return;
    }
    let flag = libc::CLOSE_RANGE_CLOEXEC;
    // SAFETY: numbers only.
    if unsafe { libc::syscall(libc::SYS_close_range, first, last, flag) } == 0 {
        return;
    }
    for number in first..=last.min(LAST_CLOSED) {
        // SAFETY: numbers only; most of them are no descriptor, which is fine.
        unsafe { libc::fcntl(number, libc::F_SETFD, libc::FD_CLOEXEC) };
    }
}

/// No handler may run on borrowed memory, and a program expects SIGPIPE and an empty mask.
fn default_signals() {
    for signal in 1..=LAST_SIGNAL {
        let mut action = MaybeUninit::<libc::sigaction>::zeroed();
        // SAFETY: the call fills the room, or says that there is no such signal.
        let known = unsafe { libc::sigaction(signal, ptr::null(), action.as_mut_ptr()) };
        // SAFETY: a sigaction is integers, of which zero is a value.
        let mut action = unsafe { action.assume_init() };
        let ignored = action.sa_sigaction == libc::SIG_IGN;
        // Interpreters ignore these two for themselves. Others that are ignored were so for a reason (nohup).
        let wanted = !ignored || signal == libc::SIGPIPE || signal == libc::SIGXFSZ;
        if known == 0 && action.sa_sigaction != libc::SIG_DFL && wanted {
            action.sa_sigaction = libc::SIG_DFL;
            action.sa_flags = 0;
            // SAFETY: the pointer is to a live value.
            unsafe { libc::sigaction(signal, &raw const action, ptr::null_mut()) };
        }
    }
    let mut none = MaybeUninit::<libc::sigset_t>::zeroed();
    // SAFETY: the pointer is to room for a set, which the call fills.
    unsafe { libc::sigemptyset(none.as_mut_ptr()) };
    // SAFETY: it was filled just now.
    unsafe { libc::sigprocmask(libc::SIG_SETMASK, none.as_ptr(), ptr::null_mut()) };
}

/// [`pidfd_open(2)`](https://man7.org/linux/man-pages/man2/pidfd_open.2.html): close-on-exec, readable when the process has ended.
pub(crate) fn pidfd_open(pid: libc::pid_t) -> nix::Result<OwnedFd> {
    // SAFETY: numbers only.
    let fd = Errno::result(unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) })?;
    let fd = RawFd::try_from(fd).map_err(|_| Errno::EBADF)?;
    // SAFETY: the kernel has just made it for us.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// [`pidfd_send_signal(2)`](https://man7.org/linux/man-pages/man2/pidfd_send_signal.2.html).
pub(crate) fn pidfd_send_signal(process: BorrowedFd<'_>, signal: c_int) -> nix::Result<()> {
    let none = ptr::null::<libc::siginfo_t>();
    // SAFETY: NULL stands for what kill(2) would send.
    let sent =
        unsafe { libc::syscall(libc::SYS_pidfd_send_signal, process.as_raw_fd(), signal, none, 0) };
    Errno::result(sent).map(drop)
}

/// Which child is waited for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Which<'a> {
    Opened(BorrowedFd<'a>),
    /// One that nobody has waited for yet, so that the number is still its own.
    Numbered(libc::pid_t),
}

/// Returns when the child has ended, and leaves it for [`reap`]. `waitid(2)`.
pub(crate) fn sleep_until_end(process: BorrowedFd<'_>) -> nix::Result<()> {
    let mut info = MaybeUninit::<libc::siginfo_t>::zeroed();
    let (number, flags) = (process.as_raw_fd().cast_unsigned(), libc::WEXITED | libc::WNOWAIT);
    // SAFETY: the pointer is to room for a siginfo_t.
    let waited = unsafe { libc::waitid(libc::P_PIDFD, number, info.as_mut_ptr(), flags) };
    Errno::result(waited).map(drop)
}

/// How the child ended, as `wait(2)` encodes it, which takes it away for good; nothing while it runs. `waitid(2)`.
pub(crate) fn reap(which: Which<'_>, wait: bool) -> nix::Result<Option<c_int>> {
    let mut info = MaybeUninit::<libc::siginfo_t>::zeroed();
    let (kind, number) = match which {
        Which::Opened(process) => (libc::P_PIDFD, process.as_raw_fd()),
        Which::Numbered(pid) => (libc::P_PID, pid),
    };
    let number = number.cast_unsigned();
    let flags = libc::WEXITED | if wait { 0 } else { libc::WNOHANG };
    // SAFETY: the pointer is to room for a siginfo_t.
    let waited = unsafe { libc::waitid(kind, number, info.as_mut_ptr(), flags) };
    Errno::result(waited)?;
    // SAFETY: integers, of which zero is a value; the call has filled it or left the zeros.
    let info = unsafe { info.assume_init() };
    // SAFETY: waitid sets the fields of SIGCHLD, or leaves zero.
    if unsafe { info.si_pid() } == 0 {
        return Ok(None);
    }
    // SAFETY: as above.
    let status = unsafe { info.si_status() };
    Ok(Some(match info.si_code {
        libc::CLD_EXITED => (status & 0xff) << 8,
        libc::CLD_DUMPED => status | 0x80,
        _ => status,
    }))
}
