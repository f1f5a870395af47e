/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Semaphores by libc alone: sem_open, sem_init and sem_wait; semget, semop and semctl. */
#define _GNU_SOURCE
#include "plain.h"

#include <errno.h>
#include <fcntl.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/sem.h>
#include <time.h>
#include <unistd.h>

enum { MOST = 64 };

/* POSIX demands that each program defines it. */
union semun {
    int val;
    struct semid_ds *buf;
    unsigned short *array;
    struct seminfo *info;
};

/* The one semaphore that this process has open: POSIX, or one of a set. */
static struct {
    sem_t *posix;
    int id;
    unsigned short index;
} sem = {NULL, -1, 0};

/* The one set that this process has open. */
static int set = -1;

static int failed(void)
{
    return answer_error(strerrorname_np(errno));
}

static int done(int result, const char *word)
{
    return result < 0 ? failed() : answer("%s", word);
}

/* sysv:0xKEY, sysv:private or sysv:PATH,PROJ; -1 with errno set when the path does not exist. */
static key_t key_of(const char *name)
{
    const char *place = name + strlen("sysv:"), *comma = strrchr(place, ',');
    char path[4096];
    if (strcmp(place, "private") == 0)
        return IPC_PRIVATE;
    if (!comma)
        return (key_t)strtoul(place, NULL, 0);
    snprintf(path, sizeof path, "%.*s", (int)(comma - place), place);
    return ftok(path, atoi(comma + 1));
}

static int get(const char *name)
{
    if (strncmp(name, "sysv:id=", 8) == 0)
        return atoi(name + 8);
    return semget(key_of(name), 0, 0);
}

static size_t numbers(const char *words, unsigned short *values)
{
    size_t count = 0;
    for (char *end; words && *words && count < MOST; words = *end ? end + 1 : end)
        values[count++] = (unsigned short)strtoul(words, &end, 10);
    return count;
}

/* As textbooks make a set: create it, set its values, then operate on it once. */
static int make_set(const char *name, const unsigned short *values, size_t count, int mode)
{
    unsigned short copy[MOST];
    struct sembuf touch[] = {{0, 1, 0}, {0, -1, 0}};
    int id = semget(key_of(name), (int)count, IPC_CREAT | IPC_EXCL | mode);
    memcpy(copy, values, count * sizeof *values);
    if (id < 0 || semctl(id, 0, SETALL, (union semun){.array = copy}) < 0)
        return -1;
    return semop(id, touch, 2) < 0 ? -1 : id;
}

static int opened(void)
{
    if (!sem.posix && sem.id < 0)
        return failed();
    return answer("id=%d", sem.id);
}

static int create(const struct request *request)
{
    const char *name = text(request, "name");
    unsigned short value = (unsigned short)number(request, "value", 0);
    mode_t mode = (mode_t)number(request, "mode", 0600);
    sem.posix = NULL;
    sem.index = 0;
    if (strncmp(name, "sysv:", 5) == 0) {
        sem.id = make_set(name, &value, 1, (int)mode);
    } else {
        sem_t *made = sem_open(name, O_CREAT | O_EXCL, mode, (unsigned)value);
        sem.id = -1;
        sem.posix = made == SEM_FAILED ? NULL : made;
    }
    return opened();
}

static int open_semaphore(const struct request *request)
{
    const char *name = text(request, "name");
    sem.posix = NULL;
    sem.index = (unsigned short)number(request, "index", 0);
    if (strncmp(name, "sysv:", 5) == 0) {
        sem.id = get(name);
    } else {
        sem_t *found = sem_open(name, 0);
        sem.id = -1;
        sem.posix = found == SEM_FAILED ? NULL : found;
    }
    return opened();
}

/* The semaphore at byte `at` of the POSIX memory `memory`, which has 4096 bytes. */
static sem_t *in_memory(const struct request *request)
{
    int fd = shm_open(text(request, "memory"), O_RDWR, 0);
    unsigned char *start;
    if (fd < 0)
        return NULL;
    start = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    return start == MAP_FAILED ? NULL : (void *)(start + number(request, "at", 0));
}

static int place(const struct request *request)
{
    sem.id = -1;
    sem.posix = in_memory(request);
    if (sem.posix && sem_init(sem.posix, 1, (unsigned)number(request, "value", 0)) < 0)
        sem.posix = NULL;
    return opened();
}

static int find(const struct request *request)
{
    sem.id = -1;
    sem.posix = in_memory(request);
    return opened();
}

