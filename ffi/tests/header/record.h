/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Records in shared memory: one layout, known to C, Python and Rust alike.
 *
 * An array is records in a row, a cell one record of which everybody always gets a whole copy. Both
 * tell their layout, so that Python opens them without a declaration, and whoever declares another
 * one is refused. A directory gives names to places inside a segment.
 *
 * In C11 the compiler states the layout. A pointer in a record means nothing to other processes, so a
 * member that is one does not compile.
 *
 * Example:
 *
 *     struct sample {
 *         uint64_t t_ns;
 *         uint32_t seq;
 *         float channels[8];
 *     };
 *
 *     unipc_array *frames;
 *     struct sample *sample;
 *
 *     if (unipc_array_open_named(&frames, "/frames", UNIPC_RECORD_OPEN_OR_CREATE,
 *                                UNIPC_LAYOUT(struct sample, t_ns, seq, channels), 1000, NULL) < 0)
 *         return 1;
 *     sample = unipc_array_data(frames);
 *     sample[0].channels[3] = 0.5f;
 *
 * and in Python: unipc.open("/frames").numpy()["channels"]. In C99 and C++ a layout is given as text,
 * "T{Q:t_ns:I:seq:(8)f:channels:}", which the library compares just as well. It is a PEP 3118
 * format with names: codes ? b B h H i I q Q f d as in Python's struct, Zf and Zd for complex numbers, 4s
 * for char[4], (2,3)f for float[2][3], T{...} for a structure, 3x for padding; aligned as C does it, unless it
 * begins with < or =.
 */
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>
#include <unipc/base.h>
#include <unipc/shm.h>

/* Where a program asks for ISO C alone (-std=c99), time.h does not declare it. */
struct timespec;

/* Options in one expression, for C: &UNIPC_RECORD_OPTS(.mode = 0640). */
#ifndef __cplusplus
#define UNIPC_RECORD_OPTS(...) ((unipc_record_opts){.sz = sizeof(unipc_record_opts), __VA_ARGS__})
#endif

/* Options to start from, in C++ and C: unipc_record_opts o = UNIPC_RECORD_OPTS_INIT; o.mode = 0640; */
#define UNIPC_RECORD_OPTS_INIT {sizeof(unipc_record_opts), 0, 0, 0, 0}

#if !defined(__cplusplus) && defined(__STDC_VERSION__) && __STDC_VERSION__ >= 201112L

/*
 * The layout of a structure with these members, up to 32: numbers, bools, chars, and arrays of them.
 * It is a text that lives as long as the block in which this is written.
 */
#define UNIPC_LAYOUT(T, ...)                                                                         \
    UNIPC_LAYOUT_OF(T, UNIPC_MAP_(UNIPC_COUNT_(__VA_ARGS__), T, __VA_ARGS__))

/*
 * The same of members of every kind: UNIPC_LAYOUT_OF(struct robot, UNIPC_MEMBER(struct robot, t_ns),
 * UNIPC_MATRIX_MEMBER(struct robot, pose), UNIPC_MEMBER_AS(struct robot, arm, UNIPC_LAYOUT(struct arm, x, y)))
 */
#define UNIPC_LAYOUT_OF(T, ...)                                                                      \
    unipc_layout_text((char[UNIPC_LAYOUT_MAX]){0}, UNIPC_LAYOUT_MAX, sizeof(T),                       \
                      (const unipc_member[]){__VA_ARGS__},                                           \
                      sizeof((const unipc_member[]){__VA_ARGS__}) / sizeof(unipc_member))

/* A number, a bool, a char, or an array of them. */
#define UNIPC_MEMBER(T, m)                                                                           \
    {#m, UNIPC_FORMAT_(((T *)0)->m), offsetof(T, m), sizeof(((T *)0)->m), 0,                          \
     UNIPC_IS_ARRAY_(((T *)0)->m)}

/* An array of arrays of them: m[2][3]. */
#define UNIPC_MATRIX_MEMBER(T, m)                                                                    \
    {#m, UNIPC_FORMAT_(((T *)0)->m[0]), offsetof(T, m), sizeof(((T *)0)->m),                          \
     sizeof(((T *)0)->m[0]), UNIPC_MATRIX}

