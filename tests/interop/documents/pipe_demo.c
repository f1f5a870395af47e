/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Behaves as the textbook's pipe between parent and child: the child writes a text with its NUL, the
 * parent reads it. `pipe_demo writer` writes to standard output, `pipe_demo reader` reads standard
 * input, for a peer that is another program. */
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char text[] = "www.bing.com";

static int put(int fd)
{
    return write(fd, text, sizeof text) == (ssize_t)sizeof text ? 0 : 1;
}

static int get(int fd)
{
    char line[128] = {0};
    printf("read %d bytes from pipe :%s\n", (int)read(fd, line, sizeof line), line);
    return 0;
}

int main(int argc, char **argv)
{
    int fd[2];
    if (argc > 1)
        return strcmp(argv[1], "writer") == 0 ? put(1) : get(0);
    if (pipe(fd) < 0) {
        perror("create pipe failed");
        return 1;
    }
    if (fork() == 0) {
        close(fd[0]);
        _exit(put(fd[1]));
    }
    close(fd[1]);
    get(fd[0]);
    wait(NULL);
    return 0;
}
