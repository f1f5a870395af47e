/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* pager_pipe FILE: a child whose standard input is a pipe becomes the pager that PAGER names. */
#include "people.h"

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void become_pager(const int ends[2])
{
    const char *pager = getenv("PAGER") ? getenv("PAGER") : "/bin/more";
    const char *slash = strrchr(pager, '/');
    close(ends[1]);
    if (ends[0] != STDIN_FILENO) {
        dup2(ends[0], STDIN_FILENO);
        close(ends[0]);
    }
    execl(pager, slash ? slash + 1 : pager, (char *)NULL);
    perror(pager);
    _exit(1);
}

int main(int argc, char **argv)
{
    char line[4096];
    int ends[2];
    if (argc != 2)
        return 2;
    FILE *file = fopen(argv[1], "r");
    if (!file || pipe(ends) < 0)
        return perror(argv[1]), 1;
    pid_t child = fork();
    if (child == 0)
        become_pager(ends);
    close(ends[0]);
    while (fgets(line, sizeof line, file))
        if (write(ends[1], line, strlen(line)) < 0)
            return perror("write"), 1;
    close(ends[1]);
    return waitpid(child, NULL, 0) < 0;
}
