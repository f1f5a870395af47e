/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Calls each function for barriers, semaphores, events and once, and expects what it promises. */
#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <unipc.h>

#include "expect.h"

#define SIZE ((size_t)65536)
#define PLACE(number) ((size_t)(number) * 4096)

/* The last offset at which so many bytes fit. */
#define LAST(size) ((SIZE - (size)) & ~(size_t)63)

/* Expects it within five seconds. */
#define AWAIT(what)                                                                                \
    do {                                                                                           \
        int tries = 5000;                                                                          \
        while (!(what) && --tries > 0)                                                             \
            nanosleep(&(struct timespec){0, 1000000}, NULL);                                       \
        EXPECT(tries > 0);                                                                         \
    } while (0)

static const struct timespec now = {0, 0}, soon = {0, 5000000}, late = {10, 0};
static const struct timespec wrong = {-1, 0};

/* Not anon:, whose second mapping (mremap of size 0) valgrind does not know. */
static unipc_shm *memory(void)
{
    unipc_shm *shm;

    EXPECT(unipc_shm_create(&shm, "memfd:events", SIZE, 0, NULL) == 0);
    return shm;
}

static pid_t forked(void)
{
    pid_t child = fork();

    EXPECT(child >= 0);
    return child;
}

static void ended(pid_t child)
{
    int status;

    EXPECT(waitpid(child, &status, 0) == child && status == 0);
}

static int is(const unipc_sync_holder *holder, pid_t pid)
{
    return holder->pid == (uint32_t)pid && holder->tid == (uint32_t)pid && holder->start_time != 0;
}

static void barrier_opening(const char *name)
{
    unipc_shm *shm = memory();
    unipc_barrier *barrier, *same;
    size_t last = LAST(unipc_barrier_size(3));

    EXPECT(unipc_barrier_size(3) > 0);
    EXPECT(unipc_barrier_open(&barrier, shm, 4, UNIPC_SYNC_CREATE, 1, NULL) == -EINVAL);
    EXPECT(barrier == NULL);
    EXPECT(unipc_barrier_open(&barrier, shm, 0, UNIPC_SYNC_CREATE, 0, NULL) == -EINVAL);
    EXPECT(unipc_barrier_open(&barrier, shm, 0, UNIPC_SYNC_CREATE, 65537, NULL) == -EINVAL);
    EXPECT(unipc_barrier_open(&barrier, shm, last + 64, UNIPC_SYNC_CREATE, 3, NULL) == -ERANGE);
    EXPECT(unipc_barrier_open(&barrier, shm, last, UNIPC_SYNC_CREATE, 3, NULL) == 0);
    EXPECT(unipc_barrier_open(&same, shm, last, UNIPC_SYNC_CREATE, 3, NULL) == -EEXIST);
    EXPECT(unipc_barrier_open(&same, shm, last, UNIPC_SYNC_OPEN, 0, NULL) == 0);
    unipc_shm_close(shm);
    EXPECT(unipc_barrier_parties(same) == 3);
    unipc_barrier_close(same);
    unipc_barrier_close(barrier);
    unipc_barrier_close(NULL);

    EXPECT(unipc_barrier_open_named(&barrier, name, UNIPC_SYNC_OPEN, 0, NULL) == -ENOENT);
    EXPECT(unipc_barrier_open_named(&barrier, name, UNIPC_SYNC_CREATE, 2, NULL) == 0);
    EXPECT(unipc_barrier_open_named(&same, name, UNIPC_SYNC_CREATE, 2, NULL) == -EEXIST);
    EXPECT(unipc_barrier_open_named(&same, name, UNIPC_SYNC_OPEN, 0, NULL) == 0);
    EXPECT(unipc_shm_unlink(name) == 0);
    EXPECT(unipc_barrier_abort(barrier) == 0 && unipc_barrier_is_broken(same) == 1);
    EXPECT(unipc_barrier_join(barrier) == -EOWNERDEAD);
    unipc_barrier_close(same);
    unipc_barrier_close(barrier);
}

