/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * Sends each text through a queue in shared memory, and ends: the queue and what is in it stay.
 *
 * Run `queue_sender NAME TEXT...` and `queue_receiver NAME COUNT`, in any languages, in any order.
 */
#include "common.h"

#include <string.h>

int main(int argc, char **argv)
{
    usage(argc < 3, "queue_sender NAME TEXT...");
    unipc_queue *queue;
    check(unipc_queue_open_or_create(&queue, argv[1], 1 << 20, 0, NULL));
    for (int i = 2; i < argc; i++)
        check(unipc_queue_send(queue, argv[i], strlen(argv[i]), NULL));
    unipc_queue_close(queue);
    return 0;
}
