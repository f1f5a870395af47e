/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * Reads a text from a FIFO, /tmp/fifo unless a path is given, and removes the FIFO.
 *
 * Run `fifo_write`, then `fifo_read`, in any two languages.
 */
#include "common.h"

int main(int argc, char **argv)
{
    const char *name = file_name(argc > 1 ? argv[1] : "/tmp/fifo");
    char line[128] = {0};
    unipc_pipe *reader;
    check(unipc_fifo_reader(&reader, name, NULL));
    ssize_t count = unipc_pipe_read(reader, line, sizeof line - 1, NULL);
    check((int)count);
    printf("read %zd bytes from pipe :%s\n", count, line);
    unipc_pipe_close(reader);
    check(unipc_fifo_unlink(name));
    return 0;
}
