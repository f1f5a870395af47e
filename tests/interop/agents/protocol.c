/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#define _GNU_SOURCE
#include "protocol.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int perform(const struct request *request, const struct verb *const *rooms)
{
    for (; *rooms; rooms++)
        for (const struct verb *verb = *rooms; verb->name; verb++)
            if (strcmp(verb->name, request->verb) == 0)
                return verb->perform(request);
    return answer_error("ENOSYS");
}

static void add_pair(struct request *request, const char *pair)
{
    if (request->count < (int)(sizeof request->pairs / sizeof *request->pairs))
        request->pairs[request->count++] = pair;
}

int serve(int argc, char **argv, const struct verb *const *rooms)
{
    printf("READY\n");
    fflush(stdout);
    if (argc > 1) {
        struct request request = {.verb = argv[1]};
        for (int i = 2; i < argc; i++)
            add_pair(&request, argv[i]);
        return perform(&request, rooms);
    }
    char *line = NULL;
    size_t room = 0;
    while (getline(&line, &room, stdin) > 0) {
        line[strcspn(line, "\n")] = 0;
        char *rest = NULL;
        struct request request = {.verb = strtok_r(line, "\t", &rest)};
        if (!request.verb)
            continue;
        for (char *pair; (pair = strtok_r(NULL, "\t", &rest));)
            add_pair(&request, pair);
        perform(&request, rooms);
    }
    free(line);
    return 0;
}

void waiting(void)
{
    printf("WAIT\n");
    fflush(stdout);
}

const char *text(const struct request *request, const char *key)
{
    size_t length = strlen(key);
    for (int i = 0; i < request->count; i++)
        if (strncmp(request->pairs[i], key, length) == 0 && request->pairs[i][length] == '=')
            return request->pairs[i] + length + 1;
    return NULL;
}

size_t number(const struct request *request, const char *key, size_t otherwise)
{
    const char *value = text(request, key);
    return value ? strtoull(value, NULL, 0) : otherwise;
}

const unsigned char *bytes(const struct request *request, const char *key, size_t *size)
{
    static unsigned char buffers[2][1 << 16]; /* a verb may take two of them */
    static int turn;
    unsigned char *buffer = buffers[turn ^= 1];
    const char *digits = text(request, key);
    *size = 0;
    for (; digits && digits[0] && digits[1] && *size < sizeof buffers[0]; digits += 2) {
        const char pair[3] = {digits[0], digits[1], 0};
        buffer[(*size)++] = (unsigned char)strtoul(pair, NULL, 16);
    }
    return buffer;
}

int answer(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fputs("OK ", stdout);
    vprintf(format, arguments);
    va_end(arguments);
    putchar('\n');
    fflush(stdout);
    return 0;
}

static void print_bytes(const unsigned char *data, size_t size)
{
    for (size_t i = 0; i < size; i++)
        printf("%02x", data[i]);
}

int answer_bytes(const void *data, size_t size)
{
    fputs("OK ", stdout);
    print_bytes(data, size);
    putchar('\n');
    fflush(stdout);
    return 0;
}

int answer_error(const char *errno_name)
{
    printf("ERR %s\n", errno_name);
    fflush(stdout);
    return strcmp(errno_name, "EAGAIN") == 0 ? 3 : 1;
}

int is_filled(const unsigned char *memory, size_t size, const unsigned char *block, size_t length)
{
    for (size_t at = 0; at < size; at += length)
        if (memcmp(memory + at, block, size - at < length ? size - at : length) != 0)
            return 0;
    return 1;
}

void fill(unsigned char *memory, size_t size, const unsigned char *block, size_t length)
{
    for (size_t at = 0; at < size; at += length)
        memcpy(memory + at, block, size - at < length ? size - at : length);
}

void found(const char *who, const unsigned char *memory, size_t size, const unsigned char *block,
           size_t length)
{
    printf("%s ", who);
    print_bytes(memory, size < length ? size : length);
    fputs(is_filled(memory, size, block, length) ? " same" : " different", stdout);
    fflush(stdout);
}
