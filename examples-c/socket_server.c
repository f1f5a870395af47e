/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * Listens, and answers the records of one client until it ends: a stream keeps no boundaries, frames
 * put them there.
 *
 * Run `socket_server NAME`, then `socket_client NAME TEXT...` in any language. NAME is unix:PATH,
 * unix:@NAME or tcp:HOST:PORT; port 0 and unix:@ take what is free, which is printed.
 */
#include "common.h"

int main(int argc, char **argv)
{
    usage(argc != 2, "socket_server NAME");
    unipc_listener *listener;
    check(unipc_listener_bind(&listener, argv[1], UNIPC_SOCKET_REMOVE_ON_CLOSE, NULL));
    char name[UNIPC_SOCKET_NAME_SIZE];
    check(unipc_listener_name(listener, name, sizeof name));
    printf("listening at %s\n", name);
    fflush(stdout);

    unipc_socket *client;
    unipc_frame_reader *reader;
    unipc_frame_writer *writer;
    check(unipc_listener_accept(&client, listener, NULL));
    check(unipc_frame_reader_open(&reader, unipc_socket_fd(client), 0));
    check(unipc_frame_writer_open(&writer, unipc_socket_fd(client), 0, 0));
    const void *text;
    size_t length;
    int more;
    while ((more = unipc_frame_read(reader, &text, &length, NULL)) > 0) {
        char answer[256];
        int size = snprintf(answer, sizeof answer, "got %.*s", (int)length, (const char *)text);
        printf("%.*s\n", (int)length, (const char *)text);
        check(unipc_frame_write(writer, answer, (size_t)size < sizeof answer ? (size_t)size : 255,
                                NULL));
    }
    check(more);
    unipc_frame_writer_close(writer);
    unipc_frame_reader_close(reader);
    unipc_socket_close(client);
    unipc_listener_close(listener);
    return 0;
}
