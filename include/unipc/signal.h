/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Generated from ffi/src by `make bless`: change it there. */

#ifndef UNIPC_SIGNAL_H
#define UNIPC_SIGNAL_H

/*
 * Signals: short notices from a process or the kernel, for steering and waking.
 *
 * No code of the program's runs inside a signal handler, where next to nothing is safe
 * (signal-safety(7)). Signals are taken as data by a thread that waits: block them, in the first
 * thread, before others start, then unipc_signal_wait(), or read a stream, which has a descriptor to
 * poll. Where nothing can be blocked, a counter counts them.
 *
 * A standard signal that is pending already does not become pending twice: it says that something
 * happened, not how often. Real-time signals, from SIGRTMIN to SIGRTMAX, queue up to the receiver's
 * RLIMIT_SIGPENDING, and come lowest number first.
 *
 * Some signals are taken: unipc_signal_reserved() tells which.
 *
 * Sets are the C library's sigset_t (sigemptyset(), sigaddset(); in strict C these, and numbers such
 * as SIGUSR1, want _POSIX_C_SOURCE). A signal is an int, its number.
 */
#include <stddef.h>
#include <stdint.h>
#include <sys/select.h> /* sigset_t, in strict C too */
#include <sys/types.h>
#include <time.h>
#include <unipc/base.h>

/* A strict C99 leaves it out of <time.h>. */
struct timespec;

/** Flags of streams and counters. */
typedef enum unipc_signal_flag {
    /** Stream: leave the thread's mask alone; the program blocks the signals itself. */
    UNIPC_SIGNAL_KEEP_MASK = (1 << 0),
    /** Counter: let system calls that the signal interrupts fail with EINTR (no SA_RESTART). */
    UNIPC_SIGNAL_NO_RESTART = (1 << 1),
    /** Counter: count one signal; the next does what it does by itself (SA_RESETHAND). */
    UNIPC_SIGNAL_ONE_SHOT = (1 << 2),
    /** Counter: replace a handler that is installed. It comes back when the counter is closed. */
    UNIPC_SIGNAL_REPLACE = (1 << 3),
    /** Counter of SIGCHLD: count children that end, not those that stop (SA_NOCLDSTOP). */
    UNIPC_SIGNAL_NO_CHILD_STOP = (1 << 4),
    /** Counter of SIGCHLD: children that end leave no zombie (SA_NOCLDWAIT). */
    UNIPC_SIGNAL_NO_CHILD_WAIT = (1 << 5),
    /** Counter: do not block the signal while it is counted (SA_NODEFER). */
    UNIPC_SIGNAL_NO_DEFER = (1 << 6),
} unipc_signal_flag;

/** What becomes of a signal, see unipc_signal_action(). */
typedef enum unipc_signal_disposition {
    /** What it does by itself, see unipc_signal_default_action(): SIG_DFL. */
    UNIPC_SIGNAL_DEFAULT = 0,
    /** Nothing; it is not even pending: SIG_IGN. */
    UNIPC_SIGNAL_IGNORE = 1,
    /** A function of the program is called, or of another library. */
    UNIPC_SIGNAL_HANDLER = 2,
    /** A unipc_signal_counter counts it. */
    UNIPC_SIGNAL_COUNTER = 3,
} unipc_signal_disposition;

/** What a signal does to a process that has said nothing about it. */
typedef enum unipc_signal_default {
    /** It ends. */
    UNIPC_SIGNAL_TERMINATES = 1,
    /** It ends, and may leave a core file. */
    UNIPC_SIGNAL_DUMPS = 2,
    /** Nothing. */
    UNIPC_SIGNAL_IS_IGNORED = 3,
    /** It stops. */
    UNIPC_SIGNAL_STOPS = 4,
    /** It goes on, if it was stopped. */
    UNIPC_SIGNAL_CONTINUES = 5,
} unipc_signal_default;

