/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* coproc FILTER [ARGUMENT...]: drives a filter by two pipes, a write and a read for each line; a handler says that the
 * filter has gone. */
#include "people.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

static void caught(int number)
{
    static const char words[] = "SIGPIPE caught\n";
    (void)number;
    _exit(write(STDOUT_FILENO, words, sizeof words - 1) < 0 ? 2 : 1);
}

static void become_filter(const int input[2], const int output[2], char **command)
{
    dup2(input[0], STDIN_FILENO);
    dup2(output[1], STDOUT_FILENO);
    for (int i = 0; i < 2; i++) {
        close(input[i]);
        close(output[i]);
    }
    execv(command[0], command);
    perror(command[0]);
    _exit(1);
}

int main(int argc, char **argv)
{
    int input[2], output[2];
    char line[4096];
    if (argc < 2 || signal(SIGPIPE, caught) == SIG_ERR || pipe(input) < 0 || pipe(output) < 0)
        return 2;
    if (fork() == 0)
        become_filter(input, output, argv + 1);
    close(input[0]);
    close(output[1]);
    show_at_once();
    while (fgets(line, sizeof line - 1, stdin)) {
        if (write(input[1], line, strlen(line)) < 0)
            return perror("write"), 1;
        ssize_t length = read(output[0], line, sizeof line - 1);
        if (length <= 0)
            return fputs("child closed pipe\n", stderr), 1;
        line[length] = 0;
        fputs(line, stdout);
    }
    return 0;
}
