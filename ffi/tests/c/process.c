/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Calls every function of programs, filters and terminals, and expects what the header promises. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <unipc.h>

#include "expect.h"

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

static const struct timespec now = {0, 0}, soon = {0, 5000000}, enough = {30, 0};

/* How a program has ended that was started so. */
static int run(const char *const *words, unsigned int flags, const unipc_process_opts *opts)
{
    unipc_process *process;
    int status = 1000;

    EXPECT(unipc_process_spawn(&process, words, flags, opts) == 0);
    EXPECT(unipc_process_wait(process, &status, &enough) == 0);
    unipc_process_close(process);
    return status;
}

static void ends(void)
{
    EXPECT(run(WORDS("true"), 0, NULL) == 0);
    EXPECT(run(WORDS("exit 3"), UNIPC_PROCESS_SHELL, NULL) == 3);
    EXPECT(run(WORDS("kill -9 $$"), UNIPC_PROCESS_SHELL, NULL) == -9);
    /* No shell takes the variable away. */
    EXPECT(run(WORDS("test", "$UNIPC_NO_SUCH"), 0, NULL) == 0);
}

static void refused(void)
{
    const char *const none[] = {NULL};
    unipc_process_descriptor wrong = {-1, 5};
    unipc_process_opts opts = UNIPC_PROCESS_OPTS_INIT;
    unipc_process *process;

    EXPECT(unipc_process_spawn(&process, WORDS("unipc-no-such"), 0, NULL) == -ENOENT);
    EXPECT(process == NULL && strstr(unipc_last_error(), "unipc-no-such") != NULL);
    EXPECT(unipc_process_spawn(&process, WORDS("/"), 0, NULL) == -EACCES);
    EXPECT(unipc_process_spawn(&process, none, 0, NULL) == -EINVAL);
    EXPECT(unipc_process_spawn(&process, NULL, 0, NULL) == -EINVAL);
    EXPECT(unipc_process_spawn(NULL, WORDS("true"), 0, NULL) == -EINVAL);
    EXPECT(unipc_process_spawn(&process, WORDS("a", "b"), UNIPC_PROCESS_SHELL, NULL) == -EINVAL);
    EXPECT(unipc_process_spawn(&process, WORDS("true"), 1 << 30, NULL) == -EINVAL);
    EXPECT(unipc_process_spawn(&process, WORDS("true"), 0,
                               &UNIPC_PROCESS_OPTS(.directory = "/no/where")) == -ENOENT);
    opts.descriptors = &wrong;
    opts.descriptor_count = 1;
    wrong.ours = 99999;
    EXPECT(unipc_process_spawn(&process, WORDS("true"), 0, &opts) == -EBADF);
    wrong.ours = UNIPC_FD_NULL;
    wrong.theirs = -1;
    EXPECT(unipc_process_spawn(&process, WORDS("true"), 0, &opts) == -EINVAL);
    EXPECT(unipc_process_wait(NULL, NULL, &now) == -EINVAL);
    EXPECT(unipc_process_signal(NULL, 0) == -EINVAL && unipc_process_kill(NULL) == -EINVAL);
    EXPECT(unipc_process_pid(NULL) == -EINVAL && unipc_process_fd(NULL) == -EINVAL);
    unipc_process_close(NULL);
}

