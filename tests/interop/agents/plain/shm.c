/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Shared memory by libc alone: open, shm_open, memfd_create and mmap; shmget and shmat. */
#define _GNU_SOURCE
#include "plain.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* The one object that this process has attached. */
static struct {
    unsigned char *memory;
    size_t size;   /* what the caller asked for */
    size_t usable; /* with slack: to the end of the last page */
    int id;        /* System V identifier, else -1 */
    int fd;        /* of a memfd, kept so that it can be inherited; else -1 */
} object = {.id = -1, .fd = -1};

static int failed(void)
{
    return answer_error(strerrorname_np(errno));
}

static const char *after(const char *name, const char *prefix)
{
    size_t length = strlen(prefix);
    return strncmp(name, prefix, length) == 0 ? name + length : NULL;
}

static size_t whole_pages(size_t size)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    return (size + page - 1) / page * page;
}

/* sysv:0xKEY, sysv:private or sysv:PATH,PROJ; -1 with errno set when the path does not exist. */
static key_t key_of(const char *place)
{
    const char *comma = strrchr(place, ',');
    if (strcmp(place, "private") == 0)
        return IPC_PRIVATE;
    if (!comma)
        return (key_t)strtoul(place, NULL, 0);
    char path[4096];
    snprintf(path, sizeof path, "%.*s", (int)(comma - place), place);
    return ftok(path, atoi(comma + 1));
}

static int attach(int id, int flags)
{
    struct shmid_ds status;
    void *memory = shmat(id, NULL, flags);
    if (memory == (void *)-1)
        return failed();
    object.memory = memory;
    object.id = id;
    object.usable = object.size = shmctl(id, IPC_STAT, &status) == 0 ? status.shm_segsz : 0;
    return answer("size=%zu id=%d", object.size, id);
}

static int map(int fd, const struct request *request)
{
    struct stat status;
    int protection = text(request, "readonly") ? PROT_READ : PROT_READ | PROT_WRITE;
    if (fd < 0 || fstat(fd, &status) != 0)
        return failed();
    object.size = number(request, "size", (size_t)status.st_size);
    void *memory = mmap(NULL, object.size, protection, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED) {
        int error = errno;
        close(fd);
        errno = error;
        return failed();
    }
    object.memory = memory;
    object.usable = text(request, "slack") ? whole_pages(object.size) : object.size;
    object.fd = fd;
    return answer("size=%zu fd=%d", object.size, fd);
}

/* Gives a new object its size the way the documents' program does: one byte written at the end. */
static int sized(int fd, size_t size)
{
    if (fd >= 0 && (lseek(fd, (off_t)size - 1, SEEK_SET) < 0 || write(fd, "", 1) != 1)) {
        close(fd);
        return -1;
    }
    return fd;
}

static int create(const struct request *request)
{
    const char *name = text(request, "name"), *place;
    size_t size = number(request, "size", 0);
    mode_t mode = (mode_t)number(request, "mode", 0600);
    umask(0);
    if ((place = after(name, "sysv:"))) {
        key_t key = key_of(place);
        int id = key == -1 ? -1 : shmget(key, size, IPC_CREAT | IPC_EXCL | (int)mode);
        return id < 0 ? failed() : attach(id, 0);
    }
    if ((place = after(name, "file:")))
        return map(sized(open(place, O_CREAT | O_RDWR | O_TRUNC, mode), size), request);
    if ((place = after(name, "memfd:")))
        return map(sized(memfd_create(place, 0), size), request);
    return map(sized(shm_open(name, O_CREAT | O_EXCL | O_RDWR, mode), size), request);
}

static int open_object(const struct request *request)
{
    const char *name = text(request, "name"), *place;
    int readonly = text(request, "readonly") != NULL;
    if (!name)
        return map((int)number(request, "fd", 0), request);
    if ((place = after(name, "sysv:id=")))
        return attach(atoi(place), readonly ? SHM_RDONLY : 0);
    if ((place = after(name, "sysv:"))) {
        key_t key = key_of(place);
        int id = key == -1 ? -1 : shmget(key, 0, 0);
        return id < 0 ? failed() : attach(id, readonly ? SHM_RDONLY : 0);
    }
    int flags = readonly ? O_RDONLY : O_RDWR;
    return map((place = after(name, "file:")) ? open(place, flags) : shm_open(name, flags, 0),
               request);
}