/* Of one party: each wait is the last. */
static void barrier_alone(void)
{
    unipc_shm *shm = memory();
    unipc_sync_holder holder = {0};
    unipc_barrier *barrier;
    pid_t child;

    EXPECT(unipc_barrier_open(&barrier, shm, PLACE(1), UNIPC_SYNC_OPEN_OR_CREATE, 1, NULL) == 0);
    EXPECT(unipc_barrier_wait(barrier, &now) == 1 && unipc_barrier_wait(barrier, NULL) == 1);
    EXPECT(unipc_barrier_wait(barrier, &wrong) == -EINVAL);
    EXPECT(unipc_barrier_holders(barrier, NULL, 0) == 0);
    EXPECT(unipc_barrier_leave(barrier) == -EPERM);
    EXPECT(unipc_barrier_join(barrier) == 0 && unipc_barrier_join(barrier) == -EALREADY);
    EXPECT(unipc_barrier_holders(barrier, &holder, 1) == 1 && is(&holder, getpid()));
    EXPECT(unipc_barrier_holders(barrier, NULL, 1) == -EINVAL);
    child = forked();
    if (child == 0)
        _exit(unipc_barrier_join(barrier) == -EBUSY ? 0 : 1);
    ended(child);
    EXPECT(unipc_barrier_wait(barrier, &now) == 1);
    EXPECT(unipc_barrier_leave(barrier) == 0);

    EXPECT(unipc_barrier_is_broken(barrier) == 0);
    EXPECT(unipc_barrier_abort(barrier) == 0 && unipc_barrier_is_broken(barrier) == 1);
    EXPECT(unipc_barrier_wait(barrier, &now) == -EOWNERDEAD);
    EXPECT(unipc_barrier_reset(barrier) == 0 && unipc_barrier_is_broken(barrier) == 0);
    EXPECT(unipc_barrier_wait(barrier, &now) == 1);
    unipc_barrier_close(barrier);
    unipc_shm_close(shm);
}

/* A child that waits at the barrier, and expects to be told `news`. */
static pid_t party(const unipc_barrier *barrier, int news)
{
    unipc_sync_holder holder;
    pid_t child = forked();

    if (child == 0)
        _exit(unipc_barrier_wait(barrier, &late) == news ? 0 : 1);
    AWAIT(unipc_barrier_arrived(barrier) == 1);
    EXPECT(unipc_barrier_holders(barrier, &holder, 1) == 1 && is(&holder, child));
    return child;
}

static void barrier_together(void)
{
    unipc_shm *shm = memory();
    unipc_barrier *barrier;
    pid_t child;

    EXPECT(unipc_barrier_open(&barrier, shm, PLACE(2), UNIPC_SYNC_CREATE, 2, NULL) == 0);
    EXPECT(unipc_barrier_parties(barrier) == 2);
    EXPECT(unipc_barrier_wait(barrier, &now) == -EAGAIN);
    EXPECT(unipc_barrier_wait(barrier, &soon) == -ETIMEDOUT);
    EXPECT(unipc_barrier_arrived(barrier) == 0 && unipc_barrier_is_broken(barrier) == 0);
    child = party(barrier, 0);
    EXPECT(unipc_barrier_wait(barrier, &late) == 1);
    ended(child);
    child = party(barrier, -EOWNERDEAD);
    EXPECT(unipc_barrier_abort(barrier) == 0);
    ended(child);
    EXPECT(unipc_barrier_reset(barrier) == 0);

    /* Who has joined breaks it by its end. */
    child = forked();
    if (child == 0)
        _exit(unipc_barrier_join(barrier) == 0 ? 0 : 1);
    ended(child);
    EXPECT(unipc_barrier_wait(barrier, &late) == -EOWNERDEAD);
    EXPECT(unipc_barrier_is_broken(barrier) == 1 && unipc_barrier_reset(barrier) == 0);
    EXPECT(unipc_barrier_wait(barrier, &now) == -EAGAIN);
    unipc_barrier_close(barrier);
    unipc_shm_close(shm);
}

