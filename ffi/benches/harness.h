/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * A small harness: the sides of a comparison take turns in short batches, and what counts is the median of the
 * ratios of neighbours, in time of the processor. So a machine that is busy with other things, or changes its
 * clock, slows all sides alike.
 */
#ifndef UNIPC_BENCH_HARNESS_H
#define UNIPC_BENCH_HARNESS_H

#include <stddef.h>

#define HUGE_PAGE ((size_t)2 << 20)

/* One of the things that are compared: what it is called, and a function that does it `count` times. */
struct side {
    const char *what;
    void (*run)(unsigned count);
};

/* Defines such a function. */
#define SIDE(function, statement)                                                                  \
    static void function(unsigned count)                                                           \
    {                                                                                              \
        while (count-- > 0) {                                                                      \
            statement;                                                                             \
        }                                                                                          \
    }

/* Times the sides, of which the first is ours, and prints how long each takes and how ours stands to the others. */
void compare_sides(const char *title, size_t count, const struct side *sides);
#define COMPARE(title, ...)                                                                        \
    compare_sides(title, sizeof((struct side[]){__VA_ARGS__}) / sizeof(struct side),               \
                  (struct side[]){__VA_ARGS__})

/* The same in the time that passes, where others work for the sides. */
void compare_elapsed(const char *title, size_t count, const struct side *sides);
#define COMPARE_ELAPSED(title, ...)                                                                \
    compare_elapsed(title, sizeof((struct side[]){__VA_ARGS__}) / sizeof(struct side),             \
                    (struct side[]){__VA_ARGS__})

/* The head of a benchmark: the facts of the machine without which a measurement means nothing. */
void print_head(const char *version);

/*
 * From now on this process and those that it starts run on one processor: what it takes to wake somebody on another one
 * differs from run to run, and from one side to the next.
 */
void share_a_processor(void);

/* How many huge pages can be had. */
size_t free_huge_pages(void);

/* Ends the program unless the call succeeded; gives its value. */
int succeeded(int result);

#endif
