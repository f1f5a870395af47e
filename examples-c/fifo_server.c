/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * A FIFO as the place where clients find a server: answers COUNT requests, in capitals, and ends.
 *
 * A request is one line, "PID TEXT", of at most PIPE_BUF bytes, so that those of several clients do not mix. The
 * reply goes into the client's own FIFO, PATH.PID. Run `fifo_server PATH COUNT`, then `fifo_client PATH TEXT` in any
 * language, or in a shell: mkfifo P.$$; echo "$$ text" >P; cat P.$$; rm P.$$
 */
#include "common.h"

#include <ctype.h>
#include <string.h>

/* A client that does not read its reply in time gets none. */
static void reply(const char *path, char *request)
{
    char name[4200];
    unipc_pipe *writer;
    size_t digits = strspn(request, "0123456789"), length = strlen(request);
    if (digits == 0 || digits > 10 || request[digits] != ' ')
        return;
    snprintf(name, sizeof name, "file:%s.%.*s", path, (int)digits, request);
    for (size_t i = 0; i < length; i++)
        request[i] = (char)toupper((unsigned char)request[i]);
    if (unipc_fifo_writer(&writer, name, &(struct timespec){5, 0}) == 0)
        unipc_pipe_write_all(writer, request + digits + 1, length - digits - 1, NULL, NULL);
    unipc_pipe_close(writer);
}

int main(int argc, char **argv)
{
    usage(argc < 3, "fifo_server PATH COUNT");
    const char *name = file_name(argv[1]);
    int count = atoi(argv[2]);
    char line[UNIPC_PIPE_BUF + 1];
    size_t have = 0;
    unipc_pipe *reader;
    check(unipc_fifo_create(name, 0, 0600));
    check(unipc_fifo_reader(&reader, name, &(struct timespec){0, 0}));
    check(unipc_pipe_keep_open(reader));
    while (count > 0 && have < UNIPC_PIPE_BUF) {
        ssize_t more = unipc_pipe_read(reader, line + have, 1, NULL);
        check((int)more);
        if (line[have++] != '\n')
            continue;
        line[have - 1] = 0;
        reply(argv[1], line);
        have = 0;
        count--;
    }
    unipc_pipe_close(reader);
    check(unipc_fifo_unlink(name));
    return 0;
}
