/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * Signals in C against the plain calls. The same rows exist in Rust and in Python.
 */
#define _GNU_SOURCE /* syscall */

#include "harness.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unipc.h>
#include <unistd.h>

#define EXPECTED "(expected: at most 1.03 x)"

static pid_t me;
static int data, plain_fd, pidfd;
static sigset_t set;
static unipc_signal_stream *stream;

static void check(int result)
{
    if (result >= 0)
        return;
    fprintf(stderr, "%s\n", unipc_last_error());
    exit(1);
}

static void take(void)
{
    unipc_signal_info info;
    check(unipc_signal_wait(&set, &info, NULL));
}

static void plain_take(void)
{
    siginfo_t info;
    succeeded(sigwaitinfo(&set, &info));
}

static void read_stream(void)
{
    unipc_signal_info info;
    check(unipc_signal_stream_read(stream, &info, NULL));
}

static void plain_read(void)
{
    struct signalfd_siginfo info;
    succeeded((int)read(plain_fd, &info, sizeof info));
}

static void plain_queue(void)
{
    const union sigval value = {.sival_int = 7};
    succeeded(sigqueue(me, data, value));
}

static void mask(void)
{
    sigset_t before;
    check(unipc_signal_block(&set, &before));
    check(unipc_signal_set_mask(&before, NULL));
}

static void plain_mask(void)
{
    sigset_t before;
    succeeded(-pthread_sigmask(SIG_BLOCK, &set, &before));
    succeeded(-pthread_sigmask(SIG_SETMASK, &before, NULL));
}

SIDE(send_wait, check(unipc_signal_send(me, data)); take())
SIDE(kill_wait, succeeded(kill(me, data)); plain_take())
SIDE(queue_wait, check(unipc_signal_queue(me, data, 7)); take())
SIDE(sigqueue_wait, plain_queue(); plain_take())
SIDE(queue_read, check(unipc_signal_queue(me, data, 7)); read_stream())
SIDE(sigqueue_read, plain_queue(); plain_read())
SIDE(pidfd_wait, check(unipc_signal_pidfd_send(pidfd, data)); take())
SIDE(plain_pidfd_wait, succeeded((int)syscall(SYS_pidfd_send_signal, pidfd, data, NULL, 0));
     plain_take())
SIDE(block_restore, mask())
SIDE(sigmask_twice, plain_mask())

int main(void)
{
    print_head(unipc_version_string());
    me = getpid();
    data = unipc_signal_realtime(0);
    sigemptyset(&set);
    sigaddset(&set, data);
    check(unipc_signal_stream_open(&stream, &set, 0));
    plain_fd = succeeded(signalfd(-1, &set, SFD_CLOEXEC));
    pidfd = unipc_signal_pidfd_open(me);
    check(pidfd);
    COMPARE("send a signal and take it " EXPECTED, {"unipc send, wait", send_wait},
            {"kill, sigwaitinfo", kill_wait});
    COMPARE("queue a value and take it " EXPECTED, {"unipc queue, wait", queue_wait},
            {"sigqueue, sigwaitinfo", sigqueue_wait});
    COMPARE("queue a value and read it from the descriptor " EXPECTED,
            {"unipc queue, stream read", queue_read}, {"sigqueue, read(signalfd)", sigqueue_read});
    COMPARE("send by descriptor and take it " EXPECTED, {"unipc pidfd_send, wait", pidfd_wait},
            {"pidfd_send_signal, sigwaitinfo", plain_pidfd_wait});
    COMPARE("block and give the mask back " EXPECTED, {"unipc block, set_mask", block_restore},
            {"pthread_sigmask twice", sigmask_twice});
    unipc_signal_stream_close(stream);
    close(plain_fd);
    close(pidfd);
}
