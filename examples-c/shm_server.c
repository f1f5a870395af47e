/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * A server makes a segment that has no key, and tells its identifier to whom it may concern.
 *
 * Run `shm_server`, then `shm_client ID` with the identifier that it prints, in any language. It
 * prints `id ID`, waits for the client's answer, and removes the segment.
 */
#include "common.h"

/* Behind the record, a word that says that the client has answered. */
enum { ANSWERED = sizeof(struct people) };

int main(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    unipc_shm *shm;
    check(unipc_shm_create(&shm, "sysv:private", 4096, UNIPC_SHM_REMOVE_ON_CLOSE, NULL));
    struct people *people = unipc_shm_data(shm);
    *people = people_number(0);
    printf("id %d\n", unipc_shm_id(shm));
    int answered = wait_for(shm, ANSWERED, 1);
    if (answered == 0)
        printf("the client made the age %d\n", people->age);
    unipc_shm_close(shm);
    return answered == 0 ? 0 : 1;
}
