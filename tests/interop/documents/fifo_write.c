/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Behaves as the textbook's FIFO writer: makes the FIFO unless it is there, and writes a text with its
 * NUL. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    static const char text[] = "www.yanbinghu.com";
    const char *path = argc > 1 ? argv[1] : "/tmp/fifo";
    if (mkfifo(path, S_IRUSR | S_IWUSR) < 0 && errno != EEXIST) {
        perror("make fifo failed");
        return 1;
    }
    int fd = open(path, O_WRONLY);
    if (write(fd, text, sizeof text) < 0)
        perror("write");
    close(fd);
    return 0;
}