/** Signals that are counted. A child of fork() counts its own. */
typedef struct unipc_signal_counter unipc_signal_counter;

/** Signals as something to read: a signalfd. A child of fork() that reads takes its own signals. */
typedef struct unipc_signal_stream unipc_signal_stream;

/**
 * A signal that has been taken. Fields that its kind does not have are 0. The sender is told by the
 * kernel; by now its number may belong to another process.
 */
typedef struct unipc_signal_info {
    /** The signal. */
    int32_t signal;
    /** Why it came: SI_USER, SI_QUEUE, SI_TKILL, CLD_EXITED ...; unipc_signal_cause() names it. */
    int32_t code;
    /** The sender's process; of SIGCHLD the child. */
    int32_t pid;
    /** The sender's real user; of SIGCHLD the child's. */
    uint32_t uid;
    /** The integer of a queued signal, a timer or a message queue's notice. */
    int32_t value;
    /** SIGCHLD: the exit status (CLD_EXITED), or the signal that killed, stopped or continued it. */
    int32_t status;
    /** The same value as a pointer: all of its 64 bits. */
    uint64_t pointer;
    /** SIGCHLD: the child's processor time in user mode, in clock ticks. */
    uint64_t user_time;
    /** SIGCHLD: the same in the kernel. */
    uint64_t system_time;
    /** SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP: the address of the fault. */
    uint64_t address;
    /** SIGIO, or the signal that F_SETSIG chose instead: the descriptor. */
    int32_t fd;
    /** SIGIO, or the signal that F_SETSIG chose instead: what happened to it, as poll(2) has it. */
    uint32_t band;
    /** Timers: the kernel's number of the timer. */
    uint32_t timer;
    /** Timers: how often it went off while the signal was waiting. */
    uint32_t overrun;
    /** Room for fields of the future; 0 today. */
    uint64_t reserved[4];
} unipc_signal_info;

/** The signals of a process or thread, as /proc/PID/status has them. */
typedef struct unipc_signal_status {
    /** How many signals are queued for all processes of its user. */
    uint64_t queued;
    /** How many there may be: RLIMIT_SIGPENDING of this process. */
    uint64_t queue_limit;
    /** Pending for the thread. */
    sigset_t pending;
    /** Pending for the process. */
    sigset_t shared_pending;
    /** Blocked by the thread. */
    sigset_t blocked;
    /** Ignored by the process. */
    sigset_t ignored;
    /** For these it has handlers. */
    sigset_t caught;
} unipc_signal_status;

/** How often each signal came, by its number: of[SIGUSR1]. of[0] is always 0. */
typedef struct unipc_signal_counts {
    /** The counts. */
    uint64_t of[65];
} unipc_signal_counts;

/** What a process does with a signal: struct sigaction, to be looked at and put back. */
typedef struct unipc_signal_action_values {
    /** A UNIPC_SIGNAL_ disposition. For setting, with DEFAULT and IGNORE the handler is not looked at. */
    int32_t disposition;
    /** SA_ flags, without SA_RESTORER. */
    int32_t flags;
    /** The address of the handler; 0 and 1 are the default and ignoring. */
    size_t handler;
    /** What is blocked while the handler runs. */
    sigset_t mask;
} unipc_signal_action_values;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * The number of a signal's name.
 *
 * name: "SIGINT", "INT", "SIGRTMIN+3", "RTMAX-1", in small letters too, or a number, as kill(1)
 *       takes them
 *
 * Returns the number, from 1 to 64. Or
 *   -EINVAL  no signal has this name; name is NULL
 * Since 0.1. See signal(7).
 */
int unipc_signal_number(const char *name);

/**
 * The name of a signal: "SIGINT", "SIGRTMIN+3".
 *
 * sig: its number
 *
 * Returns a static string, "unknown" for what is no signal. Since 0.1.
 */
const char *unipc_signal_name(int sig);

