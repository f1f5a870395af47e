/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * Two processes, pinned to two processors: one commands and measures, the other serves.
 */
#ifndef UNIPC_BENCH_PAIR_H
#define UNIPC_BENCH_PAIR_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#if defined(__x86_64__)
#include <x86intrin.h>
#endif

enum { LINE = 64, REPETITIONS = 15, SAMPLES = 20000 };

/* Which of the two this process is; also the direction of what it sends. */
enum role { COMMANDER, SERVER };

/* How one transport is opened and used. The loops run n times; two that run at once belong together. */
struct transport {
    const char *name;
    void (*open)(size_t size);      /* before the fork */
    void (*attach)(enum role role); /* after it, in each process */
    void (*ask)(uint64_t n);        /* round trips, by the commander */
    void (*ask_timed)(uint64_t n);  /* the same, with the time of each in samples[] */
    void (*answer)(uint64_t n);     /* round trips, by the server */
    void (*pour)(uint64_t n);       /* one way, by the commander */
    void (*drink)(uint64_t n);      /* one way, by the server */
    void (*detach)(enum role role); /* may be NULL */
    int copies_out;                 /* what is received last lies in the inbox, whole */
};

/* What the loops of a case work on, in each process its own. */
extern size_t size;
extern uint32_t samples[SAMPLES];

/* Prepares this process for a case with messages of `bytes`. */
void prepare(size_t bytes);

/* The next message to send in a direction, of `size` bytes; its first eight say which one it is. */
static inline const void *message(enum role direction);
/* Ends the program unless what arrived is the next message of its direction. */
static inline void arrived(enum role direction, uint64_t first_word);

/* Where a message is received. */
extern char *inbox;

/* Shared memory that both processes see, zeroed and with its pages there. */
void *shared(size_t bytes);

/* Starts the other process, and attaches both to the transport. */
void pair_start(const struct transport *transport);
void pair_end(void);

/* The same in three steps, for a program that forks by itself: before, in the child, in the parent. */
void pair_open(void);
_Noreturn void pair_serve(const struct transport *transport, int commander);
void pair_command(const struct transport *transport, int child);

/* Runs both loops at once, n times: nanoseconds from the beginning until both are done. */
double pair_run(void (*mine)(uint64_t), void (*others)(uint64_t), uint64_t n);

/* A run takes about ten milliseconds with this n. */
uint64_t calibrated(void (*mine)(uint64_t), void (*others)(uint64_t));

void fail(const char *what);

static inline void relax(void)
{
#if defined(__x86_64__)
    _mm_pause();
#endif
}

/* Something that counts evenly and is quickly read. */
static inline uint64_t ticks(void)
{
#if defined(__x86_64__)
    return __rdtsc();
#else
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
#endif
}

double nanoseconds(double tick_count);

/* Binds this process to the first (COMMANDER) or the last (SERVER) processor that it may use. */
void pin(enum role role);

/* Ahead of all ordinary processes from now on, with all that is forked: 1, or 0 where that is not allowed. */
int come_first(void);

/* --- the messages --- */

struct pool {
    char *bytes; /* a few messages that were written long before they are sent */
    uint64_t mask, sent[2], received[2];
};
extern struct pool pool;

static inline const void *message(enum role direction)
{
    return pool.bytes + (pool.sent[direction]++ & pool.mask) * size;
}

static inline void arrived(enum role direction, uint64_t first_word)
{
    if (first_word != (pool.received[direction]++ & pool.mask) + 1)
        fail("a message is lost, doubled or out of order");
}

static inline uint64_t first_word(const void *bytes)
{
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
    return word;
}

/* Reads each word where it lies. */
static inline void read_all(const void *bytes, size_t length)
{
    uint64_t sum = 0;
    for (size_t at = 0; at + 8 <= length; at += 8)
        sum += first_word((const char *)bytes + at);
    __asm__ volatile("" : : "r"(sum));
}

/* The loops of a transport, from NAME_send(direction), NAME_receive(direction) and NAME_flush(direction), inlined. */
#define LOOPS(NAME)                                                                                \
    static void NAME##_ask(uint64_t n)                                                             \
    {                                                                                              \
        for (uint64_t i = 0; i < n; i++) {                                                         \
            NAME##_send(COMMANDER);                                                                \
            NAME##_receive(SERVER);                                                                \
        }                                                                                          \
    }                                                                                              \
    static void NAME##_ask_timed(uint64_t n)                                                       \
    {                                                                                              \
        uint64_t before = ticks();                                                                 \
        for (uint64_t i = 0; i < n; i++) {                                                         \
            NAME##_send(COMMANDER);                                                                \
            NAME##_receive(SERVER);                                                                \
            uint64_t now = ticks();                                                                \
            samples[i] = (uint32_t)(now - before);                                                 \
            before = now;                                                                          \
        }                                                                                          \
    }                                                                                              \
    static void NAME##_answer(uint64_t n)                                                          \
    {                                                                                              \
        for (uint64_t i = 0; i < n; i++) {                                                         \
            NAME##_receive(COMMANDER);                                                             \
            NAME##_send(SERVER);                                                                   \
        }                                                                                          \
    }                                                                                              \
    static void NAME##_pour(uint64_t n)                                                            \
    {                                                                                              \
        for (uint64_t i = 0; i < n; i++)                                                           \
            NAME##_send(COMMANDER);                                                                \
        NAME##_flush(COMMANDER);                                                                   \
    }                                                                                              \
    static void NAME##_drink(uint64_t n)                                                           \
    {                                                                                              \
        for (uint64_t i = 0; i < n; i++)                                                           \
            NAME##_receive(COMMANDER);                                                             \
    }

#define TRANSPORT_THAT(COPIES_OUT, NAME, TEXT)                                                     \
    LOOPS(NAME)                                                                                    \
    const struct transport NAME = {                                                                \
        TEXT,          NAME##_open, NAME##_attach, NAME##_ask, NAME##_ask_timed,                   \
        NAME##_answer, NAME##_pour, NAME##_drink,  NULL,       COPIES_OUT,                         \
    };

#define TRANSPORT(NAME, TEXT) TRANSPORT_THAT(1, NAME, TEXT)
#define TRANSPORT_IN_PLACE(NAME, TEXT) TRANSPORT_THAT(0, NAME, TEXT)

#endif
