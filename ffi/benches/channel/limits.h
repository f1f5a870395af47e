/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * What the machine itself can do, measured by the same two processes right before what it judges: two virtual
 * processors may be near each other now and far apart in a minute.
 */
#ifndef UNIPC_BENCH_LIMITS_H
#define UNIPC_BENCH_LIMITS_H

#include <stddef.h>
#include <stdint.h>

/* Memory for the measurements; before the fork. */
void limits_prepare(void);

/* Nanoseconds of a round trip of one word, in a line for each direction. */
double limit_round_trip(void);

/* Nanoseconds for a message of this size, one way: a line each, or the copying of its bytes. */
double limit_one_way(size_t bytes);

/* Nanoseconds of a round trip of two processes that sleep at a futex, with what is done before each of them: without, the
   one finds the other awake at times. */
double limit_futex(void (*before)(void), uint64_t n);

#endif
