/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The options macro, as a C program uses it.  Compiled by headers.py, not run. */
#include <unipc.h>

int make_segment(unipc_shm **out);

int make_segment(unipc_shm **out)
{
    int result = unipc_shm_create(out, "anon:", 4096, 0, &UNIPC_SHM_OPTS(.mode = 0640));
    if (result < 0)
        return result;
    return unipc_shm_fill(*out, 0, unipc_shm_size(*out), 0);
}
