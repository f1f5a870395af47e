/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Pipes, FIFOs and turns by libc alone. */
#define _GNU_SOURCE
#include "plain.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static int end = -1;                 /* the one end that this process has open */
static int hear = -1, tell = -1;     /* its side of a turnstile */
static char own = 'p', theirs = 'c'; /* what it says and hears there */
static unsigned char room[1 << 16];

static int failed(void)
{
    return answer_error(strerrorname_np(errno));
}

static const char *path_of(const struct request *request)
{
    const char *name = text(request, "name");
    return strncmp(name, "file:", 5) == 0 ? name + 5 : name;
}

static int take(const struct request *request)
{
    end = (int)number(request, "fd", 0);
    return answer("fd=%d", end);
}

static int put(const struct request *request)
{
    size_t size;
    const unsigned char *data = bytes(request, "hex", &size);
    int fd = text(request, "fd") ? (int)number(request, "fd", 0) : end;
    return write(fd, data, size) < 0 ? failed() : answer("%zu", size);
}

/* Full once: what fits has to go without waiting. */
static int put_waiting(const struct request *request)
{
    waiting();
    return put(request);
}

static int get(const struct request *request)
{
    waiting();
    ssize_t count = read(end, room, number(request, "size", sizeof room));
    if (count < 0)
        return failed();
    return count == 0 ? answer("end") : answer_bytes(room, (size_t)count);
}

static int drain(const struct request *request)
{
    int fd = text(request, "fd") ? (int)number(request, "fd", 0) : end;
    size_t have = 0;
    ssize_t more;
    while ((more = read(fd, room + have, sizeof room - have)) > 0)
        have += (size_t)more;
    return more < 0 ? failed() : answer_bytes(room, have);
}

static int records(const struct request *request)
{
    unsigned char record[PIPE_BUF];
    memset(record, *text(request, "letter"), sizeof record);
    for (size_t left = number(request, "count", 0); left > 0; left--)
        if (write(end, record, sizeof record) != (ssize_t)sizeof record)
            return failed();
    return answer("written");
}

static int tally(const struct request *request)
{
    size_t counts[256] = {0};
    (void)request;
    for (;;) {
        size_t have = 0;
        ssize_t more = 1;
        while (have < PIPE_BUF && (more = read(end, room + have, PIPE_BUF - have)) > 0)
            have += (size_t)more;
        if (more < 0)
            return failed();
        if (have == 0)
            break;
        for (size_t i = 0; i < PIPE_BUF; i++)
            if (have < PIPE_BUF || room[i] != room[0])
                return answer("torn");
        counts[room[0]]++;
    }
    return answer("%zu,%zu,%zu,%zu", counts['a'], counts['b'], counts['c'], counts['d']);
}

static int shut(const struct request *request)
{
    (void)request;
    close(end);
    end = -1;
    return answer("closed");
}

static int create(const struct request *request)
{
    const char *path = path_of(request);
    mode_t mode = (mode_t)number(request, "mode", 0600);
    if (mkfifo(path, mode) < 0 || chmod(path, mode) < 0)
        return failed();
    return answer("created");
}

static int remove_name(const struct request *request)
{
    return unlink(path_of(request)) < 0 ? failed() : answer("removed");
}

static int open_end(const struct request *request, int flags)
{
    if (text(request, "timeout"))
        flags |= O_NONBLOCK;
    else
        waiting();
    end = open(path_of(request), flags | O_CLOEXEC);
    if (end < 0)
        return failed();
    fcntl(end, F_SETFL, flags & ~O_NONBLOCK);
    return answer("opened");
}

static int reader(const struct request *request)
{
    return open_end(request, O_RDONLY);
}

static int writer(const struct request *request)
{
    return open_end(request, O_WRONLY);
}

static int side(const struct request *request)
{
    int is_parent = strcmp(text(request, "side"), "parent") == 0;
    own = is_parent ? 'p' : 'c';
    theirs = is_parent ? 'c' : 'p';
    hear = (int)number(request, "hear", 0);
    tell = (int)number(request, "tell", 0);
    return answer("taken");
}

static int say(void)
{
    return write(tell, &own, 1) == 1 ? 0 : -1;
}

static int listen_for(void)
{
    char word;
    ssize_t count = read(hear, &word, 1);
    if (count == 1 && word == theirs)
        return 0;
    errno = count == 0 ? EPIPE : EPROTO;
    return -1;
}

static int rounds(int first, int log)
{
    for (int round = 0; round < 5; round++) {
        if (!first && listen_for() < 0)
            return -1;
        if (write(log, &own, 1) != 1 || say() < 0)
            return -1;
        if (first && listen_for() < 0)
            return -1;
    }
    return 0;
}

static int turns(const struct request *request)
{
    int first = (int)number(request, "first", 0), log = (int)number(request, "log", 0);
    waiting();
    return rounds(first, log) < 0 ? failed() : answer("done");
}

static int tell_peer(const struct request *request)
{
    (void)request;
    return say() < 0 ? failed() : answer("told");
}

static int wait_peer(const struct request *request)
{
    (void)request;
    waiting();
    return listen_for() < 0 ? failed() : answer("heard");
}

/* Five rounds over a fork of this process; the letters in their order. */
static int forked(const struct request *request)
{
    int down[2], up[2], log[2], first = (int)number(request, "first", 0);
    char order[16] = "";
    if (pipe(down) < 0 || pipe(up) < 0 || pipe(log) < 0)
        return failed();
    pid_t child = fork();
    own = child ? 'p' : 'c';
    theirs = child ? 'c' : 'p';
    hear = child ? up[0] : down[0];
    tell = child ? down[1] : up[1];
    int done = rounds(child ? first : !first, log[1]);
    if (child == 0)
        _exit(done < 0);
    waitpid(child, NULL, 0);
    ssize_t count = read(log[0], order, sizeof order - 1);
    for (int i = 0; i < 2; i++) {
        close(down[i]);
        close(up[i]);
        close(log[i]);
    }
    return done < 0 || count < 0 ? failed() : answer("%s", order);
}

const struct verb pipe_verbs[] = {
    {"pipe.take", take},          {"pipe.write", put},     {"pipe.write_waiting", put_waiting},
    {"pipe.read", get},           {"pipe.drain", drain},   {"pipe.records", records},
    {"pipe.tally", tally},        {"pipe.close", shut},    {"pipe.create", create},
    {"pipe.unlink", remove_name}, {"pipe.reader", reader}, {"pipe.writer", writer},
    {"pipe.side", side},          {"pipe.turns", turns},   {"pipe.tell", tell_peer},
    {"pipe.wait", wait_peer},     {"pipe.forked", forked}, {NULL, NULL},
};