/* `timeout` is in milliseconds; without it the call waits for ever. All but a try say WAIT. */
static int with_limit(const struct request *request, struct timespec *limit)
{
    size_t ms = number(request, "timeout", 0);
    *limit = (struct timespec){(time_t)(ms / 1000), (long)(ms % 1000) * 1000000};
    if (!text(request, "timeout") || ms > 0)
        waiting();
    return text(request, "timeout") != NULL;
}

/* semtimedop says EAGAIN for the end of the time, too. */
static int operate_on(int id, struct sembuf *operations, size_t count,
                      const struct request *request)
{
    struct timespec limit;
    int limited = with_limit(request, &limit);
    int result = semtimedop(id, operations, count, limited ? &limit : NULL);
    if (result < 0 && errno == EAGAIN && limited && number(request, "timeout", 0) > 0)
        errno = ETIMEDOUT;
    return result;
}

static int take(const struct request *request, short flags)
{
    struct sembuf one = {sem.index, -1, flags};
    struct timespec limit, now;
    if (!sem.posix)
        return done(operate_on(sem.id, &one, 1, request), "taken");
    if (!with_limit(request, &limit))
        return done(sem_wait(sem.posix), "taken");
    if (number(request, "timeout", 0) == 0)
        return done(sem_trywait(sem.posix), "taken");
    clock_gettime(CLOCK_REALTIME, &now);
    limit.tv_sec += now.tv_sec + (now.tv_nsec + limit.tv_nsec) / 1000000000;
    limit.tv_nsec = (now.tv_nsec + limit.tv_nsec) % 1000000000;
    return done(sem_timedwait(sem.posix, &limit), "taken");
}

static int acquire(const struct request *request)
{
    return take(request, 0);
}

static int hold(const struct request *request)
{
    return take(request, SEM_UNDO);
}

static int release(const struct request *request)
{
    struct sembuf one = {sem.index, 1, 0};
    (void)request;
    return done(sem.posix ? sem_post(sem.posix) : semop(sem.id, &one, 1), "given");
}

static int value(const struct request *request)
{
    int now = -1;
    (void)request;
    if (sem.posix && sem_getvalue(sem.posix, &now) < 0)
        return failed();
    if (!sem.posix)
        now = semctl(sem.id, sem.index, GETVAL);
    return now < 0 ? failed() : answer("%d", now);
}

static int close_semaphore(const struct request *request)
{
    (void)request;
    sem.posix = NULL; /* the mapping goes with the process */
    sem.id = -1;
    return answer("closed");
}

static int remove_semaphore(const struct request *request)
{
    const char *name = text(request, "name");
    if (strncmp(name, "sysv:", 5) == 0)
        return done(semctl(get(name), 0, IPC_RMID), "removed");
    return done(sem_unlink(name), "removed");
}

static int make(const struct request *request)
{
    unsigned short values[MOST];
    size_t count = numbers(text(request, "values"), values);
    set = make_set(text(request, "name"), values, count, (int)number(request, "mode", 0600));
    return set < 0 ? failed() : answer("id=%d", set);
}

static int get_set(const struct request *request)
{
    struct semid_ds status;
    set = get(text(request, "name"));
    if (set < 0 || semctl(set, 0, IPC_STAT, (union semun){.buf = &status}) < 0)
        return failed();
    return answer("id=%d", set);
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
    return done(operate_on(set, operations, count, request), "done");
}

static int values(const struct request *request)
{
    unsigned short all[MOST];
    struct semid_ds status;
    (void)request;
    if (semctl(set, 0, IPC_STAT, (union semun){.buf = &status}) < 0 ||
        semctl(set, 0, GETALL, (union semun){.array = all}) < 0)
        return failed();
    fputs("OK ", stdout);
    for (size_t i = 0; i < status.sem_nsems; i++)
        printf("%s%u", i ? "," : "", all[i]);
    putchar('\n');
    fflush(stdout);
    return 0;
}

static int put(const struct request *request)
{
    unsigned short all[MOST];
    numbers(text(request, "values"), all);
    return done(semctl(set, 0, SETALL, (union semun){.array = all}), "put");
}

static int info(const struct request *request)
{
    int index = (int)number(request, "index", 0);
    int now = semctl(set, index, GETVAL);
    if (now < 0)
        return failed();
    return answer("value=%d pid=%d ncount=%d zcount=%d", now, semctl(set, index, GETPID),
                  semctl(set, index, GETNCNT), semctl(set, index, GETZCNT));
}

static int unmake(const struct request *request)
{
    const char *name = text(request, "name");
    return done(semctl(name ? get(name) : set, 0, IPC_RMID), "removed");
}

static int leave(const struct request *request)
{
    (void)request;
    set = -1;
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
    {"sem.unmake", unmake},
    {"sem.leave", leave},
    {NULL, NULL},
};
