/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * Semaphores in C against the plain calls. The same rows exist in Rust and in Python.
 */
#define _GNU_SOURCE

#include "harness.h"

#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ipc.h>
#include <sys/sem.h>
#include <sys/wait.h>
#include <unipc.h>
#include <unistd.h>

/* A semaphore that both sides use: the library by its handle, the plain calls by address or identifier. */
struct semaphore {
    unipc_sem *sem;
    sem_t *posix;
    int id;
};

/* What the sides work on: one of value 1, and two of value 0, to the other process and back. */
static struct semaphore one, there, back;
static unipc_semset *set;

static void check(int result)
{
    if (result >= 0)
        return;
    fprintf(stderr, "%s\n", unipc_last_error());
    exit(1);
}

static void make_system_v(struct semaphore *semaphore, unsigned value)
{
    check(
        unipc_sem_create(&semaphore->sem, "sysv:private", value, UNIPC_SEM_REMOVE_ON_CLOSE, NULL));
    semaphore->id = unipc_sem_id(semaphore->sem);
}

static void make_posix(struct semaphore *semaphore, const char *what, unsigned value)
{
    char name[64];
    snprintf(name, sizeof name, "/unipc-bench-%s-%d", what, (int)getpid());
    check(unipc_sem_create(&semaphore->sem, name, value, 0, NULL));
    semaphore->posix = sem_open(name, 0);
    succeeded(semaphore->posix == SEM_FAILED ? -1 : 0);
    check(unipc_sem_unlink(name));
}

static void change(int id, short by, short flags)
{
    struct sembuf operation = {0, by, flags};
    succeeded(semop(id, &operation, 1));
}

static void pair(unipc_sem *first, unipc_sem *second)
{
    check(unipc_sem_acquire(first, NULL));
    check(unipc_sem_release(second));
}

/* --- take and give, in one process, so that nobody waits --- */

SIDE(unipc_pair, pair(one.sem, one.sem))
SIDE(system_v_pair, change(one.id, -1, 0); change(one.id, 1, 0))
SIDE(posix_pair, succeeded(sem_wait(one.posix)); succeeded(sem_post(one.posix)))

static const struct timespec LIMIT = {1, 0};

static void within(void)
{
    check(unipc_sem_acquire(one.sem, &LIMIT));
    check(unipc_sem_release(one.sem));
}

static void system_v_within(void)
{
    struct sembuf take = {0, -1, 0};
    succeeded(semtimedop(one.id, &take, 1, &LIMIT));
    change(one.id, 1, 0);
}

SIDE(unipc_limited, within())
SIDE(system_v_limited, system_v_within())

/* --- an array in one step --- */

static void unipc_operate(void)
{
    struct sembuf take[] = {{0, -1, SEM_UNDO}, {1, -1, SEM_UNDO}, {2, -1, SEM_UNDO}};
    struct sembuf give[] = {{0, 1, SEM_UNDO}, {1, 1, SEM_UNDO}, {2, 1, SEM_UNDO}};
    check(unipc_semset_operate(set, take, 3, NULL));
    check(unipc_semset_operate(set, give, 3, NULL));
}

static void system_v_array(void)
{
    struct sembuf take[] = {{0, -1, SEM_UNDO}, {1, -1, SEM_UNDO}, {2, -1, SEM_UNDO}};
    struct sembuf give[] = {{0, 1, SEM_UNDO}, {1, 1, SEM_UNDO}, {2, 1, SEM_UNDO}};
    succeeded(semop(unipc_semset_id(set), take, 3));
    succeeded(semop(unipc_semset_id(set), give, 3));
}

SIDE(unipc_arrays, unipc_operate())
SIDE(system_v_arrays, system_v_array())

/* --- round trip: to another process that gives back by the plain calls, and this one sleeps --- */

static void unipc_there_and_back(void)
{
    check(unipc_sem_release(there.sem));
    check(unipc_sem_acquire(back.sem, NULL));
}

SIDE(unipc_round_trip, unipc_there_and_back())
SIDE(system_v_round_trip, change(there.id, 1, 0); change(back.id, -1, 0))
SIDE(posix_round_trip, succeeded(sem_post(there.posix)); succeeded(sem_wait(back.posix)))

static pid_t echo(int system_v)
{
    pid_t child = succeeded(fork());
    while (child == 0) {
        if (system_v) {
            change(there.id, -1, 0);
            change(back.id, 1, 0);
        } else {
            succeeded(sem_wait(there.posix));
            succeeded(sem_post(back.posix));
        }
    }
    return child;
}

static void end(pid_t child)
{
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    unipc_sem_close(one.sem);
    unipc_sem_close(there.sem);
    unipc_sem_close(back.sem);
}

int main(void)
{
    const uint16_t values[] = {1, 1, 1};
    print_head(unipc_version_string());
    share_a_processor();

    make_posix(&one, "one", 1);
    make_posix(&there, "there", 0);
    make_posix(&back, "back", 0);
    COMPARE("POSIX semaphore: acquire and release (expected: at most 1.03 x)",
            {"unipc acquire, release", unipc_pair}, {"sem_wait, sem_post", posix_pair});
    pid_t child = echo(0);
    COMPARE("POSIX semaphore: round trip, time of this side (expected: at most 1.03 x)",
            {"unipc release, acquire", unipc_round_trip}, {"sem_post, sem_wait", posix_round_trip});
    end(child);

    make_system_v(&one, 1);
    make_system_v(&there, 0);
    make_system_v(&back, 0);
    COMPARE("System V semaphore: acquire and release (expected: at most 1.03 x)",
            {"unipc acquire, release", unipc_pair}, {"semop, semop", system_v_pair});
    COMPARE("System V semaphore: acquire with a limit and release (expected: at most 1.03 x)",
            {"unipc acquire, release", unipc_limited}, {"semtimedop, semop", system_v_limited});
    child = echo(1);
    COMPARE("System V semaphore: round trip, time of this side (expected: at most 1.03 x)",
            {"unipc release, acquire", unipc_round_trip}, {"semop, semop", system_v_round_trip});
    end(child);

    check(unipc_semset_create(&set, "sysv:private", values, 3, UNIPC_SEM_REMOVE_ON_CLOSE, NULL));
    COMPARE("System V set: three at once with SEM_UNDO and back (expected: at most 1.03 x)",
            {"unipc operate", unipc_arrays}, {"semop", system_v_arrays});
    unipc_semset_close(set);
    return 0;
}
