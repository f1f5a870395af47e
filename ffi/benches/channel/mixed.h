/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef UNIPC_BENCH_MIXED_H
#define UNIPC_BENCH_MIXED_H

#include "foreign.h"

/* Measures and prints: two processes at our queue and at each peer's, then eight at ours. The limit of two is what one
 * process takes that is alone; that of eight is what two take. */
void mixed(void);

#endif
