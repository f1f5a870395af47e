/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Locks in shared memory by libc alone: pthread_mutex_t, pthread_cond_t and pthread_rwlock_t between processes. */
#define _GNU_SOURCE
#include "plain.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { SIZE = 4096, COND_AT = 1024, RWLOCK_AT = 2048, COUNT_AT = 3072 };

static char *memory;

#define MUTEX ((pthread_mutex_t *)memory)
#define COND ((pthread_cond_t *)(memory + COND_AT))
#define RWLOCK ((pthread_rwlock_t *)(memory + RWLOCK_AT))
#define COUNT (*(volatile unsigned *)(memory + COUNT_AT))

static int done(int error, const char *word)
{
    if (error == EOWNERDEAD)
        return answer("owner died");
    return error ? answer_error(strerrorname_np(error)) : answer("%s", word);
}

static int make(void)
{
    pthread_mutexattr_t mutex;
    pthread_condattr_t cond;
    pthread_rwlockattr_t rwlock;
    pthread_mutexattr_init(&mutex);
    pthread_mutexattr_setpshared(&mutex, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setrobust(&mutex, PTHREAD_MUTEX_ROBUST);
    pthread_condattr_init(&cond);
    pthread_condattr_setpshared(&cond, PTHREAD_PROCESS_SHARED);
    pthread_rwlockattr_init(&rwlock);
    pthread_rwlockattr_setpshared(&rwlock, PTHREAD_PROCESS_SHARED);
    return pthread_mutex_init(MUTEX, &mutex) || pthread_cond_init(COND, &cond) ||
           pthread_rwlock_init(RWLOCK, &rwlock);
}

static int place(const struct request *request)
{
    int fd = shm_open(text(request, "memory"), O_RDWR, 0);
    if (fd < 0)
        return answer_error(strerrorname_np(errno));
    memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    return done(number(request, "make", 0) ? make() : 0, "placed");
}

static void milliseconds(size_t ms, struct timespec *moment)
{
    clock_gettime(CLOCK_MONOTONIC, moment);
    moment->tv_sec += (time_t)(ms / 1000);
    moment->tv_nsec += (long)(ms % 1000) * 1000000;
    if (moment->tv_nsec >= 1000000000) {
        moment->tv_sec++;
        moment->tv_nsec -= 1000000000;
    }
}

static int lock(const struct request *request)
{
    struct timespec until;
    if (!text(request, "timeout")) {
        waiting();
        return done(pthread_mutex_lock(MUTEX), "locked");
    }
    size_t ms = number(request, "timeout", 0);
    if (ms == 0) {
        int error = pthread_mutex_trylock(MUTEX);
        return done(error == EBUSY ? EAGAIN : error, "locked");
    }
    waiting();
    milliseconds(ms, &until);
    return done(pthread_mutex_clocklock(MUTEX, CLOCK_MONOTONIC, &until), "locked");
}

static int unlock(const struct request *request)
{
    (void)request;
    return done(pthread_mutex_unlock(MUTEX), "unlocked");
}

static int recovered(const struct request *request)
{
    (void)request;
    return done(pthread_mutex_consistent(MUTEX), "recovered");
}

static int add(const struct request *request)
{
    for (size_t i = number(request, "rounds", 0); i > 0; i--) {
        if (pthread_mutex_lock(MUTEX))
            return answer_error("EINVAL");
        COUNT = COUNT + 1;
        pthread_mutex_unlock(MUTEX);
    }
    return answer("added");
}

static int await(const struct request *request)
{
    size_t rounds = number(request, "rounds", 1);
    waiting();
    pthread_mutex_lock(MUTEX);
    for (; rounds > 0; rounds--) {
        while (COUNT == 0)
            pthread_cond_wait(COND, MUTEX);
        COUNT = COUNT - 1;
        pthread_cond_broadcast(COND);
    }
    pthread_mutex_unlock(MUTEX);
    return answer("woken");
}

/* Each number is taken by the waiter before the next one comes. */
static int signal_(const struct request *request)
{
    pthread_mutex_lock(MUTEX);
    for (size_t rounds = number(request, "rounds", 1); rounds > 0; rounds--) {
        while (COUNT > 0)
            pthread_cond_wait(COND, MUTEX);
        COUNT = COUNT + 1;
        pthread_cond_broadcast(COND);
    }
    pthread_mutex_unlock(MUTEX);
    return answer("signalled");
}

static int hold(const struct request *request, int exclusive)
{
    int error;
    if (text(request, "timeout")) {
        error = exclusive ? pthread_rwlock_trywrlock(RWLOCK) : pthread_rwlock_tryrdlock(RWLOCK);
        return done(error == EBUSY ? EAGAIN : error, "held");
    }
    waiting();
    error = exclusive ? pthread_rwlock_wrlock(RWLOCK) : pthread_rwlock_rdlock(RWLOCK);
    return done(error, "held");
}

static int read_(const struct request *request)
{
    return hold(request, 0);
}

static int write_(const struct request *request)
{
    return hold(request, 1);
}

static int leave(const struct request *request)
{
    (void)request;
    return done(pthread_rwlock_unlock(RWLOCK), "left");
}

static int overwrite(const struct request *request)
{
    for (size_t i = number(request, "rounds", 0); i > 0; i--) {
        pthread_rwlock_wrlock(RWLOCK);
        COUNT = COUNT + 1;
        pthread_rwlock_unlock(RWLOCK);
    }
    return answer("added");
}

static int count(const struct request *request)
{
    (void)request;
    return answer("%u", COUNT);
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
