/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * A pipe between a child, which writes a text with its NUL, and its parent, which reads it.
 *
 * `pipe_demo writer | pipe_demo reader` does the same with two programs, in any two languages.
 */
#include "common.h"

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void put(unipc_pipe *writer)
{
    static const char text[] = "www.bing.com";
    check(unipc_pipe_write_all(writer, text, sizeof text, NULL, NULL));
    unipc_pipe_close(writer);
}

static void get(unipc_pipe *reader)
{
    char line[128] = {0};
    ssize_t count = unipc_pipe_read(reader, line, sizeof line - 1, NULL);
    check((int)count);
    printf("read %zd bytes from pipe :%s\n", count, line);
    unipc_pipe_close(reader);
}

int main(int argc, char **argv)
{
    unipc_pipe *reader, *writer;
    if (argc > 1) {
        int writes = strcmp(argv[1], "writer") == 0;
        check(unipc_pipe_from_fd(&reader, writes ? 1 : 0));
        writes ? put(reader) : get(reader);
        return 0;
    }
    check(unipc_pipe_create(&reader, &writer, 0, NULL));
    if (fork() == 0) {
        unipc_pipe_close(reader);
        put(writer);
        _exit(0);
    }
    unipc_pipe_close(writer);
    get(reader);
    wait(NULL);
    return 0;
}
