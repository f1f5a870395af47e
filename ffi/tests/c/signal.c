/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Calls the functions of signals once, and expects what their comments in the headers promise. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <unipc.h>

#include "expect.h"

static void signal_words(void)
{
    EXPECT(unipc_signal_number("SIGTERM") == SIGTERM);
    EXPECT(unipc_signal_number("nosuch") == -EINVAL);
    EXPECT(strcmp(unipc_signal_name(unipc_signal_realtime(3)), "SIGRTMIN+3") == 0);
    EXPECT(strcmp(unipc_signal_description(SIGINT), "Interrupt") == 0);
    EXPECT(unipc_signal_default_action(SIGCHLD) == UNIPC_SIGNAL_IS_IGNORED);
    EXPECT(strcmp(unipc_signal_cause(SIGCHLD, CLD_EXITED), "CLD_EXITED") == 0);
}

static void signals_taken(int data)
{
    const struct timespec try = {0, 0};
    sigset_t set, mask, told;
    unipc_signal_info infos[4];
    unipc_signal_stream *stream;

    sigemptyset(&set);
    sigaddset(&set, data);
    EXPECT(unipc_signal_block(&set, &mask) == 0);
    EXPECT(unipc_signal_mask(&told) == 0 && sigismember(&told, data));
    EXPECT(unipc_signal_wait(&set, NULL, &try) == -EAGAIN);
    EXPECT(unipc_signal_send(getpid(), data) == 0);
    EXPECT(unipc_signal_raise(data) == 0);
    EXPECT(unipc_signal_queue(getpid(), data, 7) == 0);
    EXPECT(unipc_signal_queue_pointer(getpid(), data, &set) == 0);
    EXPECT(unipc_signal_pending(&told) == 0 && sigismember(&told, data));
    EXPECT(unipc_signal_wait(&set, infos, NULL) == data);
    EXPECT(infos[0].code == SI_TKILL && infos[0].pid == getpid());
    EXPECT(unipc_signal_stream_open(&stream, &set, 0) == 0);
    EXPECT(unipc_signal_stream_read(stream, infos, NULL) == data && infos[0].code == SI_USER);
    EXPECT(unipc_signal_stream_read_many(stream, infos, 4, NULL) == 2);
    EXPECT(infos[0].value == 7 && infos[1].pointer == (uintptr_t)&set);
    EXPECT(infos[0].uid == getuid());
    EXPECT(unipc_signal_stream_set(stream, &told) == 0 && sigismember(&told, data));
    EXPECT(fcntl(unipc_signal_stream_fd(stream), F_GETFD) == FD_CLOEXEC);
    EXPECT(unipc_signal_stream_change(stream, &set) == 0);
    unipc_signal_stream_close(stream);
    EXPECT(unipc_signal_unblock(&set, NULL) == 0);
    EXPECT(unipc_signal_set_mask(&mask, NULL) == 0);
}

static void signals_counted(int data)
{
    sigset_t set, told;
    unipc_signal_counts counts;
    unipc_signal_counter *counter;
    unipc_signal_action_values action;

    sigemptyset(&set);
    sigaddset(&set, data);
    EXPECT(unipc_signal_counter_open(&counter, &set, 0, NULL) == 0);
    EXPECT(unipc_signal_action(data, &action) == 0 && action.disposition == UNIPC_SIGNAL_COUNTER);
    EXPECT(unipc_signal_ensure_unhandled(data) == -EBUSY);
    EXPECT(unipc_signal_raise(data) == 0 && unipc_signal_raise(data) == 0);
    EXPECT(unipc_signal_counter_wait(counter, &counts, NULL) == 1 && counts.of[data] == 2);
    EXPECT(unipc_signal_counter_take(counter, &counts) == 0 && counts.of[data] == 0);
    EXPECT(unipc_signal_counter_set(counter, &told) == 0 && sigismember(&told, data));
    EXPECT(fcntl(unipc_signal_counter_fd(counter), F_GETFD) == FD_CLOEXEC);
    unipc_signal_counter_close(counter);
    EXPECT(unipc_signal_ignore(data, &action) == 0 && action.disposition == UNIPC_SIGNAL_DEFAULT);
    EXPECT(unipc_signal_raise(data) == 0);
    EXPECT(unipc_signal_set_action(data, &action, NULL) == 0);
    EXPECT(unipc_signal_reset(data, NULL) == 0);
}

static void signals(void)
{
    const pid_t child = fork();
    uint64_t started;
    unipc_signal_status status;
    const struct timespec soon = {0, 1000000};
    sigset_t reserved;
    unipc_mq *queue;

    if (child == 0) {
        alarm(60); /* should its parent fail */
        for (;;)
            pause();
    }
    EXPECT(unipc_signal_probe(child) == 0);
    EXPECT(unipc_signal_stat(child, &status) == 0 && status.queue_limit > 0);
    EXPECT(unipc_signal_start_time(child, &started) == 0 && started > 0);
    /* A wait with a limit in a call that knows none takes a signal. */
    EXPECT(unipc_mq_create(&queue, "sysv:private", UNIPC_MQ_REMOVE_ON_CLOSE, NULL) == 0);
    EXPECT(unipc_mq_receive(queue, 0, 0, &started, sizeof started, NULL, &soon) == -ETIMEDOUT);
    unipc_mq_close(queue);
    EXPECT(unipc_signal_reserved(&reserved) == 0);
    EXPECT(sigismember(&reserved, unipc_signal_timeout_signal()) == 1);
    EXPECT(unipc_signal_send_thread(child, child, SIGCONT) == 0);
    EXPECT(unipc_signal_queue_thread(child, child, SIGCONT, 1) == 0);
    EXPECT(unipc_signal_send_group(1, SIGTERM) == -EINVAL);
    /* valgrind does not know these calls of the kernel. */
    const int pidfd = unipc_signal_pidfd_open(child);
    EXPECT(pidfd >= 0 || pidfd == -ENOSYS);
    if (pidfd >= 0) {
        EXPECT(unipc_signal_pidfd_pid(pidfd) == child && unipc_signal_pidfd_is_alive(pidfd) == 1);
        EXPECT(unipc_signal_pidfd_open_started(child, started + 1) == -ESRCH);
        EXPECT(unipc_signal_pidfd_queue(pidfd, SIGCONT, 1) == 0);
        EXPECT(unipc_signal_pidfd_queue_pointer(pidfd, SIGCONT, NULL) == 0);
        EXPECT(unipc_signal_pidfd_send_group(pidfd, SIGTERM) < 0);
        EXPECT(unipc_signal_pidfd_send(pidfd, SIGTERM) == 0);
        close(pidfd);
    } else {
        EXPECT(unipc_signal_send(child, SIGTERM) == 0);
    }
    EXPECT(waitpid(child, NULL, 0) == child);
    signal_words();
    signals_taken(unipc_signal_realtime(1));
    signals_counted(unipc_signal_realtime(1));
}

int main(void)
{
    signals();
    puts("all as promised");
    return 0;
}