/**
 * A signal in words: "Interrupt", "Real-time signal 3".
 *
 * sig: its number
 *
 * Returns a static string, "unknown" for what is no signal. Since 0.1. See strsignal(3), which is
 * not safe in threads.
 */
const char *unipc_signal_description(int sig);

/**
 * What a signal does to a process that has said nothing about it.
 *
 * sig: its number
 *
 * Returns a unipc_signal_default. Or
 *   -EINVAL  it is no signal
 * Since 0.1. See signal(7).
 */
int unipc_signal_default_action(int sig);

/**
 * The real-time signal SIGRTMIN + offset.
 *
 * offset: from 0; SIGRTMAX is the last
 *
 * Returns the number. Or
 *   -EINVAL  it lies beyond SIGRTMAX
 * Since 0.1.
 */
int unipc_signal_realtime(unsigned int offset);

/**
 * The name of the reason for which a signal came.
 *
 * sig:  info.signal
 * code: info.code
 *
 * Returns a static string: "SI_USER" for kill(), "SI_QUEUE" for sigqueue(), "SI_TKILL" for one
 * thread, "CLD_EXITED" ...; "unknown" for what has no name here. Since 0.1. See sigaction(2).
 */
const char *unipc_signal_cause(int sig, int code);

/**
 * Sends a signal to a process.
 *
 * pid: its number, positive
 * sig: the signal
 *
 * A number may belong to another process by now; a child's cannot before it has been waited for.
 * Where that matters use unipc_signal_pidfd_open(). A standard signal that is pending already does
 * not become pending twice.
 *
 * Returns 0.
 * Errors:
 *   -ESRCH   nobody has this number
 *   -EPERM   it is another user's
 *   -EINVAL  it is no signal; pid is not positive (kill() would take it for whole groups)
 * Async-signal-safe. Since 0.1. See kill(2).
 */
int unipc_signal_send(pid_t pid, int sig);

/**
 * Tells whether a process exists and may be signalled, without sending anything. A process that
 * has ended and was not waited for exists.
 *
 * pid: its number, positive
 *
 * Returns 0.
 * Errors: as unipc_signal_send()
 * Async-signal-safe. Since 0.1. See kill(2), signal 0.
 */
int unipc_signal_probe(pid_t pid);

/**
 * Sends a signal to every process of a group.
 *
 * group: its number; 0 is the caller's own
 * sig:   the signal
 *
 * Returns 0.
 * Errors:
 *   -ESRCH   there is no such group
 *   -EPERM   all its processes are other users'
 *   -EINVAL  it is no signal; group is negative, or 1, with which kill() would signal everybody
 * Async-signal-safe. Since 0.1. See killpg(3).
 */
int unipc_signal_send_group(pid_t group, int sig);

/**
 * Sends a signal to one thread, which alone can take it. What it does is done to the process.
 *
 * pid:    the thread's process
 * thread: its number, as gettid() gives it there
 * sig:    the signal
 *
 * Returns 0.
 * Errors: as unipc_signal_send(), and
 *   -ESRCH  the process has no such thread
 * Async-signal-safe. Since 0.1. See tgkill(2).
 */
int unipc_signal_send_thread(pid_t pid, pid_t thread, int sig);

/**
 * Sends a signal to the calling thread. Unless it is blocked, it has acted when this returns.
 *
 * sig: the signal
 *
 * Returns 0.
 * Errors:
 *   -EINVAL  it is no signal
 * Async-signal-safe. Since 0.1. See raise(3).
 */
int unipc_signal_raise(int sig);

/**
 * Sends a signal with a number.
 *
 * pid:   the receiver, positive
 * sig:   the signal; real-time signals queue, others are swallowed when they are pending already
 * value: info.value at the receiver
 *
 * Returns 0.
 * Errors: as unipc_signal_send(), and
 *   -EAGAIN  the receiver's RLIMIT_SIGPENDING allows no more; nothing was sent.
 *            unipc_last_error() tells the limit and how many are queued
 * Async-signal-safe. Since 0.1. See sigqueue(3).
 */
