/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * A receiver reads signals as a stream: SIGRTMIN with a number, until SIGRTMIN+1 says that it was
 * the last one.
 *
 * It prints its number for `signal_sender`, and for each value who sent it: `value 20 from 4711`.
 */
#include "common.h"

#include <signal.h>
#include <unistd.h>

int main(void)
{
    const int data = unipc_signal_realtime(0), done = unipc_signal_realtime(1);
    const struct timespec minute = {60, 0};
    unipc_signal_stream *stream;
    unipc_signal_info info;
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, data);
    sigaddset(&set, done);
    /* Blocks both from here on: what comes before the first read waits. */
    check(unipc_signal_stream_open(&stream, &set, 0));
    printf("pid %ld\n", (long)getpid());
    fflush(stdout);
    for (;;) {
        check(unipc_signal_stream_read(stream, &info, &minute));
        if (info.signal == done)
            break;
        printf("value %d from %d\n", (int)info.value, (int)info.pid);
    }
    puts("done");
    unipc_signal_stream_close(stream);
}
