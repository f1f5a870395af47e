/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Generated from ffi/src by `make bless`: change it there. */

#ifndef UNIPC_MECHANISM_H
#define UNIPC_MECHANISM_H

/*
 * The mechanisms of Linux beside each other, as data: which are connectionless, reliable, have flow
 * control, keep records apart, know types or priorities, and how long they stay.
 */
#include <stddef.h>
#include <stdint.h>
#include <unipc/base.h>

/** How long what was put there stays. */
typedef enum unipc_persistence {
    /** Until the last process that has it open ends. */
    UNIPC_PERSISTENCE_PROCESS = 1,
    /** Until it is removed, or the machine stops. */
    UNIPC_PERSISTENCE_KERNEL = 2,
    /** Until it is removed. */
    UNIPC_PERSISTENCE_FILE_SYSTEM = 3,
} unipc_persistence;

/** What besides the order of sending decides what comes next. */
typedef enum unipc_selection {
    /** Nothing: first in, first out. */
    UNIPC_SELECTION_NOTHING = 0,
    /** The receiver asks for a type. */
    UNIPC_SELECTION_TYPE = 1,
    /** The highest priority comes first. */
    UNIPC_SELECTION_PRIORITY = 2,
    /** The lowest signal number comes first. */
    UNIPC_SELECTION_NUMBER = 3,
} unipc_selection;

/** A mechanism and what it gives: 1 yes, 0 no, -1 the question does not arise. */
typedef struct unipc_mechanism {
    /** What it is called. */
    const char *name;
    /** The header of this library that has it, without ".h". */
    const char *room;
    /** What else there is to know; "" for nothing. */
    const char *remark;
    /** Can one send without opening or connecting anything first? */
    int32_t connectionless;
    /** Does everything arrive that was accepted, and in order? */
    int32_t reliable;
    /** Does a sender that is too fast wait for the receiver? */
    int32_t flow_control;
    /** Is what is sent at once received at once? */
    int32_t records;
    /** A UNIPC_SELECTION_ constant. */
    int32_t selection;
    /** Is what one reader has read gone for the others? */
    int32_t consumed;
    /** A UNIPC_PERSISTENCE_ constant. */
    int32_t persistence;
    /** Not used: 0. */
    int32_t reserved;
} unipc_mechanism;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * How many mechanisms there are.
 *
 * Returns the number. Since 0.1.
 */
size_t unipc_mechanism_count(void);

/**
 * A mechanism and what it gives.
 *
 * index: from 0 to unipc_mechanism_count() - 1
 * out:   where it goes; its strings are for ever
 *
 * Returns 0, or
 *   -EINVAL  there is no such index; out is NULL
 * Since 0.1.
 */
int unipc_mechanism_at(size_t index, unipc_mechanism *out);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* UNIPC_MECHANISM_H */
