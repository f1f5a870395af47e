/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* removal: what becomes of a segment that is removed while it is attached twice. The document tells
 * this experiment in words (key 0x12345678, ipcrm, ipcs); the lines are those of our ports. */
#define _GNU_SOURCE
#include "people.h"

#include <errno.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/shm.h>

#define KEY 0x12345678

static int show(const char *what, int id)
{
    struct shmid_ds status;
    if (shmctl(id, IPC_STAT, &status) != 0)
        return -1;
    int removed = (status.shm_perm.mode & SHM_DEST) != 0;
    return printf("%s: key 0x%08x, attached %d%s\n", what, (unsigned)status.shm_perm.__key,
                  (int)status.shm_nattch, removed ? ", marked for removal" : "");
}

int main(void)
{
    show_at_once();
    int id = shmget(KEY, 4096, IPC_CREAT | IPC_EXCL | 0600);
    struct people *first = shmat(id, NULL, 0), *second = shmat(id, NULL, 0);
    if (id < 0 || first == (void *)-1 || second == (void *)-1)
        return perror("removal"), 1;
    first->name[0] = name_of(0);
    first->age = age_of(0);
    show("in use", id);

    shmctl(id, IPC_RMID, NULL);
    show("removed", id);
    printf("the data are still there: name %.4s age %d\n", second->name, second->age);
    printf("open by key: %s\n", shmget(KEY, 0, 0) < 0 ? strerrorname_np(errno) : "another segment");
    pause_for(5);

    shmdt(first);
    show("one detached", id);
    shmdt(second);
    if (show("still there", id) >= 0)
        return 1;
    printf("the last one detached: the segment is gone\n");
    return 0;
}
