/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * Receives so many messages, waiting for those that are not there yet, and removes the queue.
 *
 * Run `mq_sender NAME TEXT...` in any language, then `mq_receiver NAME COUNT`. It prints the tag and the
 * text of each message: of a POSIX queue the highest priority first, of a System V queue the oldest.
 */
#include "common.h"

int main(int argc, char **argv)
{
    usage(argc != 3, "mq_receiver NAME COUNT");
    unipc_mq *mq;
    check(unipc_mq_open(&mq, argv[1], UNIPC_MQ_REMOVE_ON_CLOSE, NULL));
    size_t size = unipc_mq_max_size(mq);
    char *text = malloc(size);
    if (!text)
        return 1;
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (int left = atoi(argv[2]); left > 0; left--) {
        long tag;
        ssize_t length = unipc_mq_receive(mq, 0, 0, text, size, &tag, NULL);
        check((int)length);
        printf("%ld %.*s\n", tag, (int)length, text);
    }
    free(text);
    unipc_mq_close(mq);
    return 0;
}
