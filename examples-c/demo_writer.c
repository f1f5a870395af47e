/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * The C writer of `make demo`: it makes memory of every kind, writes ten people into it, and
 * counts.
 *
 * python/examples/demo.py starts it and sends it lines: `create NAME`, `open NAME`, `fd NUMBER`,
 * `fill`, `read NUMBER` (one record), `add` (one to the counter) and `count` (without end). It
 * answers each with a line.
 */
#include "common.h"
#include <string.h>
#include <unistd.h>

/* Behind the ten records: how many are written, how many are read, and a counter. */
enum { WRITTEN = 10 * sizeof(struct people), READ = WRITTEN + 4, COUNTER = WRITTEN + 8, SIZE = 96 };

static void tell(const unipc_shm *shm, size_t record)
{
    struct people people;
    check(unipc_shm_read_at(shm, record * sizeof people, &people, sizeof people));
    printf("%.4s %d\n", people.name, people.age);
}

/* Writes each record when the one before has been read. */
static int fill(const unipc_shm *shm)
{
    for (uint32_t i = 0; i < 10; i++) {
        struct people people = people_number(i);
        check(unipc_shm_write_at(shm, i * sizeof people, &people, sizeof people));
        check(unipc_shm_store_u32(shm, WRITTEN, i + 1));
        tell(shm, i);
        if (wait_for(shm, READ, i + 1) != 0)
            return -1;
    }
    return 0;
}

static int obey(unipc_shm **shm, const char *command, const char *argument)
{
    uint32_t before;
    int attaches = !strcmp(command, "create") || !strcmp(command, "open") || !strcmp(command, "fd");
    if (attaches) {
        unipc_shm_close(*shm);
        if (!strcmp(command, "create"))
            check(unipc_shm_create(shm, argument, SIZE, 0, NULL));
        else if (!strcmp(command, "open"))
            check(unipc_shm_open(shm, argument, 0, NULL));
        else
            check(unipc_shm_from_fd(shm, atoi(argument), 0, NULL));
        printf("%s\n", unipc_shm_name(*shm));
    } else if (!strcmp(command, "fill")) {
        return fill(*shm);
    } else if (!strcmp(command, "read")) {
        tell(*shm, (size_t)atoi(argument));
    } else if (!strcmp(command, "add")) {
        check(unipc_shm_add_u32(*shm, COUNTER, 1, &before));
        printf("%u\n", before + 1);
    } else if (!strcmp(command, "count")) {
        /* Until it is killed; not without the demo either. */
        for (pid_t demo = getppid(); getppid() == demo;)
            check(unipc_shm_add_u32(*shm, COUNTER, 1, &before));
    }
    return 0;
}

int main(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    unipc_shm *shm = NULL;
    char line[256], command[16], argument[200] = "";
    int result = 0;
    while (result == 0 && fgets(line, sizeof line, stdin))
        if (sscanf(line, "%15s %199[^\n]", command, argument) >= 1)
            result = obey(&shm, command, argument);
    unipc_shm_close(shm);
    return result == 0 ? 0 : 1;
}
