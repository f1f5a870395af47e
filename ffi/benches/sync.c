/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * Locks in shared memory in C against the C library's own. The same rows exist in Rust and in Python.
 */
#define _GNU_SOURCE /* CLOCK_MONOTONIC, MAP_ANONYMOUS */

#include "harness.h"

#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unipc.h>
#include <unistd.h>

/* What the sides work on. All of them look at what each call returns. */
static unipc_shm *shm;
static unipc_mutex *mutex, *plain_form;
static unipc_rwlock *rwlock;
static unipc_sync_semaphore *semaphore;
static pthread_mutex_t *plain_mutex;
static pthread_rwlock_t *plain_rwlock;
static sem_t *plain_semaphore;

static void check(int result)
{
    if (result >= 0)
        return;
    fprintf(stderr, "%s\n", unipc_last_error());
    exit(1);
}

SIDE(ours_mutex, check(unipc_mutex_lock(mutex, NULL)); check(unipc_mutex_unlock(mutex)))
SIDE(ours_plain, check(unipc_mutex_lock(plain_form, NULL)); check(unipc_mutex_unlock(plain_form)))
SIDE(glibc_mutex, check(-pthread_mutex_lock(plain_mutex));
     check(-pthread_mutex_unlock(plain_mutex)))
SIDE(ours_read, check(unipc_rwlock_read(rwlock, NULL)); check(unipc_rwlock_unlock(rwlock)))
SIDE(glibc_read, check(-pthread_rwlock_rdlock(plain_rwlock));
     check(-pthread_rwlock_unlock(plain_rwlock)))
SIDE(ours_write, check(unipc_rwlock_write(rwlock, NULL)); check(unipc_rwlock_unlock(rwlock)))
SIDE(glibc_write, check(-pthread_rwlock_wrlock(plain_rwlock));
     check(-pthread_rwlock_unlock(plain_rwlock)))
SIDE(ours_acquire, check(unipc_sync_semaphore_acquire(semaphore, NULL));
     check(unipc_sync_semaphore_release(semaphore)))
SIDE(ours_wait, check(unipc_sync_semaphore_wait(semaphore, NULL));
     check(unipc_sync_semaphore_post(semaphore)))
SIDE(glibc_wait, check(sem_wait(plain_semaphore)); check(sem_post(plain_semaphore)))