static void semaphore_opening(const char *name)
{
    const unipc_sync_opts three = UNIPC_SYNC_OPTS(.max = 3);
    unipc_shm *shm = memory();
    unipc_sync_semaphore *sem, *same;
    size_t last = LAST(unipc_sync_semaphore_size(3));

    EXPECT(unipc_sync_semaphore_size(3) > 0);
    EXPECT(unipc_sync_semaphore_open(&sem, shm, 4, UNIPC_SYNC_CREATE, 0, NULL) == -EINVAL);
    EXPECT(sem == NULL);
    EXPECT(unipc_sync_semaphore_open(&sem, shm, last + 64, UNIPC_SYNC_CREATE, 1, &three) ==
           -ERANGE);
    EXPECT(unipc_sync_semaphore_open(&sem, shm, last, UNIPC_SYNC_CREATE, 1, &three) == 0);
    EXPECT(unipc_sync_semaphore_open(&same, shm, last, UNIPC_SYNC_CREATE, 1, &three) == -EEXIST);
    EXPECT(unipc_sync_semaphore_open(&same, shm, last, UNIPC_SYNC_OPEN, 0, NULL) == 0);
    EXPECT(unipc_sync_semaphore_value(same) == 1 && unipc_sync_semaphore_max(same) == 3);
    unipc_sync_semaphore_close(same);
    unipc_sync_semaphore_close(sem);
    unipc_sync_semaphore_close(NULL);
    EXPECT(unipc_sync_semaphore_open(&sem, shm, 0, UNIPC_SYNC_CREATE, 2, NULL) == 0);
    unipc_shm_close(shm);
    EXPECT(unipc_sync_semaphore_value(sem) == 2 && unipc_sync_semaphore_max(sem) == 64);
    unipc_sync_semaphore_close(sem);

    EXPECT(unipc_sync_semaphore_open_named(&sem, name, UNIPC_SYNC_OPEN, 0, NULL) == -ENOENT);
    EXPECT(unipc_sync_semaphore_open_named(&sem, name, UNIPC_SYNC_CREATE, 0, NULL) == 0);
    EXPECT(unipc_sync_semaphore_open_named(&same, name, UNIPC_SYNC_OPEN, 0, NULL) == 0);
    EXPECT(unipc_shm_unlink(name) == 0);
    EXPECT(unipc_sync_semaphore_post(sem) == 0 && unipc_sync_semaphore_wait(same, &now) == 0);
    unipc_sync_semaphore_close(same);
    unipc_sync_semaphore_close(sem);
}

static void permits(void)
{
    const unipc_sync_opts two = UNIPC_SYNC_OPTS(.max = 2);
    unipc_shm *shm = memory();
    unipc_sync_holder holder = {0};
    unipc_sync_semaphore *sem;

    EXPECT(unipc_sync_semaphore_open(&sem, shm, PLACE(3), UNIPC_SYNC_CREATE, 1, &two) == 0);
    EXPECT(unipc_sync_semaphore_release(sem) == -EPERM);
    EXPECT(unipc_sync_semaphore_post(sem) == 0 && unipc_sync_semaphore_value(sem) == 2);
    EXPECT(unipc_sync_semaphore_post(sem) == -EOVERFLOW);
    EXPECT(unipc_sync_semaphore_wait(sem, NULL) == 0);
    EXPECT(unipc_sync_semaphore_release(sem) == -EPERM);
    EXPECT(unipc_sync_semaphore_holders(sem, NULL, 0) == 0);
    EXPECT(unipc_sync_semaphore_acquire(sem, NULL) == UNIPC_LOCKED);
    EXPECT(unipc_sync_semaphore_value(sem) == 0);
    EXPECT(unipc_sync_semaphore_holders(sem, &holder, 1) == 1 && is(&holder, getpid()));
    EXPECT(unipc_sync_semaphore_holders(sem, NULL, 1) == -EINVAL);
    EXPECT(unipc_sync_semaphore_acquire(sem, &now) == -EAGAIN);
    EXPECT(unipc_sync_semaphore_acquire(sem, &soon) == -ETIMEDOUT);
    EXPECT(unipc_sync_semaphore_acquire(sem, &wrong) == -EINVAL);
    EXPECT(unipc_sync_semaphore_wait(sem, &now) == -EAGAIN);
    EXPECT(unipc_sync_semaphore_wait(sem, &soon) == -ETIMEDOUT);
    EXPECT(unipc_sync_semaphore_wait(sem, &wrong) == -EINVAL);
    EXPECT(unipc_sync_semaphore_release(sem) == 0 && unipc_sync_semaphore_value(sem) == 1);
    unipc_sync_semaphore_close(sem);
    unipc_shm_close(shm);
}

