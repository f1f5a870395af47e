/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Message queues by libc alone: msgget, msgsnd and msgrcv; mq_open, mq_send and mq_receive. */
#define _GNU_SOURCE
#include "plain.h"

#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ROOM = 1 << 16 };

/* The one queue that this process has open: a System V identifier, or a POSIX descriptor. */
static struct {
    int id;
    mqd_t fd;
} queue = {-1, (mqd_t)-1};

static struct {
    long type;
    char text[ROOM];
} message;

static int failed(void)
{
    return answer_error(strerrorname_np(errno));
}

static int is_posix(const char *name)
{
    return name[0] == '/';
}

/* sysv:0xKEY, sysv:private or sysv:PATH,PROJ; -1 with errno set when the path does not exist. */
static key_t key_of(const char *name)
{
    const char *place = name + strlen("sysv:"), *comma = strrchr(place, ',');
    char path[4096];
    if (strcmp(place, "private") == 0)
        return IPC_PRIVATE;
    if (!comma)
        return (key_t)strtoul(place, NULL, 0);
    snprintf(path, sizeof path, "%.*s", (int)(comma - place), place);
    return ftok(path, atoi(comma + 1));
}

static int opened(void)
{
    if (queue.id < 0 && queue.fd == (mqd_t)-1)
        return failed();
    return answer("id=%d fd=%d", queue.id, (int)queue.fd);
}

static int create(const struct request *request)
{
    const char *name = text(request, "name");
    unsigned mode = (unsigned)number(request, "mode", 0600);
    struct mq_attr attr = {.mq_maxmsg = (long)number(request, "max_messages", 10),
                           .mq_msgsize = (long)number(request, "max_size", 8192)};
    if (is_posix(name)) {
        mode_t before = umask(0);
        queue.fd = mq_open(name, O_RDWR | O_CREAT | O_EXCL, (mode_t)mode, &attr);
        umask(before);
    } else {
        queue.id = msgget(key_of(name), IPC_CREAT | IPC_EXCL | (int)mode);
    }
    return opened();
}

static int open_queue(const struct request *request)
{
    const char *name = text(request, "name");
    if (is_posix(name))
        queue.fd = mq_open(name, O_RDWR);
    else if (strncmp(name, "sysv:id=", 8) == 0)
        queue.id = atoi(name + 8);
    else
        queue.id = msgget(key_of(name), 0);
    return opened();
}

/* A try, where `timeout` is 0, must not wait; all else does. */
static int is_try(const struct request *request)
{
    if (text(request, "timeout"))
        return 1;
    waiting();
    return 0;
}

static void blocking(int wanted)
{
    struct mq_attr attr = {.mq_flags = wanted ? 0 : O_NONBLOCK};
    mq_setattr(queue.fd, &attr, NULL);
}

static int send_message(const struct request *request)
{
    size_t size;
    const unsigned char *data = bytes(request, "hex", &size);
    long tag = (long)number(request, "tag", 1);
    int try = is_try(request), result;
    if (queue.id >= 0) {
        message.type = tag;
        memcpy(message.text, data, size);
        result = msgsnd(queue.id, &message, size, try ? IPC_NOWAIT : 0);
    } else {
        blocking(!try);
        result = mq_send(queue.fd, (const char *)data, size, (unsigned)tag);
    }
    return result < 0 ? failed() : answer("sent");
}

static int received(long tag, ssize_t length)
{
    if (length < 0)
        return errno == ENOMSG ? answer_error("EAGAIN") : failed();
    printf("OK tag=%ld len=%zd hex=", tag, length);
    for (ssize_t i = 0; i < length; i++)
        printf("%02x", (unsigned char)message.text[i]);
    putchar('\n');
    fflush(stdout);
    return 0;
}

static int receive_message(const struct request *request)
{
    size_t cap = number(request, "cap", ROOM);
    int try = is_try(request);
    if (queue.id >= 0) {
        const char *want = text(request, "want");
        int flags = (try ? IPC_NOWAIT : 0) | (text(request, "truncate") ? MSG_NOERROR : 0) |
                    (text(request, "except") ? MSG_EXCEPT : 0);
        ssize_t length = msgrcv(queue.id, &message, cap, want ? atol(want) : 0, flags);
        return received(message.type, length);
    }
    unsigned priority = 0;
    blocking(!try);
    ssize_t length = mq_receive(queue.fd, message.text, cap, &priority);
    return received((long)priority, length);
}

static int close_queue(const struct request *request)
{
    (void)request;
    if (queue.fd != (mqd_t)-1)
        mq_close(queue.fd);
    queue.fd = (mqd_t)-1;
    queue.id = -1;
    return answer("closed");
}

static int remove_queue(const struct request *request)
{
    const char *name = text(request, "name");
    int result;
    if (is_posix(name))
        result = mq_unlink(name);
    else
        result =
            msgctl(strncmp(name, "sysv:id=", 8) == 0 ? atoi(name + 8) : msgget(key_of(name), 0),
                   IPC_RMID, NULL);
    return result < 0 ? failed() : answer("removed");
}

static int stat_queue(const struct request *request)
{
    (void)request;
    if (queue.id >= 0) {
        struct msqid_ds s;
        if (msgctl(queue.id, IPC_STAT, &s) < 0)
            return failed();
        return answer(
            "key=0x%08x id=%d mode=%o messages=%lu bytes=%lu max_bytes=%lu lspid=%d lrpid=%d",
            (unsigned)s.msg_perm.__key, queue.id, s.msg_perm.mode, s.msg_qnum, s.__msg_cbytes,
            s.msg_qbytes, s.msg_lspid, s.msg_lrpid);
    }
    struct mq_attr a;
    if (mq_getattr(queue.fd, &a) < 0)
        return failed();
    return answer("max_messages=%ld max_size=%ld messages=%ld", a.mq_maxmsg, a.mq_msgsize,
                  a.mq_curmsgs);
}

const struct verb mq_verbs[] = {
    {"mq.create", create},     {"mq.open", open_queue},
    {"mq.send", send_message}, {"mq.receive", receive_message},
    {"mq.close", close_queue}, {"mq.remove", remove_queue},
    {"mq.stat", stat_queue},   {NULL, NULL},
};
