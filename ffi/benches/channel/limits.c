/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#define _GNU_SOURCE /* syscall */

#include "limits.h"

#include "pair.h"

#include <linux/futex.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
    PAIRS = 512, /* of lines: what a line costs depends on its address */
    RING = 16384,
    BATCH = 32,
    CHUNK = 16 << 10,
    CHUNKS = 16,
};

typedef _Atomic uint64_t word;
struct line {
    _Alignas(LINE) word number;
};
struct payload {
    _Alignas(LINE) uint64_t words[LINE / 8];
};

static struct line *there, *back; /* a ping-pong's */
static struct line *head, *tail;  /* a page each, of the streams */
static struct payload *lines;
static char *chunks, *source;
static uint64_t rounds, written, read_up_to;

void limits_prepare(void)
{
    there = shared(PAIRS * sizeof *there);
    back = shared(PAIRS * sizeof *back);
    head = shared(4096);
    tail = shared(4096);
    lines = shared(RING * sizeof *lines);
    chunks = shared((size_t)CHUNK * CHUNKS);
    source = shared(CHUNK);
}

static void await(word *number, uint64_t wanted)
{
    while (atomic_load_explicit(number, memory_order_acquire) != wanted)
        ;
}

static void ping(uint64_t n)
{
    for (uint64_t i = 0; i < n; i++) {
        uint64_t pair = rounds++ % PAIRS;
        atomic_store_explicit(&there[pair].number, rounds, memory_order_release);
        await(&back[pair].number, rounds);
    }
}

static void pong(uint64_t n)
{
    for (uint64_t i = 0; i < n; i++) {
        uint64_t pair = rounds++ % PAIRS;
        await(&there[pair].number, rounds);
        atomic_store_explicit(&back[pair].number, rounds, memory_order_release);
    }
}

double limit_round_trip(void)
{
    const uint64_t n = 4000;
    return pair_run(ping, pong, n) / (double)n;
}

/* Waits until less than `most` are under way. */
static void await_room(struct line *end, uint64_t most)
{
    while (written - atomic_load_explicit(&end->number, memory_order_acquire) > most)
        ;
}

static void write_lines(uint64_t n)
{
    for (uint64_t i = 0; i < n; i += BATCH) {
        await_room(tail, RING - BATCH);
        for (uint64_t k = 0; k < BATCH; k++) {
            struct payload *line = &lines[(written + k) % RING];
            for (int w = 0; w < LINE / 8; w++)
                line->words[w] = written;
        }
        written += BATCH;
        atomic_store_explicit(&head->number, written, memory_order_release);
    }
}

static void read_lines(uint64_t n)
{
    uint64_t sums[LINE / 8] = {0};
    for (uint64_t end = read_up_to + n; read_up_to < end;) {
        uint64_t now = atomic_load_explicit(&head->number, memory_order_acquire);
        for (; read_up_to < now; read_up_to++)
            for (int w = 0; w < LINE / 8; w++)
                sums[w] += lines[read_up_to % RING].words[w];
        atomic_store_explicit(&tail->number, read_up_to, memory_order_release);
    }
    read_all(sums, sizeof sums);
}

static void write_chunks(uint64_t n)
{
    for (uint64_t i = 0; i < n; i++) {
        await_room(tail, CHUNKS - 1);
        memcpy(chunks + written % CHUNKS * CHUNK, source, CHUNK);
        atomic_store_explicit(&head->number, ++written, memory_order_release);
    }
}

static void read_chunks(uint64_t n)
{
    for (uint64_t end = read_up_to + n; read_up_to < end;) {
        if (atomic_load_explicit(&head->number, memory_order_acquire) == read_up_to)
            continue;
        read_all(chunks + read_up_to % CHUNKS * CHUNK, CHUNK);
        atomic_store_explicit(&tail->number, ++read_up_to, memory_order_release);
    }
}

double limit_one_way(size_t bytes)
{
    const uint64_t line_count = 1 << 17, chunk_count = 1 << 10;
    if (bytes <= LINE)
        return pair_run(write_lines, read_lines, line_count) / (double)line_count;
    double chunk = pair_run(write_chunks, read_chunks, chunk_count) / (double)chunk_count;
    return chunk * (double)bytes / CHUNK;
}

/* --- a futex for each direction, in the lines of the ping-pong --- */

static void futex_send(struct line *line, uint32_t number)
{
    _Atomic uint32_t *futex = (_Atomic uint32_t *)line;
    atomic_store(futex, number);
    syscall(SYS_futex, futex, FUTEX_WAKE, 1, NULL, NULL, 0);
}

static void futex_receive(struct line *line, uint32_t number)
{
    _Atomic uint32_t *futex = (_Atomic uint32_t *)line;
    while (atomic_load(futex) != number)
        syscall(SYS_futex, futex, FUTEX_WAIT, number - 1, NULL, NULL, 0);
}

static void (*before_asking)(void);

static void futex_ask(uint64_t n)
{
    for (uint64_t i = 0; i < n; i++) {
        before_asking();
        futex_send(&there[0], (uint32_t)i + 1);
        futex_receive(&back[0], (uint32_t)i + 1);
    }
}

static void futex_answer(uint64_t n)
{
    for (uint64_t i = 0; i < n; i++) {
        futex_receive(&there[0], (uint32_t)i + 1);
        futex_send(&back[0], (uint32_t)i + 1);
    }
}

double limit_futex(void (*before)(void), uint64_t n)
{
    before_asking = before;
    atomic_store(&there[0].number, 0);
    atomic_store(&back[0].number, 0);
    double took = pair_run(futex_ask, futex_answer, n) / (double)n;
    atomic_store(&there[0].number, 0);
    atomic_store(&back[0].number, 0);
    return took;
}
