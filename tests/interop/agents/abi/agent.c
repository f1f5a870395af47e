/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Party C: a C program on the library's C functions. */
#include "abi.h"

int main(int argc, char **argv)
{
    return serve(argc, argv, shm_verbs);
}
