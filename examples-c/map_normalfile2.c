/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * Reads the ten records that map_normalfile1 has written through a mapped file of five.
 *
 * Run `map_normalfile2 /tmp/test_shm` while `map_normalfile1 /tmp/test_shm` runs, and again later.
 * It prints `name: b age 20;` to `name: k age 29;`. Records 6 to 10 are not in the file but in the
 * rest of its last page, and become empty when the kernel writes that page to disk (`sync`).
 */
#include "common.h"

int main(int argc, char **argv)
{
    usage(argc != 2, "map_normalfile2 FILE");
    setvbuf(stdout, NULL, _IOLBF, 0);
    unipc_shm *shm;
    check(unipc_shm_open(&shm, file_name(argv[1]), UNIPC_SHM_SLACK,
                         &UNIPC_SHM_OPTS(.size = 10 * sizeof(struct people))));
    for (size_t i = 0; i < 10; i++) {
        struct people people;
        check(unipc_shm_read_at(shm, i * sizeof people, &people, sizeof people));
        printf("name: %.4s age %d;\n", people.name, people.age);
    }
    unipc_shm_close(shm);
}
