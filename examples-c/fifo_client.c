/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * Asks a fifo_server, in any language, and prints its reply: see there.
 */
#include "common.h"

#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    usage(argc < 3, "fifo_client PATH TEXT");
    char own[4200], text[UNIPC_PIPE_BUF];
    const struct timespec limit = {5, 0};
    unipc_pipe *writer, *reader;
    size_t count = 0;
    snprintf(own, sizeof own, "file:%s.%d", argv[1], (int)getpid());
    int length = snprintf(text, sizeof text, "%d %s\n", (int)getpid(), argv[2]);
    usage((size_t)length >= sizeof text, "a text of less than PIPE_BUF bytes");
    check(unipc_fifo_writer(&writer, file_name(argv[1]), &limit));
    check(unipc_fifo_create(own, 0, 0600));
    check(unipc_pipe_write_atomic(writer, text, (size_t)length, &limit));
    unipc_pipe_close(writer);
    int opened = unipc_fifo_reader(&reader, own, &limit);
    check(unipc_fifo_unlink(own));
    check(opened);
    int result = unipc_pipe_read_exact(reader, text, sizeof text, &limit, &count);
    if (result != -EBADMSG && result != -ENODATA) /* the end of the reply */
        check(result);
    printf("%.*s\n", (int)count, text);
    unipc_pipe_close(reader);
    return 0;
}