int unipc_signal_queue(pid_t pid, int sig, int value);

/**
 * Sends a signal with a pointer, which means something in the process that made it alone.
 *
 * pid:     the receiver, positive
 * sig:     the signal
 * pointer: info.pointer at the receiver; it is not followed
 *
 * Returns 0.
 * Errors: as unipc_signal_queue()
 * Async-signal-safe. Since 0.1. See sigqueue(3).
 */
int unipc_signal_queue_pointer(pid_t pid, int sig, void *pointer);

/**
 * Sends a signal with a number to one thread, which alone can take it.
 *
 * pid:    the thread's process
 * thread: its number, as gettid() gives it there
 * sig:    the signal
 * value:  info.value at the receiver
 *
 * Returns 0.
 * Errors: as unipc_signal_queue(), and
 *   -ESRCH  the process has no such thread
 * Async-signal-safe. Since 0.1. See rt_tgsigqueueinfo(2).
 */
int unipc_signal_queue_thread(pid_t pid, pid_t thread, int sig, int value);

/**
 * A descriptor of a process, which never comes to mean another one. It polls: readable once the
 * process has ended.
 *
 * pid: its number, positive. That it is still the one that was meant, only the parent knows, before
 *      it has waited for it; others keep unipc_signal_start_time() with it, and use
 *      unipc_signal_pidfd_open_started().
 *
 * Returns a descriptor, close-on-exec, which is the caller's to close. Or
 *   -ESRCH   nobody has this number
 *   -EINVAL  it is not positive, or a thread's
 *   -EMFILE, -ENFILE  too many descriptors are open
 *   -ENOSYS  before Linux 5.3
 * Since 0.1. See pidfd_open(2).
 */
UNIPC_CHECK int unipc_signal_pidfd_open(pid_t pid);

/**
 * A descriptor of the process that has this number, if it is the one that was started then.
 *
 * pid:     its number, positive
 * started: what unipc_signal_start_time() gave
 *
 * Returns as unipc_signal_pidfd_open(), and
 *   -ESRCH  the number belongs to another process now, or that one has ended
 * Since 0.1.
 */
UNIPC_CHECK int unipc_signal_pidfd_open_started(pid_t pid, uint64_t started);

/**
 * When a process was started. With its number it names it for good, as long as the machine runs.
 *
 * pid: its number
 * out: where the time goes, in clock ticks since the machine was started
 *
 * Returns 0.
 * Errors:
 *   -ESRCH   nobody has this number
 *   -EINVAL  pid is not positive; out is NULL
 * Since 0.1. See proc_pid_stat(5).
 */
int unipc_signal_start_time(pid_t pid, uint64_t *out);

/**
 * Sends a signal to the process of a descriptor.
 *
 * pidfd: of unipc_signal_pidfd_open(), pidfd_open() or clone3()
 * sig:   the signal
 *
 * Returns 0.
 * Errors:
 *   -ESRCH   it has ended
 *   -EPERM   it is another user's
 *   -EBADF   it is not the descriptor of a process
 *   -EINVAL  it is no signal
 * Async-signal-safe. Since 0.1. See pidfd_send_signal(2).
 */
int unipc_signal_pidfd_send(int pidfd, int sig);

/**
 * Sends a signal with a number to the process of a descriptor.
 *
 * pidfd: as for unipc_signal_pidfd_send()
 * sig:   the signal
 * value: info.value at the receiver
 *
 * Returns 0.
 * Errors: as unipc_signal_pidfd_send(), and
 *   -EAGAIN  the receiver's RLIMIT_SIGPENDING allows no more; nothing was sent
 * Async-signal-safe. Since 0.1. See pidfd_send_signal(2).
 */
int unipc_signal_pidfd_queue(int pidfd, int sig, int value);