static void options(void)
{
    const char *const environment[] = {"UNIPC_A=1", "HOME", NULL};
    const char *kept = "test \"$UNIPC_A ${HOME-none} ${PATH:+path} $PWD\" = '1 none path /'";
    const char *clear = "test \"$UNIPC_A ${UNIPC_B-none}\" = '1 none'";
    unipc_process_descriptor null = {UNIPC_FD_NULL, 0}, pipe_end = {0, 9};
    char line[64], byte;
    int ends[2], other;

    EXPECT(setenv("UNIPC_B", "2", 1) == 0);
    EXPECT(run(WORDS(kept), UNIPC_PROCESS_SHELL,
               &UNIPC_PROCESS_OPTS(.environment = environment, .directory = "/")) == 0);
    EXPECT(run(WORDS("test $UNIPC_B = 2"), UNIPC_PROCESS_SHELL, NULL) == 0);
    EXPECT(run(WORDS(clear), UNIPC_PROCESS_SHELL | UNIPC_PROCESS_CLEAR_ENVIRONMENT,
               &UNIPC_PROCESS_OPTS(.environment = environment)) == 0);
    EXPECT(run(WORDS("read x && exit 1; exit 4"), UNIPC_PROCESS_SHELL,
               &UNIPC_PROCESS_OPTS(.descriptors = &null, .descriptor_count = 1)) == 4);

    EXPECT(pipe(ends) == 0);
    pipe_end.ours = ends[1];
    EXPECT(run(WORDS("printf x >&9"), UNIPC_PROCESS_SHELL,
               &UNIPC_PROCESS_OPTS(.descriptors = &pipe_end, .descriptor_count = 1)) == 0);
    EXPECT(read(ends[0], &byte, 1) == 1 && byte == 'x');
    /* No descriptor that it was not given. */
    EXPECT((other = fcntl(ends[1], F_DUPFD, 50)) >= 50);
    snprintf(line, sizeof line, "test ! -e /proc/self/fd/%d", other);
    EXPECT(run(WORDS(line), UNIPC_PROCESS_SHELL, NULL) == 0);
    EXPECT(close(other) == 0 && close(ends[0]) == 0 && close(ends[1]) == 0);
}

static void one_process(void)
{
    unipc_process *process;
    struct pollfd ready = {.events = POLLIN};
    int status;
    pid_t child;

    EXPECT(unipc_process_spawn(&process, WORDS("sleep", "1000"), UNIPC_PROCESS_NEW_GROUP, NULL) ==
           0);
    EXPECT(unipc_process_pid(process) > 1);
    EXPECT(getpgid(unipc_process_pid(process)) == unipc_process_pid(process));
    ready.fd = unipc_process_fd(process);
    EXPECT(fcntl(ready.fd, F_GETFD) == FD_CLOEXEC && poll(&ready, 1, 0) == 0);
    EXPECT(unipc_process_signal(process, 0) == 0);
    EXPECT(unipc_process_signal(process, 1000) == -EINVAL);
    EXPECT(unipc_process_wait(process, NULL, &now) == -EAGAIN);
    EXPECT(unipc_process_wait(process, NULL, &soon) == -ETIMEDOUT);
    EXPECT((child = fork()) >= 0);
    if (child == 0) {
        EXPECT(unipc_process_wait(process, NULL, &enough) == -ECHILD);
        _exit(0);
    }
    EXPECT(waitpid(child, &status, 0) == child && status == 0);
    EXPECT(unipc_process_signal(process, SIGTERM) == 0);
    EXPECT(poll(&ready, 1, 30000) == 1);
    EXPECT(unipc_process_wait(process, &status, &enough) == 0 && status == -SIGTERM);
    EXPECT(unipc_process_wait(process, &status, &now) == 0 && status == -SIGTERM);
    EXPECT(unipc_process_signal(process, 0) == -ESRCH && unipc_process_kill(process) == 0);
    unipc_process_close(process);

    EXPECT(unipc_process_spawn(&process, WORDS("sleep", "1000"), 0, NULL) == 0);
    EXPECT(unipc_process_kill(process) == 0);
    EXPECT(unipc_process_wait(process, &status, &enough) == 0 && status == -SIGKILL);
    unipc_process_close(process);
}

/* A program whose handle was closed goes on, and no zombie remains of it. */
static void forgotten(void)
{
    unipc_process *process;
    int pid, rounds = 0;

    EXPECT(unipc_process_spawn(&process, WORDS("sleep", "1000"), 0, NULL) == 0);
    pid = unipc_process_pid(process);
    unipc_process_close(process);
    EXPECT(kill(pid, 0) == 0 && kill(pid, SIGTERM) == 0);
    while (kill(pid, 0) == 0 && rounds++ < 3000)
        usleep(10000);
    EXPECT(kill(pid, 0) == -1 && errno == ESRCH);
}

