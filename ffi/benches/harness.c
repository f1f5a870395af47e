/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#define _GNU_SOURCE /* sched_setaffinity */

#include "harness.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SIDES = 6, LEAST = 25, MOST = 1001 };

/* How long a batch takes: short beside a time slice, long beside reading the clock. Nanoseconds. */
static const double BATCH = 200e3;
/* How long a comparison takes. */
static const double BUDGET = 900e6;

/* By which clock is measured: how long this thread has been running on a processor, in the kernel too, or what passes. */
static clockid_t measure_by = CLOCK_THREAD_CPUTIME_ID;

/* Nanoseconds. */
static double now(void)
{
    struct timespec time;
    clock_gettime(measure_by, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static double time_batch(const struct side *side, unsigned count)
{
    double start = now();
    side->run(count);
    return now() - start;
}

/* Warms up, and finds how many calls make a batch. Adds the time of the last one to *round. */
static unsigned calibrate(const struct side *side, double *round)
{
    double took = time_batch(side, 1);
    unsigned count = 1;
    while ((took = time_batch(side, count)) < BATCH)
        count *= 2;
    *round += took;
    return count;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The first quartile, the second, which is the median, or the third; sorts the values. */
static double quartile(size_t which, double *values, size_t count)
{
    qsort(values, count, sizeof *values, ascending);
    return values[count * which / 4];
}

static void print_line(const char *what, double nanoseconds)
{
    if (nanoseconds < 1e3)
        printf("  %-52s%8.1f ns", what, nanoseconds);
    else if (nanoseconds < 1e6)
        printf("  %-52s%8.2f us", what, nanoseconds / 1e3);
    else
        printf("  %-52s%8.2f ms", what, nanoseconds / 1e6);
}

static void print_sides(size_t count, const struct side *sides, double times[][MOST], size_t rounds)
{
    static double copy[MOST];
    for (size_t i = 0; i < count; i++) {
        memcpy(copy, times[i], rounds * sizeof *copy);
        print_line(sides[i].what, quartile(2, copy, rounds));
        for (size_t round = 0; round < rounds; round++)
            copy[round] = times[0][round] / times[i][round];
        if (i > 0)
            printf("%9.2f x  (%.2f .. %.2f)", quartile(2, copy, rounds), quartile(1, copy, rounds),
                   quartile(3, copy, rounds));
        putchar('\n');
    }
}

void compare_sides(const char *title, size_t count, const struct side *sides)
{
    static double times[SIDES][MOST];
    unsigned batch[SIDES];
    double round = 0;
    for (size_t i = 0; i < count; i++)
        batch[i] = calibrate(&sides[i], &round);
    size_t rounds = (size_t)(BUDGET / round);
    rounds = rounds < LEAST ? LEAST : rounds > MOST ? MOST : rounds;
    for (size_t i = 0; i < rounds * count; i++) {
        /* Every other round goes the other way: nobody always finds the caches that the same other left behind. */
        size_t side = i / count % 2 ? count - 1 - i % count : i % count;
        times[side][i / count] = time_batch(&sides[side], batch[side]) / batch[side];
    }
    printf("\n%s\n", title);
    print_sides(count, sides, times, rounds);
    fflush(stdout);
}

void compare_elapsed(const char *title, size_t count, const struct side *sides)
{
    measure_by = CLOCK_MONOTONIC;
    compare_sides(title, count, sides);
    measure_by = CLOCK_THREAD_CPUTIME_ID;
}

void share_a_processor(void)
{
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(succeeded(sched_getcpu()), &one);
    succeeded(sched_setaffinity(0, sizeof one, &one));
}

int succeeded(int result)
{
    if (result >= 0)
        return result;
    perror("benchmark");
    exit(1);
}
