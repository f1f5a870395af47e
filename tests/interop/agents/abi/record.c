/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Records by the library: arrays and cells, declared to the compiler. */
#include "abi.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unipc.h>

struct people {
    char name[4];
    int age;
};

/* Whole when all words are the same. */
struct wide {
    uint64_t words[8];
};

static unipc_array *array;
static unipc_cell *cell;

static int done(int result, const char *word)
{
    return result < 0 ? answer_error(unipc_errname(result)) : answer("%s", word);
}

static int disposition(const struct request *request)
{
    const char *how = text(request, "how");
    if (strcmp(how, "create") == 0)
        return UNIPC_RECORD_CREATE;
    return strcmp(how, "open") == 0 ? UNIPC_RECORD_OPEN : UNIPC_RECORD_OPEN_OR_CREATE;
}

static int keep_array(const struct request *request)
{
    const char *own = UNIPC_LAYOUT(struct people, name, age), *layout = text(request, "layout");
    unipc_array *opened;
    if (!layout)
        layout = own;
    else if (strcmp(layout, "none") == 0)
        layout = NULL;
    int result = unipc_array_open_named(&opened, text(request, "name"), disposition(request),
                                        layout, number(request, "count", 0), NULL);
    if (result >= 0) {
        unipc_array_close(array);
        array = opened;
    }
    return done(result, "open");
}

static int over(const struct request *request)
{
    unipc_shm *shm;
    int result = unipc_shm_open(&shm, text(request, "name"), 0, NULL);
    if (result >= 0) {
        unipc_array_close(array);
        result = unipc_array_over(&array, shm, 0, UNIPC_LAYOUT(struct people, name, age), 0);
        unipc_shm_close(shm);
    }
    return done(result, "open");
}

static int layout(const struct request *request)
{
    (void)request;
    return answer("count=%zu %s", unipc_array_length(array), unipc_array_layout(array));
}

static int put(const struct request *request)
{
    struct people one = {.age = (int)number(request, "age", 0)};
    strncpy(one.name, text(request, "name"), sizeof one.name - 1);
    return done(unipc_array_set(array, number(request, "index", 0), &one, sizeof one), "put");
}

static int tell(const struct request *request)
{
    struct people one;
    int result = unipc_array_get(array, number(request, "index", 0), &one, sizeof one);
    if (result < 0)
        return done(result, "");
    return answer("name=%.4s age=%d", one.name, one.age);
}

static int ages(const struct request *request)
{
    struct people *people = unipc_array_data(array);
    (void)request;
    for (size_t index = 0; index < unipc_array_length(array); index++)
        people[index].age = (int)index;
    return answer("written");
}

static int sum(const struct request *request)
{
    const struct people *people = unipc_array_data(array);
    long total = 0;
    (void)request;
    for (size_t index = 0; index < unipc_array_length(array); index++)
        total += people[index].age;
    return answer("%ld", total);
}

static int keep_cell(const struct request *request)
{
    return done(unipc_cell_open_named(&cell, text(request, "name"), disposition(request),
                                      UNIPC_LAYOUT(struct wide, words), NULL),
                "open");
}

static int set(uint64_t value)
{
    struct wide wide;
    for (size_t at = 0; at < 8; at++)
        wide.words[at] = value;
    return unipc_cell_write(cell, &wide, sizeof wide, NULL);
}

static int is_whole(const struct wide *wide)
{
    return memcmp(wide->words, wide->words + 1, sizeof wide->words - sizeof *wide->words) == 0;
}

static int write_(const struct request *request)
{
    return done(set(number(request, "value", 0)), "written");
}

static int storm(const struct request *request)
{
    size_t count = number(request, "count", 0);
    int result = 0;
    for (uint64_t value = 1; value <= count && result >= 0; value++)
        result = set(value);
    return done(result, "written");
}

static int read_(const struct request *request)
{
    struct wide wide;
    int result = unipc_cell_read(cell, &wide, sizeof wide, NULL);
    (void)request;
    if (result < 0)
        return done(result, "");
    return answer("value=%llu %s", (unsigned long long)wide.words[0],
                  is_whole(&wide) ? "whole" : "torn");
}

static int watch(const struct request *request)
{
    uint64_t until = number(request, "until", 0), version, last = 0;
    struct wide wide;
    do {
        int result = unipc_cell_read(cell, &wide, sizeof wide, &version);
        if (result < 0)
            return done(result, "");
        if (!is_whole(&wide) || version < last)
            return answer("torn");
        last = version;
    } while (wide.words[0] != until);
    return answer("whole");
}

static int unlink_(const struct request *request)
{
    return done(unipc_shm_unlink(text(request, "name")), "removed");
}

const struct verb record_verbs[] = {
    {"record.array", keep_array}, {"record.over", over},
    {"record.layout", layout},    {"record.put", put},
    {"record.tell", tell},        {"record.ages", ages},
    {"record.sum", sum},          {"record.cell", keep_cell},
    {"record.write", write_},     {"record.storm", storm},
    {"record.read", read_},       {"record.watch", watch},
    {"record.unlink", unlink_},   {NULL, NULL},
};