/**
 * Sends a signal with a pointer to the process of a descriptor.
 *
 * pidfd:   as for unipc_signal_pidfd_send()
 * sig:     the signal
 * pointer: info.pointer at the receiver; it is not followed
 *
 * Returns 0.
 * Errors: as unipc_signal_pidfd_queue()
 * Async-signal-safe. Since 0.1. See pidfd_send_signal(2).
 */
int unipc_signal_pidfd_queue_pointer(int pidfd, int sig, void *pointer);

/**
 * Sends a signal to every process of the group that the process of a descriptor leads.
 *
 * pidfd: as for unipc_signal_pidfd_send()
 * sig:   the signal
 *
 * Returns 0.
 * Errors: as unipc_signal_pidfd_send(), and
 *   -EOPNOTSUPP  before Linux 6.9
 *   -ESRCH       it leads no group
 * Async-signal-safe. Since 0.1. See pidfd_send_signal(2), PIDFD_SIGNAL_PROCESS_GROUP.
 */
int unipc_signal_pidfd_send_group(int pidfd, int sig);

/**
 * The number of the process of a descriptor.
 *
 * pidfd: as for unipc_signal_pidfd_send()
 *
 * Returns the number; 0 when it has ended and was waited for, or lives in a namespace that is hidden
 * here. Or
 *   -EBADF   it is not open, or not the descriptor of a process
 *   -ENOENT  there is no /proc
 * Since 0.1.
 */
int unipc_signal_pidfd_pid(int pidfd);

/**
 * Tells whether the process of a descriptor runs still.
 *
 * pidfd: as for unipc_signal_pidfd_send()
 *
 * Returns 1 while it runs, 0 once it has ended, waited for or not. Or
 *   -EBADF  it is not open, or not the descriptor of a process
 *   -EINTR  a signal was handled
 * Since 0.1.
 */
int unipc_signal_pidfd_is_alive(int pidfd);

/**
 * Blocks signals in the calling thread: they stay pending, a standard signal once, a real-time
 * signal as often as it is sent.
 *
 * set:    which, besides those that are blocked already
 * before: where the mask of before goes, for unipc_signal_set_mask(); may be NULL
 *
 * Each thread has its own mask and inherits that of the thread that starts it. A signal for the
 * process goes to any thread that does not block it: block before other threads start. A program
 * that is executed keeps the mask. SIGKILL and SIGSTOP cannot be blocked.
 *
 * Returns 0.
 * Errors:
 *   -EINVAL  set is NULL
 * Since 0.1. See pthread_sigmask(3).
 */
int unipc_signal_block(const sigset_t *set, sigset_t *before);

/**
 * Lets the calling thread have signals. What is pending acts before this returns.
 *
 * set:    which
 * before: where the mask of before goes; may be NULL
 *
 * Returns 0.
 * Errors:
 *   -EINVAL  set is NULL
 * Since 0.1. See pthread_sigmask(3).
 */
int unipc_signal_unblock(const sigset_t *set, sigset_t *before);

/**
 * Blocks these signals in the calling thread and no others.
 *
 * set:    which
 * before: where the mask of before goes; may be NULL
 *
 * Returns 0.
 * Errors:
 *   -EINVAL  set is NULL
 * Since 0.1. See pthread_sigmask(3).
 */
int unipc_signal_set_mask(const sigset_t *set, sigset_t *before);

/**
 * What the calling thread blocks.
 *
 * out: where that goes
 *
 * Returns 0.
 * Errors:
 *   -EINVAL  out is NULL
 * Since 0.1. See pthread_sigmask(3).
 */
int unipc_signal_mask(sigset_t *out);

/**
 * What was sent to the calling thread or its process and is blocked.
 *
 * out: where that goes
 *
 * Returns 0.
 * Errors:
 *   -EINVAL  out is NULL
 * Since 0.1. See sigpending(2).
 */
