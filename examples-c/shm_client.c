/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * A client attaches the segment whose identifier it is given, reads a record and answers.
 *
 * Run `shm_server` in another terminal, then `shm_client ID` with the identifier that it prints. It
 * prints `name b age 20` and makes the age 21.
 */
#include "common.h"

/* Behind the record, a word that says that the client has answered. */
enum { ANSWERED = sizeof(struct people) };

int main(int argc, char **argv)
{
    usage(argc != 2, "shm_client ID");
    char name[32];
    snprintf(name, sizeof name, "sysv:id=%s", argv[1]);
    unipc_shm *shm;
    check(unipc_shm_open(&shm, name, 0, NULL));
    struct people *people = unipc_shm_data(shm);
    printf("name %.4s age %d\n", people->name, people->age);
    people->age++;
    check(unipc_shm_store_u32(shm, ANSWERED, 1));
    unipc_shm_close(shm);
}