/* One process waits for a permit; another dies with one. */
static void semaphore_processes(void)
{
    unipc_shm *shm = memory();
    unipc_sync_semaphore *sem;
    uint32_t tid = 0;
    pid_t child;

    EXPECT(unipc_sync_semaphore_open(&sem, shm, PLACE(4), UNIPC_SYNC_CREATE, 0, NULL) == 0);
    EXPECT(unipc_sync_semaphore_waiters(sem, NULL, 0) == 0);
    EXPECT(unipc_sync_semaphore_waiters(sem, NULL, 1) == -EINVAL);
    child = forked();
    if (child == 0)
        _exit(unipc_sync_semaphore_acquire(sem, &late) == UNIPC_LOCKED ? 0 : 1);
    AWAIT(unipc_sync_semaphore_waiters(sem, &tid, 1) == 1 && tid == (uint32_t)child);
    EXPECT(unipc_sync_semaphore_post(sem) == 0);
    ended(child);
    EXPECT(unipc_sync_semaphore_acquire(sem, &late) == UNIPC_OWNER_DIED);
    EXPECT(unipc_sync_semaphore_release(sem) == 0);
    EXPECT(unipc_sync_semaphore_acquire(sem, &now) == UNIPC_LOCKED);
    EXPECT(unipc_sync_semaphore_release(sem) == 0);
    unipc_sync_semaphore_close(sem);
    unipc_shm_close(shm);
}

/* The C library's own objects know less. */
static void pthread_form(void)
{
    const unipc_sync_opts opts = UNIPC_SYNC_OPTS(.form = UNIPC_SYNC_PTHREAD);
    unipc_shm *shm = memory();
    unipc_barrier *barrier;
    unipc_sync_semaphore *sem;

    EXPECT(unipc_barrier_open(&barrier, shm, PLACE(5), UNIPC_SYNC_CREATE, 1, &opts) == 0);
    EXPECT(unipc_barrier_wait(barrier, NULL) == 1);
    EXPECT(unipc_barrier_wait(barrier, &soon) == -EOPNOTSUPP);
    EXPECT(unipc_barrier_join(barrier) == -EOPNOTSUPP);
    EXPECT(unipc_barrier_leave(barrier) == -EOPNOTSUPP);
    EXPECT(unipc_barrier_abort(barrier) == -EOPNOTSUPP);
    EXPECT(unipc_barrier_reset(barrier) == -EOPNOTSUPP);
    EXPECT(unipc_barrier_arrived(barrier) == 0 && unipc_barrier_parties(barrier) == 1);
    unipc_barrier_close(barrier);

    EXPECT(unipc_sync_semaphore_open(&sem, shm, PLACE(6), UNIPC_SYNC_CREATE, 1, &opts) == 0);
    EXPECT(unipc_sync_semaphore_acquire(sem, &now) == UNIPC_LOCKED);
    EXPECT(unipc_sync_semaphore_holders(sem, NULL, 0) == 0);
    EXPECT(unipc_sync_semaphore_wait(sem, &soon) == -ETIMEDOUT);
    EXPECT(unipc_sync_semaphore_release(sem) == 0 && unipc_sync_semaphore_release(sem) == 0);
    EXPECT(unipc_sync_semaphore_value(sem) == 2);
    unipc_sync_semaphore_close(sem);
    unipc_shm_close(shm);
}