static void shell_output(void)
{
    const char *line = "printf 'one\\n\\nlong line\\nend'; exit 3";
    unipc_shell *shell;
    char word[8];
    int status;

    EXPECT(unipc_shell_popen(&shell, line, "r") == 0);
    EXPECT(fcntl(unipc_shell_fd(shell), F_GETFD) == FD_CLOEXEC);
    EXPECT(unipc_shell_read_line(shell, word, 8, &enough) == 3 && strcmp(word, "one") == 0);
    EXPECT(unipc_shell_read_line(shell, word, 8, &enough) == 0 && strcmp(word, "") == 0);
    EXPECT(unipc_shell_read_line(shell, word, 8, &enough) == -EMSGSIZE);
    EXPECT(unipc_shell_read(shell, word, 8, &enough) == 8 && memcmp(word, "long lin", 8) == 0);
    EXPECT(unipc_shell_read_line(shell, word, 8, &enough) == 1 && strcmp(word, "e") == 0);
    EXPECT(unipc_shell_read_line(shell, word, 8, &enough) == 3 && strcmp(word, "end") == 0);
    EXPECT(unipc_shell_read_line(shell, word, 8, &enough) == -ENODATA);
    EXPECT(unipc_shell_read(shell, word, 8, &enough) == 0);
    EXPECT(unipc_shell_write(shell, "x", 1, &enough) == -EBADF);
    EXPECT(unipc_shell_wait(shell, &status, &enough) == 0 && status == 3);
    EXPECT(unipc_shell_fd(shell) == -EBADF);
    EXPECT(unipc_shell_read(shell, word, 8, &now) == -EBADF);
    unipc_shell_close(shell);

    EXPECT(unipc_shell_popen(&shell, "true", "rw") == -EINVAL && shell == NULL);
    EXPECT(unipc_shell_popen(&shell, NULL, "r") == -EINVAL);
    EXPECT(unipc_shell_process(NULL) == NULL && unipc_shell_fd(NULL) == -EINVAL);
    unipc_shell_close(NULL);
}

static void shell_input(void)
{
    unipc_shell *shell;
    int status;

    EXPECT(unipc_shell_popen(&shell, "read -r x; test \"$x\" = hello && exit 4", "we") == 0);
    EXPECT(unipc_shell_wait(NULL, &status, &now) == -EINVAL && unipc_shell_end(NULL) == -EINVAL);
    EXPECT(unipc_shell_write(shell, "hello\n", 6, &enough) == 0);
    EXPECT(unipc_process_wait(unipc_shell_process(shell), &status, &enough) == 0 && status == 4);
    EXPECT(unipc_shell_write(shell, "x", 1, &enough) == -EPIPE);
    EXPECT(strstr(unipc_last_error(), "exit status: 4") != NULL);
    EXPECT(unipc_shell_end(shell) == 0);
    EXPECT(unipc_shell_write(shell, "x", 1, &enough) == -EBADF);
    EXPECT(unipc_shell_fd(shell) == -EBADF);
    EXPECT(unipc_shell_wait(shell, &status, &enough) == 0 && status == 4);
    unipc_shell_close(shell);

    /* Waiting ends the input. */
    EXPECT(unipc_shell_open(&shell, WORDS("cat"), UNIPC_SHELL_WRITE, NULL) == 0);
    EXPECT(unipc_shell_wait(shell, &status, &enough) == 0 && status == 0);
    unipc_shell_close(shell);
}

