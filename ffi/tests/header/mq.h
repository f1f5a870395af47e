/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Message queues, System V and POSIX, behind one type.
 *
 *                        "/demo": POSIX                        "sysv:...": System V
 *   a message's tag      priority, 0 to 32767                  type, 1 or more
 *   who comes first      highest priority, then the oldest     the oldest, or as want says
 *   how much there is    messages, and bytes of one: for ever  bytes of all, unipc_mq_sysv_set()
 *   poll()               unipc_mq_fd()                         no
 *   of its own           unipc_mq_notify_*()                   types, unipc_mq_peek(), *_msgbuf()
 *
 * Both keep the boundaries of messages. What was sent stays, whoever ends, until it is received, or
 * the queue removed, or the machine rebooted. Each message goes to one receiver.
 *
 * Time limits. A wait with a limit loses no message and burns no time. System V has none of its own:
 * the call is made without waiting, and then again, waiting, with a timer that interrupts it by a
 * real-time signal; a msgsnd() or msgrcv() that is interrupted has sent or taken nothing. For POSIX
 * the descriptor is polled on the monotonic clock and the call made again when it is ready; who waits
 * for ever stands in the kernel's own line instead, and is served before those who poll.
 */
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>
#include <unipc/base.h>

/* A strict C99 leaves it out of <time.h>. */
struct timespec;

/*
 * Options in one expression, for C: &UNIPC_MQ_OPTS(.max_messages = 4, .max_size = 256).
 * They live until the end of the block.
 */
#ifndef __cplusplus
#define UNIPC_MQ_OPTS(...) ((unipc_mq_opts){.sz = sizeof(unipc_mq_opts), __VA_ARGS__})
#endif

/* Options to start from, in C++ and C: unipc_mq_opts o = UNIPC_MQ_OPTS_INIT; o.max_size = 256; */
#define UNIPC_MQ_OPTS_INIT {sizeof(unipc_mq_opts), 0, 0, 0, 0}
