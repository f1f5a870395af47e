/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What test_install.py builds against the installed library: prints "unipc VERSION: 42". */
#include <stdint.h>
#include <stdio.h>
#include <unipc.h>

int main(void)
{
    unipc_shm *shm;
    uint32_t value = 0;

    if (unipc_shm_create(&shm, "anon:", 4096, 0, NULL) < 0) {
        fprintf(stderr, "%s\n", unipc_last_error());
        return 1;
    }
    unipc_shm_store_u32(shm, 0, 42);
    unipc_shm_load_u32(shm, 0, &value);
    unipc_shm_close(shm);
    printf("unipc %s: %u\n", unipc_version_string(), (unsigned)value);
    return 0;
}