static void event_opening(const char *name)
{
    unipc_shm *shm = memory();
    unipc_event *event, *same;
    unipc_once *once;
    size_t last = LAST(unipc_event_size());

    EXPECT(unipc_event_size() > 0);
    EXPECT(unipc_event_open(&event, shm, 4, UNIPC_SYNC_CREATE, NULL) == -EINVAL);
    EXPECT(event == NULL);
    EXPECT(unipc_event_open(&event, NULL, 0, UNIPC_SYNC_CREATE, NULL) == -EINVAL);
    EXPECT(unipc_event_open(&event, shm, last + 64, UNIPC_SYNC_CREATE, NULL) == -ERANGE);
    EXPECT(unipc_event_open(&event, shm, last, UNIPC_SYNC_CREATE, NULL) == 0);
    EXPECT(unipc_event_open(&same, shm, last, UNIPC_SYNC_CREATE, NULL) == -EEXIST);
    EXPECT(unipc_once_open(&once, shm, last, UNIPC_SYNC_OPEN, NULL) == -EPROTO);
    memset((char *)unipc_shm_data(shm) + PLACE(1), 'x', 64);
    EXPECT(unipc_event_open(&same, shm, PLACE(1), UNIPC_SYNC_CREATE, NULL) == -EBUSY);
    EXPECT(unipc_event_open(&same, shm, last, UNIPC_SYNC_OPEN, NULL) == 0);
    unipc_shm_close(shm);
    EXPECT(unipc_event_set(event) == 0 && unipc_event_is_set(same) == 1);
    unipc_event_close(same);
    unipc_event_close(event);
    unipc_event_close(NULL);

    EXPECT(unipc_event_open_named(&event, name, UNIPC_SYNC_OPEN, NULL) == -ENOENT);
    EXPECT(unipc_event_open_named(&event, name, UNIPC_SYNC_CREATE, NULL) == 0);
    EXPECT(unipc_event_open_named(&same, name, UNIPC_SYNC_OPEN, NULL) == 0);
    EXPECT(unipc_shm_unlink(name) == 0);
    EXPECT(unipc_event_set(event) == 0 && unipc_event_wait(same, &now) == 0);
    unipc_event_close(same);
    unipc_event_close(event);
}

static void flags(void)
{
    const unipc_sync_opts one = UNIPC_SYNC_OPTS(.auto_reset = 1);
    unipc_shm *shm = memory();
    unipc_event *event;
    uint32_t tid = 0;
    pid_t child;

    EXPECT(unipc_event_open(&event, shm, PLACE(7), UNIPC_SYNC_CREATE, NULL) == 0);
    EXPECT(unipc_event_is_set(event) == 0 && unipc_event_wait(event, &now) == -EAGAIN);
    EXPECT(unipc_event_wait(event, &soon) == -ETIMEDOUT);
    EXPECT(unipc_event_wait(event, &wrong) == -EINVAL);
    EXPECT(unipc_event_waiters(event, NULL, 0) == 0);
    EXPECT(unipc_event_waiters(event, NULL, 1) == -EINVAL);
    child = forked();
    if (child == 0)
        _exit(unipc_event_wait(event, &late) == 0 ? 0 : 1);
    AWAIT(unipc_event_waiters(event, &tid, 1) == 1 && tid == (uint32_t)child);
    EXPECT(unipc_event_set(event) == 0);
    ended(child);
    EXPECT(unipc_event_is_set(event) == 1 && unipc_event_wait(event, NULL) == 0);
    EXPECT(unipc_event_reset(event) == 0 && unipc_event_is_set(event) == 0);
    EXPECT(unipc_event_wait(event, &now) == -EAGAIN);
    unipc_event_close(event);

    EXPECT(unipc_event_open(&event, shm, PLACE(8), UNIPC_SYNC_CREATE, &one) == 0);
    EXPECT(unipc_event_set(event) == 0 && unipc_event_wait(event, &now) == 0);
    EXPECT(unipc_event_is_set(event) == 0 && unipc_event_wait(event, &now) == -EAGAIN);
    unipc_event_close(event);
    unipc_shm_close(shm);
}

