// SPDX-License-Identifier: MIT OR Apache-2.0
//! Processes, threads, signals, timers and limits.

use super::Call;

pub(super) const CALLS: &[Call] = calls! {
    SYS_clone: EAGAIN ENOMEM;
    SYS_clone3: EAGAIN ENOMEM ENOSYS;
    SYS_fork: EAGAIN ENOMEM;
    SYS_vfork: EAGAIN ENOMEM;
    SYS_execve: E2BIG EACCES ENOENT ENOEXEC ENOMEM ETXTBSY;
    SYS_wait4: ECHILD EINTR;
    SYS_waitid: ECHILD EINTR;
    SYS_kill: EPERM ESRCH;
    SYS_tkill: EAGAIN ESRCH;
    SYS_tgkill: EAGAIN ESRCH;
    SYS_rt_sigqueueinfo: EAGAIN EPERM ESRCH;
    SYS_rt_tgsigqueueinfo: EAGAIN EPERM ESRCH;
    SYS_pidfd_open: EMFILE ENFILE ENODEV ENOMEM ENOSYS ESRCH;
    SYS_pidfd_send_signal: EAGAIN ENOSYS EPERM ESRCH;
    SYS_pidfd_getfd: EMFILE ENOSYS EPERM ESRCH;
    SYS_signalfd4: EMFILE ENFILE ENODEV ENOMEM;
    SYS_rt_sigtimedwait: EAGAIN EINTR;
    SYS_rt_sigaction: EINVAL;
    SYS_rt_sigprocmask:;
    SYS_rt_sigpending:;
    SYS_rt_sigsuspend:;
    SYS_sigaltstack:;
    SYS_pause:;
    SYS_timer_create: EAGAIN ENOMEM;
    SYS_timer_settime: EINVAL;
    SYS_timer_gettime:;
    SYS_timer_delete:;
    SYS_timerfd_create: EMFILE ENFILE ENODEV ENOMEM;
    SYS_timerfd_settime: ECANCELED EINVAL;
    SYS_nanosleep: EINTR;
    SYS_clock_nanosleep: EINTR;
    SYS_clock_gettime:;
    // Any other error has the C library end the program.
    SYS_futex: EAGAIN EINTR;
    SYS_futex_waitv: EAGAIN EINTR ENOMEM ENOSYS;
    SYS_membarrier: ENOSYS EPERM;
    SYS_get_robust_list:;
    SYS_prctl: EINVAL;
    SYS_prlimit64: EPERM;
    SYS_setsid: EPERM;
    SYS_chdir: EACCES EIO ENOENT;
    SYS_exit:;
    SYS_exit_group:;
    SYS_setpgid: EACCES EPERM ESRCH;
    SYS_getpgid: ESRCH;
    SYS_getpriority:;
    SYS_sched_getaffinity:;
    SYS_sched_yield:;
    SYS_restart_syscall:;
    SYS_sysinfo:;
    SYS_uname:;
    SYS_getcwd: ENOENT;
    SYS_geteuid:;
    SYS_getegid:;
    SYS_getuid:;
    SYS_getgid:;
    SYS_getgroups:;
    SYS_getpid:;
    SYS_getppid:;
    SYS_gettid:;
};
