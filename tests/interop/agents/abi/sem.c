/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Semaphores by the library: the same verbs as in ../plain/sem.c. */
#define _GNU_SOURCE
#include "abi.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sem.h>
#include <unipc.h>

enum { MOST = 64 };

/* What this process has open: a semaphore, another handle on it whose holdings the kernel undoes,
 * the memory that it lies in, and a set. */
static unipc_sem *sem, *undone;
static unipc_shm *memory;
static unipc_semset *set;

static int failed(ssize_t result)
{
    return answer_error(unipc_errname((int)result));
}

static int done(int result, const char *word)
{
    return result < 0 ? failed(result) : answer("%s", word);
}

static int opened(int result)
{
    if (result < 0)
        return failed(result);
    return answer("id=%d", unipc_sem_id(sem));
}

static int create(const struct request *request)
{
    unsigned value = (unsigned)number(request, "value", 0);
    unipc_sem_opts opts = UNIPC_SEM_OPTS(.mode = (uint32_t)number(request, "mode", 0600));
    return opened(unipc_sem_create(&sem, text(request, "name"), value, 0, &opts));
}

static int open_semaphore(const struct request *request)
{
    unipc_sem_opts opts = UNIPC_SEM_OPTS(.index = (uint32_t)number(request, "index", 0));
    return opened(unipc_sem_open(&sem, text(request, "name"), 0, &opts));
}

static int place(const struct request *request)
{
    unsigned value = (unsigned)number(request, "value", 0);
    int result = unipc_shm_open(&memory, text(request, "memory"), 0, NULL);
    if (result == 0)
        result = unipc_sem_create_at(&sem, memory, number(request, "at", 0), value, 0);
    return opened(result);
}

