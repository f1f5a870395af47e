/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * A case: one transport, one metric, one size of messages; beside each repetition what the machine can do.
 */
#ifndef UNIPC_BENCH_MEASURE_H
#define UNIPC_BENCH_MEASURE_H

#include "pair.h"

/* What the repetitions of a case gave. */
struct outcome {
    double times[REPETITIONS], limits[REPETITIONS];
    double percentiles
        [3]
        [REPETITIONS]; /* 50, 99, 99.9; the last one is 0 where there were less than 1,000 samples */
};

/* Sorts the first `count` samples and keeps their percentiles. */
void take_percentiles(struct outcome *outcome, int repetition, size_t count);

/* Writes the case as a line of JSON, with the medians of the first `repetitions`. */
void print_outcome(const char *name, const char *metric, struct outcome *outcome, int repetitions);

/* Each measures between the two processes of a pair that has started, and prints. */
void measure_round_trip(const struct transport *transport);
void measure_one_way(const struct transport *transport);
/* The commander waits so long before it asks that the server has lain down, and lies down itself. */
void measure_asleep(const struct transport *transport);

#endif