static void shell_words(void)
{
    unsigned int both = UNIPC_SHELL_READ | UNIPC_SHELL_WRITE;
    unipc_process_descriptor output = {UNIPC_FD_NULL, 1};
    unipc_shell *shell;
    char word[8];

    EXPECT(unipc_shell_open(&shell, WORDS("true"), 0, NULL) == -EINVAL && shell == NULL);
    EXPECT(unipc_shell_open(&shell, WORDS("true"), both, NULL) == -EINVAL);
    EXPECT(unipc_shell_open(&shell, WORDS("true"), UNIPC_SHELL_READ,
                            &UNIPC_PROCESS_OPTS(.descriptors = &output, .descriptor_count = 1)) ==
           -EINVAL);
    EXPECT(unipc_shell_open(&shell, WORDS("sleep", "1000"), UNIPC_SHELL_READ, NULL) == 0);
    EXPECT(unipc_shell_read(shell, word, 8, &now) == -EAGAIN);
    EXPECT(unipc_shell_read_line(shell, word, 8, &soon) == -ETIMEDOUT);
    EXPECT(unipc_process_kill(unipc_shell_process(shell)) == 0);
    EXPECT(unipc_shell_wait(shell, NULL, &enough) == 0);
    unipc_shell_close(shell);

    EXPECT(unipc_shell_open(&shell, WORDS("echo err >&2"),
                            UNIPC_PROCESS_SHELL | UNIPC_PROCESS_STDERR_TO_STDOUT | UNIPC_SHELL_READ,
                            NULL) == 0);
    EXPECT(unipc_shell_read_line(shell, word, 8, &enough) == 3 && strcmp(word, "err") == 0);
    EXPECT(unipc_shell_wait(shell, NULL, &enough) == 0);
    unipc_shell_close(shell);
}

static void filter_lines(void)
{
    unipc_coprocess *filter;
    char word[8];
    int status;

    EXPECT(unipc_coprocess_spawn(&filter, WORDS("cat"), 0, NULL) == 0);
    EXPECT(fcntl(unipc_coprocess_fd(filter), F_GETFD) == FD_CLOEXEC);
    EXPECT(unipc_coprocess_exchange(filter, "hello", 5, word, 8, &enough) == 5);
    EXPECT(strcmp(word, "hello") == 0);
    EXPECT(unipc_coprocess_exchange(filter, "a\nb", 3, word, 8, &enough) == -EINVAL);
    EXPECT(unipc_coprocess_exchange(filter, "hello", 5, word, 5, &enough) == -EMSGSIZE);
    EXPECT(unipc_coprocess_has_buffered(filter) == 1);
    EXPECT(unipc_coprocess_read_line(filter, word, 6, &enough) == 5);
    EXPECT(unipc_coprocess_has_buffered(filter) == 0);
    EXPECT(unipc_coprocess_read_line(filter, word, 8, &now) == -EAGAIN);
    EXPECT(unipc_coprocess_read(filter, word, 8, &soon) == -ETIMEDOUT);
    EXPECT(unipc_coprocess_write_line(filter, "a\nb", 3, &enough) == -EINVAL);
    EXPECT(unipc_coprocess_write_line(filter, "line", 4, &enough) == 0);
    EXPECT(unipc_coprocess_read_line(filter, word, 8, &enough) == 4);
    EXPECT(unipc_coprocess_write(filter, "rest", 4, &enough) == 0);
    EXPECT(unipc_coprocess_communicate(filter, "!", 1, word, 2, &enough) == 5);
    EXPECT(memcmp(word, "re", 2) == 0);
    EXPECT(unipc_coprocess_write(filter, "x", 1, &enough) == -EBADF);
    EXPECT(unipc_coprocess_exchange(filter, "x", 1, word, 8, &enough) == -EBADF);
    EXPECT(unipc_coprocess_wait(filter, &status, &enough) == 0 && status == 0);
    unipc_coprocess_close(filter);

    EXPECT(unipc_coprocess_process(NULL) == NULL && unipc_coprocess_fd(NULL) == -EINVAL);
    EXPECT(unipc_coprocess_has_buffered(NULL) == -EINVAL);
    EXPECT(unipc_coprocess_end_input(NULL) == -EINVAL);
    unipc_coprocess_close(NULL);
}

