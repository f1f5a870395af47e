/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Calls the functions of message queues once, and expects what their comments in the headers promise. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>
#include <unipc.h>

#include "expect.h"

static void called(void *argument)
{
    EXPECT(write(*(int *)argument, "!", 1) == 1);
}

/* What a queue of either kind can do. */
static void messages(unipc_mq *mq, int backing)
{
    const struct timespec now = {0, 0}, soon = {0, 1000000};
    char text[32];
    uint64_t count;
    long tag;

    EXPECT(unipc_mq_backing(mq) == backing && unipc_mq_max_size(mq) >= sizeof text);
    EXPECT(unipc_mq_receive(mq, 0, 0, text, sizeof text, &tag, &now) == -EAGAIN);
    EXPECT(unipc_mq_receive(mq, 0, 0, text, sizeof text, &tag, &soon) == -ETIMEDOUT);
    EXPECT(unipc_mq_send(mq, 3, "three", 5, NULL) == 0);
    EXPECT(unipc_mq_messages(mq, &count) == 0 && count == 1);
    EXPECT(unipc_mq_receive(mq, 0, 0, text, sizeof text, &tag, NULL) == 5);
    EXPECT(tag == 3 && memcmp(text, "three", 5) == 0);
}

static void posix_queue(void)
{
    const struct timespec now = {0, 0};
    unipc_mq_posix_status status;
    unipc_mq *mq, *other;
    char name[64], letter;
    int ends[2];

    snprintf(name, sizeof name, "/unipc-program-%ld", (long)getpid());
    EXPECT(unipc_mq_create(&mq, name, 0, &UNIPC_MQ_OPTS(.max_messages = 2, .max_size = 32)) == 0);
    EXPECT(strcmp(unipc_mq_name(mq), name) == 0);
    EXPECT(unipc_mq_open(&other, name, UNIPC_MQ_SEND_ONLY, NULL) == 0);
    messages(mq, UNIPC_BACKING_POSIX);
    EXPECT(unipc_mq_fd(mq) >= 0 && unipc_mq_id(mq) == -EOPNOTSUPP);
    EXPECT(unipc_mq_send_msgbuf(mq, name, 8, NULL) == -EOPNOTSUPP);
    EXPECT(unipc_mq_notify_signal(mq, SIGUSR1, 7) == 0);
    EXPECT(unipc_mq_posix_stat(mq, &status) == 0);
    EXPECT(status.max_messages == 2 && status.max_size == 32 && status.mode == 0600);
    EXPECT(status.notify_pid == getpid() && status.notify_signal == SIGUSR1);
    EXPECT(unipc_mq_cancel_notification(mq) == 0);
    EXPECT(pipe(ends) == 0 && unipc_mq_notify_thread(mq, called, &ends[1]) == 0);
    EXPECT(unipc_mq_send(other, 0, NULL, 0, &now) == 0);
    EXPECT(read(ends[0], &letter, 1) == 1 && letter == '!');
    close(ends[0]);
    close(ends[1]);
    unipc_mq_close(other);
    EXPECT(unipc_mq_unlink(name) == 0 && unipc_mq_remove(mq) == -ENOENT);
    unipc_mq_close(mq);
}

/* The caller's own struct msgbuf, to the library and from it. */
static void msgbufs(unipc_mq *mq)
{
    const struct timespec now = {0, 0}, soon = {0, 1000000};
    struct {
        long type;
        char text[8];
    } out = {.type = 7, .text = "message"}, into = {.type = 0};
    ssize_t peeked;

    EXPECT(unipc_mq_send_msgbuf(mq, &out, sizeof out.text, NULL) == 0);
    peeked = unipc_mq_peek_msgbuf(mq, 0, &into, sizeof into.text);
    EXPECT((peeked == 8 && into.type == 7) || peeked == -EOPNOTSUPP);
    EXPECT(unipc_mq_receive_msgbuf(mq, 0, 0, &into, 7, NULL) == -E2BIG);
    EXPECT(unipc_mq_receive_msgbuf(mq, 7, 0, &into, sizeof into.text, NULL) == 8);
    EXPECT(into.type == 7 && strcmp(into.text, "message") == 0);
    EXPECT(unipc_mq_receive_msgbuf(mq, 0, 0, &into, sizeof into.text, &now) == -EAGAIN);
    EXPECT(unipc_mq_receive_msgbuf(mq, 0, 0, &into, sizeof into.text, &soon) == -ETIMEDOUT);
    out.type = 0;
    EXPECT(unipc_mq_send_msgbuf(mq, &out, sizeof out.text, NULL) == -EINVAL);
}

static void system_v_queue(void)
{
    unipc_mq_sysv_status status, first;
    unipc_mq_limit_values limits;
    unipc_mq_usage_values usage;
    unipc_mq *mq, *other;
    ssize_t peeked;
    long tag;
    int id;

    EXPECT(unipc_mq_open_or_create(&mq, "sysv:private", 0, NULL) == 0);
    messages(mq, UNIPC_BACKING_SYSTEM_V);
    msgbufs(mq);
    id = unipc_mq_id(mq);
    EXPECT(id >= 0 && unipc_mq_fd(mq) == -EOPNOTSUPP);
    EXPECT(unipc_mq_open(&other, unipc_mq_name(mq), 0, NULL) == 0);
    EXPECT(unipc_mq_send(other, 9, "nine", 4, NULL) == 0);
    peeked = unipc_mq_peek(mq, 0, NULL, 0, &tag);
    EXPECT((peeked == 4 && tag == 9) || peeked == -EOPNOTSUPP);
    EXPECT(unipc_mq_sysv_set(id, UINT32_MAX, UINT32_MAX, 0640, 100) == 0);
    EXPECT(unipc_mq_sysv_stat(id, &status) == 0 && status.id == id && status.mode == 0640);
    EXPECT(status.messages == 1 && status.bytes == 4 && status.max_bytes == 100);
    EXPECT(status.last_send_pid == getpid() && status.last_receive_pid == getpid());
    EXPECT(unipc_mq_sysv_list(&first, 1) >= 1 && first.max_bytes > 0);
    EXPECT(unipc_mq_limits(&limits) == 0 && limits.msgmax > 0);
    EXPECT(unipc_mq_usage(&usage) == 0 && usage.queues >= 1);
    EXPECT(unipc_mq_sysv_remove(id) == 0);
    EXPECT(unipc_mq_send(mq, 1, NULL, 0, NULL) == -EIDRM);
    unipc_mq_close(other);
    unipc_mq_close(mq);
}

int main(void)
{
    posix_queue();
    system_v_queue();
    puts("all as promised");
    return 0;
}
