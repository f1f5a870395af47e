/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * Answers so many datagrams, each to whoever sent it. There is no connection.
 *
 * Run `datagram_server NAME COUNT`, then `datagram_client NAME TEXT...` in any language. NAME is
 * unix:PATH, unix:@NAME or udp:HOST:PORT; port 0 and unix:@ take what is free, which is printed.
 */
#include "common.h"

int main(int argc, char **argv)
{
    usage(argc != 3, "datagram_server NAME COUNT");
    char name[UNIPC_SOCKET_NAME_SIZE], text[1024], answer[1100];
    unipc_socket *server;
    check(unipc_socket_bind(&server, argv[1], UNIPC_SOCKET_REMOVE_ON_CLOSE, NULL));
    check(unipc_socket_local_name(server, name, sizeof name));
    printf("bound to %s\n", name);
    fflush(stdout);
    for (long count = atol(argv[2]); count > 0; count--) {
        ssize_t length = unipc_socket_recv_from(server, text, sizeof text, name, sizeof name, NULL);
        check(length < 0 ? -1 : 0);
        printf("%.*s\n", (int)length, text);
        int size = snprintf(answer, sizeof answer, "got %.*s", (int)length, text);
        check(unipc_socket_send_to(server, answer, (size_t)size, name, NULL) < 0 ? -1 : 0);
    }
    unipc_socket_close(server);
    return 0;
}