static void filter_ends(void)
{
    unipc_process_descriptor input = {UNIPC_FD_NULL, 0};
    unipc_coprocess *filter;
    char word[8];
    int status;

    EXPECT(unipc_coprocess_spawn(
               &filter, WORDS("sort"), 0,
               &UNIPC_PROCESS_OPTS(.descriptors = &input, .descriptor_count = 1)) == -EINVAL);
    EXPECT(filter == NULL);
    EXPECT(unipc_coprocess_spawn(&filter, WORDS("sort"), 0, NULL) == 0);
    EXPECT(unipc_coprocess_write(filter, "b\na\n", 4, &enough) == 0);
    EXPECT(unipc_coprocess_end_input(filter) == 0);
    EXPECT(unipc_coprocess_write_line(filter, "c", 1, &enough) == -EBADF);
    EXPECT(unipc_coprocess_read_line(filter, word, 8, &enough) == 1 && word[0] == 'a');
    EXPECT(unipc_coprocess_read(filter, word, 8, &enough) == 2 && memcmp(word, "b\n", 2) == 0);
    EXPECT(unipc_coprocess_read_line(filter, word, 8, &enough) == -ENODATA);
    EXPECT(unipc_coprocess_read(filter, word, 8, &enough) == 0);
    EXPECT(unipc_process_wait(unipc_coprocess_process(filter), &status, &enough) == 0);
    EXPECT(status == 0);
    unipc_coprocess_close(filter);

    EXPECT(unipc_coprocess_spawn(&filter, WORDS("read x; exit 7"), UNIPC_PROCESS_SHELL, NULL) == 0);
    EXPECT(unipc_coprocess_exchange(filter, "x", 1, word, 8, &enough) == -EPIPE);
    EXPECT(strstr(unipc_last_error(), "exit status: 7") != NULL);
    EXPECT(unipc_coprocess_wait(filter, &status, &enough) == 0 && status == 7);
    EXPECT(unipc_coprocess_wait(filter, &status, &now) == 0 && status == 7);
    unipc_coprocess_close(filter);
}

static void filter_much(void)
{
    static char much[300000], back[sizeof much + 1];
    unipc_coprocess *filter;
    char word[64];

    /* Nobody reads meanwhile, and the pipes hold less. */
    memset(much, 'm', sizeof much);
    EXPECT(unipc_coprocess_spawn(&filter, WORDS("cat"), 0, NULL) == 0);
    EXPECT(unipc_coprocess_write(filter, much, sizeof much, &enough) == 0);
    EXPECT(unipc_coprocess_has_buffered(filter) == 1);
    EXPECT(unipc_coprocess_communicate(filter, "!", 1, back, sizeof back, &enough) == sizeof back);
    EXPECT(memcmp(back, much, sizeof much) == 0 && back[sizeof much] == '!');
    EXPECT(unipc_coprocess_wait(filter, NULL, &enough) == 0);
    unipc_coprocess_close(filter);

    EXPECT(unipc_coprocess_spawn(&filter, WORDS("cat"), 0, &UNIPC_PROCESS_OPTS(.line_limit = 20)) ==
           0);
    EXPECT(unipc_coprocess_write(filter, much, 40, &enough) == 0);
    EXPECT(unipc_coprocess_read_line(filter, word, sizeof word, &enough) == -EMSGSIZE);
    EXPECT(unipc_coprocess_read(filter, word, sizeof word, &enough) > 20 && word[0] == 'm');
    EXPECT(unipc_coprocess_wait(filter, NULL, &enough) == 0);
    unipc_coprocess_close(filter);

    /* sed keeps its output back, unless it is a terminal. */
    EXPECT(unipc_coprocess_spawn(&filter, WORDS("sed", "s/^/</"), UNIPC_COPROCESS_TERMINAL, NULL) ==
           0);
    EXPECT(unipc_coprocess_exchange(filter, "hello", 5, word, sizeof word, &enough) == 6);
    EXPECT(strcmp(word, "<hello") == 0);
    EXPECT(unipc_coprocess_end_input(filter) == 0);
    EXPECT(unipc_coprocess_read(filter, word, sizeof word, &enough) == 0);
    EXPECT(unipc_coprocess_wait(filter, NULL, &enough) == 0);
    unipc_coprocess_close(filter);
}

