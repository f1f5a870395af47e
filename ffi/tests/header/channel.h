/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Channels: one ring in shared memory, three uses.
 *
 *   a queue    each message goes to exactly one of those who receive
 *   a topic    each message goes to all subscribers; reliable, or keeping the latest
 *   a service  questions and answers
 *
 * No call is made into the kernel while nobody sleeps. A full queue makes senders wait; nothing is
 * lost silently. A participant that is killed, at any moment, loses what it had not committed; what it
 * had not taken stays for the others, and nobody waits for it.
 *
 * A queue or topic created with opts.layout carries records: the layout is stored in it, told by
 * unipc_queue_layout(), and compared by unipc_queue_open_layout(). In Python they come as numpy arrays.
 *
 * What is received is as trustworthy as those who may write to the channel (its mode says who):
 * lengths are checked, contents are not.
 */
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h> /* struct iovec */
#include <time.h>
#include <unipc/base.h>
#include <unipc/shm.h>

/* A strict C99 leaves it out of <time.h>. */
struct timespec;

/*
 * Options in one expression, for C: &UNIPC_CHANNEL_OPTS(.message_size = 64).
 * They live until the end of the block.
 */
#ifndef __cplusplus
#define UNIPC_CHANNEL_OPTS(...) ((unipc_channel_opts){.sz = sizeof(unipc_channel_opts), __VA_ARGS__})
#endif

/* Options to start from, in C++ and C: unipc_channel_opts o = UNIPC_CHANNEL_OPTS_INIT; */
#define UNIPC_CHANNEL_OPTS_INIT {sizeof(unipc_channel_opts), 0, 0, 0, 0, 0, NULL, 0}