/* A structure, or an array of structures, with a layout of their own. */
#define UNIPC_MEMBER_AS(T, m, layout)                                                                \
    {#m, (layout), offsetof(T, m), sizeof(((T *)0)->m), 0, UNIPC_ANY}

/* What an error of the compiler about "unipc_pointers_mean_nothing_to_others" is about: a pointer, or a
 * type that is not known here. */
typedef struct {
    int unused;
} unipc_pointers_mean_nothing_to_others;
#define UNIPC_REFUSED_ ((unipc_pointers_mean_nothing_to_others){0})

#define UNIPC_LONG_ (sizeof(long) == 8 ? "=q" : "=i")
#define UNIPC_UNSIGNED_LONG_ (sizeof(long) == 8 ? "=Q" : "=I")

/* clang-format off */
#define UNIPC_TYPES_(stars) \
    _Bool stars: "=?", char stars: "=c", signed char stars: "=b", unsigned char stars: "=B", \
    short stars: "=h", unsigned short stars: "=H", int stars: "=i", unsigned stars: "=I", \
    long stars: UNIPC_LONG_, unsigned long stars: UNIPC_UNSIGNED_LONG_, \
    long long stars: "=q", unsigned long long stars: "=Q", float stars: "=f", double stars: "=d", \
    float _Complex stars: "=Zf", double _Complex stars: "=Zd"

/* A pointer to one of the types has a pointer's address. */
#define UNIPC_POINTERS_(what) \
    _Bool **: what, char **: what, signed char **: what, unsigned char **: what, \
    short **: what, unsigned short **: what, int **: what, unsigned **: what, \
    long **: what, unsigned long **: what, long long **: what, unsigned long long **: what, \
    float **: what, double **: what, float _Complex **: what, double _Complex **: what

#define UNIPC_SCALARS_(what) \
    _Bool *: what, char *: what, signed char *: what, unsigned char *: what, \
    short *: what, unsigned short *: what, int *: what, unsigned *: what, \
    long *: what, unsigned long *: what, long long *: what, unsigned long long *: what, \
    float *: what, double *: what, float _Complex *: what, double _Complex *: what

#define UNIPC_FORMAT_(m) \
    _Generic(&(m), UNIPC_TYPES_(*), UNIPC_POINTERS_(UNIPC_REFUSED_), \
             default: _Generic((m), UNIPC_TYPES_(*), default: UNIPC_REFUSED_))
#define UNIPC_IS_ARRAY_(m) \
    _Generic(&(m), UNIPC_SCALARS_(UNIPC_SCALAR), default: UNIPC_ROW)

#define UNIPC_COUNT_(...) \
    UNIPC_33RD_(__VA_ARGS__, 32, 31, 30, 29, 28, 27, 26, 25, 24, 23, 22, 21, 20, 19, 18, 17, \
                16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0)
#define UNIPC_33RD_(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x, y, z, \
                    aa, bb, cc, dd, ee, ff, count, ...) count
