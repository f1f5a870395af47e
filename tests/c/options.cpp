// SPDX-License-Identifier: MIT OR Apache-2.0
// Options, as a C++ program gives them.  Compiled by headers.py, not run.
#include <unipc.h>

int make_segment(unipc_shm **out);

int make_segment(unipc_shm **out)
{
    unipc_shm_opts options = unipc_shm_opts();
    options.sz = sizeof options;
    options.mode = 0640;
    int result = unipc_shm_create(out, "anon:", 4096, 0, &options);
    if (result < 0)
        return result;
    return unipc_shm_fill(*out, 0, unipc_shm_size(*out), 0);
}
