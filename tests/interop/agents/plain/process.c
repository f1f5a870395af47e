/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Programs by libc alone: popen, two pipes and fork, posix_openpt. */
#define _GNU_SOURCE
#include "plain.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

/* What this process drives: a filter or a program on a terminal. */
static struct {
    int input, output;
    pid_t pid;
} driven = {-1, -1, -1};
static volatile sig_atomic_t broken_pipes;
static unsigned char buffer[1 << 20];

static int failed(void)
{
    return answer_error(strerrorname_np(errno));
}

static void count_broken_pipe(int number)
{
    (void)number;
    broken_pipes++;
}

/* 0 to 255, or -N for signal N. */
static int number_of(int status)
{
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/* Returns when the runner has opened the FIFO `go` and closed it again. */
static void wait_for_go(const struct request *request)
{
    char byte;
    int fd = text(request, "go") ? open(text(request, "go"), O_RDONLY) : -1;
    while (fd >= 0 && read(fd, &byte, 1) > 0)
        ;
    close(fd);
}

static size_t read_all(int fd)
{
    size_t size = 0;
    ssize_t got;
    while ((got = read(fd, buffer + size, sizeof buffer - size)) > 0)
        size += (size_t)got;
    return size;
}

/* --- popen: the command's side --- */

static int say(const struct request *request)
{
    size_t size;
    const unsigned char *data = bytes(request, "hex", &size);
    wait_for_go(request);
    exit(write(STDOUT_FILENO, data, size) == (ssize_t)size ? 3 : 1);
}

static int take(const struct request *request)
{
    wait_for_go(request);
    size_t size = read_all(STDIN_FILENO);
    FILE *file = fopen(text(request, "path"), "w");
    exit(file && fwrite(buffer, 1, size, file) == size && fclose(file) == 0 ? 3 : 1);
}

/* --- popen: the caller's side --- */

static int read_command(const struct request *request)
{
    FILE *stream = popen(text(request, "command"), "r");
    if (!stream)
        return failed();
    waiting();
    size_t size = fread(buffer, 1, sizeof buffer, stream);
    int status = number_of(pclose(stream));
    char *hex = malloc(2 * size + 1);
    for (size_t i = 0; i < size; i++)
        sprintf(hex + 2 * i, "%02x", buffer[i]);
    hex[2 * size] = 0;
    answer("status=%d hex=%s", status, hex);
    free(hex);
    return 0;
}

static int write_command(const struct request *request)
{
    size_t length, size = number(request, "size", 0);
    const unsigned char *block = bytes(request, "hex", &length);
    FILE *stream = popen(text(request, "command"), "w");
    if (!stream)
        return failed();
    fill(buffer, size, block, length);
    waiting();
    size_t written = fwrite(buffer, 1, size, stream);
    int status = number_of(pclose(stream));
    return written == size ? answer("status=%d", status) : failed();
}

/* --- a coprocess --- */

static int start(const struct request *request)
{
    int to[2], from[2];
    signal(SIGPIPE, count_broken_pipe);
    if (pipe2(to, O_CLOEXEC) < 0 || pipe2(from, O_CLOEXEC) < 0)
        return failed();
    driven.pid = fork();
    if (driven.pid == 0) {
        dup2(to[0], STDIN_FILENO);
        dup2(from[1], STDOUT_FILENO);
        execl("/bin/sh", "sh", "-c", text(request, "command"), (char *)NULL);
        _exit(127);
    }
    close(to[0]);
    close(from[1]);
    driven.input = to[1];
    driven.output = from[0];
    return answer("pid=%d", (int)driven.pid);
}

static int exchange(const struct request *request)
{
    size_t size;
    const unsigned char *line = bytes(request, "hex", &size);
    memcpy(buffer, line, size);
    buffer[size] = '\n';
    waiting();
    sig_atomic_t before = broken_pipes;
    if (write(driven.input, buffer, size + 1) < 0)
        return broken_pipes > before ? failed() : answer_error("no SIGPIPE came");
    ssize_t got = read(driven.output, buffer, sizeof buffer);
    if (got <= 0)
        return answer_error("EPIPE");
    return answer_bytes(buffer, (size_t)got - 1);
}

static int stop(const struct request *request)
{
    int status = 0;
    (void)request;
    close(driven.input);
    if (driven.output != driven.input)
        close(driven.output);
    waitpid(driven.pid, &status, 0);
    signal(SIGPIPE, SIG_DFL);
    return answer("status=%d", number_of(status));
}

/* --- a terminal: the master's side --- */

static int open_terminal(const struct request *request)
{
    struct winsize size = {.ws_row = (unsigned short)number(request, "rows", 24),
                           .ws_col = (unsigned short)number(request, "columns", 80)};
    int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (master < 0 || grantpt(master) < 0 || unlockpt(master) < 0 ||
        ioctl(master, TIOCSWINSZ, &size) < 0)
        return failed();
    const char *name = ptsname(master);
    driven.pid = fork();
    if (driven.pid == 0) {
        setsid();
        int slave = open(name, O_RDWR);
        for (int fd = 0; fd < 3; fd++)
            dup2(slave, fd);
        if (slave > 2)
            close(slave);
        execl("/bin/sh", "sh", "-c", text(request, "command"), (char *)NULL);
        _exit(127);
    }
    driven.input = driven.output = master;
    return answer("pid=%d name=%s", (int)driven.pid, name);
}

static int line(const struct request *request)
{
    size_t size = 0;
    (void)request;
    waiting();
    while (size < sizeof buffer && read(driven.output, buffer + size, 1) == 1)
        if (buffer[size++] == '\n')
            return answer_bytes(buffer, size - 1);
    return answer_error("ENODATA");
}

static int type(const struct request *request)
{
    size_t size;
    const unsigned char *data = bytes(request, "hex", &size);
    return write(driven.input, data, size) == (ssize_t)size ? answer("typed") : failed();
}

static int resize(const struct request *request)
{
    struct winsize size = {.ws_row = (unsigned short)number(request, "rows", 24),
                           .ws_col = (unsigned short)number(request, "columns", 80)};
    return ioctl(driven.input, TIOCSWINSZ, &size) < 0 ? failed() : answer("resized");
}

/* --- a terminal: the program's side --- */

static void print_size(void)
{
    struct winsize size;
    if (ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0)
        printf("rows=%d columns=%d\n", size.ws_row, size.ws_col);
}

static int use_terminal(const struct request *request)
{
    struct termios settings;
    char text[256];
    ssize_t got;
    (void)request;
    tcgetattr(STDIN_FILENO, &settings);
    printf("tty=%d echo=%d\n", isatty(STDIN_FILENO), (settings.c_lflag & ECHO) != 0);
    print_size();
    for (;;) {
        fflush(stdout);
        got = read(STDIN_FILENO, text, sizeof text - 1);
        text[got > 0 ? got : 0] = 0;
        if (got < 0)
            exit(1);
        if (got == 0)
            puts("end of file");
        else if (strcmp(text, "quit\n") == 0)
            exit(4);
        else if (strcmp(text, "size\n") == 0)
            print_size();
        else
            printf("got %s", text);
    }
}

const struct verb process_verbs[] = {
    {"process.say", say},
    {"process.take", take},
    {"process.read", read_command},
    {"process.write", write_command},
    {"process.start", start},
    {"process.exchange", exchange},
    {"process.stop", stop},
    {"process.pty", open_terminal},
    {"process.line", line},
    {"process.type", type},
    {"process.resize", resize},
    {"process.terminal", use_terminal},
    {NULL, NULL},
};
