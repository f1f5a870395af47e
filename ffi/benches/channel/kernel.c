/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * What the kernel has for the same purpose.
 */
#define _GNU_SOURCE /* pipe2 */

#include "transports.h"

#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <sys/socket.h>
#include <unistd.h>

/* Where the commander and the server write, and where they read. */
static int writing[2], reading[2];

static void succeeded(ssize_t result)
{
    if (result < 0)
        fail("a plain call");
}

static void attach_nothing(enum role role)
{
    (void)role;
}

static inline void flush_nothing(enum role direction)
{
    (void)direction;
}

static void pipe_peer_open(size_t bytes)
{
    (void)bytes;
    for (int i = 0; i < 2; i++) {
        int ends[2];
        succeeded(pipe2(ends, O_CLOEXEC));
        fcntl(ends[1], F_SETPIPE_SZ, 1 << 20); /* where it may */
        reading[i] = ends[0];
        writing[i] = ends[1];
    }
}

static inline void pipe_peer_send(enum role direction)
{
    const char *bytes = message(direction);
    for (size_t done = 0; done < size;) {
        ssize_t wrote = write(writing[direction], bytes + done, size - done);
        succeeded(wrote);
        done += (size_t)wrote;
    }
}

static inline void pipe_peer_receive(enum role direction)
{
    for (size_t done = 0; done < size;) {
        ssize_t got = read(reading[direction], inbox + done, size - done);
        succeeded(got);
        done += (size_t)got;
    }
    arrived(direction, first_word(inbox));
}

#define pipe_peer_attach attach_nothing
#define pipe_peer_flush flush_nothing
TRANSPORT(pipe_peer, "pipe")

static void seqpacket_peer_open(size_t bytes)
{
    (void)bytes;
    for (int i = 0; i < 2; i++) {
        int ends[2];
        succeeded(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends));
        reading[i] = ends[0];
        writing[i] = ends[1];
    }
}

static inline void seqpacket_peer_send(enum role direction)
{
    succeeded(send(writing[direction], message(direction), size, 0));
}

static inline void seqpacket_peer_receive(enum role direction)
{
    succeeded(recv(reading[direction], inbox, size, 0));
    arrived(direction, first_word(inbox));
}

#define seqpacket_peer_attach attach_nothing
#define seqpacket_peer_flush flush_nothing
TRANSPORT(seqpacket_peer, "UNIX seqpacket")

static void mq_peer_open(size_t bytes)
{
    for (int i = 0; i < 2; i++) {
        char name[64];
        snprintf(name, sizeof name, "/unipc-bench-%d-%d", (int)getpid(), i);
        struct mq_attr attributes = {.mq_maxmsg = 10, .mq_msgsize = (long)bytes};
        reading[i] = writing[i] =
            mq_open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600, &attributes);
        succeeded(reading[i]);
        succeeded(mq_unlink(name));
    }
}

static inline void mq_peer_send(enum role direction)
{
    succeeded(mq_send(writing[direction], message(direction), size, 0));
}

static inline void mq_peer_receive(enum role direction)
{
    succeeded(mq_receive(reading[direction], inbox, size, NULL));
    arrived(direction, first_word(inbox));
}

#define mq_peer_attach attach_nothing
#define mq_peer_flush flush_nothing
TRANSPORT(mq_peer, "POSIX message queue")
