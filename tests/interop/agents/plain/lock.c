/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* File locks by libc alone: flock, fcntl(F_SETLK), fcntl(F_OFD_SETLK). */
#define _GNU_SOURCE
#include "plain.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

/* The one file that this process has open for locking. */
static int file = -1;
static enum { OFD, POSIX, FLOCK } kind;

static int failed(void)
{
    return answer_error(strerrorname_np(errno));
}

static int open_lock(const struct request *request)
{
    const char *word = text(request, "kind");
    kind = strcmp(word, "ofd") == 0 ? OFD : strcmp(word, "posix") == 0 ? POSIX : FLOCK;
    file = open(text(request, "path"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    return file < 0 ? failed() : answer("opened");
}

static int is_shared(const struct request *request)
{
    return strcmp(text(request, "sharing"), "shared") == 0;
}

static struct flock record(const struct request *request, short type)
{
    struct flock record = {.l_type = type, .l_whence = SEEK_SET};
    record.l_start = (off_t)number(request, "start", 0);
    record.l_len = (off_t)number(request, "length", 0);
    return record;
}

static int set(const struct request *request, short type, int wait)
{
    static const int commands[2][2] = {{F_OFD_SETLK, F_OFD_SETLKW}, {F_SETLK, F_SETLKW}};
    struct flock wanted = record(request, type);
    int operation = type == F_UNLCK ? LOCK_UN : type == F_RDLCK ? LOCK_SH : LOCK_EX;
    if (kind == FLOCK)
        return flock(file, wait ? operation : operation | LOCK_NB);
    return fcntl(file, commands[kind == POSIX][wait], &wanted);
}

static int acquire(const struct request *request)
{
    int wait = (int)number(request, "wait", 0);
    if (wait)
        waiting();
    return set(request, is_shared(request) ? F_RDLCK : F_WRLCK, wait) < 0 ? failed()
                                                                          : answer("locked");
}

static int release(const struct request *request)
{
    return set(request, F_UNLCK, 0) < 0 ? failed() : answer("unlocked");
}

static int holder(const struct request *request)
{
    struct flock found = record(request, is_shared(request) ? F_RDLCK : F_WRLCK);
    if (fcntl(file, kind == POSIX ? F_GETLK : F_OFD_GETLK, &found) < 0)
        return failed();
    if (found.l_type == F_UNLCK)
        return answer("nobody");
    return answer("pid=%d kind=%s sharing=%s start=%lld length=%lld",
                  found.l_pid < 0 ? 0 : found.l_pid, found.l_pid < 0 ? "ofd" : "posix",
                  found.l_type == F_RDLCK ? "shared" : "exclusive", (long long)found.l_start,
                  (long long)found.l_len);
}

/* What any other code of the process might do: look into the file. */
static int touch(const struct request *request)
{
    int other = open(text(request, "path"), O_RDONLY | O_CLOEXEC);
    return other < 0 || close(other) < 0 ? failed() : answer("touched");
}

static int close_lock(const struct request *request)
{
    (void)request;
    return close(file) < 0 ? failed() : answer("closed");
}

const struct verb lock_verbs[] = {
    {"lock.open", open_lock},
    {"lock.acquire", acquire},
    {"lock.release", release},
    {"lock.holder", holder},
    {"lock.touch", touch},
    {"lock.close", close_lock},
    {NULL, NULL},
};
