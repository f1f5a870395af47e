/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * Parent and child share memory that has no name: the child inherits it by fork.
 *
 * Run `map_anon`. The child prints the five ages that the parent has written, then changes the
 * first one to 100; three seconds later the parent prints that 100, `umap` and `umap ok`.
 */
#include "common.h"
#include <sys/wait.h>
#include <unistd.h>

/* Behind the ten records, a word that says when they are written. */
enum { READY = 10 * sizeof(struct people) };

static int child(unipc_shm *shm)
{
    struct people *people = unipc_shm_data(shm);
    pause_for(2);
    if (wait_for(shm, READY, 1) != 0)
        return 1;
    for (int i = 0; i < 5; i++)
        printf("child read: the %d people's age is %d\n", i + 1, people[i].age);
    people[0].age = 100;
    unipc_shm_close(shm);
    return 0;
}

int main(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    unipc_shm *shm;
    check(unipc_shm_create(&shm, "anon:", READY + 4, 0, NULL));
    pid_t pid = fork();
    if (pid < 0)
        return perror("fork"), 1;
    if (pid == 0)
        return child(shm);
    struct people *people = unipc_shm_data(shm);
    for (size_t i = 0; i < 5; i++)
        people[i] = people_number(i);
    check(unipc_shm_store_u32(shm, READY, 1));
    pause_for(5);
    waitpid(pid, NULL, 0);
    printf("parent read: the first people,s age is %d\n", people[0].age);
    printf("umap\n");
    unipc_shm_close(shm);
    printf("umap ok\n");
}
