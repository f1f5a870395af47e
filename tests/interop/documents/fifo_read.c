/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Behaves as the textbook's FIFO reader, which checks nothing: reads once, and removes the FIFO. */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    const char *path = argc > 1 ? argv[1] : "/tmp/fifo";
    char line[128] = {0};
    int fd = open(path, O_RDONLY);
    printf("read %d bytes from pipe :%s\n", (int)read(fd, line, sizeof line), line);
    close(fd);
    unlink(path);
    return 0;
}
