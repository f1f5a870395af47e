/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Calls each function for file locks, and expects what its comment in the header promises. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <unipc.h>

#include "expect.h"

#define PATH_OF(name) ((name) + strlen("file:"))

static const struct timespec now = {0, 0}, soon = {0, 20000000}, late = {10, 0};

static void opening(const char *name)
{
    unipc_lock *lock = NULL;
    struct stat file;

    EXPECT(unipc_lock_open(&lock, name, 0, NULL) == -ENOENT && lock == NULL);
    EXPECT(unipc_lock_create(&lock, name, UNIPC_LOCK_READ_ONLY, NULL) == -EINVAL);
    EXPECT(unipc_lock_create(&lock, name, 0, &UNIPC_LOCK_OPTS(.kind = 4)) == -EINVAL);
    EXPECT(unipc_lock_create(&lock, "/demo", 0, NULL) == -EOPNOTSUPP);
    EXPECT(unipc_lock_create(&lock, name, 0, &UNIPC_LOCK_OPTS(.mode = 0646)) == 0);
    EXPECT(strcmp(unipc_lock_name(lock), name) == 0);
    EXPECT(unipc_lock_kind_of(lock) == UNIPC_LOCK_OFD);
    EXPECT(fcntl(unipc_lock_fd(lock), F_GETFD) == FD_CLOEXEC);
    EXPECT(fstat(unipc_lock_fd(lock), &file) == 0);
    EXPECT((file.st_mode & 07777) == 0646 && file.st_size == 0);
    EXPECT(write(unipc_lock_fd(lock), "stays", 5) == 5);
    unipc_lock_close(lock);

    EXPECT(unipc_lock_create(&lock, name, 0, NULL) == -EEXIST && lock == NULL);
    EXPECT(unipc_lock_open_or_create(&lock, name, 0, NULL) == 0);
    EXPECT(fstat(unipc_lock_fd(lock), &file) == 0 && file.st_size == 5);
    unipc_lock_close(lock);
    unipc_lock_close(NULL);
    EXPECT(unipc_lock_name(NULL) == NULL && unipc_lock_fd(NULL) == -EINVAL);
}

static void read_only(const char *name)
{
    unipc_lock *lock;

    EXPECT(unipc_lock_open(&lock, name, UNIPC_LOCK_READ_ONLY, NULL) == 0);
    EXPECT(unipc_lock_acquire(lock, UNIPC_LOCK_EXCLUSIVE, 0, 0, &now) == -EBADF);
    EXPECT(unipc_lock_acquire(lock, UNIPC_LOCK_SHARED, 0, 0, &now) == 0);
    unipc_lock_close(lock);
}

/* Two handles of one process are two owners. */
static void open_files(const char *name)
{
    unipc_lock_holder_info holder = {0};
    unipc_lock *mine, *other;

    EXPECT(unipc_lock_open(&mine, name, 0, NULL) == 0);
    EXPECT(unipc_lock_open(&other, name, 0, NULL) == 0);
    EXPECT(unipc_lock_acquire(mine, UNIPC_LOCK_SHARED, 10, 5, NULL) == 0);
    EXPECT(unipc_lock_acquire(other, UNIPC_LOCK_SHARED, 0, 0, &now) == 0);
    EXPECT(unipc_lock_acquire(other, UNIPC_LOCK_EXCLUSIVE, 14, 1, &now) == -EAGAIN);
    EXPECT(unipc_lock_acquire(other, UNIPC_LOCK_EXCLUSIVE, 15, 1, &now) == 0);

    EXPECT(unipc_lock_holder(other, UNIPC_LOCK_SHARED, 0, 0, &holder) == 0 && holder.kind == 0);
    EXPECT(unipc_lock_holder(other, UNIPC_LOCK_EXCLUSIVE, 0, 0, &holder) == 1);
    EXPECT(holder.kind == UNIPC_LOCK_OFD && holder.sharing == UNIPC_LOCK_SHARED);
    EXPECT(holder.pid == 0 && holder.start == 10 && holder.length == 5);

    /* Of a larger range the rest stays locked. */
    EXPECT(unipc_lock_release(mine, 12, 0) == 0);
    EXPECT(unipc_lock_release(mine, 100, 1) == 0);
    EXPECT(unipc_lock_acquire(other, UNIPC_LOCK_EXCLUSIVE, 12, 0, &now) == 0);
    EXPECT(unipc_lock_acquire(other, UNIPC_LOCK_EXCLUSIVE, 11, 1, &now) == -EAGAIN);
    unipc_lock_close(mine);
    EXPECT(unipc_lock_acquire(other, UNIPC_LOCK_EXCLUSIVE, 0, 0, &now) == 0);
    unipc_lock_close(other);
}

static void mistakes(const char *name)
{
    unipc_lock *lock;

    EXPECT(unipc_lock_open(&lock, name, 0, NULL) == 0);
    EXPECT(unipc_lock_acquire(lock, 3, 0, 0, &now) == -EINVAL);
    EXPECT(unipc_lock_acquire(lock, UNIPC_LOCK_SHARED, UINT64_MAX, 0, &now) == -EOVERFLOW);
    EXPECT(unipc_lock_release(lock, UINT64_MAX, 0) == -EOVERFLOW);
    EXPECT(unipc_lock_holder(lock, UNIPC_LOCK_SHARED, 0, 0, NULL) == -EINVAL);
    EXPECT(unipc_lock_acquire(lock, UNIPC_LOCK_SHARED, 0, 0, &(struct timespec){-1, 0}) == -EINVAL);
    EXPECT(unipc_lock_acquire(NULL, UNIPC_LOCK_SHARED, 0, 0, &now) == -EINVAL);
    EXPECT(unipc_lock_release(NULL, 0, 0) == -EINVAL);
    EXPECT(unipc_lock_kind_of(NULL) == -EINVAL);
    unipc_lock_close(lock);
}

