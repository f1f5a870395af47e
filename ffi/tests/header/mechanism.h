/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * The mechanisms of Linux beside each other, as data: which are connectionless, reliable, have flow
 * control, keep records apart, know types or priorities, and how long they stay.
 */
#include <stddef.h>
#include <stdint.h>
#include <unipc/base.h>
