/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * Asks for the sum of each pair of numbers.
 *
 * Run `calculator_server NAME COUNT`, then `calculator_client NAME 'A B'...`, in any languages.
 */
#include "common.h"

#include <string.h>

int main(int argc, char **argv)
{
    usage(argc < 3, "calculator_client NAME 'A B'...");
    unipc_client *client;
    check(unipc_client_open(&client, argv[1], 0));
    for (int i = 2; i < argc; i++) {
        char sum[64];
        ssize_t length = unipc_client_call(client, argv[i], strlen(argv[i]), sum, sizeof sum, NULL);
        if (length < 0)
            printf("%s: %s\n", argv[i], unipc_errname((int)length));
        else
            printf("%s = %.*s\n", argv[i], (int)length, sum);
    }
    unipc_client_close(client);
    return 0;
}
