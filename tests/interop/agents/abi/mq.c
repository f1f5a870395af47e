/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Message queues by the library: the same verbs as in ../plain/mq.c. */
#include "abi.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unipc.h>

/* The one queue that this process has open. */
static unipc_mq *mq;

static int failed(ssize_t result)
{
    return answer_error(unipc_errname((int)result));
}

static int opened(int result)
{
    if (result < 0)
        return failed(result);
    return answer("id=%d fd=%d", unipc_mq_id(mq), unipc_mq_fd(mq));
}

static int create(const struct request *request)
{
    unipc_mq_opts opts = UNIPC_MQ_OPTS(.mode = (uint32_t)number(request, "mode", 0600),
                                       .max_messages = number(request, "max_messages", 0),
                                       .max_size = number(request, "max_size", 0));
    return opened(unipc_mq_create(&mq, text(request, "name"), 0, &opts));
}

static int open_queue(const struct request *request)
{
    return opened(unipc_mq_open(&mq, text(request, "name"), 0, NULL));
}

/* `timeout` is in milliseconds; without it the call waits for ever. All but a try say WAIT. */
static const struct timespec *limit(const struct request *request)
{
    static struct timespec limit;
    size_t ms = number(request, "timeout", 0);
    if (!text(request, "timeout")) {
        waiting();
        return NULL;
    }
    if (ms > 0)
        waiting();
    limit = (struct timespec){(time_t)(ms / 1000), (long)(ms % 1000) * 1000000};
    return &limit;
}

static int send_message(const struct request *request)
{
    size_t size;
    const unsigned char *data = bytes(request, "hex", &size);
    int result = unipc_mq_send(mq, (long)number(request, "tag", 1), data, size, limit(request));
    return result < 0 ? failed(result) : answer("sent");
}

/* As the kernel has a message. */
static struct {
    long type;
    unsigned char text[1 << 16];
} msgbuf;

static int send_msgbuf(const struct request *request)
{
    size_t size;
    const unsigned char *data = bytes(request, "hex", &size);
    msgbuf.type = (long)number(request, "tag", 1);
    memcpy(msgbuf.text, data, size);
    int result = unipc_mq_send_msgbuf(mq, &msgbuf, size, limit(request));
    return result < 0 ? failed(result) : answer("sent");
}

static int received(ssize_t length, size_t cap, const unsigned char *data, long tag)
{
    if (length < 0)
        return failed(length);
    printf("OK tag=%ld len=%zd hex=", tag, length);
    for (size_t i = 0; i < cap && i < (size_t)length; i++)
        printf("%02x", data[i]);
    putchar('\n');
    fflush(stdout);
    return 0;
}

static int receive_message(const struct request *request)
{
    size_t cap = number(request, "cap", 1 << 16);
    const char *want = text(request, "want");
    unsigned flags = (text(request, "truncate") ? UNIPC_MQ_TRUNCATE : 0) |
                     (text(request, "except") ? UNIPC_MQ_EXCEPT : 0);
    unsigned char *data = malloc(cap);
    long tag = -1;
    ssize_t length =
        unipc_mq_receive(mq, want ? atol(want) : 0, flags, data, cap, &tag, limit(request));
    int status = received(length, cap, data, tag);
    free(data);
    return status;
}

static int receive_msgbuf(const struct request *request)
{
    size_t cap = number(request, "cap", sizeof msgbuf.text);
    unsigned flags = text(request, "truncate") ? UNIPC_MQ_TRUNCATE : 0;
    ssize_t length = unipc_mq_receive_msgbuf(mq, 0, flags, &msgbuf, cap, limit(request));
    return received(length, cap, msgbuf.text, msgbuf.type);
}

static int peek(const struct request *request)
{
    static unsigned char data[1 << 16];
    long tag = -1;
    ssize_t length = unipc_mq_peek(mq, number(request, "index", 0), data, sizeof data, &tag);
    return received(length, sizeof data, data, tag);
}

static int close_queue(const struct request *request)
{
    (void)request;
    unipc_mq_close(mq);
    mq = NULL;
    return answer("closed");
}

static int remove_queue(const struct request *request)
{
    const char *name = text(request, "name");
    int result = name ? unipc_mq_unlink(name) : unipc_mq_remove(mq);
    return result < 0 ? failed(result) : answer("removed");
}

