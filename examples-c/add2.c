/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * A filter: for each line of two numbers their sum, for any other line "invalid args".
 *
 * It is written to be a coprocess, and writes each answer at once: see coproc.
 */
#include "common.h"

int main(void)
{
    char line[4096];
    while (fgets(line, sizeof line, stdin)) {
        int one, other;
        if (sscanf(line, "%d%d", &one, &other) == 2)
            printf("%d\n", (int)((unsigned)one + (unsigned)other));
        else
            puts("invalid args");
        /* Into a pipe the C library would keep them back until there are many. */
        if (fflush(stdout) != 0)
            return 1;
    }
    return 0;
}