static void pty_program(void)
{
    const unipc_window_size size = {.rows = 30, .columns = 100};
    unipc_window_size got = {.width = 7};
    unipc_pty *pty;
    char word[64];
    size_t len;
    int status;

    EXPECT(unipc_pty_spawn(&pty, WORDS("tty; read -r x; echo got $x; stty size; exit 5"),
                           UNIPC_PROCESS_SHELL, NULL, &size) == 0);
    EXPECT(unipc_pty_read_line(pty, word, sizeof word, &enough) > 0);
    len = strlen(unipc_pty_name(pty));
    EXPECT(strncmp(word, unipc_pty_name(pty), len) == 0 && strcmp(word + len, "\r") == 0);
    EXPECT(unipc_pty_window_size(pty, &got) == 0);
    EXPECT(got.rows == 30 && got.columns == 100 && got.width == 0);
    EXPECT(unipc_pty_modes(pty) == 15);
    EXPECT(unipc_pty_set_modes(pty, 15u & ~(unsigned int)UNIPC_TERMINAL_ECHO) == 0);
    EXPECT(unipc_pty_set_modes(pty, 16) == -EINVAL);
    EXPECT(unipc_pty_set_window_size(pty, NULL) == 0);
    EXPECT(unipc_pty_write(pty, "typed\n", 6, &enough) == 0);
    EXPECT(unipc_pty_read_line(pty, word, sizeof word, &enough) == 10);
    EXPECT(strcmp(word, "got typed\r") == 0);
    EXPECT(unipc_pty_read_line(pty, word, sizeof word, &enough) == 6);
    EXPECT(strcmp(word, "24 80\r") == 0);
    EXPECT(unipc_pty_read_line(pty, word, sizeof word, &enough) == -ENODATA);
    EXPECT(unipc_pty_read(pty, word, sizeof word, &enough) == 0);
    EXPECT(unipc_process_wait(unipc_pty_process(pty), &status, &enough) == 0 && status == 5);
    EXPECT(unipc_pty_wait(pty, &status, &now) == 0 && status == 5);
    unipc_pty_close(pty);
    unipc_pty_close(NULL);
}

static void pty_keys(void)
{
    unipc_process_descriptor input = {UNIPC_FD_NULL, 0};
    unipc_pty *pty;
    char word[64];
    int status;

    EXPECT(unipc_pty_spawn(&pty, WORDS("cat"), 0,
                           &UNIPC_PROCESS_OPTS(.descriptors = &input, .descriptor_count = 1),
                           NULL) == -EINVAL);
    EXPECT(pty == NULL);
    EXPECT(unipc_pty_spawn(&pty, WORDS("cat"), 0, NULL, NULL) == 0);
    EXPECT(unipc_pty_write(pty, "hello\n", 6, &enough) == 0);
    /* The echo, and what cat puts out. */
    EXPECT(unipc_pty_read_line(pty, word, sizeof word, &enough) == 6);
    EXPECT(strcmp(word, "hello\r") == 0);
    EXPECT(unipc_pty_read_line(pty, word, sizeof word, &enough) == 6);
    EXPECT(strcmp(word, "hello\r") == 0);
    EXPECT(unipc_pty_end_of_file(pty, &enough) == 0);
    EXPECT(unipc_pty_wait(pty, &status, &enough) == 0 && status == 0);
    unipc_pty_close(pty);

    EXPECT(unipc_pty_spawn(&pty, WORDS("sleep", "1000"), 0, NULL, NULL) == 0);
    EXPECT(unipc_pty_wait(pty, NULL, &now) == -EAGAIN);
    EXPECT(unipc_pty_write(pty, "\3", 1, &enough) == 0);
    EXPECT(unipc_pty_wait(pty, &status, &enough) == 0 && status == -SIGINT);
    unipc_pty_close(pty);

    EXPECT(unipc_pty_spawn(&pty, WORDS("sleep", "1000"), 0, NULL, NULL) == 0);
    EXPECT(unipc_pty_hang_up(pty) == 0);
    EXPECT(unipc_pty_wait(pty, &status, &enough) == 0 && status == -SIGHUP);
    unipc_pty_close(pty);
}

