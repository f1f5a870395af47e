/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What the programs of this folder have in common: an expectation ends the program when it fails. */
#ifndef EXPECT_H
#define EXPECT_H

#include <stdio.h>
#include <stdlib.h>
#include <unipc.h>

#define EXPECT(what)                                                                               \
    ((what) ? (void)0                                                                              \
            : (fprintf(stderr, "%s:%d: %s; last error: %s\n", __FILE__, __LINE__, #what,           \
                       unipc_last_error()),                                                        \
               exit(1)))

#endif