int unipc_signal_pending(sigset_t *out);

/**
 * Takes a signal, waiting for it if need be: lowest number first, those of one real-time number in
 * the order of sending.
 *
 * set:     of which one is taken; they must be blocked, in every thread
 * info:    where goes what it brought along; may be NULL
 * timeout: relative, on the monotonic clock; NULL for ever, {0, 0} a try
 *
 * Returns the signal's number. Or
 *   -EAGAIN     none is there, and timeout is {0, 0}
 *   -ETIMEDOUT  none came in time
 *   -EINTR      another signal was handled, the process was stopped and continued, or another thread
 *               that waits was faster
 *   -EINVAL     there is nothing in the set to wait for; a bad timeout; set is NULL
 * Since 0.1. See sigtimedwait(2).
 */
int unipc_signal_wait(const sigset_t *set,
                      unipc_signal_info *info,
                      const struct timespec *timeout);

/**
 * The signals of a process or thread: what is pending, blocked, ignored, caught.
 *
 * pid: its number; 0 is the calling thread. Of a process it is the first thread whose mask is told.
 * out: where that goes. The sets may hold the C library's own signals, which sigismember() tells.
 *
 * Returns 0.
 * Errors:
 *   -ESRCH   nobody has this number
 *   -EACCES  /proc is mounted with hidepid
 *   -EINVAL  pid is negative; out is NULL
 * Since 0.1. See proc_pid_status(5).
 */
int unipc_signal_stat(pid_t pid, unipc_signal_status *out);

/**
 * The signals that a program must leave alone: those that the C library uses for its threads, and
 * the one of unipc_signal_timeout_signal().
 *
 * out: where they go
 *
 * Returns 0.
 * Errors:
 *   -EINVAL  out is NULL
 * Since 0.1.
 */
int unipc_signal_reserved(sigset_t *out);

/**
 * The real-time signal with which this library ends system calls that know no time limit (msgsnd,
 * flock ...). At the first such limit it takes the highest one that has no disposition, and keeps it;
 * if the program gives it a handler later, it takes another. Its handler does nothing.
 *
 * Returns its number; 0 as long as none was needed. Since 0.1.
 */
int unipc_signal_timeout_signal(void);

/**
 * Makes a stream of signals. They come lowest number first, with sender, value and code.
 *
 * out:   where the handle goes; NULL on failure. Close it with unipc_signal_stream_close().
 * set:   which signals. The calling thread blocks them from now on, for else they would act: open it
 *        in the first thread, before others start, which inherit the mask.
 * flags: UNIPC_SIGNAL_KEEP_MASK to see to the mask yourself, or 0
 *
 * Returns 0.
 * Errors:
 *   -EINVAL  there is nothing in the set to wait for; unknown flags; a pointer is NULL
 *   -EMFILE, -ENFILE  too many descriptors are open
 * Since 0.1. See signalfd(2).
 */
UNIPC_CHECK
int unipc_signal_stream_open(unipc_signal_stream **out,
                             const sigset_t *set,
                             unsigned int flags);

/**
 * Takes the next signal.
 *
 * stream:  a handle
 * info:    where it goes; may be NULL
 * timeout: relative, on the monotonic clock; NULL for ever, {0, 0} a try
 *
 * Returns the signal's number. Or
 *   -EAGAIN     none is there, and timeout is {0, 0}
 *   -ETIMEDOUT  none came in time
 *   -EINTR      another signal was handled
 *   -EINVAL     a bad timeout; stream is NULL
 * Since 0.1.
 */
int unipc_signal_stream_read(const unipc_signal_stream *stream,
                             unipc_signal_info *info,
                             const struct timespec *timeout);

/**
 * Takes all signals that are there, in order; waits until there is one.
 *
 * stream:  a handle
 * infos:   where they go
 * cap:     for how many there is room, more than 0
 * timeout: as for unipc_signal_stream_read()
 *
 * Returns how many were taken, 1 or more.
 * Errors: as unipc_signal_stream_read(), and
 *   -EINVAL  cap is 0; infos is NULL
 * Since 0.1.
 */