/* All that a status tells, as the words that the runner compares with the tools. */
static const char *describe(const unipc_mq_sysv_status *s, char *row, size_t room)
{
    int length = snprintf(row, room, "key=0x%08x id=%d mode=%o uid=%u gid=%u cuid=%u cgid=%u ",
                          (unsigned)s->key, s->id, s->mode, s->uid, s->gid, s->cuid, s->cgid);
    snprintf(row + length, room - (size_t)length,
             "bytes=%ju messages=%ju max_bytes=%ju lspid=%d lrpid=%d stime=%jd rtime=%jd ctime=%jd",
             (uintmax_t)s->bytes, (uintmax_t)s->messages, (uintmax_t)s->max_bytes, s->last_send_pid,
             s->last_receive_pid, (intmax_t)s->send_time, (intmax_t)s->receive_time,
             (intmax_t)s->change_time);
    return row;
}

static int stat_posix(void)
{
    unipc_mq_posix_status s;
    int result = unipc_mq_posix_stat(mq, &s);
    if (result < 0)
        return failed(result);
    return answer("max_messages=%ju max_size=%ju messages=%ju bytes=%ju mode=%o uid=%u gid=%u "
                  "pid=%d method=%d signal=%d atime=%jd ctime=%jd",
                  (uintmax_t)s.max_messages, (uintmax_t)s.max_size, (uintmax_t)s.messages,
                  (uintmax_t)s.bytes, s.mode, s.uid, s.gid, s.notify_pid, s.notify_method,
                  s.notify_signal, (intmax_t)s.access_time, (intmax_t)s.change_time);
}

static int stat_queue(const struct request *request)
{
    (void)request;
    unipc_mq_sysv_status status;
    char row[512];
    if (unipc_mq_id(mq) < 0)
        return stat_posix();
    int result = unipc_mq_sysv_stat(unipc_mq_id(mq), &status);
    return result < 0 ? failed(result) : answer("%s", describe(&status, row, sizeof row));
}

static int set(const struct request *request)
{
    int result = unipc_mq_sysv_set(unipc_mq_id(mq), UINT32_MAX, UINT32_MAX,
                                   (uint32_t)number(request, "mode", UINT32_MAX),
                                   number(request, "max_bytes", UINT64_MAX));
    return result < 0 ? failed(result) : answer("set");
}

static int notify(const struct request *request)
{
    int result = unipc_mq_notify_signal(mq, (int)number(request, "signal", 0), 0);
    return result < 0 ? failed(result) : answer("asked");
}

static int list(const struct request *request)
{
    (void)request;
    static unipc_mq_sysv_status rows[64];
    static char text[64 * 512], row[512];
    ssize_t count = unipc_mq_sysv_list(rows, 64);
    if (count < 0)
        return failed(count);
    text[0] = 0;
    for (ssize_t i = 0; i < count && i < 64; i++) {
        if (i > 0)
            strcat(text, ";");
        strcat(text, describe(&rows[i], row, sizeof row));
    }
    return answer("%s", text);
}

static int limits(const struct request *request)
{
    (void)request;
    unipc_mq_limit_values l;
    int result = unipc_mq_limits(&l);
    if (result < 0)
        return failed(result);
    return answer("msgmax=%ju msgmnb=%ju msgmni=%ju msg_max=%ju msgsize_max=%ju queues_max=%ju "
                  "msg_default=%ju msgsize_default=%ju",
                  (uintmax_t)l.msgmax, (uintmax_t)l.msgmnb, (uintmax_t)l.msgmni,
                  (uintmax_t)l.msg_max, (uintmax_t)l.msgsize_max, (uintmax_t)l.queues_max,
                  (uintmax_t)l.msg_default, (uintmax_t)l.msgsize_default);
}

const struct verb mq_verbs[] = {
    {"mq.create", create},
    {"mq.open", open_queue},
    {"mq.send", send_message},
    {"mq.send_msgbuf", send_msgbuf},
    {"mq.receive", receive_message},
    {"mq.receive_msgbuf", receive_msgbuf},
    {"mq.peek", peek},
    {"mq.close", close_queue},
    {"mq.remove", remove_queue},
    {"mq.stat", stat_queue},
    {"mq.set", set},
    {"mq.notify", notify},
    {"mq.list", list},
    {"mq.limits", limits},
    {NULL, NULL},
};
