/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * Sends each text as a record, and prints the answers.
 *
 * Run `socket_server NAME` in any language, then `socket_client NAME TEXT...`.
 */
#include "common.h"

#include <string.h>

int main(int argc, char **argv)
{
    usage(argc < 3, "socket_client NAME TEXT...");
    const struct timespec patience = {10, 0};
    unipc_socket *server;
    unipc_frame_reader *reader;
    unipc_frame_writer *writer;
    check(unipc_socket_connect(&server, argv[1], 0, NULL, &patience));
    check(unipc_frame_reader_open(&reader, unipc_socket_fd(server), 0));
    check(unipc_frame_writer_open(&writer, unipc_socket_fd(server), 0, 0));
    for (int i = 2; i < argc; i++) {
        const void *answer;
        size_t length;
        check(unipc_frame_write(writer, argv[i], strlen(argv[i]), &patience));
        int more = unipc_frame_read(reader, &answer, &length, &patience);
        check(more);
        if (more)
            printf("%.*s\n", (int)length, (const char *)answer);
    }
    unipc_frame_writer_close(writer);
    unipc_frame_reader_close(reader);
    unipc_socket_close(server);
    return 0;
}
