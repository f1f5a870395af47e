/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The line protocol of an agent (see ../README.md), for the agents written in C. */
#ifndef INTEROP_PROTOCOL_H
#define INTEROP_PROTOCOL_H

#include <stddef.h>

/* One request: a verb and its key=value pairs. */
struct request {
    const char *verb;
    int count;
    const char *pairs[24];
};

/* A verb and what performs it; a table of them ends with {NULL, NULL}.
 * The function answers with exactly one of the functions below and returns what that returned. */
struct verb {
    const char *name;
    int (*perform)(const struct request *);
};

/* Runs the verb on argv once, or, without one, each line of standard input; returns the exit
 * status. `rooms` is a list of tables that ends with NULL. */
int serve(int argc, char **argv, const struct verb *const *rooms);

/* Says that this verb is about to wait for another process. */
void waiting(void);

/* The value of `key`, or NULL. */
const char *text(const struct request *, const char *key);
/* The value of `key` as a number (0x and 0 prefixes work), or `otherwise`. */
size_t number(const struct request *, const char *key, size_t otherwise);
/* The value of `key`, hexadecimal digits, as bytes in a buffer of the protocol's own; *size says
 * how many. */
const unsigned char *bytes(const struct request *, const char *key, size_t *size);

int answer(const char *format, ...) __attribute__((format(printf, 1, 2)));
int answer_bytes(const void *data, size_t size);
/* ERR and the name of errno; exit status 3 for EAGAIN, else 1. */
int answer_error(const char *errno_name);

/* Whether the memory is nothing but `block`, repeated; and what makes it so. */
int is_filled(const unsigned char *memory, size_t size, const unsigned char *block, size_t length);
void fill(unsigned char *memory, size_t size, const unsigned char *block, size_t length);
/* Prints, without a newline, who found which first bytes, and whether all of the memory repeats the
 * block. */
void found(const char *who, const unsigned char *memory, size_t size, const unsigned char *block,
           size_t length);

#endif
