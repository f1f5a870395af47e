/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "measure.h"

#include "limits.h"

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

void take_percentiles(struct outcome *outcome, int repetition, size_t count)
{
    static const double parts[] = {0.5, 0.99, 0.999};
    qsort(samples, count, sizeof *samples, by_time);
    for (int i = 0; i < 3; i++)
        outcome->percentiles[i][repetition] =
            nanoseconds(samples[(size_t)((double)(count - 1) * parts[i])]);
    if (count < 1000)
        outcome->percentiles[2][repetition] = 0;
}

void print_outcome(const char *name, const char *metric, struct outcome *outcome, int repetitions)
{
    static const char *const titles[] = {"p50", "p99", "p99.9"};
    double ratios[REPETITIONS];
    for (int i = 0; i < repetitions; i++)
        ratios[i] = outcome->times[i] / outcome->limits[i];
    double middle = median(outcome->times, repetitions);
    printf("{\"name\": \"%s\", \"metric\": \"%s\", \"size\": %zu", name, metric, size);
    printf(", \"nanoseconds\": %.5g, \"least\": %.5g, \"most\": %.5g", middle, outcome->times[0],
           outcome->times[repetitions - 1]);
    printf(", \"limit\": %.5g", median(outcome->limits, repetitions));
    printf(", \"ratio\": %.4g", median(ratios, repetitions));
    for (int i = 0; i < 3; i++) {
        double value = median(outcome->percentiles[i], repetitions);
        if (value > 0)
            printf(", \"%s\": %.5g", titles[i], value);
    }
    printf("}\n");
    fflush(stdout);
}

void measure_round_trip(const struct transport *transport)
{
    static struct outcome outcome;
    uint64_t n = calibrated(transport->ask, transport->answer);
    size_t count = n < SAMPLES ? n : SAMPLES;
    for (int i = 0; i < REPETITIONS; i++) {
        outcome.limits[i] = limit_round_trip();
        outcome.times[i] = pair_run(transport->ask, transport->answer, n) / (double)n;
        pair_run(transport->ask_timed, transport->answer, count);
        take_percentiles(&outcome, i, count);
    }
    pair_end();
    print_outcome(transport->name, "round trip", &outcome, REPETITIONS);
}

void measure_one_way(const struct transport *transport)
{
    static struct outcome outcome;
    uint64_t n = calibrated(transport->pour, transport->drink);
    for (int i = 0; i < REPETITIONS; i++) {
        outcome.limits[i] = limit_one_way(size);
        outcome.times[i] = pair_run(transport->pour, transport->drink, n) / (double)n;
    }
    pair_end();
    print_outcome(transport->name, "one way", &outcome, REPETITIONS);
}

/* --- asleep --- */

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

static void only_stay_awake(uint64_t n)
{
    for (uint64_t i = 0; i < n; i++)
        stay_awake();
}

static void nothing(uint64_t n)
{
    (void)n;
}

void measure_asleep(const struct transport *transport)
{
    static struct outcome outcome;
    const uint64_t n = 60;
    drowsy = transport;
    for (int i = 0; i < REPETITIONS; i++) {
        double pauses = pair_run(only_stay_awake, nothing, n) / (double)n;
        outcome.limits[i] = limit_futex(stay_awake, n) - pauses;
        outcome.times[i] = pair_run(drowsy_ask, transport->answer, n) / (double)n - pauses;
    }
    pair_end();
    print_outcome(transport->name, "asleep", &outcome, REPETITIONS);
}
