/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Signals by the library: the same verbs as in ../plain/signal.c. */
#define _POSIX_C_SOURCE 200809L
#include "abi.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unipc.h>
#include <unistd.h>

/* What counts a signal, by its number. */
static unipc_signal_counter *counters[65];

static int done(int result, const char *word)
{
    return result < 0 ? answer_error(unipc_errname(result)) : answer("%s", word);
}

static int wanted(const struct request *request)
{
    return (int)number(request, "signal", 0);
}

static sigset_t one(int signal)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, signal);
    return set;
}

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

static int block(const struct request *request)
{
    sigset_t set = signals(request);
    return done(unipc_signal_block(&set, NULL), "changed");
}

static int unblock(const struct request *request)
{
    sigset_t set = signals(request);
    return done(unipc_signal_unblock(&set, NULL), "changed");
}

static int pending(const struct request *request)
{
    (void)request;
    sigset_t set;
    char list[256] = "";
    int result = unipc_signal_pending(&set);
    for (int signal = 1, at = 0; signal <= 64; signal++)
        if (sigismember(&set, signal) == 1)
            at += snprintf(list + at, sizeof list - (size_t)at, "%s%d", at ? "," : "", signal);
    return done(result, list);
}

static int sent(const struct request *request, int queued)
{
    const pid_t pid = (pid_t)number(request, "pid", 0);
    const int signal = wanted(request);
    const char *text_value = text(request, "value");
    const int value = text_value ? atoi(text_value) : 0;
    if (!text(request, "by"))
        return done(queued ? unipc_signal_queue(pid, signal, value)
                           : unipc_signal_send(pid, signal),
                    "sent");
    int pidfd = unipc_signal_pidfd_open(pid);
    if (pidfd < 0)
        return done(pidfd, "");
    int result = queued ? unipc_signal_pidfd_queue(pidfd, signal, value)
                        : unipc_signal_pidfd_send(pidfd, signal);
    close(pidfd);
    return done(result, "sent");
}

static int send_signal(const struct request *request)
{
    return sent(request, 0);
}

static int queue(const struct request *request)
{
    return sent(request, 1);
}

static int taken(int result, const unipc_signal_info *info)
{
    if (result < 0)
        return done(result, "");
    return answer("signal=%d code=%d pid=%d uid=%u value=%d status=%d", result, info->code,
                  info->pid, info->uid, info->value, info->status);
}

static int take(const struct request *request)
{
    const struct timespec now = {0, 0};
    const struct timespec *timeout = text(request, "wait") ? NULL : &now;
    sigset_t set = signals(request);
    unipc_signal_info info;
    unipc_signal_stream *stream;
    if (strcmp(text(request, "by"), "stream") != 0) {
        if (!timeout)
            waiting();
        return taken(unipc_signal_wait(&set, &info, timeout), &info);
    }
    int result = unipc_signal_stream_open(&stream, &set, 0);
    if (result < 0)
        return done(result, "");
    if (!timeout)
        waiting();
    int status = taken(unipc_signal_stream_read(stream, &info, timeout), &info);
    unipc_signal_stream_close(stream);
    return status;
}

static int action(const struct request *request)
{
    const int signal = wanted(request);
    const char *to = text(request, "to");
    unipc_signal_counter_close(counters[signal]);
    counters[signal] = NULL;
    if (strcmp(to, "ignore") == 0)
        return done(unipc_signal_ignore(signal, NULL), to);
    if (strcmp(to, "default") == 0)
        return done(unipc_signal_reset(signal, NULL), to);
    sigset_t set = one(signal);
    return done(unipc_signal_counter_open(&counters[signal], &set, 0, NULL), to);
}

static int count(const struct request *request)
{
    const int signal = wanted(request);
    unipc_signal_counts counts;
    int result;
    if (text(request, "wait")) {
        waiting();
        do
            result = unipc_signal_counter_wait(counters[signal], &counts, NULL);
        while (result == -EINTR);
    } else {
        result = unipc_signal_counter_take(counters[signal], &counts);
    }
    return result < 0 ? done(result, "") : answer("%d", (int)counts.of[signal]);
}

const struct verb signal_verbs[] = {
    {"signal.block", block},      {"signal.unblock", unblock}, {"signal.pending", pending},
    {"signal.send", send_signal}, {"signal.queue", queue},     {"signal.take", take},
    {"signal.action", action},    {"signal.count", count},     {NULL, NULL},
};
