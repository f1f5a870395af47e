/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Locks in shared memory by the library: the same verbs as in ../plain/sync.c, and form=robust. */
#include "abi.h"

#include <stdint.h>
#include <string.h>
#include <unipc.h>

enum { COND_AT = 1024, RWLOCK_AT = 2048, COUNT_AT = 3072 };

static unipc_shm *memory;
static unipc_mutex *mutex;
static unipc_condvar *cond;
static unipc_rwlock *rwlock;
static volatile uint32_t *counter;

static int done(int result, const char *word)
{
    if (result == UNIPC_OWNER_DIED)
        return answer("owner died");
    return result < 0 ? answer_error(unipc_errname(result)) : answer("%s", word);
}

static int place(const struct request *request)
{
    const char *form = text(request, "form");
    int how = number(request, "make", 0) ? UNIPC_SYNC_CREATE : UNIPC_SYNC_OPEN;
    unipc_sync_opts opts = UNIPC_SYNC_OPTS_INIT;
    opts.form = form && strcmp(form, "robust") == 0 ? UNIPC_SYNC_ROBUST : UNIPC_SYNC_PTHREAD;
    int result = unipc_shm_open(&memory, text(request, "memory"), 0, NULL);
    if (result >= 0)
        result = unipc_mutex_open(&mutex, memory, 0, how, &opts);
    if (result >= 0)
        result = unipc_condvar_open(&cond, memory, COND_AT, how, &opts);
    if (opts.form == UNIPC_SYNC_ROBUST)
        opts.max = 8;
    if (result >= 0)
        result = unipc_rwlock_open(&rwlock, memory, RWLOCK_AT, how, &opts);
    if (result >= 0)
        counter = unipc_shm_at(memory, COUNT_AT, sizeof *counter);
    return done(result, "placed");
}

/* `timeout` is in milliseconds; without it the call waits for ever. All but a try say WAIT. */
static const struct timespec *limit(const struct request *request)
{
    static struct timespec limit;
    size_t ms = number(request, "timeout", 0);
    if (!text(request, "timeout")) {
        waiting();
        return NULL;
    }
    if (ms > 0)
        waiting();
    limit = (struct timespec){(time_t)(ms / 1000), (long)(ms % 1000) * 1000000};
    return &limit;
}

static int lock(const struct request *request)
{
    return done(unipc_mutex_lock(mutex, limit(request)), "locked");
}

static int unlock(const struct request *request)
{
    (void)request;
    return done(unipc_mutex_unlock(mutex), "unlocked");
}

static int recovered(const struct request *request)
{
    (void)request;
    return done(unipc_mutex_recovered(mutex), "recovered");
}

static int add(const struct request *request)
{
    for (size_t i = number(request, "rounds", 0); i > 0; i--) {
        int result = unipc_mutex_lock(mutex, NULL);
        if (result)
            return done(result, "");
        *counter = *counter + 1;
        unipc_mutex_unlock(mutex);
    }
    return answer("added");
}

/* Waits until the counter is `idle` no more, changes it by `step`, and tells; so many times. */
static int turns(const struct request *request, int idle, uint32_t step, const char *word)
{
    int result = unipc_mutex_lock(mutex, NULL);
    for (size_t rounds = number(request, "rounds", 1); result >= 0 && rounds > 0; rounds--) {
        while (result >= 0 && (*counter > 0) == idle)
            result = unipc_condvar_wait(cond, mutex, NULL);
        *counter = *counter + step;
        unipc_condvar_notify_all(cond);
    }
    if (result >= 0)
        result = unipc_mutex_unlock(mutex);
    return done(result, word);
}

static int await(const struct request *request)
{
    waiting();
    return turns(request, 0, UINT32_MAX, "woken");
}

static int signal_(const struct request *request)
{
    return turns(request, 1, 1, "signalled");
}

static int read_(const struct request *request)
{
    return done(unipc_rwlock_read(rwlock, limit(request)), "held");
}

static int write_(const struct request *request)
{
    return done(unipc_rwlock_write(rwlock, limit(request)), "held");
}

static int leave(const struct request *request)
{
    (void)request;
    return done(unipc_rwlock_unlock(rwlock), "left");
}

static int overwrite(const struct request *request)
{
    for (size_t i = number(request, "rounds", 0); i > 0; i--) {
        int result = unipc_rwlock_write(rwlock, NULL);
        if (result)
            return done(result, "");
        *counter = *counter + 1;
        unipc_rwlock_unlock(rwlock);
    }
    return answer("added");
}

static int count(const struct request *request)
{
    (void)request;
    return answer("%u", (unsigned)*counter);
}

const struct verb sync_verbs[] = {
    {"sync.place", place},
    {"sync.lock", lock},
    {"sync.unlock", unlock},
    {"sync.recovered", recovered},
    {"sync.add", add},
    {"sync.wait", await},
    {"sync.signal", signal_},
    {"sync.read", read_},
    {"sync.write", write_},
    {"sync.leave", leave},
    {"sync.overwrite", overwrite},
    {"sync.count", count},
    {NULL, NULL},
};
