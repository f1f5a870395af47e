/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * Programs in C against the plain calls: starting and waiting, a line through a filter and back, the same through a
 * pseudoterminal. The same rows exist in Rust and in Python.
 */
#define _GNU_SOURCE

#include "harness.h"

#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <termios.h>
#include <unipc.h>
#include <unistd.h>

extern char **environ;

/* What the sides work on, set before each comparison. */
static char line[1 << 16], answer[(1 << 16) + 1];
static size_t length; /* with the newline */
static unipc_coprocess *filter;
static unipc_pty *pty;
static int to, from;
static const char *cat[] = {"/bin/cat", NULL};
static const char *program[] = {"/bin/true", NULL};

static void check(ssize_t result)
{
    if (result >= 0)
        return;
    fprintf(stderr, "%s\n", unipc_last_error());
    exit(1);
}

/* --- starting and waiting --- */

static void start_and_wait(void)
{
    unipc_process *process;
    check(unipc_process_spawn(&process, program, 0, NULL));
    check(unipc_process_wait(process, NULL, NULL));
    unipc_process_close(process);
}

static void plain_spawn(void)
{
    pid_t pid;
    succeeded(-posix_spawn(&pid, program[0], NULL, NULL, (char **)program, environ));
    succeeded(waitpid(pid, NULL, 0));
}

static void plain_fork(void)
{
    pid_t pid = succeeded(fork());
    if (pid == 0) {
        execv(program[0], (char **)program);
        _exit(127);
    }
    succeeded(waitpid(pid, NULL, 0));
}

/* As `plain_spawn`, with all descriptors closed but the three, which unipc does in any case. */
static void plain_spawn_closing(void)
{
    posix_spawn_file_actions_t actions;
    pid_t pid;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addclosefrom_np(&actions, 3);
    succeeded(-posix_spawn(&pid, program[0], &actions, NULL, (char **)program, environ));
    posix_spawn_file_actions_destroy(&actions);
    succeeded(waitpid(pid, NULL, 0));
}

SIDE(ours_start, start_and_wait())
SIDE(spawn_start, plain_spawn())
SIDE(closing_start, plain_spawn_closing())
SIDE(fork_start, plain_fork())

/* --- a line through a filter --- */

static void plain_filter(void)
{
    int there[2], back[2];
    succeeded(pipe2(there, O_CLOEXEC));
    succeeded(pipe2(back, O_CLOEXEC));
    if (succeeded(fork()) == 0) {
        dup2(there[0], 0);
        dup2(back[1], 1);
        execv(cat[0], (char **)cat);
        _exit(127);
    }
    close(there[0]);
    close(back[1]);
    to = there[1];
    from = back[0];
}

static void plain_exchange(void)
{
    size_t got = 0;
    if (write(to, line, length) != (ssize_t)length)
        succeeded(-1);
    while (got < length)
        got += (size_t)succeeded((int)read(from, answer + got, length - got));
}

SIDE(ours_exchange,
     check(unipc_coprocess_exchange(filter, line, length - 1, answer, sizeof answer, NULL)))
SIDE(pipes_exchange, plain_exchange())

static void exchange(size_t bytes)
{
    char title[128];
    snprintf(title, sizeof title, "a line of %zu bytes to cat and back (expected: at most 1.03 x)",
             bytes);
    length = bytes;
    memset(line, 'x', bytes);
    line[bytes - 1] = '\n';
    check(unipc_coprocess_spawn(&filter, cat, 0, NULL));
    plain_filter();
    COMPARE(title, {"unipc exchange", ours_exchange},
            {"two pipes and fork: write, read", pipes_exchange});
    unipc_coprocess_close(filter);
    close(to);
    close(from);
}

/* --- through a pseudoterminal --- */

static void plain_terminal(void)
{
    struct termios settings;
    to = from = succeeded(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
    succeeded(grantpt(to));
    succeeded(unlockpt(to));
    int slave = succeeded(open(ptsname(to), O_RDWR | O_NOCTTY | O_CLOEXEC));
    succeeded(tcgetattr(slave, &settings));
    settings.c_lflag &= ~(tcflag_t)(ECHO | ISIG);
    settings.c_oflag &= ~(tcflag_t)OPOST;
    succeeded(tcsetattr(slave, TCSANOW, &settings));
    if (succeeded(fork()) == 0) {
        setsid();
        for (int fd = 0; fd < 3; fd++)
            dup2(slave, fd);
        execv(cat[0], (char **)cat);
        _exit(127);
    }
    close(slave);
}

static void terminal_exchange(void)
{
    check(unipc_pty_write(pty, line, length, NULL));
    check(unipc_pty_read_line(pty, answer, sizeof answer, NULL));
}

SIDE(ours_terminal, terminal_exchange())
SIDE(plain_terminal_exchange, plain_exchange())

static void terminal(void)
{
    length = 64;
    memset(line, 'x', length);
    line[length - 1] = '\n';
    check(unipc_pty_spawn(&pty, cat, 0, NULL, NULL));
    check(unipc_pty_set_modes(pty, UNIPC_TERMINAL_CANONICAL));
    plain_terminal();
    COMPARE("a line of 64 bytes to cat on a pseudoterminal and back",
            {"unipc write, read_line", ours_terminal},
            {"posix_openpt and fork: write, read", plain_terminal_exchange});
    unipc_pty_close(pty);
    close(to);
}

int main(void)
{
    print_head(UNIPC_VERSION_STRING);
    share_a_processor();
    COMPARE_ELAPSED(
        "start a program and wait for its end, elapsed (expected: at most 1.03 x posix_spawn)",
        {"unipc spawn, wait", ours_start}, {"posix_spawn, waitpid", spawn_start},
        {"posix_spawn closing all but 0, 1, 2, waitpid", closing_start},
        {"fork, execv, waitpid", fork_start});
    exchange(8);
    exchange(64);
    exchange(1 << 10);
    exchange(1 << 16);
    terminal();
    return 0;
}
