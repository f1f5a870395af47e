/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * Writes a text with its NUL into a FIFO, /tmp/fifo unless a path is given: makes it if need be, and waits
 * for the reader.
 *
 * Run `fifo_write`, then `fifo_read`, in any two languages.
 */
#include "common.h"

int main(int argc, char **argv)
{
    static const char text[] = "www.yanbinghu.com";
    const char *name = file_name(argc > 1 ? argv[1] : "/tmp/fifo");
    unipc_pipe *writer;
    check(unipc_fifo_create(name, UNIPC_FIFO_EXIST_OK, 0600));
    check(unipc_fifo_writer(&writer, name, NULL));
    check(unipc_pipe_write_all(writer, text, sizeof text, NULL, NULL));
    unipc_pipe_close(writer);
    return 0;
}
