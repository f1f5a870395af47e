/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * Reads ten records from the System V segment that testwrite has filled.
 *
 * Run `touch /dev/shm/myshm2`, then `testwrite`, then `testread`; the writer may have ended long
 * ago. It prints `name:b`, `age 20` to `name:k`, `age 29`; ten empty records when nobody has
 * written yet.
 */
#include "common.h"

int main(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    unipc_shm *shm;
    check(unipc_shm_open_or_create(&shm, "sysv:/dev/shm/myshm2,0", 4096, 0, NULL));
    const struct people *people = unipc_shm_data(shm);
    for (int i = 0; i < 10; i++)
        printf("name:%.4s\nage %d\n", people[i].name, people[i].age);
    unipc_shm_close(shm);
}
