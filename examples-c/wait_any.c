/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * Waits for a queue in shared memory, a System V queue and a pipe at once, and shows what comes from any of them.
 *
 * Run `wait_any QUEUE MQ` with a pipe as its standard input, and then `queue_sender QUEUE TEXT...`,
 * `mq_sender MQ TEXT...`, in any languages. It ends with the pipe, and removes both queues.
 */
#include "common.h"

#include <unistd.h>

int main(int argc, char **argv)
{
    static const struct timespec now = {0, 0};
    usage(argc != 3, "wait_any QUEUE MQ");
    unipc_queue *jobs;
    unipc_mq *orders;
    check(unipc_queue_open_or_create(&jobs, argv[1], 1 << 20, 0, NULL));
    check(unipc_mq_open_or_create(&orders, argv[2], 0, NULL));
    unipc_waitable things[3] = {unipc_wait_queue(jobs), unipc_wait_mq(orders),
                                unipc_wait_fd(STDIN_FILENO, UNIPC_WAIT_READ)};
    setvbuf(stdout, NULL, _IOLBF, 0);
    puts("ready");
    for (;;) {
        static const char *const names[3] = {"queue", "mq", "pipe"};
        char text[4096];
        ssize_t length;
        int which = unipc_wait_any(things, 3, NULL);
        check(which);
        if (which == 0)
            length = unipc_queue_recv(jobs, text, sizeof text, &now);
        else if (which == 1)
            length = unipc_mq_receive(orders, 0, 0, text, sizeof text, NULL, &now);
        else if ((length = read(STDIN_FILENO, text, sizeof text)) == 0)
            break;
        else if (length > 0 && text[length - 1] == '\n')
            length--;
        check((int)length);
        printf("%s: %.*s\n", names[which], (int)length, text);
    }
    check(unipc_mq_remove(orders));
    unipc_mq_close(orders);
    check(unipc_queue_unlink(argv[1]));
    unipc_queue_close(jobs);
    return 0;
}
