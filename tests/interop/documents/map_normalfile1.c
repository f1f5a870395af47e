/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* map_normalfile1 FILE: makes a file of five records, maps ten, writes ten, and unmaps after ten
 * seconds. */
#include "people.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    const size_t half = 5 * sizeof(struct people), whole = 10 * sizeof(struct people);
    if (argc < 2)
        return 2;
    show_at_once();
    int fd = open(argv[1], O_RDWR | O_CREAT | O_TRUNC, 0777);
    if (fd < 0 || lseek(fd, (off_t)half - 1, SEEK_SET) < 0 || write(fd, "", 1) != 1)
        return perror(argv[1]), 1;
    struct people *people = mmap(NULL, whole, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (people == MAP_FAILED)
        return perror("mmap"), 1;
    close(fd);
    for (int i = 0; i < 10; i++) {
        people[i].name[0] = name_of(i);
        people[i].name[1] = 0;
        people[i].age = age_of(i);
    }
    printf(" initialize over \n ");
    pause_for(10);
    munmap(people, whole);
    printf("umap ok \n");
    return 0;
}
