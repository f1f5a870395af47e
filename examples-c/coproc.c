/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * Sends each line of its input to a filter and prints the filter's answer.
 *
 * Run coproc FILTER, for example coproc ./add2, with any filter that answers each line by one. Where
 * the textbook's program would get SIGPIPE, because the filter has died, this one says how it ended.
 */
#include "common.h"

#include <string.h>

int main(int argc, char **argv)
{
    usage(argc < 2, "coproc FILTER [ARGUMENT...]");
    unipc_coprocess *filter;
    check(unipc_coprocess_spawn(&filter, (const char *const *)argv + 1, 0, NULL));
    char line[4096], answer[4096];
    while (fgets(line, sizeof line, stdin)) {
        size_t length = strcspn(line, "\n");
        ssize_t got = unipc_coprocess_exchange(filter, line, length, answer, sizeof answer, NULL);
        if (got < 0)
            check((int)got);
        puts(answer);
        fflush(stdout);
    }
    check(unipc_coprocess_wait(filter, NULL, NULL));
    unipc_coprocess_close(filter);
    return 0;
}
