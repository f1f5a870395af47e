/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#define _GNU_SOURCE /* RUSAGE_THREAD */

#include "waiting.h"

#include "transports.h"

#include <sys/resource.h>

enum { SENDS = 1000, SECONDS = 2 };

static int *sleeps; /* how often the server lay down, of each repetition */
static uint64_t repetition;

static void print_value(const char *metric, double value, double most)
{
    printf(
        "{\"name\": \"%s\", \"metric\": \"%s\", \"size\": %zu, \"value\": %.4g, \"most\": %.4g}\n",
        queue_waiting.name, metric, size, value, most);
}

static long voluntary_switches(void)
{
    struct rusage usage;
    getrusage(RUSAGE_THREAD, &usage);
    return usage.ru_nvcsw;
}

static void drink_and_count(uint64_t n)
{
    long before = voluntary_switches();
    queue_waiting.drink(n);
    sleeps[repetition++] = (int)(voluntary_switches() - before);
}

/* The server has lain down long before the first one is sent. */
static void pour_late(uint64_t n)
{
    struct timespec pause = {.tv_nsec = 5000000};
    nanosleep(&pause, NULL);
    queue_waiting.pour(n);
}

static int by_number(const void *one, const void *other)
{
    return *(const int *)one - *(const int *)other;
}

void wake_ups(void)
{
    sleeps = shared(4096);
    queue_waiting.open(size);
    pair_start(&queue_waiting);
    for (int i = 0; i < REPETITIONS; i++)
        pair_run(pour_late, drink_and_count, SENDS);
    pair_end();
    qsort(sleeps, REPETITIONS, sizeof *sleeps, by_number);
    print_value("wake-ups for 1,000 sends", sleeps[REPETITIONS / 2], sleeps[REPETITIONS - 1]);
}

static double used_seconds(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-6;
}

void idle(void)
{
    unipc_queue *queue;
    check(unipc_queue_create(&queue, "memfd:bench", 1 << 20, 0,
                             &UNIPC_CHANNEL_OPTS(.message_size = (uint32_t)size)));
    double before = used_seconds();
    if (unipc_queue_recv(queue, inbox, size, &(struct timespec){.tv_sec = SECONDS}) >= 0)
        fail("a message that nobody sent");
    double percent = (used_seconds() - before) / SECONDS * 100;
    unipc_queue_close(queue);
    print_value("percent of a processor while idle", percent, percent);
}