#define UNIPC_MAP_(count, T, ...) UNIPC_MAP__(count, T, __VA_ARGS__)
#define UNIPC_MAP__(count, T, ...) UNIPC_MAP_##count(T, __VA_ARGS__)
#define UNIPC_MAP_1(T, m) UNIPC_MEMBER(T, m)
#define UNIPC_MAP_2(T, m, ...) UNIPC_MEMBER(T, m), UNIPC_MAP_1(T, __VA_ARGS__)
#define UNIPC_MAP_3(T, m, ...) UNIPC_MEMBER(T, m), UNIPC_MAP_2(T, __VA_ARGS__)
#define UNIPC_MAP_4(T, m, ...) UNIPC_MEMBER(T, m), UNIPC_MAP_3(T, __VA_ARGS__)
#define UNIPC_MAP_5(T, m, ...) UNIPC_MEMBER(T, m), UNIPC_MAP_4(T, __VA_ARGS__)
#define UNIPC_MAP_6(T, m, ...) UNIPC_MEMBER(T, m), UNIPC_MAP_5(T, __VA_ARGS__)
#define UNIPC_MAP_7(T, m, ...) UNIPC_MEMBER(T, m), UNIPC_MAP_6(T, __VA_ARGS__)
#define UNIPC_MAP_8(T, m, ...) UNIPC_MEMBER(T, m), UNIPC_MAP_7(T, __VA_ARGS__)
#define UNIPC_MAP_9(T, m, ...) UNIPC_MEMBER(T, m), UNIPC_MAP_8(T, __VA_ARGS__)
#define UNIPC_MAP_10(T, m, ...) UNIPC_MEMBER(T, m), UNIPC_MAP_9(T, __VA_ARGS__)
#define UNIPC_MAP_11(T, m, ...) UNIPC_MEMBER(T, m), UNIPC_MAP_10(T, __VA_ARGS__)
#define UNIPC_MAP_12(T, m, ...) UNIPC_MEMBER(T, m), UNIPC_MAP_11(T, __VA_ARGS__)
#define UNIPC_MAP_13(T, m, ...) UNIPC_MEMBER(T, m), UNIPC_MAP_12(T, __VA_ARGS__)
#define UNIPC_MAP_14(T, m, ...) UNIPC_MEMBER(T, m), UNIPC_MAP_13(T, __VA_ARGS__)
#define UNIPC_MAP_15(T, m, ...) UNIPC_MEMBER(T, m), UNIPC_MAP_14(T, __VA_ARGS__)
#define UNIPC_MAP_16(T, m, ...) UNIPC_MEMBER(T, m), UNIPC_MAP_15(T, __VA_ARGS__)
#define UNIPC_MAP_17(T, m, ...) UNIPC_MEMBER(T, m), UNIPC_MAP_16(T, __VA_ARGS__)
#define UNIPC_MAP_18(T, m, ...) UNIPC_MEMBER(T, m), UNIPC_MAP_17(T, __VA_ARGS__)
#define UNIPC_MAP_19(T, m, ...) UNIPC_MEMBER(T, m), UNIPC_MAP_18(T, __VA_ARGS__)
#define UNIPC_MAP_20(T, m, ...) UNIPC_MEMBER(T, m), UNIPC_MAP_19(T, __VA_ARGS__)
#define UNIPC_MAP_21(T, m, ...) UNIPC_MEMBER(T, m), UNIPC_MAP_20(T, __VA_ARGS__)
#define UNIPC_MAP_22(T, m, ...) UNIPC_MEMBER(T, m), UNIPC_MAP_21(T, __VA_ARGS__)
#define UNIPC_MAP_23(T, m, ...) UNIPC_MEMBER(T, m), UNIPC_MAP_22(T, __VA_ARGS__)
#define UNIPC_MAP_24(T, m, ...) UNIPC_MEMBER(T, m), UNIPC_MAP_23(T, __VA_ARGS__)
#define UNIPC_MAP_25(T, m, ...) UNIPC_MEMBER(T, m), UNIPC_MAP_24(T, __VA_ARGS__)
#define UNIPC_MAP_26(T, m, ...) UNIPC_MEMBER(T, m), UNIPC_MAP_25(T, __VA_ARGS__)
#define UNIPC_MAP_27(T, m, ...) UNIPC_MEMBER(T, m), UNIPC_MAP_26(T, __VA_ARGS__)
#define UNIPC_MAP_28(T, m, ...) UNIPC_MEMBER(T, m), UNIPC_MAP_27(T, __VA_ARGS__)
#define UNIPC_MAP_29(T, m, ...) UNIPC_MEMBER(T, m), UNIPC_MAP_28(T, __VA_ARGS__)
#define UNIPC_MAP_30(T, m, ...) UNIPC_MEMBER(T, m), UNIPC_MAP_29(T, __VA_ARGS__)
#define UNIPC_MAP_31(T, m, ...) UNIPC_MEMBER(T, m), UNIPC_MAP_30(T, __VA_ARGS__)
#define UNIPC_MAP_32(T, m, ...) UNIPC_MEMBER(T, m), UNIPC_MAP_31(T, __VA_ARGS__)
/* clang-format on */

#endif
