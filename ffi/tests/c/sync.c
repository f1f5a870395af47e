/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Calls each function for mutexes, read-write locks and condition variables, and expects what its
   comment in the header promises. */
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
#include <unipc.h>

#include "expect.h"

#define AT(place) ((size_t)(place) * 4096)
#define ME ((uint32_t)getpid())

static const struct timespec now = {0, 0}, soon = {0, 20000000}, late = {10, 0};
static const struct timespec wrong = {-1, 0};

/* Calls again until it is true, for ten seconds. */
#define EVENTUALLY(what)                                                                           \
    do {                                                                                           \
        int tries = 0;                                                                             \
        while (!(what)) {                                                                          \
            EXPECT(tries++ < 2000 && #what);                                                       \
            nanosleep(&(struct timespec){0, 5000000}, NULL);                                       \
        }                                                                                          \
    } while (0)

static void ends(pid_t child, int expected)
{
    int status;

    EXPECT(waitpid(child, &status, 0) == child && status == expected);
}

/* A child that is killed while it holds the mutex. */
static void dies_in_mutex(const unipc_mutex *mutex, int news)
{
    pid_t child = fork();

    EXPECT(child >= 0);
    if (child == 0) {
        EXPECT(unipc_mutex_lock(mutex, &late) == news);
        raise(SIGKILL);
    }
    ends(child, SIGKILL);
}

/* A child that is killed while it writes, or reads. */
static void dies_in_rwlock(const unipc_rwlock *lock, int writes)
{
    pid_t child = fork();

    EXPECT(child >= 0);
    if (child == 0) {
        EXPECT((writes ? unipc_rwlock_write(lock, &late) : unipc_rwlock_read(lock, &late)) == 0);
        raise(SIGKILL);
    }
    ends(child, SIGKILL);
}

/* What is held stays so without the handle, until another gives it back. The library keeps such
   memory mapped on purpose, so a child does it, and ends where valgrind looks for no leaks. */
static void stays_held(unipc_mutex *mutex, const unipc_mutex *other)
{
    pid_t child = fork();

    EXPECT(child >= 0);
    if (child == 0) {
        EXPECT(unipc_mutex_lock(mutex, &now) == UNIPC_LOCKED);
        unipc_mutex_close(mutex);
        EXPECT(unipc_mutex_lock(other, &now) == -EDEADLK);
        EXPECT(unipc_mutex_unlock(other) == 0);
        raise(SIGKILL);
    }
    ends(child, SIGKILL);
    EXPECT(unipc_mutex_lock(other, NULL) == UNIPC_LOCKED && unipc_mutex_unlock(other) == 0);
}

static void mutex_opening(const unipc_shm *shm, const char *name)
{
    unipc_mutex *mutex = NULL, *other = NULL;

    EXPECT(unipc_mutex_size() > 0 && unipc_mutex_size() <= 4096);
    EXPECT(unipc_mutex_open(&mutex, shm, 4, UNIPC_SYNC_CREATE, NULL) == -EINVAL && mutex == NULL);
    EXPECT(unipc_mutex_open(&mutex, shm, 0, 3, NULL) == -EINVAL);
    EXPECT(unipc_mutex_open(&mutex, shm, AT(16), UNIPC_SYNC_CREATE, NULL) == -ERANGE);
    EXPECT(unipc_mutex_open(NULL, shm, 0, UNIPC_SYNC_CREATE, NULL) == -EINVAL);
    EXPECT(unipc_mutex_open(&mutex, NULL, 0, UNIPC_SYNC_CREATE, NULL) == -EINVAL);
    EXPECT(unipc_mutex_open(&mutex, shm, 0, UNIPC_SYNC_CREATE, NULL) == 0);
    EXPECT(unipc_mutex_open(&other, shm, 0, UNIPC_SYNC_CREATE, NULL) == -EEXIST && other == NULL);
    EXPECT(unipc_mutex_open(&other, shm, 0, UNIPC_SYNC_OPEN_OR_CREATE, NULL) == 0);

    stays_held(mutex, other);
    unipc_mutex_close(mutex);
    unipc_mutex_close(other);
    unipc_mutex_close(NULL);

    EXPECT(unipc_mutex_open_named(&mutex, name, UNIPC_SYNC_OPEN, NULL) == -ENOENT);
    EXPECT(unipc_mutex_open_named(&mutex, name, UNIPC_SYNC_CREATE, NULL) == 0);
    EXPECT(unipc_mutex_open_named(&other, name, UNIPC_SYNC_CREATE, NULL) == -EEXIST);
    EXPECT(unipc_mutex_open_named(&other, name, UNIPC_SYNC_OPEN, NULL) == 0);
    EXPECT(unipc_shm_unlink(name) == 0);
    EXPECT(unipc_mutex_lock(mutex, &now) == 0 && unipc_mutex_unlock(other) == 0);
    unipc_mutex_close(other);
    unipc_mutex_close(mutex);
}

/* What its holder, and those who are not, may do. */
static void mutex_holding(const unipc_shm *shm)
{
    const unipc_sync_opts opts = UNIPC_SYNC_OPTS(.kind = UNIPC_MUTEX_RECURSIVE);
    unipc_sync_status status;
    unipc_mutex *mutex, *again;

    EXPECT(unipc_mutex_open(&mutex, shm, AT(1), UNIPC_SYNC_CREATE, NULL) == 0);
    EXPECT(unipc_mutex_unlock(mutex) == -EPERM && unipc_mutex_abandon(mutex) == -EPERM);
    EXPECT(unipc_mutex_recovered(mutex) == -EPERM);
    EXPECT(unipc_mutex_status(mutex, &status) == 0);
    EXPECT(status.holder.tid == 0 && status.owner_died == 0 && status.retired == 0);
    EXPECT(unipc_mutex_lock(mutex, &now) == UNIPC_LOCKED);
    EXPECT(unipc_mutex_status(mutex, &status) == 0);
    EXPECT(status.holder.tid == ME && status.holder.pid == ME && status.holder.start_time > 0);
    EXPECT(unipc_mutex_recovered(mutex) == -EINVAL);
    EXPECT(unipc_mutex_lock(mutex, &wrong) == -EINVAL);
    EXPECT(unipc_mutex_waiters(mutex, NULL, 0) == 0);
    EXPECT(unipc_mutex_unlock(mutex) == 0);

    EXPECT(unipc_mutex_open(&again, shm, AT(2), UNIPC_SYNC_CREATE, &opts) == 0);
    EXPECT(unipc_mutex_lock(again, &now) == 0 && unipc_mutex_lock(again, &now) == 0);
    EXPECT(unipc_mutex_unlock(again) == 0 && unipc_mutex_unlock(again) == 0);
    EXPECT(unipc_mutex_unlock(again) == -EPERM);

    EXPECT(unipc_mutex_lock(NULL, &now) == -EINVAL && unipc_mutex_unlock(NULL) == -EINVAL);
    EXPECT(unipc_mutex_recovered(NULL) == -EINVAL && unipc_mutex_abandon(NULL) == -EINVAL);
    EXPECT(unipc_mutex_status(NULL, &status) == -EINVAL);
    EXPECT(unipc_mutex_status(mutex, NULL) == -EINVAL);
    EXPECT(unipc_mutex_waiters(NULL, NULL, 0) == -EINVAL);
    EXPECT(unipc_mutex_waiters(mutex, NULL, 1) == -EINVAL);
    unipc_mutex_close(again);
    unipc_mutex_close(mutex);
}

/* A child does not get in while its parent holds the mutex. */
static void mutex_refused(const unipc_mutex *mutex)
{
    pid_t child = fork();

    EXPECT(child >= 0);
    if (child == 0) {
        EXPECT(unipc_mutex_unlock(mutex) == -EPERM);
        EXPECT(unipc_mutex_lock(mutex, &now) == -EAGAIN);
        EXPECT(unipc_mutex_lock(mutex, &soon) == -ETIMEDOUT);
        _exit(0);
    }
    ends(child, 0);
}

/* A child sleeps while its parent holds the mutex, and is seen. */
static void mutex_waiting(const unipc_shm *shm)
{
    uint32_t tids[2] = {0, 0};
    unipc_mutex *mutex;
    pid_t child;

    EXPECT(unipc_mutex_open(&mutex, shm, AT(3), UNIPC_SYNC_CREATE, NULL) == 0);
    EXPECT(unipc_mutex_lock(mutex, &now) == 0);
    mutex_refused(mutex);
    child = fork();
    EXPECT(child >= 0);
    if (child == 0) {
        EXPECT(unipc_mutex_lock(mutex, &late) == 0 && unipc_mutex_unlock(mutex) == 0);
        unipc_mutex_close(mutex);
        _exit(0);
    }
    EVENTUALLY(unipc_mutex_waiters(mutex, tids, 2) == 1);
    EXPECT(tids[0] == (uint32_t)child);
    EXPECT(unipc_mutex_unlock(mutex) == 0);
    ends(child, 0);
    EXPECT(unipc_mutex_waiters(mutex, tids, 2) == 0);
    unipc_mutex_close(mutex);
}

static void mutex_deaths(const unipc_shm *shm)
{
    unipc_sync_status status;
    unipc_mutex *mutex;

    EXPECT(unipc_mutex_open(&mutex, shm, AT(4), UNIPC_SYNC_CREATE, NULL) == 0);
    dies_in_mutex(mutex, UNIPC_LOCKED);
    dies_in_mutex(mutex, UNIPC_OWNER_DIED);
    EXPECT(unipc_mutex_lock(mutex, &late) == UNIPC_OWNER_DIED);
    EXPECT(unipc_mutex_status(mutex, &status) == 0);
    EXPECT(status.holder.tid == ME && status.owner_died == 1 && status.retired == 0);
    EXPECT(unipc_mutex_recovered(mutex) == 0);
    EXPECT(unipc_mutex_recovered(mutex) == -EINVAL);
    EXPECT(unipc_mutex_status(mutex, &status) == 0 && status.owner_died == 0);
    EXPECT(unipc_mutex_unlock(mutex) == 0);

    EXPECT(unipc_mutex_lock(mutex, &now) == UNIPC_LOCKED);
    EXPECT(unipc_mutex_abandon(mutex) == 0);
    EXPECT(unipc_mutex_lock(mutex, &now) == UNIPC_OWNER_DIED);
    EXPECT(unipc_mutex_unlock(mutex) == 0);
    EXPECT(unipc_mutex_lock(mutex, &late) == -ENOTRECOVERABLE);
    EXPECT(unipc_mutex_status(mutex, &status) == 0 && status.retired == 1);
    unipc_mutex_close(mutex);
}

static void rwlock_opening(const unipc_shm *shm, const char *name)
{
    unipc_rwlock *lock = NULL, *other = NULL;
    unipc_mutex *mutex = NULL;

    EXPECT(unipc_rwlock_size(60) > 0 && unipc_rwlock_size(60) <= 4096);
    EXPECT(unipc_rwlock_size(1000) > unipc_rwlock_size(60));
    EXPECT(unipc_rwlock_open(&lock, shm, AT(5) + 4, UNIPC_SYNC_CREATE, NULL) == -EINVAL);
    EXPECT(unipc_rwlock_open(&lock, shm, AT(16), UNIPC_SYNC_CREATE, NULL) == -ERANGE);
    EXPECT(lock == NULL);
    EXPECT(unipc_rwlock_open(&lock, shm, AT(5), UNIPC_SYNC_CREATE, NULL) == 0);
    EXPECT(unipc_rwlock_open(&other, shm, AT(5), UNIPC_SYNC_CREATE, NULL) == -EEXIST);
    EXPECT(unipc_mutex_open(&mutex, shm, AT(5), UNIPC_SYNC_OPEN, NULL) == -EPROTO);
    EXPECT(unipc_rwlock_open(&other, shm, AT(5), UNIPC_SYNC_OPEN, NULL) == 0);
    EXPECT(unipc_rwlock_write(lock, NULL) == UNIPC_LOCKED);
    EXPECT(unipc_rwlock_unlock(other) == 0 && unipc_rwlock_unlock(other) == -EPERM);
    unipc_rwlock_close(lock);
    unipc_rwlock_close(other);
    unipc_rwlock_close(NULL);

    EXPECT(unipc_rwlock_open_named(&lock, name, UNIPC_SYNC_OPEN, NULL) == -ENOENT);
    EXPECT(unipc_rwlock_open_named(&lock, name, UNIPC_SYNC_OPEN_OR_CREATE, NULL) == 0);
    EXPECT(unipc_rwlock_open_named(&other, name, UNIPC_SYNC_CREATE, NULL) == -EEXIST);
    EXPECT(unipc_rwlock_open_named(&other, name, UNIPC_SYNC_OPEN, NULL) == 0);
    EXPECT(unipc_shm_unlink(name) == 0);
    EXPECT(unipc_rwlock_write(lock, &now) == 0 && unipc_rwlock_unlock(other) == 0);
    unipc_rwlock_close(other);
    unipc_rwlock_close(lock);
}

static void rwlock_mistakes(const unipc_rwlock *lock)
{
    unipc_sync_status status;

    EXPECT(unipc_rwlock_unlock(lock) == -EPERM && unipc_rwlock_abandon(lock) == -EPERM);
    EXPECT(unipc_rwlock_recovered(lock) == -EPERM);
    EXPECT(unipc_rwlock_read(NULL, &now) == -EINVAL);
    EXPECT(unipc_rwlock_write(lock, &wrong) == -EINVAL);
    EXPECT(unipc_rwlock_read(lock, &wrong) == -EINVAL);
    EXPECT(unipc_rwlock_write(NULL, &now) == -EINVAL && unipc_rwlock_unlock(NULL) == -EINVAL);
    EXPECT(unipc_rwlock_recovered(NULL) == -EINVAL && unipc_rwlock_abandon(NULL) == -EINVAL);
    EXPECT(unipc_rwlock_status(lock, NULL) == -EINVAL);
    EXPECT(unipc_rwlock_status(NULL, &status) == -EINVAL);
    EXPECT(unipc_rwlock_readers(lock, NULL, 1) == -EINVAL);
    EXPECT(unipc_rwlock_readers(NULL, NULL, 0) == -EINVAL);
    EXPECT(unipc_rwlock_waiters(lock, NULL, 1) == -EINVAL);
    EXPECT(unipc_rwlock_waiters(NULL, NULL, 0) == -EINVAL);
}

/* While its parent reads, a child may read, but not write. */
static void rwlock_refused(const unipc_rwlock *lock)
{
    pid_t child = fork();

    EXPECT(child >= 0);
    if (child == 0) {
        EXPECT(unipc_rwlock_read(lock, &now) == 0);
        EXPECT(unipc_rwlock_readers(lock, NULL, 0) == 2);
        EXPECT(unipc_rwlock_unlock(lock) == 0 && unipc_rwlock_unlock(lock) == -EPERM);
        EXPECT(unipc_rwlock_write(lock, &now) == -EAGAIN);
        EXPECT(unipc_rwlock_write(lock, &soon) == -ETIMEDOUT);
        _exit(0);
    }
    ends(child, 0);
}

/* Readers are together, a writer is alone. */
static void rwlock_holding(const unipc_shm *shm)
{
    unipc_sync_holder readers[2];
    unipc_sync_status status;
    uint32_t tids[2];
    unipc_rwlock *lock;
    pid_t child;

    EXPECT(unipc_rwlock_open(&lock, shm, AT(6), UNIPC_SYNC_CREATE, NULL) == 0);
    rwlock_mistakes(lock);
    EXPECT(unipc_rwlock_read(lock, &now) == UNIPC_LOCKED);
    EXPECT(unipc_rwlock_write(lock, &now) == -EDEADLK);
    EXPECT(unipc_rwlock_readers(lock, readers, 2) == 1);
    EXPECT(readers[0].pid == ME && readers[0].tid == ME && readers[0].start_time > 0);
    rwlock_refused(lock);
    child = fork();
    EXPECT(child >= 0);
    if (child == 0) {
        EXPECT(unipc_rwlock_write(lock, &late) == 0 && unipc_rwlock_unlock(lock) == 0);
        unipc_rwlock_close(lock);
        _exit(0);
    }
    EVENTUALLY(unipc_rwlock_waiters(lock, tids, 2) == 1);
    EXPECT(tids[0] == (uint32_t)child);
    EXPECT(unipc_rwlock_unlock(lock) == 0);
    ends(child, 0);
    EXPECT(unipc_rwlock_waiters(lock, tids, 2) == 0);

    EXPECT(unipc_rwlock_write(lock, &now) == UNIPC_LOCKED);
    EXPECT(unipc_rwlock_read(lock, &now) == -EDEADLK && unipc_rwlock_recovered(lock) == -EINVAL);
    EXPECT(unipc_rwlock_status(lock, &status) == 0 && status.holder.tid == ME);
    EXPECT(status.owner_died == 0 && status.retired == 0);
    EXPECT(unipc_rwlock_readers(lock, readers, 2) == 0 && unipc_rwlock_unlock(lock) == 0);
    unipc_rwlock_close(lock);
}

/* A dead reader is in nobody's way; after a dead writer there is something to repair. */
static void rwlock_deaths(const unipc_shm *shm)
{
    unipc_sync_status status;
    unipc_rwlock *lock;

    EXPECT(unipc_rwlock_open(&lock, shm, AT(7), UNIPC_SYNC_CREATE, NULL) == 0);
    dies_in_rwlock(lock, 0);
    EXPECT(unipc_rwlock_write(lock, &late) == UNIPC_LOCKED);
    EXPECT(unipc_rwlock_unlock(lock) == 0);

    dies_in_rwlock(lock, 1);
    EXPECT(unipc_rwlock_read(lock, &late) == UNIPC_OWNER_DIED);
    EXPECT(unipc_rwlock_recovered(lock) == -EPERM && unipc_rwlock_unlock(lock) == 0);
    EXPECT(unipc_rwlock_write(lock, &late) == UNIPC_OWNER_DIED);
    EXPECT(unipc_rwlock_status(lock, &status) == 0);
    EXPECT(status.holder.tid == ME && status.owner_died == 1 && status.retired == 0);
    EXPECT(unipc_rwlock_recovered(lock) == 0 && unipc_rwlock_recovered(lock) == -EINVAL);
    EXPECT(unipc_rwlock_unlock(lock) == 0);
    EXPECT(unipc_rwlock_read(lock, &now) == UNIPC_LOCKED && unipc_rwlock_unlock(lock) == 0);

    EXPECT(unipc_rwlock_write(lock, &now) == UNIPC_LOCKED && unipc_rwlock_abandon(lock) == 0);
    EXPECT(unipc_rwlock_write(lock, &now) == UNIPC_OWNER_DIED && unipc_rwlock_unlock(lock) == 0);
    EXPECT(unipc_rwlock_write(lock, &late) == -ENOTRECOVERABLE);
    EXPECT(unipc_rwlock_read(lock, &late) == -ENOTRECOVERABLE);
    EXPECT(unipc_rwlock_status(lock, &status) == 0 && status.retired == 1);
    unipc_rwlock_close(lock);
}

static void condvar_opening(const unipc_shm *shm, const char *name)
{
    unipc_condvar *change = NULL, *other = NULL;

    EXPECT(unipc_condvar_size() > 0 && unipc_condvar_size() <= 4096);
    EXPECT(unipc_condvar_open(&change, shm, AT(8) + 4, UNIPC_SYNC_CREATE, NULL) == -EINVAL);
    EXPECT(unipc_condvar_open(&change, shm, AT(16), UNIPC_SYNC_CREATE, NULL) == -ERANGE);
    EXPECT(change == NULL);
    EXPECT(unipc_condvar_open(&change, shm, AT(8), UNIPC_SYNC_CREATE, NULL) == 0);
    EXPECT(unipc_condvar_open(&other, shm, AT(8), UNIPC_SYNC_CREATE, NULL) == -EEXIST);
    EXPECT(unipc_condvar_open(&other, shm, AT(8), UNIPC_SYNC_OPEN, NULL) == 0);
    unipc_condvar_close(other);
    unipc_condvar_close(change);
    unipc_condvar_close(NULL);

    EXPECT(unipc_condvar_open_named(&change, name, UNIPC_SYNC_OPEN, NULL) == -ENOENT);
    EXPECT(unipc_condvar_open_named(&change, name, UNIPC_SYNC_CREATE, NULL) == 0);
    EXPECT(unipc_condvar_open_named(&other, name, UNIPC_SYNC_CREATE, NULL) == -EEXIST);
    EXPECT(unipc_condvar_open_named(&other, name, UNIPC_SYNC_OPEN, NULL) == 0);
    EXPECT(unipc_shm_unlink(name) == 0);
    unipc_condvar_close(other);
    unipc_condvar_close(change);
}

/* Waits that nobody ends: the mutex is held afterwards. */
static void condvar_alone(const unipc_condvar *change, const unipc_mutex *mutex)
{
    EXPECT(unipc_condvar_notify_one(change) == 0 && unipc_condvar_notify_all(change) == 0);
    EXPECT(unipc_condvar_wait(change, mutex, &now) == -EPERM);
    EXPECT(unipc_mutex_lock(mutex, &now) == 0);
    EXPECT(unipc_condvar_wait(change, mutex, &now) == -EAGAIN);
    EXPECT(unipc_condvar_wait(change, mutex, &soon) == -ETIMEDOUT);
    EXPECT(unipc_condvar_wait(change, mutex, &wrong) == -EINVAL);
    EXPECT(unipc_condvar_wait(NULL, mutex, &now) == -EINVAL);
    EXPECT(unipc_condvar_wait(change, NULL, &now) == -EINVAL);
    EXPECT(unipc_mutex_unlock(mutex) == 0);
    EXPECT(unipc_condvar_notify_one(NULL) == -EINVAL && unipc_condvar_notify_all(NULL) == -EINVAL);
    EXPECT(unipc_condvar_waiters(change, NULL, 0) == 0);
    EXPECT(unipc_condvar_waiters(change, NULL, 1) == -EINVAL);
    EXPECT(unipc_condvar_waiters(NULL, NULL, 0) == -EINVAL);
}

/* A child that takes one of what the mutex guards, as soon as there is one. */
static pid_t taker(const unipc_condvar *change, const unipc_mutex *mutex, volatile int *things)
{
    pid_t child = fork();

    EXPECT(child >= 0);
    if (child == 0) {
        EXPECT(unipc_mutex_lock(mutex, &late) == 0);
        while (*things == 0)
            EXPECT(unipc_condvar_wait(change, mutex, &late) == UNIPC_LOCKED);
        --*things;
        EXPECT(unipc_mutex_unlock(mutex) == 0);
        _exit(0);
    }
    return child;
}

static void condvar_waiting(const unipc_shm *shm)
{
    volatile int *things = (volatile int *)unipc_shm_at(shm, AT(11), sizeof *things);
    unipc_condvar *change;
    unipc_mutex *mutex;
    uint32_t tids[4];
    pid_t first, second;

    EXPECT(unipc_condvar_open(&change, shm, AT(9), UNIPC_SYNC_CREATE, NULL) == 0);
    EXPECT(unipc_mutex_open(&mutex, shm, AT(10), UNIPC_SYNC_CREATE, NULL) == 0);
    condvar_alone(change, mutex);
    first = taker(change, mutex, things);
    EVENTUALLY(unipc_condvar_waiters(change, tids, 4) == 1);
    EXPECT(tids[0] == (uint32_t)first);
    EXPECT(unipc_mutex_lock(mutex, &late) == 0);
    *things = 1;
    EXPECT(unipc_condvar_notify_one(change) == 0);
    EXPECT(unipc_mutex_unlock(mutex) == 0);
    ends(first, 0);
    EXPECT(*things == 0);

    first = taker(change, mutex, things);
    second = taker(change, mutex, things);
    EVENTUALLY(unipc_condvar_waiters(change, tids, 4) == 2);
    EXPECT(unipc_mutex_lock(mutex, &late) == 0);
    *things = 2;
    EXPECT(unipc_condvar_notify_all(change) == 0);
    EXPECT(unipc_mutex_unlock(mutex) == 0);
    ends(first, 0);
    ends(second, 0);
    EXPECT(*things == 0 && unipc_condvar_waiters(change, tids, 4) == 0);
    unipc_mutex_close(mutex);
    unipc_condvar_close(change);
}

/* The C library's own objects, at multiples of 8. */
static void pthread_form(const unipc_shm *shm)
{
    const unipc_sync_opts opts = UNIPC_SYNC_OPTS(.form = UNIPC_SYNC_PTHREAD);
    unipc_condvar *change;
    unipc_rwlock *lock;
    unipc_mutex *mutex;

    EXPECT(unipc_mutex_open(&mutex, shm, AT(12) + 8, UNIPC_SYNC_CREATE, &opts) == 0);
    EXPECT(unipc_rwlock_open(&lock, shm, AT(13) + 8, UNIPC_SYNC_CREATE, &opts) == 0);
    EXPECT(unipc_condvar_open(&change, shm, AT(14) + 8, UNIPC_SYNC_CREATE, &opts) == 0);
    dies_in_mutex(mutex, UNIPC_LOCKED);
    EXPECT(unipc_mutex_lock(mutex, &late) == UNIPC_OWNER_DIED);
    EXPECT(unipc_mutex_abandon(mutex) == -EOPNOTSUPP && unipc_mutex_recovered(mutex) == 0);
    EXPECT(unipc_condvar_wait(change, mutex, &soon) == -ETIMEDOUT);
    EXPECT(unipc_condvar_notify_one(change) == 0 && unipc_condvar_notify_all(change) == 0);
    EXPECT(unipc_mutex_unlock(mutex) == 0);
    EXPECT(unipc_rwlock_write(lock, &now) == 0);
    EXPECT(unipc_rwlock_recovered(lock) == -EOPNOTSUPP);
    EXPECT(unipc_rwlock_abandon(lock) == -EOPNOTSUPP);
    EXPECT(unipc_rwlock_unlock(lock) == 0);
    EXPECT(unipc_rwlock_read(lock, &now) == 0 && unipc_rwlock_readers(lock, NULL, 0) == 0);
    EXPECT(unipc_rwlock_unlock(lock) == 0);
    unipc_condvar_close(change);
    unipc_rwlock_close(lock);
    unipc_mutex_close(mutex);
}

int main(void)
{
    unipc_shm *shm;
    char name[64];

    snprintf(name, sizeof name, "/ffi-sync-%ld", (long)getpid());
    /* Not "anon:": valgrind does not know how the kernel maps that once more for a handle. */
    EXPECT(unipc_shm_create(&shm, "memfd:ffi-sync", 65536, 0, NULL) == 0);
    mutex_opening(shm, name);
    mutex_holding(shm);
    mutex_waiting(shm);
    mutex_deaths(shm);
    rwlock_opening(shm, name);
    rwlock_holding(shm);
    rwlock_deaths(shm);
    condvar_opening(shm, name);
    condvar_waiting(shm);
    pthread_form(shm);
    unipc_shm_close(shm);
    puts("all as promised");
    return 0;
}