static void pty_alone(void)
{
    unipc_window_size size;
    unipc_pty *pty;
    char word[8];
    int slave;

    EXPECT(unipc_pty_open(NULL, NULL) == -EINVAL && unipc_pty_open(&pty, NULL) == 0);
    EXPECT(strncmp(unipc_pty_name(pty), "/dev/pts/", 9) == 0 && unipc_pty_name(NULL) == NULL);
    EXPECT(unipc_pty_process(pty) == NULL && unipc_pty_process(NULL) == NULL);
    EXPECT(unipc_pty_wait(pty, NULL, &now) == -ECHILD);
    EXPECT(fcntl(unipc_pty_fd(pty), F_GETFD) == FD_CLOEXEC);
    EXPECT((slave = unipc_pty_slave(pty)) >= 0 && fcntl(slave, F_GETFD) == FD_CLOEXEC);
    EXPECT(unipc_pty_window_size(pty, &size) == 0 && size.rows == 24 && size.columns == 80);
    EXPECT(unipc_pty_read(pty, word, 8, &now) == -EAGAIN);
    EXPECT(unipc_pty_read_line(pty, word, 8, &soon) == -ETIMEDOUT);
    EXPECT(write(slave, "part", 4) == 4);
    EXPECT(unipc_pty_read_line(pty, word, 8, &soon) == -ETIMEDOUT);
    EXPECT(unipc_pty_has_buffered(pty) == 1 && unipc_pty_has_buffered(NULL) == -EINVAL);
    EXPECT(write(slave, "\n", 1) == 1);
    EXPECT(unipc_pty_read(pty, word, 4, &enough) == 4 && memcmp(word, "part", 4) == 0);
    EXPECT(unipc_pty_read_line(pty, word, 8, &enough) == 1 && strcmp(word, "\r") == 0);
    EXPECT(unipc_pty_has_buffered(pty) == 0);
    EXPECT(unipc_pty_end_of_file(pty, &enough) == 0 && read(slave, word, 8) == 0);

    EXPECT(unipc_pty_hang_up(pty) == 0 && unipc_pty_hang_up(NULL) == -EINVAL);
    EXPECT(read(slave, word, 8) == 0);
    EXPECT(unipc_pty_fd(pty) == -EBADF && unipc_pty_slave(pty) == -EBADF);
    EXPECT(unipc_pty_read(pty, word, 8, &now) == -EBADF);
    EXPECT(unipc_pty_write(pty, "x", 1, &now) == -EBADF);
    EXPECT(unipc_pty_window_size(pty, &size) == -EBADF);
    EXPECT(unipc_pty_set_window_size(pty, &size) == -EBADF);
    EXPECT(unipc_pty_modes(pty) == -EBADF && unipc_pty_set_modes(pty, 0) == -EBADF);
    EXPECT(close(slave) == 0);
    unipc_pty_close(pty);
}

