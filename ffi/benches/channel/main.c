/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * Channels beside the machine's limits and the kernel's mechanisms: a line of JSON for each case.
 *
 *     channel [PART OF A CASE'S NAME]
 */
#include "limits.h"
#include "pair.h"
#include "transports.h"

#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *chosen = "";

static int by_value(const void *one, const void *other)
{
    double a = *(const double *)one, b = *(const double *)other;
    return (a > b) - (a < b);
}

static int by_time(const void *one, const void *other)
{
    uint32_t a = *(const uint32_t *)one, b = *(const uint32_t *)other;
    return (a > b) - (a < b);
}

static double median(double *values, int count)
{
    qsort(values, (size_t)count, sizeof *values, by_value);
    return values[count / 2];
}

/* What the repetitions of a case gave. */
struct outcome {
    double times[REPETITIONS], limits[REPETITIONS], ratios[REPETITIONS];
    double percentiles[3][REPETITIONS]; /* 50, 99, 99.9 */
};

static void take_percentiles(struct outcome *outcome, int repetition, size_t count)
{
    static const double parts[] = {0.5, 0.99, 0.999};
    qsort(samples, count, sizeof *samples, by_time);
    for (int i = 0; i < 3; i++)
        outcome->percentiles[i][repetition] =
            nanoseconds(samples[(size_t)((double)(count - 1) * parts[i])]);
}

static void print(const char *name, const char *metric, struct outcome *outcome)
{
    for (int i = 0; i < REPETITIONS; i++)
        outcome->ratios[i] = outcome->times[i] / outcome->limits[i];
    printf("{\"name\": \"%s\", \"metric\": \"%s\", \"size\": %zu", name, metric, size);
    printf(", \"nanoseconds\": %.5g", median(outcome->times, REPETITIONS));
    printf(", \"least\": %.5g, \"most\": %.5g", outcome->times[0], outcome->times[REPETITIONS - 1]);
    printf(", \"limit\": %.5g", median(outcome->limits, REPETITIONS));
    printf(", \"ratio\": %.4g", median(outcome->ratios, REPETITIONS));
    if (outcome->percentiles[0][0] > 0)
        printf(", \"p50\": %.5g, \"p99\": %.5g, \"p99.9\": %.5g",
               median(outcome->percentiles[0], REPETITIONS),
               median(outcome->percentiles[1], REPETITIONS),
               median(outcome->percentiles[2], REPETITIONS));
    printf("}\n");
    fflush(stdout);
}

/* Runs a case in a process of its own: whatever it leaves goes with it. */
static void alone(const char *name, const char *metric, void (*body)(const void *, const char *),
                  const void *argument, size_t bytes)
{
    char title[256];
    snprintf(title, sizeof title, "%s/%s/%zu", name, metric, bytes);
    if (!strstr(title, chosen))
        return;
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        alarm(120);
        prepare(bytes);
        body(argument, metric);
        fflush(stdout);
        _exit(0);
    }
    int status;
    waitpid(child, &status, 0);
    if (status != 0) {
        fprintf(stderr, "%s: status %#x\n", title, (unsigned)status);
        exit(1);
    }
}

static void begin(const struct transport *transport)
{
    limits_prepare();
    transport->open(size);
    pair_start(transport);
}

static void round_trip(const void *argument, const char *metric)
{
    const struct transport *transport = argument;
    static struct outcome outcome;
    begin(transport);
    uint64_t n = calibrated(transport->ask, transport->answer);
    size_t count = n < SAMPLES ? n : SAMPLES;
    for (int i = 0; i < REPETITIONS; i++) {
        outcome.limits[i] = limit_round_trip();
        outcome.times[i] = pair_run(transport->ask, transport->answer, n) / (double)n;
        pair_run(transport->ask_timed, transport->answer, count);
        take_percentiles(&outcome, i, count);
    }
    pair_end();
    print(transport->name, metric, &outcome);
}

static void one_way(const void *argument, const char *metric)
{
    const struct transport *transport = argument;
    static struct outcome outcome;
    begin(transport);
    uint64_t n = calibrated(transport->pour, transport->drink);
    for (int i = 0; i < REPETITIONS; i++) {
        outcome.limits[i] = limit_one_way(size);
        outcome.times[i] = pair_run(transport->pour, transport->drink, n) / (double)n;
    }
    pair_end();
    print(transport->name, metric, &outcome);
}

/* --- asleep: the commander waits so long before it asks that the server has lain down, and lies down itself --- */

static const struct transport *drowsy;

static void stay_awake(void)
{
    uint64_t start = ticks();
    while (nanoseconds((double)(ticks() - start)) < 300e3)
        relax();
}

