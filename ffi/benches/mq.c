/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * Message queues in C against the plain calls. The same rows exist in Rust and in Python.
 */
#define _GNU_SOURCE

#include "harness.h"

#include <fcntl.h>
#include <mqueue.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/wait.h>
#include <unipc.h>
#include <unistd.h>

enum { LARGEST = 65536, DEFAULT = 8192 };

/* A queue that both sides use: the library by its handle, the plain calls by identifier or descriptor. */
struct queue {
    unipc_mq *mq;
    int id;
    mqd_t fd;
};

/* What the sides work on: one queue, or two to the other process and back. */
static struct queue there, back;
static size_t size;
static char data[LARGEST];
static struct {
    long type;
    char text[LARGEST];
} message = {.type = 1};

static void check(ssize_t result)
{
    if (result >= 0)
        return;
    fprintf(stderr, "%s\n", unipc_last_error());
    exit(1);
}

static void plain(ssize_t result)
{
    succeeded(result < 0 ? -1 : 0);
}

static int make_posix(struct queue *queue, const char *what, size_t largest)
{
    char name[64];
    snprintf(name, sizeof name, "/unipc-bench-%s-%d", what, (int)getpid());
    int made = unipc_mq_create(&queue->mq, name, UNIPC_MQ_REMOVE_ON_CLOSE,
                               &UNIPC_MQ_OPTS(.max_messages = 2, .max_size = largest));
    queue->fd = made < 0 ? (mqd_t)-1 : unipc_mq_fd(queue->mq);
    return made;
}

static void make_system_v(struct queue *queue)
{
    check(unipc_mq_create(&queue->mq, "sysv:private", UNIPC_MQ_REMOVE_ON_CLOSE, NULL));
    queue->id = unipc_mq_id(queue->mq);
}

/* --- one way: in and out again, in one process, so that nobody waits --- */

static void unipc_through(void)
{
    long tag;
    check(unipc_mq_send(there.mq, 1, data, size, NULL));
    check(unipc_mq_receive(there.mq, 0, 0, data, LARGEST, &tag, NULL));
}

static void system_v_through(void)
{
    plain(msgsnd(there.id, &message, size, 0));
    plain(msgrcv(there.id, &message, LARGEST, 0, 0));
}

static void posix_through(void)
{
    unsigned priority;
    plain(mq_send(there.fd, data, size, 1));
    plain(mq_receive(there.fd, data, LARGEST, &priority));
}

static void msgbuf_through(void)
{
    check(unipc_mq_send_msgbuf(there.mq, &message, size, NULL));
    check(unipc_mq_receive_msgbuf(there.mq, 0, 0, &message, LARGEST, NULL));
}

SIDE(unipc_one_way, unipc_through())
SIDE(msgbuf_one_way, msgbuf_through())
SIDE(system_v_one_way, system_v_through())
SIDE(posix_one_way, posix_through())

/* --- round trip: to another process that sends it back, by the plain calls, and this one sleeps --- */

static void unipc_there_and_back(void)
{
    long tag;
    check(unipc_mq_send(there.mq, 1, data, size, NULL));
    check(unipc_mq_receive(back.mq, 0, 0, data, LARGEST, &tag, NULL));
}

static void system_v_there_and_back(void)
{
    plain(msgsnd(there.id, &message, size, 0));
    plain(msgrcv(back.id, &message, LARGEST, 0, 0));
}

static void posix_there_and_back(void)
{
    unsigned priority;
    plain(mq_send(there.fd, data, size, 1));
    plain(mq_receive(back.fd, data, LARGEST, &priority));
}

static void msgbuf_there_and_back(void)
{
    check(unipc_mq_send_msgbuf(there.mq, &message, size, NULL));
    check(unipc_mq_receive_msgbuf(back.mq, 0, 0, &message, LARGEST, NULL));
}

SIDE(unipc_round_trip, unipc_there_and_back())
SIDE(msgbuf_round_trip, msgbuf_there_and_back())
SIDE(system_v_round_trip, system_v_there_and_back())
SIDE(posix_round_trip, posix_there_and_back())

static pid_t echo(int system_v)
{
    pid_t child = succeeded(fork());
    while (child == 0) {
        unsigned priority;
        if (system_v) {
            ssize_t length = msgrcv(there.id, &message, LARGEST, 0, 0);
            plain(msgsnd(back.id, &message, (size_t)length, 0));
        } else {
            ssize_t length = mq_receive(there.fd, data, LARGEST, &priority);
            plain(mq_send(back.fd, data, (size_t)length, priority));
        }
    }
    return child;
}

static void end(pid_t child)
{
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
}

static void compare(const char *kind, const char *calls, int system_v)
{
    char title[160];
    snprintf(title, sizeof title, "%s: one way, %zu bytes (expected: at most 1.03 x)", kind, size);
    COMPARE(title, {"unipc send, receive", unipc_one_way},
            {calls, system_v ? system_v_one_way : posix_one_way});
    if (system_v) {
        snprintf(title, sizeof title,
                 "%s: one way in a msgbuf, %zu bytes (expected: at most 1.03 x)", kind, size);
        COMPARE(title, {"unipc send_msgbuf, receive_msgbuf", msgbuf_one_way},
                {calls, system_v_one_way});
    }
    pid_t child = echo(system_v);
    snprintf(title, sizeof title,
             "%s: round trip, %zu bytes, time of this side (expected: at most 1.03 x)", kind, size);
    COMPARE(title, {"unipc send, receive", unipc_round_trip},
            {calls, system_v ? system_v_round_trip : posix_round_trip});
    if (system_v) {
        snprintf(
            title, sizeof title,
            "%s: round trip in a msgbuf, %zu bytes, time of this side (expected: at most 1.03 x)",
            kind, size);
        COMPARE(title, {"unipc send_msgbuf, receive_msgbuf", msgbuf_round_trip},
                {calls, system_v_round_trip});
    }
    end(child);
}

static void sizes(const char *kind, const char *calls, int system_v, size_t largest)
{
    const size_t all[] = {8, 64, 1024, DEFAULT, largest};
    for (size_t i = 0; i < sizeof all / sizeof *all - (largest == DEFAULT); i++) {
        size = all[i];
        compare(kind, calls, system_v);
    }
}

int main(void)
{
    print_head(unipc_version_string());
    share_a_processor();
    make_system_v(&there);
    make_system_v(&back);
    size_t largest = unipc_mq_max_size(there.mq);
    if (largest < LARGEST)
        printf("\nSystem V messages have %zu bytes at most; as root: sysctl kernel.msgmax=65536 "
               "kernel.msgmnb=262144\n",
               largest);
    sizes("System V queue", "msgsnd, msgrcv", 1, largest < LARGEST ? largest : LARGEST);
    unipc_mq_close(there.mq);
    unipc_mq_close(back.mq);

    largest = LARGEST;
    if (make_posix(&there, "there", largest) < 0) {
        printf(
            "\nPOSIX messages have %d bytes at most; as root: sysctl fs.mqueue.msgsize_max=65536\n",
            DEFAULT);
        check(make_posix(&there, "there", largest = DEFAULT));
    }
    check(make_posix(&back, "back", largest));
    sizes("POSIX queue", "mq_send, mq_receive", 0, largest);
    unipc_mq_close(there.mq);
    unipc_mq_close(back.mq);
    return 0;
}
