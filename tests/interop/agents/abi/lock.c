/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* File locks by the library: the same verbs as in ../plain/lock.c, and time limits. */
#include "abi.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unipc.h>

/* The one file that this process has open for locking. */
static unipc_lock *lock;

static int failed(int result)
{
    return answer_error(unipc_errname(result));
}

static int open_lock(const struct request *request)
{
    const char *word = text(request, "kind");
    unipc_lock_opts opts = UNIPC_LOCK_OPTS_INIT;
    char name[4096];
    opts.kind = strcmp(word, "ofd") == 0     ? UNIPC_LOCK_OFD
                : strcmp(word, "posix") == 0 ? UNIPC_LOCK_POSIX
                                             : UNIPC_LOCK_FLOCK;
    snprintf(name, sizeof name, "file:%s", text(request, "path"));
    int result = unipc_lock_open_or_create(&lock, name, 0, &opts);
    return result < 0 ? failed(result) : answer("opened");
}

static unsigned sharing(const struct request *request)
{
    return strcmp(text(request, "sharing"), "shared") == 0 ? UNIPC_LOCK_SHARED
                                                           : UNIPC_LOCK_EXCLUSIVE;
}

static int acquire(const struct request *request)
{
    size_t milliseconds = number(request, "timeout", 0);
    struct timespec limit = {(time_t)(milliseconds / 1000), (long)(milliseconds % 1000) * 1000000};
    int forever = number(request, "wait", 0) && !milliseconds;
    if (number(request, "wait", 0))
        waiting();
    int result = unipc_lock_acquire(lock, sharing(request), number(request, "start", 0),
                                    number(request, "length", 0), forever ? NULL : &limit);
    return result < 0 ? failed(result) : answer("locked");
}

static int release(const struct request *request)
{
    int result =
        unipc_lock_release(lock, number(request, "start", 0), number(request, "length", 0));
    return result < 0 ? failed(result) : answer("unlocked");
}

static int holder(const struct request *request)
{
    static const char *const kinds[] = {"?", "ofd", "posix", "flock"};
    unipc_lock_holder_info found;
    int result = unipc_lock_holder(lock, sharing(request), number(request, "start", 0),
                                   number(request, "length", 0), &found);
    if (result < 0)
        return failed(result);
    if (result == 0)
        return answer("nobody");
    return answer("pid=%d kind=%s sharing=%s start=%llu length=%llu", (int)found.pid,
                  kinds[found.kind & 3],
                  found.sharing == UNIPC_LOCK_SHARED ? "shared" : "exclusive",
                  (unsigned long long)found.start, (unsigned long long)found.length);
}

/* What any other code of the process might do: look into the file. */
static int touch(const struct request *request)
{
    FILE *other = fopen(text(request, "path"), "r");
    return !other || fclose(other) != 0 ? failed(-errno) : answer("touched");
}

static int close_lock(const struct request *request)
{
    (void)request;
    unipc_lock_close(lock);
    return answer("closed");
}

const struct verb lock_verbs[] = {
    {"lock.open", open_lock},
    {"lock.acquire", acquire},
    {"lock.release", release},
    {"lock.holder", holder},
    {"lock.touch", touch},
    {"lock.close", close_lock},
    {NULL, NULL},
};