static void drowsy_ask(uint64_t n)
{
    for (uint64_t i = 0; i < n; i++) {
        stay_awake();
        drowsy->ask(1);
    }
}

static void drowsy_answer(uint64_t n)
{
    for (uint64_t i = 0; i < n; i++)
        drowsy->answer(1);
}

static void only_stay_awake(uint64_t n)
{
    for (uint64_t i = 0; i < n; i++)
        stay_awake();
}

static void nothing(uint64_t n)
{
    (void)n;
}

static void asleep(const void *argument, const char *metric)
{
    static struct outcome outcome;
    drowsy = argument;
    begin(drowsy);
    const uint64_t n = 60;
    for (int i = 0; i < REPETITIONS; i++) {
        outcome.limits[i] = limit_futex();
        double pauses = pair_run(only_stay_awake, nothing, n);
        outcome.times[i] = (pair_run(drowsy_ask, drowsy_answer, n) - pauses) / (double)n;
    }
    pair_end();
    print(drowsy->name, metric, &outcome);
}

/* --- several processes that send to and receive from one queue --- */

enum { TURNS = 200000 };

static void mixed_part(int memory)
{
    unipc_queue *queue;
    char bytes[LINE] = {1};
    check(unipc_queue_from_fd(&queue, memory, 0));
    for (int i = 0; i < TURNS; i++) {
        check(unipc_queue_send(queue, bytes, sizeof bytes, NULL));
        check(unipc_queue_recv(queue, bytes, sizeof bytes, NULL));
    }
    unipc_queue_close(queue);
}

static double mixed_once(int processes)
{
    unipc_queue *queue;
    check(unipc_queue_create(&queue, "memfd:bench", 1 << 20, 0,
                             &UNIPC_CHANNEL_OPTS(.message_size = LINE)));
    int memory = unipc_queue_memory_fd(queue);
    uint64_t start = ticks();
    for (int i = 0; i < processes; i++) {
        if (fork() == 0) {
            mixed_part(memory);
            _exit(0);
        }
    }
    int status, bad = 0;
    for (int i = 0; i < processes; i++) {
        wait(&status);
        bad |= status;
    }
    if (bad)
        fail("a process of the mixed case");
    double took = nanoseconds((double)(ticks() - start));
    unipc_queue_close(queue);
    return took / ((double)processes * TURNS);
}

static void mixed(const void *argument, const char *metric)
{
    int processes = *(const int *)argument;
    static struct outcome outcome;
    char name[64];
    snprintf(name, sizeof name, "queue, %d processes send and receive", processes);
    for (int i = 0; i < REPETITIONS; i++) {
        outcome.limits[i] = mixed_once(1);
        outcome.times[i] = mixed_once(processes);
    }
    print(name, metric, &outcome);
}

static void all(const struct transport *transport, const size_t *sizes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        alone(transport->name, "round trip", round_trip, transport, sizes[i]);
    for (size_t i = 0; i < count; i++)
        alone(transport->name, "one way", one_way, transport, sizes[i]);
}

#define SIZES(...)                                                                                 \
    ((const size_t[]){__VA_ARGS__}), sizeof((const size_t[]){__VA_ARGS__}) / sizeof(size_t)

int main(int count, char **arguments)
{
    static const int two = 2, eight = 8;
    if (count > 1)
        chosen = arguments[1];
    all(&queue_spinning, SIZES(8, 48, 64, 1024, 65536));
    all(&queue_waiting, SIZES(8, 64));
    all(&queue_any_size, SIZES(8, 64, 1024));
    for (size_t bytes = 8; bytes <= 1024; bytes = bytes == 8 ? 64 : bytes * 16)
        alone(queue_in_rows.name, "one way", one_way, &queue_in_rows, bytes);
    alone(queue_in_place.name, "one way", one_way, &queue_in_place, 65536);
    all(&queue_untouched, SIZES(65536, 1 << 20));
    all(&topic_spinning, SIZES(64));
    alone(topic_watched.name, "one way", one_way, &topic_watched, 64);
    for (size_t bytes = 8; bytes <= 1024; bytes = bytes == 8 ? 56 : bytes * 1024 / 56)
        alone(service_spinning.name, "round trip", round_trip, &service_spinning, bytes);
    alone(queue_waiting.name, "asleep", asleep, &queue_waiting, 64);
    alone("queue, 2 processes send and receive", "mixed", mixed, &two, LINE);
    alone("queue, 8 processes send and receive", "mixed", mixed, &eight, LINE);
    all(&pipe_peer, SIZES(8, 64, 1024, 65536));
    all(&seqpacket_peer, SIZES(8, 64, 1024, 65536));
    all(&mq_peer, SIZES(8, 64, 1024));
    return 0;
}
