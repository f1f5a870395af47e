/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The plain half of a process in which one side of a fork does not use the library. */
#define _GNU_SOURCE
#include "abi.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

unsigned char *plain_map(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

void plain_unmap(unsigned char *memory, size_t size)
{
    munmap(memory, size);
}

int plain_descriptor(const unsigned char *memory, size_t size)
{
    char path[80];
    const uintptr_t start = (uintptr_t)memory, page = (uintptr_t)sysconf(_SC_PAGESIZE);
    const uintptr_t end = (start + size + page - 1) / page * page;
    snprintf(path, sizeof path, "/proc/self/map_files/%jx-%jx", (uintmax_t)start, (uintmax_t)end);
    return open(path, O_RDWR | O_CLOEXEC);
}