static void once_opening(const char *name)
{
    unipc_shm *shm = memory();
    unipc_once *once, *same;
    size_t last = LAST(unipc_once_size());

    EXPECT(unipc_once_size() > 0);
    EXPECT(unipc_once_open(&once, shm, 4, UNIPC_SYNC_CREATE, NULL) == -EINVAL && once == NULL);
    EXPECT(unipc_once_open(&once, shm, last + 64, UNIPC_SYNC_CREATE, NULL) == -ERANGE);
    EXPECT(unipc_once_open(&once, shm, last, UNIPC_SYNC_CREATE, NULL) == 0);
    EXPECT(unipc_once_open(&same, shm, last, UNIPC_SYNC_CREATE, NULL) == -EEXIST);
    EXPECT(unipc_once_open(&same, shm, last, UNIPC_SYNC_OPEN_OR_CREATE, NULL) == 0);
    unipc_shm_close(shm);
    EXPECT(unipc_once_begin(once, &now) == UNIPC_ONCE_BEGIN);
    EXPECT(unipc_once_complete(once) == 0 && unipc_once_is_done(same) == 1);
    unipc_once_close(once);
    unipc_once_close(same);
    unipc_once_close(NULL);

    EXPECT(unipc_once_open_named(&once, name, UNIPC_SYNC_OPEN, NULL) == -ENOENT);
    EXPECT(unipc_once_open_named(&once, name, UNIPC_SYNC_CREATE, NULL) == 0);
    EXPECT(unipc_once_open_named(&same, name, UNIPC_SYNC_OPEN, NULL) == 0);
    EXPECT(unipc_shm_unlink(name) == 0);
    EXPECT(unipc_once_begin(once, &now) == UNIPC_ONCE_BEGIN);
    EXPECT(unipc_once_begin(same, &now) == -EDEADLK && unipc_once_complete(once) == 0);
    EXPECT(unipc_once_begin(same, &now) == UNIPC_ONCE_DONE);
    unipc_once_close(same);
    unipc_once_close(once);
}