/* The lock belongs to the open file, so to the original descriptor too. */
static void descriptors(const char *name)
{
    const unipc_lock_opts flock = UNIPC_LOCK_OPTS(.kind = UNIPC_LOCK_FLOCK);
    unipc_lock_holder_info holder;
    unipc_lock *mine, *other;
    int fd = open(PATH_OF(name), O_RDWR);

    EXPECT(fd >= 0);
    EXPECT(unipc_lock_from_fd(&mine, -1, 0, NULL) == -EBADF && mine == NULL);
    EXPECT(unipc_lock_from_fd(&mine, fd, 0, &flock) == 0);
    EXPECT(unipc_lock_fd(mine) != fd && unipc_lock_kind_of(mine) == UNIPC_LOCK_FLOCK);
    EXPECT(strcmp(unipc_lock_name(mine), PATH_OF(name)) == 0 ||
           strcmp(unipc_lock_name(mine), name) == 0);
    EXPECT(unipc_lock_open(&other, name, 0, &flock) == 0);
    EXPECT(unipc_lock_acquire(mine, UNIPC_LOCK_EXCLUSIVE, 0, 1, &now) == -EOPNOTSUPP);
    EXPECT(unipc_lock_acquire(mine, UNIPC_LOCK_EXCLUSIVE, 0, 0, &now) == 0);
    EXPECT(unipc_lock_release(mine, 1, 1) == -EOPNOTSUPP);
    EXPECT(unipc_lock_holder(other, UNIPC_LOCK_SHARED, 0, 0, &holder) == 1);
    EXPECT(holder.pid == getpid() && holder.kind == UNIPC_LOCK_FLOCK);
    EXPECT(holder.sharing == UNIPC_LOCK_EXCLUSIVE && holder.start == 0 && holder.length == 0);

    unipc_lock_close(mine);
    EXPECT(unipc_lock_acquire(other, UNIPC_LOCK_SHARED, 0, 0, &soon) == -ETIMEDOUT);
    EXPECT(close(fd) == 0);
    EXPECT(unipc_lock_acquire(other, UNIPC_LOCK_SHARED, 0, 0, &now) == 0);
    EXPECT(unipc_lock_release(other, 0, 0) == 0);
    unipc_lock_close(other);
}

/* A child that locks the file, says so, and ends when its parent closes `hold`. */
static pid_t locker(const char *name, const unipc_lock_opts *opts, const int hold[2])
{
    int told[2];
    char byte;
    pid_t child;

    EXPECT(pipe(told) == 0);
    child = fork();
    EXPECT(child >= 0);
    if (child == 0) {
        unipc_lock *lock;

        close(hold[1]);
        EXPECT(unipc_lock_open(&lock, name, 0, opts) == 0);
        EXPECT(unipc_lock_acquire(lock, UNIPC_LOCK_EXCLUSIVE, 3, 4, &late) == 0);
        EXPECT(write(told[1], "x", 1) == 1);
        EXPECT(read(hold[0], &byte, 1) == 0);
        unipc_lock_close(lock);
        _exit(0);
    }
    close(told[1]);
    EXPECT(read(told[0], &byte, 1) == 1);
    close(told[0]);
    return child;
}

/* The locks of a process tell its pid, and go with it. */
static void processes(const char *name)
{
    const unipc_lock_opts opts = UNIPC_LOCK_OPTS(.kind = UNIPC_LOCK_POSIX);
    unipc_lock_holder_info holder;
    unipc_lock *mine, *same;
    int hold[2], status;
    pid_t child;

    EXPECT(pipe(hold) == 0);
    EXPECT(unipc_lock_open(&mine, name, 0, &opts) == 0);
    EXPECT(unipc_lock_open(&same, name, 0, &opts) == 0);
    child = locker(name, &opts, hold);
    EXPECT(unipc_lock_holder(mine, UNIPC_LOCK_SHARED, 0, 0, &holder) == 1);
    EXPECT(holder.pid == child && holder.kind == UNIPC_LOCK_POSIX);
    EXPECT(holder.sharing == UNIPC_LOCK_EXCLUSIVE && holder.start == 3 && holder.length == 4);
    EXPECT(unipc_lock_acquire(mine, UNIPC_LOCK_EXCLUSIVE, 0, 0, &now) == -EAGAIN);

    close(hold[0]);
    close(hold[1]);
    EXPECT(unipc_lock_acquire(mine, UNIPC_LOCK_EXCLUSIVE, 0, 0, &late) == 0);
    EXPECT(waitpid(child, &status, 0) == child && status == 0);
    EXPECT(unipc_lock_acquire(same, UNIPC_LOCK_EXCLUSIVE, 0, 0, &now) == 0);
    unipc_lock_close(same);
    unipc_lock_close(mine);
}

int main(void)
{
    char folder[64], name[96];

    snprintf(folder, sizeof folder, "/tmp/ffi-lock-%ld-XXXXXX", (long)getpid());
    EXPECT(mkdtemp(folder) != NULL);
    snprintf(name, sizeof name, "file:%s/lock", folder);
    opening(name);
    read_only(name);
    open_files(name);
    mistakes(name);
    descriptors(name);
    processes(name);
    EXPECT(unlink(PATH_OF(name)) == 0);
    EXPECT(rmdir(folder) == 0);
    puts("all as promised");
    return 0;
}
