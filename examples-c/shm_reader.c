/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * Reads the eight numbers that shm_writer has written and answers with their sum, in place of the
 * first one.
 * Run it while `shm_writer` waits. It prints `0.0 1.0 4.0 9.0 16.0 25.0 36.0 49.0`.
 */
#include <stdio.h>
#include <unipc.h>

int main(void)
{
    unipc_shm *shm;
    if (unipc_shm_open(&shm, "/demo", 0, NULL) < 0)
        return fprintf(stderr, "%s\n", unipc_last_error()), 1;
    double *numbers = unipc_shm_data(shm), sum = 0;
    for (int i = 0; i < 8; sum += numbers[i++])
        printf("%.1f%c", numbers[i], i < 7 ? ' ' : '\n');
    numbers[0] = sum;
    unipc_shm_close(shm);
}