static int within(size_t at, size_t size)
{
    return at <= object.usable && size <= object.usable - at;
}

static int write_bytes(const struct request *request)
{
    size_t size, at = number(request, "at", 0);
    const unsigned char *data = bytes(request, "hex", &size);
    if (!within(at, size))
        return answer_error("ERANGE");
    memcpy(object.memory + at, data, size);
    return answer("written");
}

static int read_bytes(const struct request *request)
{
    size_t at = number(request, "at", 0), size = number(request, "size", object.size);
    return within(at, size) ? answer_bytes(object.memory + at, size) : answer_error("ERANGE");
}

static int fill_all(const struct request *request)
{
    size_t length;
    const unsigned char *block = bytes(request, "hex", &length);
    fill(object.memory, object.size, block, length);
    return answer("filled");
}

static int match(const struct request *request)
{
    size_t length;
    const unsigned char *block = bytes(request, "hex", &length);
    return answer(is_filled(object.memory, object.size, block, length) ? "same" : "different");
}

static int close_object(const struct request *request)
{
    (void)request;
    int result = object.id >= 0 ? shmdt(object.memory) : munmap(object.memory, object.size);
    if (object.fd >= 0)
        close(object.fd);
    object.id = object.fd = -1;
    return result == 0 ? answer("closed") : failed();
}

static int remove_object(const struct request *request)
{
    const char *name = text(request, "name"), *place;
    int result;
    if (!name) {
        result = shmctl(object.id, IPC_RMID, NULL);
    } else if ((place = after(name, "sysv:"))) {
        const char *id = after(place, "id=");
        result = shmctl(id ? atoi(id) : shmget(key_of(place), 0, 0), IPC_RMID, NULL);
    } else {
        result = (place = after(name, "file:")) ? unlink(place) : shm_unlink(name);
    }
    return result == 0 ? answer("removed") : failed();
}

static int stat_object(const struct request *request)
{
    struct shmid_ds s;
    int id = (int)number(request, "id", (size_t)object.id);
    if (shmctl(id, IPC_STAT, &s) != 0)
        return failed();
    return answer("key=0x%08x id=%d size=%zu mode=%o nattch=%lu removed=%d",
                  (unsigned)s.shm_perm.__key, id, s.shm_segsz, s.shm_perm.mode & 0777,
                  (unsigned long)s.shm_nattch, (s.shm_perm.mode & SHM_DEST) != 0);
}

static int key(const struct request *request)
{
    key_t made = ftok(text(request, "path"), (int)number(request, "proj", 0));
    return made == -1 ? failed() : answer("0x%08x", (unsigned)made);
}

/* An anonymous mapping over fork: the child tells what it finds and leaves `reply`, which the
 * parent tells. */
static int fork_with_memory(const struct request *request)
{
    size_t size = number(request, "size", 0), length, reply_length;
    const unsigned char *block = bytes(request, "hex", &length),
                        *reply = bytes(request, "reply", &reply_length);
    unsigned char *memory =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return failed();
    fill(memory, size, block, length);
    printf("OK ");
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        found("child", memory, size, block, length);
        fill(memory, size, reply, reply_length);
        _exit(0);
    }
    waitpid(child, NULL, 0);
    putchar(' ');
    found("parent", memory, size, reply, reply_length);
    putchar('\n');
    fflush(stdout);
    munmap(memory, size);
    return 0;
}

const struct verb shm_verbs[] = {
    {"create", create},      {"open", open_object},      {"write", write_bytes},
    {"read", read_bytes},    {"fill", fill_all},         {"match", match},
    {"close", close_object}, {"remove", remove_object},  {"stat", stat_object},
    {"ftok", key},           {"fork", fork_with_memory}, {NULL, NULL},
};