ssize_t unipc_signal_stream_read_many(const unipc_signal_stream *stream,
                                      unipc_signal_info *infos,
                                      size_t cap,
                                      const struct timespec *timeout);

/**
 * From now on these signals come, through the same descriptor. The thread that opened the stream
 * blocks what is new, if it is the one that calls (not with UNIPC_SIGNAL_KEEP_MASK).
 *
 * stream: a handle
 * set:    which signals
 *
 * Returns 0.
 * Errors:
 *   -EINVAL  there is nothing in the set to wait for; a pointer is NULL
 * Since 0.1.
 */
int unipc_signal_stream_change(const unipc_signal_stream *stream, const sigset_t *set);

/**
 * Which signals come.
 *
 * stream: a handle
 * out:    where the set goes
 *
 * Returns 0.
 * Errors:
 *   -EINVAL  a pointer is NULL
 * Since 0.1.
 */
int unipc_signal_stream_set(const unipc_signal_stream *stream, sigset_t *out);

/**
 * The descriptor: readable when a signal is there. To poll it; to read, use
 * unipc_signal_stream_read().
 *
 * stream: a handle
 *
 * Returns the descriptor, close-on-exec and non-blocking, which stays the handle's. Or
 *   -EINVAL  stream is NULL
 * Since 0.1.
 */
int unipc_signal_stream_fd(const unipc_signal_stream *stream);

/**
 * Closes a stream. In the thread that opened it, what it has blocked is unblocked,
 * unless another stream of that thread wants it; what is pending then acts. In another thread the
 * masks stay as they are.
 *
 * stream: a handle, gone afterwards; NULL is fine
 *
 * Since 0.1.
 */
void unipc_signal_stream_close(unipc_signal_stream *stream);

/**
 * Counts signals without blocking them, in whatever thread they arrive. The only code that runs in
 * the signal handler adds one and makes a descriptor readable; what the program does about it, it
 * does where it waits.
 *
 * out:   where the handle goes; NULL on failure. Close it with unipc_signal_counter_close().
 * set:   which signals; one signal has one counter at a time in a process
 * flags: UNIPC_SIGNAL_ flags, or 0
 * mask:  what else is blocked while one is counted (sa_mask); NULL for nothing
 *
 * Signals of one number that come while one is pending merge, unless they are real-time signals.
 *
 * Returns 0.
 * Errors:
 *   -EBUSY   one of them has a handler (see UNIPC_SIGNAL_REPLACE) or a counter
 *   -EINVAL  the set is empty, or holds SIGKILL, SIGSTOP or one of the C library's; unknown flags;
 *            a pointer is NULL
 *   -EMFILE, -ENFILE  too many descriptors are open
 * Since 0.1. See sigaction(2).
 */
UNIPC_CHECK
int unipc_signal_counter_open(unipc_signal_counter **out,
                              const sigset_t *set,
                              unsigned int flags,
                              const sigset_t *mask);

/**
 * Waits until one of the signals has come, and takes the counts.
 *
 * counter: a handle
 * counts:  where they go, by number
 * timeout: relative, on the monotonic clock; NULL for ever, {0, 0} a try
 *
 * Returns how many different signals have come, 1 or more. Or
 *   -EAGAIN     none has come, and timeout is {0, 0}
 *   -ETIMEDOUT  none came in time
 *   -EINTR      a signal was handled that is not counted here
 *   -EINVAL     a bad timeout; a pointer is NULL
 * Since 0.1.
 */
int unipc_signal_counter_wait(const unipc_signal_counter *counter,
                              unipc_signal_counts *counts,
                              const struct timespec *timeout);