static int find(const struct request *request)
{
    int result = unipc_shm_open(&memory, text(request, "memory"), 0, NULL);
    if (result == 0)
        result = unipc_sem_open_at(&sem, memory, number(request, "at", 0), 0);
    return opened(result);
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

static int acquire(const struct request *request)
{
    return done(unipc_sem_acquire(sem, limit(request)), "taken");
}

static int hold(const struct request *request)
{
    int result = unipc_sem_open(&undone, unipc_sem_name(sem), UNIPC_SEM_UNDO, NULL);
    return done(result < 0 ? result : unipc_sem_acquire(undone, limit(request)), "taken");
}

static int release(const struct request *request)
{
    (void)request;
    return done(unipc_sem_release(sem), "given");
}

static int value(const struct request *request)
{
    unsigned now;
    int result = unipc_sem_value(sem, &now);
    (void)request;
    return result < 0 ? failed(result) : answer("%u", now);
}

static int close_semaphore(const struct request *request)
{
    (void)request;
    unipc_sem_close(undone);
    unipc_sem_close(sem);
    unipc_shm_close(memory);
    sem = undone = NULL;
    memory = NULL;
    return answer("closed");
}

static int remove_semaphore(const struct request *request)
{
    const char *name = text(request, "name");
    return done(name ? unipc_sem_unlink(name) : unipc_sem_remove(sem), "removed");
}

static size_t numbers(const char *words, uint16_t *values)
{
    size_t count = 0;
    for (char *end; words && *words && count < MOST; words = *end ? end + 1 : end)
        values[count++] = (uint16_t)strtoul(words, &end, 10);
    return count;
}

static int make(const struct request *request)
{
    uint16_t values[MOST];
    size_t count = numbers(text(request, "values"), values);
    unipc_sem_opts opts = UNIPC_SEM_OPTS(.mode = (uint32_t)number(request, "mode", 0600));
    int result = unipc_semset_create(&set, text(request, "name"), values, count, 0, &opts);
    return result < 0 ? failed(result) : answer("id=%d", unipc_semset_id(set));
}

static int get_set(const struct request *request)
{
    int result = unipc_semset_open(&set, text(request, "name"), 0, NULL);
    return result < 0 ? failed(result) : answer("id=%d", unipc_semset_id(set));
}

/* ops=0:-1,2:+2u,1:0n: index, delta, u for SEM_UNDO, n for IPC_NOWAIT. */
static int operate(const struct request *request)
{
    struct sembuf operations[MOST];
    size_t count = 0;
    const char *words = text(request, "ops");
    while (words && *words && count < MOST) {
        struct sembuf *one = &operations[count++];
        char *end;
        one->sem_num = (unsigned short)strtoul(words, &end, 10);
        one->sem_op = (short)strtol(end + 1, &end, 10);
        one->sem_flg = 0;
        for (; *end && *end != ','; end++)
            one->sem_flg = (short)(one->sem_flg | (*end == 'u' ? SEM_UNDO : IPC_NOWAIT));
        words = *end ? end + 1 : end;
    }
    return done(unipc_semset_operate(set, operations, count, limit(request)), "done");
}

static int values(const struct request *request)
{
    uint16_t all[MOST];
    ssize_t count = unipc_semset_values(set, all, MOST);
    (void)request;
    if (count < 0)
        return failed(count);
    fputs("OK ", stdout);
    for (ssize_t i = 0; i < count; i++)
        printf("%s%u", i ? "," : "", all[i]);
    putchar('\n');
    fflush(stdout);
    return 0;
}

static int put(const struct request *request)
{
    uint16_t all[MOST];
    size_t count = numbers(text(request, "values"), all);
    return done(unipc_semset_set_values(set, all, count), "put");
}

static int info(const struct request *request)
{
    unipc_sem_information it;
    int result = unipc_semset_info(set, (uint16_t)number(request, "index", 0), &it);
    if (result < 0)
        return failed(result);
    return answer("value=%u pid=%d ncount=%u zcount=%u", it.value, it.last_pid, it.waiting_increase,
                  it.waiting_zero);
}

/* All that a status tells, as the words that the runner compares with the tools. */
static void describe(const unipc_semset_status *s)
{
    printf("key=0x%08x id=%d mode=%o uid=%u gid=%u cuid=%u cgid=%u nsems=%ju otime=%jd ctime=%jd",
           (unsigned)s->key, s->id, s->mode, s->uid, s->gid, s->cuid, s->cgid, (uintmax_t)s->count,
           (intmax_t)s->operation_time, (intmax_t)s->change_time);
}

static int stat_set(const struct request *request)
{
    unipc_semset_status status;
    int result = unipc_semset_stat(set, &status);
    (void)request;
    if (result < 0)
        return failed(result);
    fputs("OK ", stdout);
    describe(&status);
    putchar('\n');
    fflush(stdout);
    return 0;
}

static int change(const struct request *request)
{
    uint32_t mode = (uint32_t)number(request, "mode", UINT32_MAX);
    return done(unipc_semset_set(set, UINT32_MAX, UINT32_MAX, mode), "set");
}

static int list(const struct request *request)
{
    static unipc_semset_status rows[MOST];
    ssize_t count = unipc_semset_list(rows, MOST);
    (void)request;
    if (count < 0 || count > MOST)
        return count < 0 ? failed(count) : answer_error("E2BIG");
    fputs("OK ", stdout);
    for (ssize_t i = 0; i < count; i++) {
        fputs(i ? ";" : "", stdout);
        describe(&rows[i]);
    }
    putchar('\n');
    fflush(stdout);
    return 0;
}

static int limits(const struct request *request)
{
    unipc_sem_limit_values l;
    int result = unipc_sem_limits(&l);
    (void)request;
    if (result < 0)
        return failed(result);
    return answer("semmsl=%ju semmns=%ju semopm=%ju semmni=%ju semvmx=%ju", (uintmax_t)l.semmsl,
                  (uintmax_t)l.semmns, (uintmax_t)l.semopm, (uintmax_t)l.semmni,
                  (uintmax_t)l.semvmx);
}

static int unmake(const struct request *request)
{
    const char *name = text(request, "name");
    return done(name ? unipc_sem_unlink(name) : unipc_semset_remove(set), "removed");
}

static int leave(const struct request *request)
{
    (void)request;
    unipc_semset_close(set);
    set = NULL;
    return answer("closed");
}

const struct verb sem_verbs[] = {
    {"sem.create", create},
    {"sem.open", open_semaphore},
    {"sem.place", place},
    {"sem.find", find},
    {"sem.acquire", acquire},
    {"sem.hold", hold},
    {"sem.release", release},
    {"sem.value", value},
    {"sem.close", close_semaphore},
    {"sem.remove", remove_semaphore},
    {"sem.make", make},
    {"sem.get", get_set},
    {"sem.operate", operate},
    {"sem.values", values},
    {"sem.put", put},
    {"sem.info", info},
    {"sem.stat", stat_set},
    {"sem.set", change},
    {"sem.list", list},
    {"sem.limits", limits},
    {"sem.unmake", unmake},
    {"sem.leave", leave},
    {NULL, NULL},
};
