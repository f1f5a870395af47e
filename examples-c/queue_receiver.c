/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * Receives so many messages, waiting for those that are not there yet, and removes the queue.
 *
 * Run `queue_sender NAME TEXT...` and `queue_receiver NAME COUNT`, in any languages, in any order.
 */
#include "common.h"

int main(int argc, char **argv)
{
    usage(argc != 3, "queue_receiver NAME COUNT");
    unipc_queue *queue;
    check(unipc_queue_open_or_create(&queue, argv[1], 1 << 20, 0, NULL));
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (int left = atoi(argv[2]); left > 0; left--) {
        char text[4096];
        ssize_t length = unipc_queue_recv(queue, text, sizeof text, NULL);
        check((int)length);
        printf("%.*s\n", (int)length, text);
    }
    check(unipc_queue_unlink(argv[1]));
    unipc_queue_close(queue);
    return 0;
}
