/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* map_pages FILE [2]: a file of nearly two pages, of which three are mapped, touched at every edge
 * until SIGBUS. Version 2 maps from the second page on. */
#include "people.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    const long page = sysconf(_SC_PAGESIZE), records = page / (long)sizeof(struct people);
    if (argc < 2)
        return 2;
    show_at_once();
    printf("pagesize is %ld\n", page);
    int fd = open(argv[1], O_RDWR | O_CREAT | O_TRUNC, 0777);
    if (fd < 0 || lseek(fd, 2 * page - 100, SEEK_SET) < 0 || write(fd, "", 1) != 1)
        return perror(argv[1]), 1;
    const off_t offset = argc > 2 && argv[2][0] == '2' ? page : 0;
    struct people *people =
        mmap(NULL, 3 * (size_t)page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, offset);
    if (people == MAP_FAILED)
        return perror("mmap"), 1;
    close(fd);
    for (int i = 1; i < 10; i++) {
        struct people *edge = people + i * records;
        edge[-2].age = 100;
        printf("access page %d over\n", i);
        edge[-1].age = 100;
        printf("access page %d edge over, now begin to access page %d\n", i, i + 1);
        edge[0].age = 100;
        printf("access page %d over\n", i + 1);
    }
    return 0;
}
