/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* testwrite: ten records into the segment with the key of /dev/shm/myshm2, mode 0, which stays
 * (only root can attach it). Without that file the key is -1, and reader and writer still meet
 * there. */
#include "people.h"

#include <sys/ipc.h>
#include <sys/shm.h>

int main(void)
{
    key_t key = ftok("/dev/shm/myshm2", 0);
    if (key == -1)
        perror("ftok error");
    int id = shmget(key, 4096, IPC_CREAT);
    if (id < 0)
        return perror("shmget error"), 1;
    struct people *people = shmat(id, NULL, 0);
    if (people == (void *)-1)
        return perror("shmat error"), 1;
    for (int i = 0; i < 10; i++) {
        people[i].name[0] = name_of(i);
        people[i].age = age_of(i);
    }
    if (shmdt(people) != 0)
        perror(" detach error ");
    return 0;
}
