/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* An anonymous mapping over fork, where parent and child may each use the library (C) or not (L).
 */
#define _GNU_SOURCE
#include "abi.h"

#include <stdio.h>
#include <sys/wait.h>
#include <unipc.h>
#include <unistd.h>

/* The memory: a handle of the library's, or an address that libc gave. */
struct memory {
    unipc_shm *shm;
    unsigned char *plain;
    size_t size;
};

static unsigned char *address(const struct memory *memory)
{
    return memory->shm ? unipc_shm_data(memory->shm) : memory->plain;
}

static int make(struct memory *memory, int by_library)
{
    if (by_library)
        return unipc_shm_create(&memory->shm, "anon:", memory->size, 0, NULL);
    memory->plain = plain_map(memory->size);
    return memory->plain ? 0 : -1;
}

/* A child that uses the library on plain memory reaches it by its descriptor. */
static int adopt(struct memory *memory)
{
    int fd = plain_descriptor(memory->plain, memory->size);
    if (fd < 0)
        return -1;
    int result = unipc_shm_from_fd(&memory->shm, fd, 0, NULL);
    close(fd);
    return result;
}

static int child_of(struct memory *memory, int by_library, const struct request *request)
{
    size_t length, reply_length;
    const unsigned char *block = bytes(request, "hex", &length),
                        *reply = bytes(request, "reply", &reply_length);
    if (by_library && !memory->shm && adopt(memory) < 0) {
        printf("child %s\n", unipc_last_error());
        fflush(stdout);
        return 1;
    }
    found("child", address(memory), memory->size, block, length);
    fill(address(memory), memory->size, reply, reply_length);
    return 0;
}

int fork_with_memory(const struct request *request)
{
    size_t length, reply_length;
    const unsigned char *block = bytes(request, "hex", &length),
                        *reply = bytes(request, "reply", &reply_length);
    struct memory memory = {.size = number(request, "size", 0)};
    if (make(&memory, *text(request, "parent") == 'C') < 0)
        return answer_error("ENOMEM");
    fill(address(&memory), memory.size, block, length);
    printf("OK ");
    fflush(stdout);
    pid_t child = fork();
    if (child == 0)
        _exit(child_of(&memory, *text(request, "child") == 'C', request));
    waitpid(child, NULL, 0);
    putchar(' ');
    found("parent", address(&memory), memory.size, reply, reply_length);
    putchar('\n');
    fflush(stdout);
    if (memory.shm)
        unipc_shm_close(memory.shm);
    else
        plain_unmap(memory.plain, memory.size);
    return 0;
}
