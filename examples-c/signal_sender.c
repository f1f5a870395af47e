/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * A sender queues three numbers to the process that it is given, and then says that it is done.
 *
 * Run `signal_receiver` in another terminal, then `signal_sender PID` with the number that it
 * prints. It prints its own. The descriptor makes sure that no other process gets the signals
 * should the receiver end meanwhile.
 */
#include "common.h"

#include <unistd.h>

int main(int argc, char **argv)
{
    usage(argc != 2, "signal_sender PID");
    int receiver = unipc_signal_pidfd_open(atoi(argv[1]));
    check(receiver);
    for (int value = 20; value < 23; value++)
        check(unipc_signal_pidfd_queue(receiver, unipc_signal_realtime(0), value));
    /* A higher number, since the lowest come first: a SIGTERM would overtake the values. */
    check(unipc_signal_pidfd_send(receiver, unipc_signal_realtime(1)));
    close(receiver);
    printf("pid %ld\n", (long)getpid());
}
