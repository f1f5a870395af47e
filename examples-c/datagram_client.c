/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * Sends each text as a datagram, and prints the answers.
 *
 * Run `datagram_server NAME COUNT` in any language, then `datagram_client NAME TEXT...`.
 */
#include "common.h"

#include <string.h>

int main(int argc, char **argv)
{
    usage(argc < 3, "datagram_client NAME TEXT...");
    const struct timespec patience = {10, 0};
    char answer[1100];
    unipc_socket *server;
    /* The socket gets a free name, to which the server answers. */
    check(unipc_socket_connect(&server, argv[1], 0,
                               &UNIPC_SOCKET_OPTS(.kind = UNIPC_SOCKET_DATAGRAM), &patience));
    for (int i = 2; i < argc; i++) {
        check(unipc_socket_send(server, argv[i], strlen(argv[i]), &patience) < 0 ? -1 : 0);
        ssize_t length = unipc_socket_recv(server, answer, sizeof answer, &patience);
        check(length < 0 ? -1 : 0);
        printf("%.*s\n", (int)length, answer);
    }
    unipc_socket_close(server);
    return 0;
}
