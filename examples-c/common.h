/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * What the examples share: the record, pauses that can be shortened, the way out after an error.
 */
#ifndef EXAMPLES_COMMON_H
#define EXAMPLES_COMMON_H

#define _POSIX_C_SOURCE 200809L /* nanosleep, fork */

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unipc.h>

/* The record on which the programs of all languages agree. */
struct people {
    char name[4];
    int age;
};

/* The record number i of the experiments: b 20, c 21, d 22 ... */
static inline struct people people_number(size_t i)
{
    return (struct people){{(char)('b' + i)}, 20 + (int)i};
}

/* Ends the program when a call of unipc has failed: the error in words, exit status 1. */
static inline void check(int result)
{
    if (result >= 0)
        return;
    fprintf(stderr, "%s\n", unipc_last_error());
    exit(1);
}

static inline void usage(int wrong, const char *line)
{
    if (!wrong)
        return;
    fprintf(stderr, "usage: %s\n", line);
    exit(1);
}

/* "file:PATH", the name of a mapped file. */
static inline const char *file_name(const char *path)
{
    static char name[4096];
    int length = snprintf(name, sizeof name, "file:%s", path);
    usage((size_t)length >= sizeof name, "a path of less than 4091 bytes");
    return name;
}

static inline void sleep_for(double seconds)
{
    time_t whole = (time_t)seconds;
    struct timespec rest = {whole, (long)((seconds - (double)whole) * 1e9)};
    while (nanosleep(&rest, &rest) != 0 && errno == EINTR)
        ;
}

/* Sleeps so many seconds, times the environment variable UNIPC_PAUSE_SCALE. */
static inline void pause_for(double seconds)
{
    const char *scale = getenv("UNIPC_PAUSE_SCALE");
    sleep_for(scale ? seconds * atof(scale) : seconds);
}

/* Waits until the integer at offset is at least value, but not for ever: the peer may have died. */
static inline int wait_for(const unipc_shm *shm, size_t offset, uint32_t value)
{
    uint32_t now;
    for (time_t deadline = time(NULL) + 60; time(NULL) < deadline; sleep_for(0.001)) {
        check(unipc_shm_load_u32(shm, offset, &now));
        if (now >= value)
            return 0;
    }
    fprintf(stderr, "the other side did not answer within 60 s\n");
    return -1;
}

#endif
