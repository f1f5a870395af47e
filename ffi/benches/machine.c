/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#define _POSIX_C_SOURCE 200809L

#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TRANSPARENT "/sys/kernel/mm/transparent_hugepage/"

/* The first line of a file that begins with `field`; "" when there is none. Valid until the next call. */
static char *line_of(const char *path, const char *field)
{
    static char line[4096];
    FILE *file = fopen(path, "r");
    int found = 0;
    while (file && !found && fgets(line, sizeof line, file))
        found = strncmp(line, field, strlen(field)) == 0;
    if (file)
        fclose(file);
    line[found ? strcspn(line, "\n") : 0] = '\0';
    return line;
}

/* The word in brackets: what of `always [madvise] never` is in force. */
static const char *chosen(const char *path)
{
    char *start = strchr(line_of(path, ""), '[');
    char *end = start ? strchr(start, ']') : NULL;
    if (!end)
        return "unknown";
    *end = '\0';
    return start + 1;
}

size_t free_huge_pages(void)
{
    return strtoul(line_of("/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages", ""), NULL,
                   10);
}

void print_head(const char *version)
{
    printf("unipc %s, the C face\n", version);
    printf("Linux %s; ", line_of("/proc/sys/kernel/osrelease", ""));
    const char *model = strchr(line_of("/proc/cpuinfo", "model name"), ':');
    printf("%s; ", model ? model + 2 : "unknown");
    printf("%ld CPUs, load %s\n", sysconf(_SC_NPROCESSORS_ONLN),
           strtok(line_of("/proc/loadavg", ""), " "));
    printf("pages of %ld bytes, huge pages free: %zu of %zu bytes; ", sysconf(_SC_PAGESIZE),
           free_huge_pages(), HUGE_PAGE);
    printf("transparent ones: %s, ", chosen(TRANSPARENT "enabled"));
    printf("for shared memory: %s\n", chosen(TRANSPARENT "shmem_enabled"));
    printf("Median processor times of one run; N x: what unipc takes as a multiple of what the "
           "line names "
           "(median and quartiles of paired ratios).\n");
}
