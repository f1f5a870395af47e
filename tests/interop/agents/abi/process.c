/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Programs by the library: the same verbs as in ../plain/process.c. */
#define _GNU_SOURCE
#include "abi.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unipc.h>
#include <unistd.h>

static unipc_coprocess *filter;
static unipc_pty *pty;
static unsigned char buffer[1 << 20];

static int failed(ssize_t result)
{
    return answer_error(unipc_errname((int)result));
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

/* --- popen: the command's side --- */

static int say(const struct request *request)
{
    size_t size;
    const unsigned char *data = bytes(request, "hex", &size);
    unipc_pipe *output;
    wait_for_go(request);
    if (unipc_pipe_from_fd(&output, STDOUT_FILENO) < 0)
        exit(1);
    exit(unipc_pipe_write_all(output, data, size, NULL, NULL) == 0 ? 3 : 1);
}

static int take(const struct request *request)
{
    unipc_pipe *input;
    size_t size = 0;
    ssize_t got;
    wait_for_go(request);
    if (unipc_pipe_from_fd(&input, STDIN_FILENO) < 0)
        exit(1);
    while ((got = unipc_pipe_read(input, buffer + size, sizeof buffer - size, NULL)) > 0)
        size += (size_t)got;
    FILE *file = fopen(text(request, "path"), "w");
    exit(got == 0 && file && fwrite(buffer, 1, size, file) == size && fclose(file) == 0 ? 3 : 1);
}

/* --- popen: the caller's side --- */

static int read_command(const struct request *request)
{
    unipc_shell *shell;
    size_t size = 0;
    ssize_t got = unipc_shell_popen(&shell, text(request, "command"), "r");
    if (got < 0)
        return failed(got);
    waiting();
    while ((got = unipc_shell_read(shell, buffer + size, sizeof buffer - size, NULL)) > 0)
        size += (size_t)got;
    int status = 0, result = unipc_shell_wait(shell, &status, NULL);
    unipc_shell_close(shell);
    if (got < 0 || result < 0)
        return failed(got < 0 ? got : result);
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
    unipc_shell *shell;
    int result = unipc_shell_popen(&shell, text(request, "command"), "w");
    if (result < 0)
        return failed(result);
    fill(buffer, size, block, length);
    waiting();
    result = unipc_shell_write(shell, buffer, size, NULL);
    int status = 0, waited = unipc_shell_wait(shell, &status, NULL);
    unipc_shell_close(shell);
    if (result < 0 || waited < 0)
        return failed(result < 0 ? result : waited);
    return answer("status=%d", status);
}

/* --- a coprocess --- */

static int start(const struct request *request)
{
    const char *argv[] = {text(request, "command"), NULL};
    int result = unipc_coprocess_spawn(&filter, argv, UNIPC_PROCESS_SHELL, NULL);
    if (result < 0)
        return failed(result);
    return answer("pid=%d", unipc_process_pid(unipc_coprocess_process(filter)));
}

static int exchange(const struct request *request)
{
    size_t size;
    const unsigned char *line = bytes(request, "hex", &size);
    char reply[4096];
    waiting();
    ssize_t got = unipc_coprocess_exchange(filter, line, size, reply, sizeof reply, NULL);
    return got < 0 ? failed(got) : answer_bytes(reply, (size_t)got);
}

static int stop(const struct request *request)
{
    int status = 0;
    (void)request;
    int result = filter ? unipc_coprocess_wait(filter, &status, NULL)
                        : (unipc_pty_hang_up(pty), unipc_pty_wait(pty, &status, NULL));
    unipc_coprocess_close(filter);
    unipc_pty_close(pty);
    filter = NULL;
    pty = NULL;
    return result < 0 ? failed(result) : answer("status=%d", status);
}

/* --- a terminal: the master's side --- */

static unipc_window_size size_of(const struct request *request)
{
    unipc_window_size size = {.rows = (uint16_t)number(request, "rows", 24),
                              .columns = (uint16_t)number(request, "columns", 80)};
    return size;
}

static int open_terminal(const struct request *request)
{
    const char *argv[] = {text(request, "command"), NULL};
    unipc_window_size size = size_of(request);
    int result = unipc_pty_spawn(&pty, argv, UNIPC_PROCESS_SHELL, NULL, &size);
    if (result < 0)
        return failed(result);
    return answer("pid=%d name=%s", unipc_process_pid(unipc_pty_process(pty)), unipc_pty_name(pty));
}

static int line(const struct request *request)
{
    char text[4096];
    (void)request;
    waiting();
    ssize_t got = unipc_pty_read_line(pty, text, sizeof text, NULL);
    return got < 0 ? failed(got) : answer_bytes(text, (size_t)got);
}

static int type(const struct request *request)
{
    size_t size;
    const unsigned char *data = bytes(request, "hex", &size);
    int result = unipc_pty_write(pty, data, size, NULL);
    return result < 0 ? failed(result) : answer("typed");
}

static int resize(const struct request *request)
{
    unipc_window_size size = size_of(request);
    int result = unipc_pty_set_window_size(pty, &size);
    return result < 0 ? failed(result) : answer("resized");
}

/* --- a terminal: the program's side --- */

static void print_size(void)
{
    unipc_window_size size;
    if (unipc_terminal_window_size(STDIN_FILENO, &size) == 0)
        printf("rows=%d columns=%d\n", size.rows, size.columns);
}

static int use_terminal(const struct request *request)
{
    char text[256];
    (void)request;
    printf("tty=%d echo=%d\n", unipc_terminal_is(STDIN_FILENO),
           (unipc_terminal_modes(STDIN_FILENO) & UNIPC_TERMINAL_ECHO) != 0);
    print_size();
    for (;;) {
        fflush(stdout);
        ssize_t got = read(STDIN_FILENO, text, sizeof text - 1);
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
