/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * Sends each text as a message of its own, with the tags 1, 2, 3 ..., and ends: messages outlive
 * their sender.
 *
 * Run `mq_sender NAME TEXT...`, then `mq_receiver NAME COUNT` in any language. /NAME is a POSIX queue,
 * where the tag is a priority; sysv:0x1234 or sysv:PATH,1 a System V queue, where it is a type. With
 * sysv:private give the receiver the name that is printed.
 */
#include "common.h"

#include <string.h>

int main(int argc, char **argv)
{
    usage(argc < 3, "mq_sender NAME TEXT...");
    unipc_mq *mq;
    check(unipc_mq_open_or_create(&mq, argv[1], 0, NULL));
    printf("queue %s\n", unipc_mq_name(mq));
    for (int tag = 1; tag < argc - 1; tag++)
        check(unipc_mq_send(mq, tag, argv[tag + 1], strlen(argv[tag + 1]), NULL));
    unipc_mq_close(mq);
    return 0;
}
