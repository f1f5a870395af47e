/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * Benchmarks of file locks through the C functions: locking and unlocking with nobody in the way,
 * and asking who is, beside flock and fcntl themselves.
 */
#define _GNU_SOURCE
#include "harness.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>
#include <unipc.h>

static unipc_lock *lock, *other;
static int file;
static const struct timespec at_once, second = {1, 0};

/* Ends the benchmark when a call of unipc has failed. */
static void check(int result)
{
    if (result >= 0)
        return;
    fprintf(stderr, "%s\n", unipc_last_error());
    exit(1);
}

static void both(const struct timespec *timeout, unsigned sharing, uint64_t start, uint64_t length)
{
    check(unipc_lock_acquire(lock, sharing, start, length, timeout));
    check(unipc_lock_release(lock, start, length));
}

static void record(int command, short type, off_t start, off_t length)
{
    struct flock wanted = {.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = length};
    succeeded(fcntl(file, command, &wanted));
    wanted.l_type = F_UNLCK;
    succeeded(fcntl(file, command, &wanted));
}

static void ask(void)
{
    struct flock wanted = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    succeeded(fcntl(file, F_OFD_GETLK, &wanted));
}

static void plain_flock(void)
{
    succeeded(flock(file, LOCK_EX));
    succeeded(flock(file, LOCK_UN));
}

static unipc_lock_holder_info holder;

SIDE(unipc_all, both(NULL, UNIPC_LOCK_EXCLUSIVE, 0, 0))
SIDE(unipc_limit, both(&second, UNIPC_LOCK_EXCLUSIVE, 0, 0))
SIDE(unipc_try, both(&at_once, UNIPC_LOCK_SHARED, 100, 10))
SIDE(unipc_holder, check(unipc_lock_holder(lock, UNIPC_LOCK_EXCLUSIVE, 0, 0, &holder)))
SIDE(plain_ofd, record(F_OFD_SETLKW, F_WRLCK, 0, 0))
SIDE(plain_ofd_try, record(F_OFD_SETLK, F_RDLCK, 100, 10))
SIDE(plain_posix, record(F_SETLKW, F_WRLCK, 0, 0))
SIDE(plain_bsd, plain_flock())
SIDE(plain_getlk, ask())

static char name[64];

static void of_kind(uint32_t kind)
{
    check(unipc_lock_open_or_create(&lock, name, 0, &UNIPC_LOCK_OPTS(.kind = kind)));
    file = unipc_lock_fd(lock);
}

int main(void)
{
    print_head(unipc_version_string());
    snprintf(name, sizeof name, "file:/dev/shm/unipc-bench-lock-%ld", (long)getpid());

    of_kind(UNIPC_LOCK_OFD);
    COMPARE("lock and unlock the whole file, OFD", {"unipc_lock_acquire and _release", unipc_all},
            {"fcntl(F_OFD_SETLKW) twice", plain_ofd});
    COMPARE("the same with a time limit", {"unipc_lock_acquire and _release", unipc_limit},
            {"fcntl(F_OFD_SETLKW) twice, without one", plain_ofd});
    COMPARE("try to lock and unlock 10 bytes, shared, OFD",
            {"unipc_lock_acquire and _release", unipc_try},
            {"fcntl(F_OFD_SETLK) twice", plain_ofd_try});
    check(unipc_lock_open(&other, name, 0, NULL));
    check(unipc_lock_acquire(other, UNIPC_LOCK_SHARED, 0, 0, NULL));
    COMPARE("who is in the way, OFD", {"unipc_lock_holder", unipc_holder},
            {"fcntl(F_OFD_GETLK)", plain_getlk});
    unipc_lock_close(other);
    unipc_lock_close(lock);

    of_kind(UNIPC_LOCK_POSIX);
    COMPARE("lock and unlock the whole file, POSIX", {"unipc_lock_acquire and _release", unipc_all},
            {"fcntl(F_SETLKW) twice", plain_posix});
    unipc_lock_close(lock);

    of_kind(UNIPC_LOCK_FLOCK);
    COMPARE("lock and unlock the whole file, flock", {"unipc_lock_acquire and _release", unipc_all},
            {"flock twice", plain_bsd});
    unipc_lock_close(lock);
    succeeded(unlink(name + strlen("file:")));
}
