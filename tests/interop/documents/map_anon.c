/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* map_anon: a child reads the five ages that its parent wrote and changes the first one. */
#include "people.h"

#include <sys/mman.h>
#include <unistd.h>

int main(void)
{
    const size_t size = 10 * sizeof(struct people);
    show_at_once();
    struct people *people =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (people == MAP_FAILED)
        return perror("mmap"), 1;
    pid_t child = fork();
    if (child < 0)
        return perror("fork"), 1;
    if (child == 0) {
        pause_for(2);
        for (int i = 0; i < 5; i++)
            printf("child read: the %d people's age is %d\n", i + 1, people[i].age);
        people[0].age = 100;
        return 0;
    }
    for (int i = 0; i < 5; i++) {
        people[i].name[0] = name_of(i);
        people[i].age = age_of(i);
    }
    pause_for(5);
    printf("parent read: the first people,s age is %d\n", people[0].age);
    printf("umap\n");
    munmap(people, size);
    printf("umap ok\n");
    return 0;
}
