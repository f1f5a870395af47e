/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * What waiting costs that is not time.
 */
#ifndef UNIPC_BENCH_WAITING_H
#define UNIPC_BENCH_WAITING_H

/* Prints how often a receiver that slept was woken for 1,000 messages that came at once. */
void wake_ups(void);

/* Prints how many system calls both sides make in 10,000 round trips with default waiting, nobody being asleep. */
void system_calls(void);

/* Prints which part of a processor, in percent, a process uses that waits at an empty queue. */
void idle(void);

#endif
