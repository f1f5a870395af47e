/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* testread: prints the ten records of the segment with the key of /dev/shm/myshm2, or of a new and
 * empty one. */
#include "people.h"

#include <sys/ipc.h>
#include <sys/shm.h>

int main(void)
{
    show_at_once();
    key_t key = ftok("/dev/shm/myshm2", 0);
    if (key == -1)
        perror("ftok error");
    int id = shmget(key, 4096, IPC_CREAT);
    if (id < 0)
        return perror("shmget error"), 1;
    struct people *people = shmat(id, NULL, 0);
    if (people == (void *)-1)
        return perror("shmat error"), 1;
    for (int i = 0; i < 10; i++)
        printf("name:%.4s\nage %d\n", people[i].name, people[i].age);
    if (shmdt(people) != 0)
        perror(" detach error ");
    return 0;
}
