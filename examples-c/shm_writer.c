/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * Writes eight numbers into shared memory and waits until another program has answered in the same
 * bytes.
 *
 * Run `shm_writer`, then `shm_reader` in another terminal, in any language; then press Enter here.
 * It prints the first number, which the reader has replaced by the sum: `140.0`.
 */
#include <stdio.h>
#include <unipc.h>

int main(void)
{
    unipc_shm *shm;
    if (unipc_shm_open_or_create(&shm, "/demo", 8 * sizeof(double), 0, NULL) < 0)
        return fprintf(stderr, "%s\n", unipc_last_error()), 1;
    double *numbers = unipc_shm_data(shm);
    for (int i = 0; i < 8; i++)
        numbers[i] = i * i;
    setvbuf(stdout, NULL, _IOLBF, 0);
    puts("written; Enter when the reader has run");
    getchar();
    printf("%.1f\n", numbers[0]);
    unipc_shm_remove(shm, 0);
    unipc_shm_close(shm);
}
