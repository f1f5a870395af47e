/* SPDX-License-Identifier: MIT OR Apache-2.0 */
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