static void make(void)
{
    pthread_mutexattr_t mutex_attributes;
    pthread_rwlockattr_t rwlock_attributes;
    check(unipc_shm_create(&shm, "anon:", 1 << 16, 0, NULL));
    check(unipc_mutex_open(&mutex, shm, 0, UNIPC_SYNC_CREATE, NULL));
    check(
        unipc_mutex_open(&plain_form, shm, 1024, UNIPC_SYNC_CREATE,
                         &UNIPC_SYNC_OPTS(.form = UNIPC_SYNC_PTHREAD, .kind = UNIPC_MUTEX_NORMAL)));
    check(unipc_rwlock_open(&rwlock, shm, 4096, UNIPC_SYNC_CREATE, NULL));
    check(unipc_sync_semaphore_open(&semaphore, shm, 16384, UNIPC_SYNC_CREATE, 1,
                                    &UNIPC_SYNC_OPTS(.max = 1)));
    plain_mutex = unipc_shm_at(shm, 32768, sizeof *plain_mutex);
    plain_rwlock = unipc_shm_at(shm, 36864, sizeof *plain_rwlock);
    plain_semaphore = unipc_shm_at(shm, 40960, sizeof *plain_semaphore);
    pthread_mutexattr_init(&mutex_attributes);
    pthread_mutexattr_setpshared(&mutex_attributes, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setrobust(&mutex_attributes, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(plain_mutex, &mutex_attributes);
    pthread_rwlockattr_init(&rwlock_attributes);
    pthread_rwlockattr_setpshared(&rwlock_attributes, PTHREAD_PROCESS_SHARED);
    pthread_rwlock_init(plain_rwlock, &rwlock_attributes);
    sem_init(plain_semaphore, 1, 1);
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static void pin(int processor)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(processor, &set);
    sched_setaffinity(0, sizeof set, &set);
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Waits until both processes are here. */
static void meet(volatile int *gate)
{
    __atomic_add_fetch(gate, 1, __ATOMIC_SEQ_CST);
    while (*gate < 2)
        ;
}

/* Both processes do it at once, on a processor each; nanoseconds of the clock on the wall for each time, from when both are
 * there to when both are done: not with the end of the other process, which takes as long as thousands of locks. */
static double together(void (*run)(unsigned))
{
    enum { ROUNDS = 100000 };
    volatile int *gates =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t child = fork();
    pin(child == 0);
    /* The first time is another one: a thread's first lock tells the kernel of it. */
    run(1);
    meet(&gates[0]);
    double start = now();
    run(ROUNDS);
    meet(&gates[16]);
    double took = now() - start;
    if (child == 0)
        _exit(0);
    waitpid(child, NULL, 0);
    munmap((void *)gates, 4096);
    return took / (2 * ROUNDS);
}

static void compare_together(const char *title, const char *one, void (*ours)(unsigned),
                             const char *other, void (*theirs)(unsigned))
{
    enum { REPEAT = 31 };
    double a[REPEAT], b[REPEAT], ratio[REPEAT];
    for (int i = 0; i < REPEAT; i++) {
        a[i] = together(ours);
        b[i] = together(theirs);
        ratio[i] = a[i] / b[i];
    }
    qsort(a, REPEAT, sizeof *a, ascending);
    qsort(b, REPEAT, sizeof *b, ascending);
    qsort(ratio, REPEAT, sizeof *ratio, ascending);
    printf("\n%s\n  %-52s%8.1f ns\n  %-52s%8.1f ns%9.2f x  (%.2f .. %.2f)\n", title, one,
           a[REPEAT / 2], other, b[REPEAT / 2], ratio[REPEAT / 2], ratio[REPEAT / 4],
           ratio[REPEAT * 3 / 4]);
    fflush(stdout);
}

/* From the kill of the holder to the waiter's entry. */
static void recovery(void)
{
    enum { REPEAT = 300 };
    static double times[REPEAT];
    double *entered = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    for (int i = 0; i < REPEAT; i++) {
        int ready[2];
        char byte;
        succeeded(pipe(ready));
        pid_t holder = fork();
        if (holder == 0) {
            check(unipc_mutex_lock(mutex, NULL));
            succeeded((int)write(ready[1], "x", 1));
            pause();
        }
        succeeded((int)read(ready[0], &byte, 1));
        pid_t waiter = fork();
        if (waiter == 0) {
            check(unipc_mutex_lock(mutex, NULL));
            *entered = now();
            check(unipc_mutex_recovered(mutex));
            check(unipc_mutex_unlock(mutex));
            _exit(0);
        }
        while (unipc_mutex_waiters(mutex, NULL, 0) == 0)
            sched_yield();
        double killed = now();
        kill(holder, SIGKILL);
        waitpid(waiter, NULL, 0);
        waitpid(holder, NULL, 0);
        times[i] = *entered - killed;
        close(ready[0]);
        close(ready[1]);
    }
    qsort(times, REPEAT, sizeof *times, ascending);
    printf("\nfrom the kill of the holder to the waiter's entry (expected: at most 10 ms in 99 of "
           "100)\n"
           "  median %.3f ms, 99 of 100 %.3f ms, longest %.3f ms\n",
           times[REPEAT / 2] / 1e6, times[REPEAT * 99 / 100] / 1e6, times[REPEAT - 1] / 1e6);
}

int main(void)
{
    print_head(unipc_version_string());
    make();
    COMPARE("lock + unlock, nobody else (expected: at most 0.70 x glibc's robust mutex)",
            {"unipc_mutex, robust form", ours_mutex}, {"pthread_mutex_t, robust", glibc_mutex},
            {"unipc_mutex, pthread form", ours_plain});
    COMPARE("read lock + unlock, nobody else (expected: at most 1.00 x)",
            {"unipc_rwlock_read", ours_read}, {"pthread_rwlock_rdlock", glibc_read});
    COMPARE("write lock + unlock, nobody else (expected: at most 1.00 x)",
            {"unipc_rwlock_write", ours_write}, {"pthread_rwlock_wrlock", glibc_write});
    COMPARE("semaphore, nobody else (expected: at most 1.00 x)",
            {"unipc_sync_semaphore acquire, release", ours_acquire},
            {"sem_wait, sem_post", glibc_wait});
    COMPARE("semaphore as tokens, nobody else (expected: at most 1.00 x)",
            {"unipc_sync_semaphore wait, post", ours_wait}, {"sem_wait, sem_post", glibc_wait});
    if (sysconf(_SC_NPROCESSORS_ONLN) > 1) {
        compare_together("lock + unlock by two processes (expected: at most 1.00 x)", "unipc_mutex",
                         ours_mutex, "pthread_mutex_t, robust", glibc_mutex);
        compare_together("two readers (expected: at most 0.50 x)", "unipc_rwlock_read", ours_read,
                         "pthread_rwlock_rdlock", glibc_read);
        compare_together("one permit for two processes (expected: at most 0.60 x)",
                         "unipc_sync_semaphore acquire, release", ours_acquire,
                         "sem_wait, sem_post", glibc_wait);
    }
    recovery();
    unipc_sync_semaphore_close(semaphore);
    unipc_rwlock_close(rwlock);
    unipc_mutex_close(plain_form);
    unipc_mutex_close(mutex);
    unipc_shm_close(shm);
    return 0;
}
