/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * Writes ten records through a mapped file that holds five: the other five live in the rest of its
 * last page.
 *
 * Run `map_normalfile1 /tmp/test_shm`, and `map_normalfile2 /tmp/test_shm` in another terminal
 * between the two lines. It prints ` initialize over `, ten seconds later `umap ok `. The file is
 * 40 bytes long throughout.
 */
#include "common.h"

int main(int argc, char **argv)
{
    usage(argc != 2, "map_normalfile1 FILE");
    setvbuf(stdout, NULL, _IOLBF, 0);
    unipc_shm *shm;
    check(unipc_shm_create(&shm, file_name(argv[1]), 5 * sizeof(struct people),
                           UNIPC_SHM_REPLACE | UNIPC_SHM_SLACK, NULL));
    for (size_t i = 0; i < 10; i++) {
        struct people people = people_number(i);
        check(unipc_shm_write_at(shm, i * sizeof people, &people, sizeof people));
    }
    printf(" initialize over \n ");
    pause_for(10);
    unipc_shm_close(shm);
    printf("umap ok \n");
}
