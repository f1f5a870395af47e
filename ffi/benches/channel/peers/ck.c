/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * Concurrency Kit's ring: for one at each end, and for many.
 */
#define _GNU_SOURCE /* MAP_ANONYMOUS */

#include "peer.h"

#include <ck_ring.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct line {
    char bytes[64];
};
CK_RING_PROTOTYPE(lines, line)

static const size_t sizes[] = {64, 0};
static struct ck_ring *rings[2];
static struct line *lines[2];

static void *shared(size_t bytes)
{
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        perror("peer: mmap");
        _exit(3);
    }
    return memory;
}

static void open_rings(size_t size)
{
    for (int i = 0; i < 2; i++) {
        rings[i] = shared(sizeof *rings[i]);
        lines[i] = shared(peer_slots(size) * sizeof *lines[i]);
        ck_ring_init(rings[i], (unsigned)peer_slots(size));
    }
}

static void attach(int role)
{
    (void)role;
}

static void send_alone(int direction, const void *bytes, size_t size)
{
    (void)size;
    struct line line;
    memcpy(&line, bytes, sizeof line);
    while (!CK_RING_ENQUEUE_SPSC(lines, rings[direction], lines[direction], &line))
        ;
}

static void receive_alone(int direction, void *bytes, size_t size)
{
    (void)size;
    while (!CK_RING_DEQUEUE_SPSC(lines, rings[direction], lines[direction], (struct line *)bytes))
        ;
}

static void send_among_many(int direction, const void *bytes, size_t size)
{
    (void)size;
    struct line line;
    memcpy(&line, bytes, sizeof line);
    while (!CK_RING_ENQUEUE_MPMC(lines, rings[direction], lines[direction], &line))
        ;
}

static void receive_among_many(int direction, void *bytes, size_t size)
{
    (void)size;
    while (!CK_RING_DEQUEUE_MPMC(lines, rings[direction], lines[direction], (struct line *)bytes))
        ;
}

static const struct peer alone = {"ck_ring, one at each end",
                                  PEER_ROUND_TRIP | PEER_ONE_WAY | PEER_COPIES_OUT,
                                  sizes,
                                  open_rings,
                                  attach,
                                  NULL,
                                  send_alone,
                                  receive_alone};
static const struct peer many = {"ck_ring, for many",
                                 PEER_ROUND_TRIP | PEER_ONE_WAY | PEER_MIXED | PEER_COPIES_OUT,
                                 sizes,
                                 open_rings,
                                 attach,
                                 NULL,
                                 send_among_many,
                                 receive_among_many};

const struct peer *const unipc_bench_peers[] = {&alone, &many, NULL};
