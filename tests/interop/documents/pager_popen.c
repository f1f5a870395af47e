/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* pager_popen FILE: the pager is a line of the shell, started by popen. */
#include "people.h"

int main(int argc, char **argv)
{
    char line[4096];
    if (argc != 2)
        return 2;
    FILE *file = fopen(argv[1], "r");
    if (!file)
        return perror(argv[1]), 1;
    FILE *pager = popen("${PAGER:-more}", "w");
    if (!pager)
        return perror("popen"), 1;
    while (fgets(line, sizeof line, file))
        if (fputs(line, pager) == EOF)
            return perror("fputs"), 1;
    return pclose(pager) < 0;
}
