/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Pipes, FIFOs and turns by the library: the same verbs as in ../plain/pipe.c. */
#define _GNU_SOURCE
#include "abi.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unipc.h>
#include <unistd.h>

static unipc_pipe *end;            /* the one end that this process has open */
static unipc_turnstile *turnstile; /* and its side of a turnstile */
static int is_parent;
static unsigned char room[1 << 16];
static const struct timespec now = {0, 0};

static int failed(ssize_t result)
{
    return answer_error(unipc_errname((int)result));
}

static int done(int result, const char *word)
{
    return result < 0 ? failed(result) : answer("%s", word);
}

/* Takes an inherited descriptor over: the library duplicates it. */
static int adopt(const struct request *request)
{
    int fd = (int)number(request, "fd", 0), result = unipc_pipe_from_fd(&end, fd);
    close(fd);
    return result;
}

static int take(const struct request *request)
{
    return done(adopt(request), "taken");
}

static int put(const struct request *request)
{
    size_t size;
    const unsigned char *data = bytes(request, "hex", &size);
    int result = text(request, "fd") ? adopt(request) : 0;
    if (result == 0)
        result = unipc_pipe_write_all(end, data, size, NULL, NULL);
    return result < 0 ? failed(result) : answer("%zu", size);
}

static int put_waiting(const struct request *request)
{
    waiting();
    return put(request);
}

static int get(const struct request *request)
{
    waiting();
    ssize_t count = unipc_pipe_read(end, room, number(request, "size", sizeof room), NULL);
    if (count < 0)
        return failed(count);
    return count == 0 ? answer("end") : answer_bytes(room, (size_t)count);
}

static int drain(const struct request *request)
{
    size_t have = 0;
    int result = text(request, "fd") ? adopt(request) : 0;
    if (result == 0)
        result = unipc_pipe_read_exact(end, room, sizeof room, NULL, &have);
    return result == 0 || result == -EBADMSG || result == -ENODATA ? answer_bytes(room, have)
                                                                   : failed(result);
}

static int records(const struct request *request)
{
    unsigned char record[UNIPC_PIPE_BUF];
    memset(record, *text(request, "letter"), sizeof record);
    for (size_t left = number(request, "count", 0); left > 0; left--) {
        int result = unipc_pipe_write_atomic(end, record, sizeof record, NULL);
        if (result < 0)
            return failed(result);
    }
    return answer("written");
}

static int tally(const struct request *request)
{
    size_t counts[256] = {0};
    int result;
    (void)request;
    while ((result = unipc_pipe_read_exact(end, room, UNIPC_PIPE_BUF, NULL, NULL)) == 0) {
        for (size_t i = 0; i < UNIPC_PIPE_BUF; i++)
            if (room[i] != room[0])
                return answer("torn");
        counts[room[0]]++;
    }
    if (result != -ENODATA)
        return failed(result);
    return answer("%zu,%zu,%zu,%zu", counts['a'], counts['b'], counts['c'], counts['d']);
}

static int shut(const struct request *request)
{
    (void)request;
    unipc_pipe_close(end);
    end = NULL;
    return answer("closed");
}

static int create(const struct request *request)
{
    uint32_t mode = (uint32_t)number(request, "mode", 0600);
    return done(unipc_fifo_create(text(request, "name"), 0, mode), "created");
}

static int remove_name(const struct request *request)
{
    return done(unipc_fifo_unlink(text(request, "name")), "removed");
}

static const struct timespec *limit(const struct request *request)
{
    if (text(request, "timeout"))
        return &now;
    waiting();
    return NULL;
}

static int reader(const struct request *request)
{
    return done(unipc_fifo_reader(&end, text(request, "name"), limit(request)), "opened");
}

static int writer(const struct request *request)
{
    return done(unipc_fifo_writer(&end, text(request, "name"), limit(request)), "opened");
}

static int side(const struct request *request)
{
    int hear = (int)number(request, "hear", 0), tell = (int)number(request, "tell", 0);
    is_parent = strcmp(text(request, "side"), "parent") == 0;
    int which = is_parent ? UNIPC_SIDE_PARENT : UNIPC_SIDE_CHILD;
    int result = unipc_turnstile_from_fds(&turnstile, which, hear, tell);
    close(hear);
    close(tell);
    return done(result, "taken");
}

static int say(void)
{
    return is_parent ? unipc_turnstile_tell_child(turnstile)
                     : unipc_turnstile_tell_parent(turnstile);
}

static int listen_for(void)
{
    return is_parent ? unipc_turnstile_wait_child(turnstile, NULL)
                     : unipc_turnstile_wait_parent(turnstile, NULL);
}

static int rounds(int first, int log)
{
    for (int round = 0, result; round < 5; round++) {
        if (!first && (result = listen_for()) < 0)
            return result;
        if (write(log, is_parent ? "p" : "c", 1) != 1)
            return -errno;
        if ((result = say()) < 0)
            return result;
        if (first && (result = listen_for()) < 0)
            return result;
    }
    return 0;
}

static int turns(const struct request *request)
{
    int first = (int)number(request, "first", 0), log = (int)number(request, "log", 0);
    waiting();
    return done(rounds(first, log), "done");
}

static int tell_peer(const struct request *request)
{
    (void)request;
    return done(say(), "told");
}

static int wait_peer(const struct request *request)
{
    (void)request;
    waiting();
    return done(listen_for(), "heard");
}

static int forked(const struct request *request)
{
    int log[2], first = (int)number(request, "first", 0), result;
    char order[16] = "";
    if (pipe(log) < 0 || (result = unipc_turnstile_create(&turnstile)) < 0)
        return failed(-EMFILE);
    pid_t child = fork();
    is_parent = child != 0;
    result = rounds(child ? first : !first, log[1]);
    if (child == 0)
        _exit(result < 0);
    waitpid(child, NULL, 0);
    int gone = unipc_turnstile_wait_child(turnstile, NULL);
    unipc_turnstile_close(turnstile);
    turnstile = NULL;
    ssize_t count = read(log[0], order, sizeof order - 1);
    close(log[0]);
    close(log[1]);
    if (result < 0 || gone != -EPIPE || count < 0)
        return failed(result < 0 ? result : -EPROTO);
    return answer("%s", order);
}

const struct verb pipe_verbs[] = {
    {"pipe.take", take},          {"pipe.write", put},     {"pipe.write_waiting", put_waiting},
    {"pipe.read", get},           {"pipe.drain", drain},   {"pipe.records", records},
    {"pipe.tally", tally},        {"pipe.close", shut},    {"pipe.create", create},
    {"pipe.unlink", remove_name}, {"pipe.reader", reader}, {"pipe.writer", writer},
    {"pipe.side", side},          {"pipe.turns", turns},   {"pipe.tell", tell_peer},
    {"pipe.wait", wait_peer},     {"pipe.forked", forked}, {NULL, NULL},
};
