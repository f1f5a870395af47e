/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * How far a mapped file may be touched: to the end of its last page, and not a byte further.
 *
 * Run `map_pages FILE` (maps the file from its beginning) or `map_pages FILE 2` (from its second
 * page on). The file is 99 bytes short of two pages. The last line tells of the first page that it
 * does not reach, where a plain store would be SIGBUS: the third page of the mapping, in version 2
 * the second.
 */
#include "common.h"
#include <stddef.h>
#include <string.h>

static void set_age(unipc_shm *shm, size_t record)
{
    size_t offset = record * sizeof(struct people) + offsetof(struct people, age);
    check(unipc_shm_write_at(shm, offset, &(int){100}, sizeof(int)));
}

int main(int argc, char **argv)
{
    usage(argc != 2 && argc != 3, "map_pages FILE [1|2]");
    setvbuf(stdout, NULL, _IOLBF, 0);
    size_t page = unipc_page_size();
    printf("pagesize is %zu\n", page);
    size_t offset = argc == 3 && strcmp(argv[2], "2") == 0 ? page : 0;
    const char *name = file_name(argv[1]);
    unipc_shm *shm;
    check(unipc_shm_create(&shm, name, 2 * page - 99, UNIPC_SHM_REPLACE, NULL));
    unipc_shm_close(shm);
    check(unipc_shm_open(&shm, name, UNIPC_SHM_SLACK,
                         &UNIPC_SHM_OPTS(.size = 3 * page, .offset = offset)));
    for (size_t i = 1; i < 10; i++) {
        size_t next = page / sizeof(struct people) * i;
        set_age(shm, next - 2);
        printf("access page %zu over\n", i);
        set_age(shm, next - 1);
        printf("access page %zu edge over, now begin to access page %zu\n", i, i + 1);
        set_age(shm, next);
        printf("access page %zu over\n", i + 1);
    }
    unipc_shm_close(shm);
}
