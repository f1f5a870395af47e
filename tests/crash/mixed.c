/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * The workers in C of mixed.py, which says what they do. `mixed NAME` is told lines and answers with lines:
 * "run KIND" starts a child and tells its number, "check" a child that looks at everything, "reap N" waits for so many
 * and tells how they ended.
 */
#define _GNU_SOURCE /* prctl */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unipc.h>
#include <unistd.h>

enum { PERMITS = 3, TOKENS = 8, MUTEX_DATA = 40960, RECURSIVE_DATA = 40968, RWLOCK_DATA = 40976 };

static const struct timespec brief = {0, 1000000}, enough = {20, 0}, now = {0, 0};
static const char *name;
static unipc_shm *shm;
static unipc_mutex *mutex, *recursive;
static unipc_condvar *condvar;
static unipc_rwlock *rwlock;
static unipc_sync_semaphore *semaphore, *tokens;
static unipc_barrier *barrier;
static unipc_event *event;
static unipc_once *once;

/* What a call gives, which is no error, or one that is to be expected. */
static int check(const char *what, int result, int expected)
{
    if (result >= 0 || result == -expected)
        return result;
    fprintf(stderr, "C: %s: %s\n", what, unipc_last_error());
    _exit(1);
}
#define CHECK(call, expected) check(#call, call, expected)

static void require(const char *what, int fact)
{
    if (fact)
        return;
    fprintf(stderr, "C: not so: %s\n", what);
    _exit(1);
}
#define REQUIRE(fact) require(#fact, fact)

static void open_all(void)
{
    enum { HOW = UNIPC_SYNC_OPEN_OR_CREATE };
    CHECK(unipc_shm_open(&shm, name, 0, NULL), 0);
    CHECK(unipc_mutex_open(&mutex, shm, 0, HOW, NULL), 0);
    CHECK(unipc_mutex_open(&recursive, shm, 1024, HOW,
                           &UNIPC_SYNC_OPTS(.kind = UNIPC_MUTEX_RECURSIVE)),
          0);
    CHECK(unipc_condvar_open(&condvar, shm, 2048, HOW, NULL), 0);
    CHECK(unipc_rwlock_open(&rwlock, shm, 4096, HOW, &UNIPC_SYNC_OPTS(.max = 8)), 0);
    CHECK(unipc_sync_semaphore_open(&semaphore, shm, 8192, HOW, PERMITS,
                                    &UNIPC_SYNC_OPTS(.max = PERMITS)),
          0);
    CHECK(unipc_sync_semaphore_open(&tokens, shm, 12288, HOW, 0, &UNIPC_SYNC_OPTS(.max = TOKENS)),
          0);
    CHECK(unipc_barrier_open(&barrier, shm, 16384, HOW, 2, NULL), 0);
    CHECK(unipc_event_open(&event, shm, 20480, HOW, &UNIPC_SYNC_OPTS(.auto_reset = 1)), 0);
    CHECK(unipc_once_open(&once, shm, 24576, HOW, NULL), 0);
}

static void close_all(void)
{
    unipc_once_close(once);
    unipc_event_close(event);
    unipc_barrier_close(barrier);
    unipc_sync_semaphore_close(tokens);
    unipc_sync_semaphore_close(semaphore);
    unipc_rwlock_close(rwlock);
    unipc_condvar_close(condvar);
    unipc_mutex_close(recursive);
    unipc_mutex_close(mutex);
    unipc_shm_close(shm);
}

/* Adds to both of a pair, which must be equal, or be made so when a holder has died. */
static void add(size_t at, int died)
{
    volatile uint32_t *pair = unipc_shm_at(shm, at, 2 * sizeof *pair);
    if (died)
        pair[1] = pair[0];
    REQUIRE(pair[0] == pair[1]);
    pair[0]++;
    pair[1]++;
}

static void change(unipc_mutex *it, size_t at)
{
    int died = CHECK(unipc_mutex_lock(it, &enough), 0) == UNIPC_OWNER_DIED;
    add(at, died);
    if (died)
        CHECK(unipc_mutex_recovered(it), 0);
    CHECK(unipc_mutex_unlock(it), 0);
}

static void work_mutex(void)
{
    change(mutex, MUTEX_DATA);
}

static void work_recursive(void)
{
    int died = CHECK(unipc_mutex_lock(recursive, &enough), 0) == UNIPC_OWNER_DIED;
    add(RECURSIVE_DATA, died);
    if (died)
        CHECK(unipc_mutex_recovered(recursive), 0);
    CHECK(unipc_mutex_lock(recursive, &enough), 0);
    add(RECURSIVE_DATA, 0);
    CHECK(unipc_mutex_unlock(recursive), 0);
    CHECK(unipc_mutex_unlock(recursive), 0);
}

static void work_condvar_wait(void)
{
    int died = CHECK(unipc_mutex_lock(mutex, &enough), 0) == UNIPC_OWNER_DIED;
    add(MUTEX_DATA, died);
    if (died)
        CHECK(unipc_mutex_recovered(mutex), 0);
    died = CHECK(unipc_condvar_wait(condvar, mutex, &brief), ETIMEDOUT) == UNIPC_OWNER_DIED;
    unipc_sync_status status;
    CHECK(unipc_mutex_status(mutex, &status), 0);
    died |= status.owner_died;
    add(MUTEX_DATA, died);
    if (died)
        CHECK(unipc_mutex_recovered(mutex), 0);
    CHECK(unipc_mutex_unlock(mutex), 0);
}

