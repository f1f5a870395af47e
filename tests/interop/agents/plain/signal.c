/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Signals by libc alone: kill, sigqueue, sigprocmask, sigwaitinfo, signalfd, sigaction. */
#define _GNU_SOURCE
#include "plain.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

static volatile sig_atomic_t counts[65];

static void count_one(int signal)
{
    counts[signal]++;
}

static int failed(void)
{
    return answer_error(strerrorname_np(errno));
}

static int wanted(const struct request *request)
{
    return (int)number(request, "signal", 0);
}

/* The value of `signals`: numbers with commas between. */
static sigset_t signals(const struct request *request)
{
    sigset_t set;
    sigemptyset(&set);
    for (const char *rest = text(request, "signals"); rest && *rest;) {
        sigaddset(&set, (int)strtol(rest, (char **)&rest, 10));
        rest += *rest == ',';
    }
    return set;
}

static int change(const struct request *request, int how)
{
    sigset_t set = signals(request);
    return sigprocmask(how, &set, NULL) ? failed() : answer("changed");
}

static int block(const struct request *request)
{
    return change(request, SIG_BLOCK);
}

static int unblock(const struct request *request)
{
    return change(request, SIG_UNBLOCK);
}

static int pending(const struct request *request)
{
    (void)request;
    sigset_t set;
    char list[256] = "";
    if (sigpending(&set))
        return failed();
    for (int signal = 1, at = 0; signal <= 64; signal++)
        if (sigismember(&set, signal) == 1)
            at += snprintf(list + at, sizeof list - (size_t)at, "%s%d", at ? "," : "", signal);
    return answer("%s", list);
}

/* Through a pidfd, or by number; with a value, or without. */
static int sent(const struct request *request, int queued)
{
    const pid_t pid = (pid_t)number(request, "pid", 0);
    const char *value = text(request, "value");
    const union sigval carried = {.sival_int = value ? atoi(value) : 0};
    if (!text(request, "by")) {
        int result = queued ? sigqueue(pid, wanted(request), carried) : kill(pid, wanted(request));
        return result ? failed() : answer("sent");
    }
    siginfo_t info = {.si_signo = wanted(request), .si_code = SI_QUEUE};
    info.si_pid = getpid();
    info.si_uid = getuid();
    info.si_value = carried;
    int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    long result = syscall(SYS_pidfd_send_signal, pidfd, wanted(request), queued ? &info : NULL, 0);
    int status = result ? failed() : answer("sent");
    close(pidfd);
    return status;
}

static int send_signal(const struct request *request)
{
    return sent(request, 0);
}

static int queue(const struct request *request)
{
    return sent(request, 1);
}

static int take_from_descriptor(sigset_t *set, int waits)
{
    struct signalfd_siginfo info;
    int fd = signalfd(-1, set, SFD_CLOEXEC | (waits ? 0 : SFD_NONBLOCK));
    int status =
        read(fd, &info, sizeof info) == sizeof info
            ? answer("signal=%u code=%d pid=%u uid=%u value=%d status=%d", info.ssi_signo,
                     info.ssi_code, info.ssi_pid, info.ssi_uid, info.ssi_int, info.ssi_status)
            : failed();
    close(fd);
    return status;
}

static int take(const struct request *request)
{
    const struct timespec now = {0, 0};
    const int waits = text(request, "wait") != NULL;
    sigset_t set = signals(request);
    siginfo_t info;
    if (waits)
        waiting();
    if (strcmp(text(request, "by"), "stream") == 0)
        return take_from_descriptor(&set, waits);
    if ((waits ? sigwaitinfo(&set, &info) : sigtimedwait(&set, &info, &now)) < 0)
        return failed();
    const int is_child = info.si_signo == SIGCHLD && info.si_code > 0;
    return answer("signal=%d code=%d pid=%d uid=%u value=%d status=%d", info.si_signo, info.si_code,
                  (int)info.si_pid, info.si_uid, info.si_code == SI_QUEUE ? info.si_int : 0,
                  is_child ? info.si_status : 0);
}

static int action(const struct request *request)
{
    const char *to = text(request, "to");
    struct sigaction new = {.sa_handler = SIG_DFL};
    if (strcmp(to, "ignore") == 0)
        new.sa_handler = SIG_IGN;
    if (strcmp(to, "handler") == 0)
        new.sa_handler = count_one;
    new.sa_flags = SA_RESTART;
    return sigaction(wanted(request), &new, NULL) ? failed() : answer("%s", to);
}

/* How often the handler ran since the last time; with `wait` more than never. */
static int count(const struct request *request)
{
    const int signal = wanted(request);
    if (text(request, "wait")) {
        sigset_t set, before;
        sigemptyset(&set);
        sigaddset(&set, signal);
        sigprocmask(SIG_BLOCK, &set, &before);
        waiting();
        while (counts[signal] == 0)
            sigsuspend(&before);
        sigprocmask(SIG_SETMASK, &before, NULL);
    }
    int counted = counts[signal];
    counts[signal] = 0;
    return answer("%d", counted);
}

const struct verb signal_verbs[] = {
    {"signal.block", block},      {"signal.unblock", unblock}, {"signal.pending", pending},
    {"signal.send", send_signal}, {"signal.queue", queue},     {"signal.take", take},
    {"signal.action", action},    {"signal.count", count},     {NULL, NULL},
};
