/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Locks on files, of the three kinds that Linux has. All are advisory: they stop nobody but those who
 * ask for them too. The kernel drops them when their owner dies.
 *
 *                            UNIPC_LOCK_OFD       UNIPC_LOCK_POSIX       UNIPC_LOCK_FLOCK
 *   call                     fcntl(F_OFD_SETLK)   fcntl(F_SETLK), lockf  flock
 *   owner                    the open file        the process            the open file
 *   what is locked           any bytes            any bytes              the whole file
 *   two handles, one process exclude each other   are one owner          exclude each other
 *   another descriptor of
 *     the file is closed     nothing happens      all locks are LOST     nothing happens
 *   after fork()             owned by both        the child has none     owned by both
 *   after exec()             gone, as the descriptor is close-on-exec; kept if that is cleared
 *   shared to exclusive      in one step          in one step            given up first
 *   a deadlock               not noticed          -EDEADLK               not noticed
 *   who is in the way        range                range and pid          pid, by /proc/locks
 *
 * OFD and POSIX locks exclude each other; flock is a world of its own. OFD is the default: nothing of it
 * depends on what other code in the process does. Where deadlocks are not noticed, wait with a
 * timeout.
 */
#include <stddef.h>
#include <stdint.h>
#include <time.h>
#include <unipc/base.h>

/* Where a program asks for ISO C alone (-std=c99), time.h does not declare it. */
struct timespec;

/*
 * Options in one expression, for C: &UNIPC_LOCK_OPTS(.kind = UNIPC_LOCK_FLOCK, .mode = 0660).
 * They live until the end of the block.
 */
#ifndef __cplusplus
#define UNIPC_LOCK_OPTS(...) ((unipc_lock_opts){.sz = sizeof(unipc_lock_opts), __VA_ARGS__})
#endif

/* Options to start from, in C++ and C: unipc_lock_opts o = UNIPC_LOCK_OPTS_INIT; o.mode = 0660; */
#define UNIPC_LOCK_OPTS_INIT {sizeof(unipc_lock_opts), 0, 0}
