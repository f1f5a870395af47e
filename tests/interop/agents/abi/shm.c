/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Shared memory by the library: the same verbs as in ../plain/shm.c. */
#include "abi.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unipc.h>

/* The one object that this process has open. */
static unipc_shm *shm;

static int failed(int result)
{
    return answer_error(unipc_errname(result));
}

static int opened(int result)
{
    if (result < 0)
        return failed(result);
    return answer("size=%zu id=%d fd=%d", unipc_shm_size(shm), unipc_shm_id(shm),
                  unipc_shm_fd(shm));
}

static int create(const struct request *request)
{
    unipc_shm_opts opts = UNIPC_SHM_OPTS(.mode = (uint32_t)number(request, "mode", 0600));
    if (opts.mode == 0)
        opts.mode = UNIPC_MODE_NONE;
    return opened(
        unipc_shm_create(&shm, text(request, "name"), number(request, "size", 0), 0, &opts));
}

static int open_object(const struct request *request)
{
    const char *name = text(request, "name");
    unsigned flags = text(request, "readonly") ? UNIPC_SHM_READ_ONLY : 0;
    if (text(request, "slack"))
        flags |= UNIPC_SHM_SLACK;
    if (!name)
        return opened(unipc_shm_from_fd(&shm, (int)number(request, "fd", 0), flags, NULL));
    return opened(unipc_shm_open(&shm, name, flags, NULL));
}

static int write_bytes(const struct request *request)
{
    size_t size;
    const unsigned char *data = bytes(request, "hex", &size);
    int result = unipc_shm_write_at(shm, number(request, "at", 0), data, size);
    return result < 0 ? failed(result) : answer("written");
}

static int read_bytes(const struct request *request)
{
    size_t size = number(request, "size", unipc_shm_size(shm));
    unsigned char *buffer = malloc(size);
    int result = unipc_shm_read_at(shm, number(request, "at", 0), buffer, size);
    int status = result < 0 ? failed(result) : answer_bytes(buffer, size);
    free(buffer);
    return status;
}

/* The large ones go by the address, as a C program that knows its layout would. */
static int fill_all(const struct request *request)
{
    size_t length;
    const unsigned char *block = bytes(request, "hex", &length);
    fill(unipc_shm_data(shm), unipc_shm_size(shm), block, length);
    return answer("filled");
}

static int match(const struct request *request)
{
    size_t length;
    const unsigned char *block = bytes(request, "hex", &length);
    return answer(is_filled(unipc_shm_data(shm), unipc_shm_size(shm), block, length) ? "same"
                                                                                     : "different");
}

static int close_object(const struct request *request)
{
    (void)request;
    unipc_shm_close(shm);
    shm = NULL;
    return answer("closed");
}

static int remove_object(const struct request *request)
{
    const char *name = text(request, "name");
    int result = name ? unipc_shm_unlink(name) : unipc_shm_remove(shm, 0);
    return result < 0 ? failed(result) : answer("removed");
}

/* All that a status tells, as the words that the runner compares with the tools. */
static const char *describe(const unipc_shm_sysv_status *s, char *row, size_t room)
{
    int length = snprintf(
        row, room, "key=0x%08x id=%d size=%ju mode=%o uid=%u gid=%u cuid=%u cgid=%u ",
        (unsigned)s->key, s->id, (uintmax_t)s->size, s->mode, s->uid, s->gid, s->cuid, s->cgid);
    snprintf(row + length, room - (size_t)length,
             "cpid=%d lpid=%d nattch=%ju atime=%jd dtime=%jd ctime=%jd removed=%d locked=%d",
             s->creator_pid, s->last_pid, (uintmax_t)s->attached, (intmax_t)s->attach_time,
             (intmax_t)s->detach_time, (intmax_t)s->change_time, s->removed, s->locked);
    return row;
}

static int stat_object(const struct request *request)
{
    (void)request;
    unipc_shm_sysv_status status;
    char row[512];
    int result = unipc_shm_sysv_stat(unipc_shm_id(shm), &status);
    return result < 0 ? failed(result) : answer("%s", describe(&status, row, sizeof row));
}

static int list(const struct request *request)
{
    (void)request;
    unipc_shm_sysv_status rows[64];
    char text[64 * 512] = "", row[512];
    ssize_t count = unipc_shm_sysv_list(rows, 64);
    if (count < 0)
        return failed((int)count);
    for (ssize_t i = 0; i < count && i < 64; i++) {
        if (i > 0)
            strcat(text, ";");
        strcat(text, describe(&rows[i], row, sizeof row));
    }
    return answer("%s", text);
}

static int lock_segment(const struct request *request)
{
    (void)request;
    int result = unipc_shm_sysv_lock(unipc_shm_id(shm));
    return result < 0 ? failed(result) : answer("locked");
}

static int unlock_segment(const struct request *request)
{
    (void)request;
    int result = unipc_shm_sysv_unlock(unipc_shm_id(shm));
    return result < 0 ? failed(result) : answer("unlocked");
}

static int limits(const struct request *request)
{
    (void)request;
    unipc_shm_limit_values l;
    int result = unipc_shm_limits(&l);
    if (result < 0)
        return failed(result);
    return answer("shmmax=%ju shmmin=%ju shmmni=%ju shmall=%ju", (uintmax_t)l.shmmax,
                  (uintmax_t)l.shmmin, (uintmax_t)l.shmmni, (uintmax_t)l.shmall);
}

static int key(const struct request *request)
{
    int32_t made;
    int result = unipc_ftok(text(request, "path"), (int)number(request, "proj", 0), &made);
    return result < 0 ? failed(result) : answer("0x%08x", (unsigned)made);
}

const struct verb shm_verbs[] = {
    {"create", create},         {"open", open_object},
    {"write", write_bytes},     {"read", read_bytes},
    {"fill", fill_all},         {"match", match},
    {"close", close_object},    {"remove", remove_object},
    {"stat", stat_object},      {"list", list},
    {"lock", lock_segment},     {"unlock", unlock_segment},
    {"limits", limits},         {"ftok", key},
    {"fork", fork_with_memory}, {NULL, NULL},
};
