/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * What somebody else's library has to offer so that it is measured beside ours. It becomes a shared object of its own,
 * which the benchmark loads where it is there: what could not be built is skipped by name.
 */
#ifndef UNIPC_BENCH_PEER_H
#define UNIPC_BENCH_PEER_H

#include <stddef.h>

/* What a peer is measured in: both processes talk; one sends to the other; all send to and receive from one queue. */
enum { PEER_ROUND_TRIP = 1, PEER_ONE_WAY = 2, PEER_MIXED = 4 };

/* How it is used: all of a message is copied out; only its first word is written and read; it is a question or an
 * answer. */
enum { PEER_COPIES_OUT = 8, PEER_UNTOUCHED = 16, PEER_ASKS = 32 };

/* One way of using a library. Directions are 0, from the process with role 0 to the one with role 1, and 1, back.
 * A function that fails says why on the standard error and ends the process. */
struct peer {
    const char *name;
    unsigned traits;           /* of both kinds */
    const size_t *sizes;       /* of messages; 0 ends them */
    void (*open)(size_t size); /* before the fork, in what both processes come from */
    void (*attach)(int role);  /* after it, in each; returns when both are there */
    void (*detach)(int role);  /* takes away what would be left behind; may be NULL */
    /* Both wait, as the peer waits. All bytes are copied in; they are copied out, or read where they lie, and then at
     * least the first eight are copied out. */
    void (*send)(int direction, const void *bytes, size_t size);
    void (*receive)(int direction, void *bytes, size_t size);
};

/* Of about this many bytes is each ring, ours and the peers'. */
static inline size_t peer_slots(size_t size)
{
    return size <= 64 ? (1 << 20) / 64 : size <= 1024 ? (1 << 20) / size : 64;
}

/* Each shared object exports this; a NULL ends it. */
extern const struct peer *const unipc_bench_peers[];

#endif
