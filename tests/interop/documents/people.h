/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What the documents' programs share: the record, its values, and pauses that a test can shorten.
 */
#ifndef PEOPLE_H
#define PEOPLE_H

#define _GNU_SOURCE /* MAP_ANONYMOUS, nanosleep and the like, also with -std=c11 */

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct people {
    char name[4];
    int age;
};

/* The record at place i: b 20, c 21, ... */
static inline char name_of(int i)
{
    return (char)('b' + i);
}

static inline int age_of(int i)
{
    return 20 + i;
}

/* Sleeps; UNIPC_PAUSE_SCALE multiplies the time. */
static inline void pause_for(double seconds)
{
    const char *scale = getenv("UNIPC_PAUSE_SCALE");
    if (scale)
        seconds *= atof(scale);
    struct timespec time = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};
    nanosleep(&time, NULL);
}

/* Each printf goes out at once, as it does on a terminal. */
static inline void show_at_once(void)
{
    setvbuf(stdout, NULL, _IONBF, 0);
}

#endif