static void terminal(void)
{
    const unipc_window_size size = {.rows = 5, .columns = 6, .width = 7, .height = 8};
    unipc_window_size got;
    unipc_raw_mode *raw;
    unipc_pty *pty;
    int slave;

    EXPECT(unipc_pty_open(&pty, NULL) == 0 && (slave = unipc_pty_slave(pty)) >= 0);
    EXPECT(unipc_terminal_is(slave) == 1 && unipc_terminal_is(unipc_pty_fd(pty)) == 1);
    EXPECT(unipc_terminal_set_window_size(slave, &size) == 0);
    EXPECT(unipc_terminal_window_size(unipc_pty_fd(pty), &got) == 0);
    EXPECT(memcmp(&got, &size, sizeof got) == 0);
    EXPECT(unipc_terminal_window_size(slave, NULL) == -EINVAL);
    EXPECT(unipc_terminal_set_window_size(slave, NULL) == -EINVAL);

    EXPECT(unipc_raw_mode_enter(NULL, slave) == -EINVAL);
    EXPECT(unipc_raw_mode_enter(&raw, slave) == 0 && unipc_terminal_modes(slave) == 0);
    EXPECT(unipc_raw_mode_restore(NULL) == -EINVAL && unipc_raw_mode_restore(raw) == 0);
    EXPECT(unipc_raw_mode_restore(raw) == 0 && unipc_terminal_modes(slave) == 15);
    unipc_raw_mode_close(raw);
    EXPECT(unipc_terminal_set_modes(slave, UNIPC_TERMINAL_ECHO | UNIPC_TERMINAL_CANONICAL) == 0);
    EXPECT(unipc_terminal_set_modes(slave, 16) == -EINVAL && unipc_pty_modes(pty) == 3);
    EXPECT(unipc_raw_mode_enter(&raw, slave) == 0 && unipc_pty_modes(pty) == 0);
    unipc_raw_mode_close(raw);
    EXPECT(unipc_terminal_modes(slave) == 3);

    EXPECT(unipc_raw_mode_enter(&raw, slave) == 0 && unipc_pty_hang_up(pty) == 0);
    EXPECT(unipc_raw_mode_restore(raw) == -EIO);
    unipc_raw_mode_close(raw);
    unipc_raw_mode_close(NULL);
    EXPECT(close(slave) == 0);
    unipc_pty_close(pty);
}

static void no_terminal(void)
{
    unipc_window_size size = {.rows = 1};
    unipc_raw_mode *raw;
    int ends[2];

    EXPECT(pipe(ends) == 0);
    EXPECT(unipc_terminal_is(ends[0]) == 0 && unipc_terminal_is(-1) == -EBADF);
    EXPECT(unipc_terminal_window_size(ends[0], &size) == -ENOTTY);
    EXPECT(unipc_terminal_window_size(-1, &size) == -EBADF);
    EXPECT(unipc_terminal_set_window_size(ends[0], &size) == -ENOTTY);
    EXPECT(unipc_terminal_set_window_size(-1, &size) == -EBADF);
    EXPECT(unipc_terminal_modes(ends[0]) == -ENOTTY && unipc_terminal_modes(-1) == -EBADF);
    EXPECT(unipc_terminal_set_modes(ends[0], 0) == -ENOTTY);
    EXPECT(unipc_terminal_set_modes(-1, 0) == -EBADF);
    EXPECT(unipc_raw_mode_enter(&raw, ends[0]) == -ENOTTY && raw == NULL);
    EXPECT(unipc_raw_mode_enter(&raw, -1) == -EBADF);
    EXPECT(close(ends[0]) == 0 && close(ends[1]) == 0);
}

static void programs(void)
{
    ends();
    refused();
    options();
    one_process();
    forgotten();
    shell_output();
    shell_input();
    shell_words();
    filter_lines();
    filter_ends();
    filter_much();
    pty_program();
    pty_keys();
}

/* Old valgrinds do not know the call, without which no program can be started. */
static int have_pidfds(void)
{
    long fd = syscall(SYS_pidfd_open, getpid(), 0);

    if (fd < 0 && errno == ENOSYS)
        return 0;
    EXPECT(fd >= 0 && close((int)fd) == 0);
    return 1;
}

int main(void)
{
    if (have_pidfds())
        programs();
    else
        fputs("SKIP what starts programs: there is no pidfd_open()\n", stderr);
    pty_alone();
    terminal();
    no_terminal();
    puts("all as promised");
    return 0;
}
