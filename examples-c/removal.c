/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * Removing a System V segment that is in use: its key is free at once, its memory goes with the
 * last one attached.
 *
 * Run `removal`; for five seconds after the removal `ipcs -m` shows the segment with the key
 * 0x00000000 and `dest`. It prints what becomes of the key, of the data, and of those who want to
 * attach or detach.
 */
#include "common.h"

#define NAME "sysv:0x12345678"

static void show(const char *what, int id)
{
    unipc_shm_sysv_status status;
    check(unipc_shm_sysv_stat(id, &status));
    printf("%s: key 0x%08x, attached %d%s\n", what, (unsigned)status.key, (int)status.attached,
           status.removed ? ", marked for removal" : "");
}

int main(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    unipc_shm *first, *second, *third;
    check(unipc_shm_create(&first, NAME, 4096, 0, NULL));
    check(unipc_shm_open(&second, NAME, 0, NULL));
    int id = unipc_shm_id(first);
    *(struct people *)unipc_shm_data(first) = people_number(0);
    show("in use", id);

    check(unipc_shm_remove(first, 0));
    show("removed", id);
    const struct people *people = unipc_shm_data(second);
    printf("the data are still there: name %.4s age %d\n", people->name, people->age);
    int result = unipc_shm_open(&third, NAME, 0, NULL);
    printf("open by key: %s\n", result < 0 ? unipc_errname(result) : "another segment");
    unipc_shm_close(third);
    pause_for(5);

    unipc_shm_close(first);
    show("one detached", id);
    unipc_shm_close(second);
    unipc_shm_sysv_status status;
    if (unipc_shm_sysv_stat(id, &status) >= 0)
        return fprintf(stderr, "the segment outlived its last user\n"), 1;
    printf("the last one detached: the segment is gone\n");
}