/* The first one dies, the second leaves it, and the third does it while another waits. */
static void doing(void)
{
    unipc_shm *shm = memory();
    unipc_sync_holder holder = {0};
    unipc_once *once;
    uint32_t tid = 0;
    pid_t child;

    EXPECT(unipc_once_open(&once, shm, PLACE(9), UNIPC_SYNC_CREATE, NULL) == 0);
    EXPECT(unipc_once_is_done(once) == 0 && unipc_once_holder(once, &holder) == 0);
    EXPECT(unipc_once_complete(once) == -EPERM && unipc_once_abandon(once) == -EPERM);
    EXPECT(unipc_once_begin(once, &wrong) == -EINVAL);
    child = forked();
    if (child == 0)
        _exit(unipc_once_begin(once, &now) == UNIPC_ONCE_BEGIN ? 0 : 1);
    ended(child);
    EXPECT(unipc_once_begin(once, &late) == UNIPC_ONCE_BEGIN_AGAIN);
    EXPECT(unipc_once_abandon(once) == 0 && unipc_once_is_done(once) == 0);
    EXPECT(unipc_once_begin(once, &now) > 0);
    EXPECT(unipc_once_begin(once, &now) == -EDEADLK);
    EXPECT(unipc_once_holder(once, &holder) == 1 && is(&holder, getpid()));
    EXPECT(unipc_once_holder(once, NULL) == -EINVAL);
    EXPECT(unipc_once_waiters(once, NULL, 0) == 0);
    EXPECT(unipc_once_waiters(once, NULL, 1) == -EINVAL);
    child = forked();
    if (child == 0) {
        EXPECT(unipc_once_complete(once) == -EPERM && unipc_once_begin(once, &now) == -EAGAIN);
        _exit(unipc_once_begin(once, &soon) == -ETIMEDOUT ? 0 : 1);
    }
    ended(child);
    child = forked();
    if (child == 0)
        _exit(unipc_once_begin(once, &late) == UNIPC_ONCE_DONE ? 0 : 1);
    AWAIT(unipc_once_waiters(once, &tid, 1) == 1 && tid == (uint32_t)child);
    EXPECT(unipc_once_complete(once) == 0);
    ended(child);
    EXPECT(unipc_once_is_done(once) == 1 && unipc_once_holder(once, &holder) == 0);
    EXPECT(unipc_once_begin(once, NULL) == UNIPC_ONCE_DONE);
    unipc_once_close(once);
    unipc_shm_close(shm);
}

static void no_handles(void)
{
    EXPECT(unipc_barrier_wait(NULL, &now) == -EINVAL && unipc_barrier_join(NULL) == -EINVAL);
    EXPECT(unipc_barrier_leave(NULL) == -EINVAL && unipc_barrier_abort(NULL) == -EINVAL);
    EXPECT(unipc_barrier_reset(NULL) == -EINVAL && unipc_barrier_is_broken(NULL) == -EINVAL);
    EXPECT(unipc_barrier_arrived(NULL) == -EINVAL && unipc_barrier_parties(NULL) == -EINVAL);
    EXPECT(unipc_barrier_holders(NULL, NULL, 0) == -EINVAL);
    EXPECT(unipc_sync_semaphore_acquire(NULL, &now) == -EINVAL);
    EXPECT(unipc_sync_semaphore_release(NULL) == -EINVAL);
    EXPECT(unipc_sync_semaphore_wait(NULL, &now) == -EINVAL);
    EXPECT(unipc_sync_semaphore_post(NULL) == -EINVAL);
    EXPECT(unipc_sync_semaphore_value(NULL) == -EINVAL);
    EXPECT(unipc_sync_semaphore_max(NULL) == -EINVAL);
    EXPECT(unipc_sync_semaphore_holders(NULL, NULL, 0) == -EINVAL);
    EXPECT(unipc_sync_semaphore_waiters(NULL, NULL, 0) == -EINVAL);
    EXPECT(unipc_event_set(NULL) == -EINVAL && unipc_event_reset(NULL) == -EINVAL);
    EXPECT(unipc_event_wait(NULL, &now) == -EINVAL && unipc_event_is_set(NULL) == -EINVAL);
    EXPECT(unipc_event_waiters(NULL, NULL, 0) == -EINVAL);
    EXPECT(unipc_once_begin(NULL, &now) == -EINVAL && unipc_once_complete(NULL) == -EINVAL);
    EXPECT(unipc_once_abandon(NULL) == -EINVAL && unipc_once_is_done(NULL) == -EINVAL);
    EXPECT(unipc_once_holder(NULL, NULL) == -EINVAL);
    EXPECT(unipc_once_waiters(NULL, NULL, 0) == -EINVAL);
}

int main(void)
{
    char name[64];

    snprintf(name, sizeof name, "/ffi-events-%ld", (long)getpid());
    barrier_opening(name);
    barrier_alone();
    barrier_together();
    semaphore_opening(name);
    permits();
    semaphore_processes();
    pthread_form();
    event_opening(name);
    flags();
    once_opening(name);
    doing();
    no_handles();
    puts("all as promised");
    return 0;
}
