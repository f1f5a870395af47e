/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef UNIPC_BENCH_TRANSPORTS_H
#define UNIPC_BENCH_TRANSPORTS_H

#include "pair.h"

#include <unipc.h>

/* Of unipc: a queue in each direction, of messages of one size unless it says otherwise. */
extern const struct transport queue_spinning, queue_waiting, queue_any_size, queue_in_rows,
    queue_in_place, queue_untouched, queue_several, queue_several_in_rows, topic_spinning,
    topic_alone, topic_watched, service_spinning;
/* Of the kernel. */
extern const struct transport pipe_peer, seqpacket_peer, mq_peer;

/* Ends the program with the library's words unless the result is good. */
static inline void check(ssize_t result)
{
    if (result < 0)
        fail(unipc_last_error());
}

/* How many messages a row has. */
enum { ROW = 32 };

#endif