/**
 * Takes the counts, without waiting: perhaps of no signal at all.
 *
 * counter: a handle
 * counts:  where they go, by number
 *
 * Returns how many different signals have come, 0 or more. Or
 *   -EINVAL  a pointer is NULL
 *   -EMFILE, -ENFILE  in a child of fork(), which needs a descriptor of its own
 * Since 0.1.
 */
int unipc_signal_counter_take(const unipc_signal_counter *counter,
                              unipc_signal_counts *counts);

/**
 * Which signals are counted.
 *
 * counter: a handle
 * out:     where the set goes
 *
 * Returns 0.
 * Errors:
 *   -EINVAL  a pointer is NULL
 * Since 0.1.
 */
int unipc_signal_counter_set(const unipc_signal_counter *counter, sigset_t *out);

/**
 * The descriptor: readable when something has been counted and not taken. To poll it; taking the
 * counts is what makes it not readable again. A child of fork() calls unipc_signal_counter_take()
 * before it polls.
 *
 * counter: a handle
 *
 * Returns the descriptor, close-on-exec, which stays the handle's. Or
 *   -EINVAL  counter is NULL
 * Since 0.1.
 */
int unipc_signal_counter_fd(const unipc_signal_counter *counter);

/**
 * Ends the counting: what was in force before is put back, unless something else was installed since.
 *
 * counter: a handle, gone afterwards; NULL is fine
 *
 * Since 0.1.
 */
void unipc_signal_counter_close(unipc_signal_counter *counter);

/**
 * What the process does with a signal.
 *
 * sig: the signal
 * out: where that goes
 *
 * Returns 0.
 * Errors:
 *   -EINVAL  it is no signal, or one of the C library's; out is NULL
 * Since 0.1. See sigaction(2).
 */
int unipc_signal_action(int sig, unipc_signal_action_values *out);

/**
 * Sets what the process does with a signal, for all its threads. Whatever was in force is replaced.
 *
 * sig:    the signal
 * action: UNIPC_SIGNAL_DEFAULT or UNIPC_SIGNAL_IGNORE with flags, or what unipc_signal_action() or
 *         `before` told, to put it back. For functions of the program's own there is sigaction();
 *         better is a unipc_signal_counter.
 * before: where goes what was in force; may be NULL
 *
 * fork() keeps actions; a program that is executed inherits what is ignored and has the default for
 * all else.
 *
 * Returns 0.
 * Errors:
 *   -EINVAL  it is no signal, SIGKILL, SIGSTOP or one of the C library's; an unknown disposition or
 *            flag; action is NULL
 * Since 0.1. See sigaction(2).
 */
int unipc_signal_set_action(int sig,
                            const unipc_signal_action_values *action,
                            unipc_signal_action_values *before);

/**
 * Ignores a signal from now on.
 *
 * sig:    the signal
 * before: where goes what was in force, for unipc_signal_set_action(); may be NULL
 *
 * Returns 0.
 * Errors:
 *   -EINVAL  it is no signal, SIGKILL, SIGSTOP or one of the C library's
 * Since 0.1. See sigaction(2) SIG_IGN.
 */
int unipc_signal_ignore(int sig, unipc_signal_action_values *before);

/**
 * Lets a signal do what it does by itself.
 *
 * sig:    the signal
 * before: where goes what was in force; may be NULL
 *
 * Returns 0.
 * Errors: as unipc_signal_ignore()
 * Since 0.1. See sigaction(2) SIG_DFL.
 */
int unipc_signal_reset(int sig, unipc_signal_action_values *before);

/**
 * Makes sure that no handler would be lost by setting another action.
 *
 * sig: the signal
 *
 * Returns 0.
 * Errors:
 *   -EBUSY   there is one; unipc_last_error() tells whose
 *   -EINVAL  it is no signal, or one of the C library's
 * Since 0.1.
 */
int unipc_signal_ensure_unhandled(int sig);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* UNIPC_SIGNAL_H */