static void work_condvar_notify(void)
{
    CHECK(unipc_condvar_notify_one(condvar), 0);
    CHECK(unipc_condvar_notify_all(condvar), 0);
}

static void work_read(void)
{
    int died = CHECK(unipc_rwlock_read(rwlock, &enough), 0) == UNIPC_OWNER_DIED;
    volatile uint32_t *pair = unipc_shm_at(shm, RWLOCK_DATA, 2 * sizeof *pair);
    REQUIRE(died || pair[0] == pair[1]);
    CHECK(unipc_rwlock_unlock(rwlock), 0);
}

static void work_write(void)
{
    int died = CHECK(unipc_rwlock_write(rwlock, &enough), 0) == UNIPC_OWNER_DIED;
    add(RWLOCK_DATA, died);
    if (died)
        CHECK(unipc_rwlock_recovered(rwlock), 0);
    CHECK(unipc_rwlock_unlock(rwlock), 0);
}

static void work_hold(void)
{
    if (CHECK(unipc_sync_semaphore_acquire(semaphore, &brief), ETIMEDOUT) >= 0)
        CHECK(unipc_sync_semaphore_release(semaphore), 0);
}

static void work_post(void)
{
    CHECK(unipc_sync_semaphore_post(tokens), EOVERFLOW);
}

static void work_take(void)
{
    CHECK(unipc_sync_semaphore_wait(tokens, &brief), ETIMEDOUT);
}

static void work_barrier(void)
{
    int result = unipc_barrier_wait(barrier, &brief);
    if (result == -EOWNERDEAD)
        CHECK(unipc_barrier_reset(barrier), 0);
    else if (result != -ETIMEDOUT)
        CHECK(result, EBUSY);
}

static void work_set(void)
{
    CHECK(unipc_event_set(event), 0);
}

static void work_wait(void)
{
    CHECK(unipc_event_wait(event, &brief), ETIMEDOUT);
}

static void work_once(void)
{
    int begun = CHECK(unipc_once_begin(once, &brief), ETIMEDOUT);
    if (begun == UNIPC_ONCE_BEGIN || begun == UNIPC_ONCE_BEGIN_AGAIN)
        CHECK(unipc_once_abandon(once), 0);
}

static void work_open(void)
{
    close_all();
    open_all();
}

static const struct {
    const char *kind;
    void (*work)(void);
} kinds[] = {
    {"mutex", work_mutex},
    {"recursive", work_recursive},
    {"condvar_wait", work_condvar_wait},
    {"condvar_notify", work_condvar_notify},
    {"read", work_read},
    {"write", work_write},
    {"hold", work_hold},
    {"post", work_post},
    {"take", work_take},
    {"barrier", work_barrier},
    {"set", work_set},
    {"wait", work_wait},
    {"once", work_once},
    {"open", work_open},
};

/* Everything is to be had, and whole. */
static void check_all(void)
{
    work_mutex();
    work_recursive();
    work_write();
    work_read();
    for (int i = 0; i < PERMITS; i++)
        CHECK(unipc_sync_semaphore_acquire(semaphore, &enough), 0);
    for (int i = 0; i < PERMITS; i++)
        CHECK(unipc_sync_semaphore_release(semaphore), 0);
    REQUIRE(unipc_sync_semaphore_value(semaphore) == PERMITS);
    CHECK(unipc_sync_semaphore_post(tokens), EOVERFLOW);
    CHECK(unipc_sync_semaphore_wait(tokens, &enough), 0);
    CHECK(unipc_barrier_reset(barrier), 0);
    REQUIRE(unipc_barrier_wait(barrier, &now) == -EAGAIN);
    CHECK(unipc_event_set(event), 0);
    CHECK(unipc_event_wait(event, &enough), 0);
    CHECK(unipc_once_begin(once, &enough), 0);
    CHECK(unipc_once_abandon(once), 0);
}

static pid_t start(const char *kind)
{
    pid_t child = fork();
    if (child != 0)
        return child;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    alarm(60);
    open_all();
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        while (strcmp(kind, kinds[i].kind) == 0)
            kinds[i].work();
    REQUIRE(strcmp(kind, "check") == 0);
    check_all();
    _exit(0);
}

int main(int argc, char **argv)
{
    char line[80], kind[80];
    int count;
    if (argc != 2)
        return 2;
    name = argv[1];
    setvbuf(stdout, NULL, _IOLBF, 0);
    while (fgets(line, sizeof line, stdin)) {
        if (sscanf(line, "run %79s", kind) == 1)
            printf("%d\n", (int)start(kind));
        else if (sscanf(line, "reap %d", &count) == 1)
            while (count-- > 0) {
                int status = 0;
                wait(&status);
                printf("%d\n", WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status));
            }
    }
    return 0;
}
