/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* map_normalfile2 FILE: maps ten records of whatever the file is, and prints them; dies of SIGBUS
 * when it is empty. */
#include "people.h"

#include <fcntl.h>
#include <sys/mman.h>

int main(int argc, char **argv)
{
    if (argc < 2)
        return 2;
    show_at_once();
    int fd = open(argv[1], O_RDWR | O_CREAT, 0777);
    if (fd < 0)
        return perror(argv[1]), 1;
    struct people *people =
        mmap(NULL, 10 * sizeof *people, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (people == MAP_FAILED)
        return perror("mmap"), 1;
    for (int i = 0; i < 10; i++)
        printf("name: %.4s age %d;\n", people[i].name, people[i].age);
    return 0;
}
