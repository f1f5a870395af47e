/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * Writes ten records to the System V segment on which testread agrees by ftok("/dev/shm/myshm2",
 * 0).
 *
 * Run `touch /dev/shm/myshm2`, then `testwrite`, then `testread`, in any language and as often as
 * you like. It prints nothing. The segment stays when the programs have ended: `ipcs -m` shows it,
 * `ipcrm -m ID` removes it.
 */
#include "common.h"

int main(void)
{
    unipc_shm *shm;
    check(unipc_shm_open_or_create(&shm, "sysv:/dev/shm/myshm2,0", 4096, 0, NULL));
    struct people *people = unipc_shm_data(shm);
    for (size_t i = 0; i < 10; i++)
        people[i] = people_number(i);
    unipc_shm_close(shm);
}
