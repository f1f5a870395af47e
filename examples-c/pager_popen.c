/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * Shows a file in the user's pager, started by the shell.
 *
 * Run pager_popen FILE. PAGER names the program (default: more), with arguments if you like. A
 * user who leaves the pager early ends it, no error.
 */
#include "common.h"

#include <string.h>

int main(int argc, char **argv)
{
    usage(argc != 2, "pager_popen FILE");
    FILE *file = fopen(argv[1], "r");
    if (!file)
        return perror(argv[1]), 1;
    unipc_shell *pager;
    check(unipc_shell_popen(&pager, "${PAGER:-more}", "w"));
    char line[4096];
    int result = 0;
    while (result == 0 && fgets(line, sizeof line, file))
        result = unipc_shell_write(pager, line, strlen(line), NULL);
    if (result != -EPIPE)
        check(result);
    check(unipc_shell_wait(pager, NULL, NULL));
    unipc_shell_close(pager);
    fclose(file);
    return 0;
}
