/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Generated from ffi/src by `make bless`: change it there. */

#ifndef UNIPC_RECORD_H
#define UNIPC_RECORD_H

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

/** How many dimensions a member has, for unipc_layout_text(). */
typedef enum unipc_dimensions {
    /** One value. */
    UNIPC_SCALAR = 0,
    /** An array: m[4]. */
    UNIPC_ROW = 1,
    /** An array of arrays: m[2][3]. */
    UNIPC_MATRIX = 2,
    /** One value, or an array when the member is larger than the format says. */
    UNIPC_ANY = 3,
} unipc_dimensions;

/** Numbers of this header. */
typedef enum unipc_record_constant {
    /** Room for the text of a layout, for UNIPC_LAYOUT(). */
    UNIPC_LAYOUT_MAX = 4096,
    /** Room for the name of a place, its NUL included. */
    UNIPC_PLACE_NAME_MAX = 104,
} unipc_record_constant;

/** What the functions that open do when there is an object, and when there is none. */
typedef enum unipc_record_how {
    /** Open the one that is there. Where the bytes are zero, wait for up to a second for a creator. */
    UNIPC_RECORD_OPEN = 0,
    /** Create it where there are zeros. */
    UNIPC_RECORD_CREATE = 1,
    /** Open it, or create it when there is none. */
    UNIPC_RECORD_OPEN_OR_CREATE = 2,
} unipc_record_how;

/**
 * Records in a row, with a header that tells their layout.
 *
 * A handle belongs to the process, the array to the shared memory: it stays when the handle is
 * closed, and the handle stays usable when the memory is closed.
 */
typedef struct unipc_array unipc_array;

/**
 * One record, of which everybody always gets a whole copy.
 *
 * A handle belongs to the process, the cell to the shared memory: it stays when the handle is
 * closed, and the handle stays usable when the memory is closed.
 */
typedef struct unipc_cell unipc_cell;

/**
 * Names for places inside a segment.
 *
 * A handle belongs to the process, the directory to the shared memory: it stays when the handle
 * is closed, and the handle stays usable when the memory is closed.
 */
typedef struct unipc_directory unipc_directory;

/** A member of a structure. UNIPC_MEMBER() and its kin fill it in. */
typedef struct unipc_member {
    /** Its name. */
    const char *name;
    /** The PEP 3118 format of one element. */
    const char *format;
    /** offsetof(). */
    size_t offset;
    /** sizeof() of the whole member. */
    size_t size;
    /** sizeof() of a row, where it is a matrix. */
    size_t row;
    /** UNIPC_SCALAR, UNIPC_ROW, UNIPC_MATRIX or UNIPC_ANY. */
    size_t dimensions;
} unipc_member;

/**
 * How to create or open, where the defaults do not do. A field that is zero has its default.
 *
 * Make it with UNIPC_RECORD_OPTS() or UNIPC_RECORD_OPTS_INIT, which set sz. Later versions add
 * fields.
 */
typedef struct unipc_record_opts {
    /** sizeof(unipc_record_opts). */
    size_t sz;
    /** When opening by name and creating: permission bits, exact whatever the umask. 0: 0600. */
    uint32_t mode;
    /** Not 0: map for reading only. When opening arrays and cells. */
    uint32_t read_only;
    /** When creating a directory: how many places it can have, up to 4096. 0: 64. */
    uint32_t entries;
    /** Of a directory: for how many milliseconds its calls wait for their turn. 0: for ever. */
    uint32_t turn_ms;
} unipc_record_opts;

/** A place with a name. */
typedef struct unipc_place {
    /** Its first byte in the memory. */
    size_t offset;
    /** How many bytes it has: a multiple of 64. */
    size_t size;
    /** What kind of object lies there: "mutex", "array"; empty where there is none of this library's. */
    char kind[16];
    /** Its name: UNIPC_PLACE_NAME_MAX. */
    char name[104];
} unipc_place;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * Writes the layout of a structure to buffer, from what the compiler says of its members. UNIPC_LAYOUT() calls it.
 *
 * buffer, capacity: where the text goes, with its NUL
 * size:             sizeof() the structure
 * members, count:   its members, in any order
 *
 * Returns the buffer; or, when that fails, the text "!", which every function refuses that takes a
 * layout. unipc_last_error() says why, and errno is
 *   EINVAL    a format does not parse, members overlap, a size does not fit; an argument is NULL
 *   EMSGSIZE  capacity is too small
 * Since 0.1.
 */
const char *unipc_layout_text(char *buffer,
                              size_t capacity,
                              size_t size,
                              const unipc_member *members,
                              size_t count);

/**
 * How many bytes a record of this layout takes.
 *
 * layout: a PEP 3118 format
 *
 * Returns the size, or
 *   -EINVAL  it does not parse, or is NULL
 * Since 0.1.
 */
ptrdiff_t unipc_layout_size(const char *layout);

/**
 * Are these two layouts the same?
 *
 * declared: a PEP 3118 format
 * stored:   another one
 *
 * Returns 0.
 * Errors:
 *   -EPROTO  they differ: unipc_last_error() names the first field that does, with both offsets and
 *            both types
 *   -EINVAL  one does not parse, or is NULL
 * Since 0.1.
 */
UNIPC_CHECK int unipc_layout_check(const char *declared, const char *stored);

/**
 * Writes the declaration of a C structure with this layout, and a _Static_assert for its size and for
 * each offset. It needs <stddef.h> and <stdint.h>.
 *
 * layout:           a PEP 3118 format
 * name:             the tag of the structure
 * buffer, capacity: where the text goes, with its NUL
 *
 * Returns its length, or
 *   -EMSGSIZE  capacity is too small
 *   -EINVAL    the layout does not parse; a name is a word that C keeps for itself; an argument is NULL
 * Since 0.1.
 */
ptrdiff_t unipc_layout_c(const char *layout,
                         const char *name,
                         char *buffer,
                         size_t capacity);

/**
 * Opens or creates an array in shared memory.
 *
 * out:    where the handle goes; NULL on failure. Close it with unipc_array_close().
 * shm:    the memory; it may be closed before the handle is
 * offset: where the array begins: a multiple of 64
 * how:    UNIPC_RECORD_OPEN, UNIPC_RECORD_CREATE or UNIPC_RECORD_OPEN_OR_CREATE
 * layout: what a record consists of: UNIPC_LAYOUT() or a PEP 3118 format. NULL when opening: whatever
 *         is there
 * count:  when creating: how many records, at least 1
 * opts:   NULL for the defaults
 *
 * Returns 0.
 * Errors:
 *   -EPROTO      there is none; or its layout is another: unipc_last_error() names the first field
 *                that differs, with both offsets and both types; or it has fewer records than were asked for
 *   -EEXIST      UNIPC_RECORD_CREATE, and there is one
 *   -EBUSY       the bytes of its header are not zero and no object: fill them with zeros first
 *   -EINVAL      the offset is no such multiple, the layout does not parse, an argument is out of range;
 *                out or shm is NULL, or layout when creating
 *   -ERANGE      it does not fit into the memory
 *   -EOVERFLOW   no address space has so many bytes
 *   -EACCES      it is to be created, and the memory is mapped read-only
 *   -EOPNOTSUPP  the memory is mapped copy-on-write
 *   -EINTR       a signal came while it waited for a creator
 * Since 0.1.
 */
UNIPC_CHECK
int unipc_array_open(unipc_array **out,
                     const unipc_shm *shm,
                     size_t offset,
                     int how,
                     const char *layout,
                     size_t count,
                     const unipc_record_opts *opts);

/**
 * Opens or creates an array under a name of its own, in a segment for it alone.
 *
 * out:    where the handle goes; NULL on failure. Close it with unipc_array_close().
 * name:   as for unipc_shm_create(); it is removed with unipc_shm_unlink()
 * how:    UNIPC_RECORD_OPEN, UNIPC_RECORD_CREATE or UNIPC_RECORD_OPEN_OR_CREATE
 * layout: as for unipc_array_open()
 * count:  when creating: how many records, at least 1
 * opts:   NULL for the defaults
 *
 * Returns 0.
 * Errors: as unipc_array_open(), and as unipc_shm_create() and unipc_shm_open() of the name.
 * Since 0.1.
 */
UNIPC_CHECK
int unipc_array_open_named(unipc_array **out,
                           const char *name,
                           int how,
                           const char *layout,
                           size_t count,
                           const unipc_record_opts *opts);

/**
 * Closes the handle; the array stays.
 *
 * array: NULL is fine
 *
 * Since 0.1.
 */
void unipc_array_close(unipc_array *array);

/**
 * What a record consists of: a PEP 3118 format with the names of the fields.
 *
 * array: a handle
 *
 * Returns a string that is valid until the handle is closed; NULL when array is NULL.
 * Since 0.1.
 */
const char *unipc_array_layout(const unipc_array *array);

/**
 * How many bytes a record takes.
 *
 * array: a handle
 *
 * Returns the size; 0 when array is NULL.
 * Since 0.1.
 */
size_t unipc_array_record_size(const unipc_array *array);

/**
 * The descriptor of the memory, to be handed on: whoever gets it opens it with unipc_shm_from_fd(), and
 * the array in it at offset 0. Close-on-exec, and valid until the handle is closed.
 *
 * array: a handle
 *
 * Returns the descriptor, or
 *   -EOPNOTSUPP  System V and anonymous memory have none
 *   -EINVAL      array is NULL
 * Since 0.1.
 */
int unipc_array_fd(const unipc_array *array);

/**
 * Lays a layout over raw memory, which keeps its bytes: it has no header.
 *
 * out:    where the handle goes; NULL on failure. Close it with unipc_array_close().
 * shm:    the memory; it may be closed before the handle is
 * offset: where the first record begins
 * layout: what a record consists of
 * count:  how many records; 0: as many as there is room for
 *
 * Returns 0.
 * Errors:
 *   -ERANGE      they do not fit into the memory
 *   -EINVAL      there is room for none; their address is no multiple of what C asks for; the layout does
 *                not parse; out, shm or layout is NULL
 *   -EOPNOTSUPP  the memory is mapped copy-on-write
 * Since 0.1.
 */
UNIPC_CHECK
int unipc_array_over(unipc_array **out,
                     const unipc_shm *shm,
                     size_t offset,
                     const char *layout,
                     size_t count);

/**
 * How many bytes an array takes, with its header.
 *
 * layout: what a record consists of
 * count:  how many records
 *
 * Returns the size, or
 *   -EOVERFLOW  there are no so many bytes
 *   -EINVAL     the layout does not parse, or is NULL
 * Since 0.1.
 */
ptrdiff_t unipc_array_size(const char *layout, size_t count);

/**
 * The first record. The others follow; each has unipc_array_record_size() bytes.
 *
 * Others change what is there at any time. A file that others cut reads as zeros.
 *
 * array: a handle
 *
 * Returns the address, valid until the handle is closed, at a multiple of 64 (but for
 * unipc_array_over()); NULL when array is NULL.
 * Since 0.1.
 */
void *unipc_array_data(const unipc_array *array);

/**
 * How many records there are.
 *
 * array: a handle
 *
 * Returns the number; 0 when array is NULL.
 * Since 0.1.
 */
size_t unipc_array_length(const unipc_array *array);

/**
 * Copies a record out.
 *
 * array:  a handle
 * index:  which one
 * record: where it goes
 * size:   sizeof() the record
 *
 * Returns 0.
 * Errors:
 *   -ERANGE  there is no such record
 *   -EINVAL  the size is another; array or record is NULL
 *   -EFAULT  the file lost the record
 * Since 0.1.
 */
UNIPC_CHECK
int unipc_array_get(const unipc_array *array,
                    size_t index,
                    void *record,
                    size_t size);

/**
 * Copies a record in.
 *
 * array:  a handle
 * index:  which one
 * record: what it is to be
 * size:   sizeof() the record
 *
 * Returns 0.
 * Errors: as unipc_array_get(); -EACCES when it is mapped for reading only.
 * Since 0.1.
 */
UNIPC_CHECK
int unipc_array_set(const unipc_array *array,
                    size_t index,
                    const void *record,
                    size_t size);

/**
 * Opens or creates a cell in shared memory.
 *
 * out:    where the handle goes; NULL on failure. Close it with unipc_cell_close().
 * shm:    the memory; it may be closed before the handle is
 * offset: where the cell begins: a multiple of 64
 * how:    UNIPC_RECORD_OPEN, UNIPC_RECORD_CREATE or UNIPC_RECORD_OPEN_OR_CREATE
 * layout: what a record consists of: UNIPC_LAYOUT() or a PEP 3118 format. NULL when opening: whatever
 *         is there
 * opts:   NULL for the defaults
 *
 * Returns 0.
 * Errors:
 *   -EPROTO      there is none; or its layout is another: unipc_last_error() names the first field
 *                that differs, with both offsets and both types
 *   -EEXIST      UNIPC_RECORD_CREATE, and there is one
 *   -EBUSY       the bytes of its header are not zero and no object: fill them with zeros first
 *   -EINVAL      the offset is no such multiple, the layout does not parse, an argument is out of range;
 *                out or shm is NULL, or layout when creating
 *   -ERANGE      it does not fit into the memory
 *   -EACCES      it is to be created, and the memory is mapped read-only
 *   -EOPNOTSUPP  the memory is mapped copy-on-write
 *   -EINTR       a signal came while it waited for a creator
 * Since 0.1.
 */
UNIPC_CHECK
int unipc_cell_open(unipc_cell **out,
                    const unipc_shm *shm,
                    size_t offset,
                    int how,
                    const char *layout,
                    const unipc_record_opts *opts);

/**
 * Opens or creates a cell under a name of its own, in a segment for it alone.
 *
 * out:    where the handle goes; NULL on failure. Close it with unipc_cell_close().
 * name:   as for unipc_shm_create(); it is removed with unipc_shm_unlink()
 * how:    UNIPC_RECORD_OPEN, UNIPC_RECORD_CREATE or UNIPC_RECORD_OPEN_OR_CREATE
 * layout: as for unipc_cell_open()
 * opts:   NULL for the defaults
 *
 * Returns 0.
 * Errors: as unipc_cell_open(), and as unipc_shm_create() and unipc_shm_open() of the name.
 * Since 0.1.
 */
UNIPC_CHECK
int unipc_cell_open_named(unipc_cell **out,
                          const char *name,
                          int how,
                          const char *layout,
                          const unipc_record_opts *opts);

/**
 * Closes the handle; the cell stays.
 *
 * cell: NULL is fine
 *
 * Since 0.1.
 */
void unipc_cell_close(unipc_cell *cell);

/**
 * What a record consists of: a PEP 3118 format with the names of the fields.
 *
 * cell: a handle
 *
 * Returns a string that is valid until the handle is closed; NULL when cell is NULL.
 * Since 0.1.
 */
const char *unipc_cell_layout(const unipc_cell *cell);

/**
 * How many bytes a record takes.
 *
 * cell: a handle
 *
 * Returns the size; 0 when cell is NULL.
 * Since 0.1.
 */
size_t unipc_cell_record_size(const unipc_cell *cell);

/**
 * The descriptor of the memory, to be handed on: whoever gets it opens it with unipc_shm_from_fd(), and
 * the cell in it at offset 0. Close-on-exec, and valid until the handle is closed.
 *
 * cell: a handle
 *
 * Returns the descriptor, or
 *   -EOPNOTSUPP  System V and anonymous memory have none
 *   -EINVAL      cell is NULL
 * Since 0.1.
 */
int unipc_cell_fd(const unipc_cell *cell);

/**
 * How many bytes a cell takes, with its header.
 *
 * layout: what the record consists of
 *
 * Returns the size, or
 *   -EOVERFLOW  there are no so many bytes
 *   -EINVAL     the layout does not parse, or is NULL
 * Since 0.1.
 */
ptrdiff_t unipc_cell_size(const char *layout);

/**
 * Copies the latest value: always whole, and without waiting for writers.
 *
 * cell:    a handle
 * record:  where it goes
 * size:    sizeof() the record
 * version: how many values had been published; may be NULL
 *
 * Returns 0.
 * Errors:
 *   -EINVAL  the size is another; cell or record is NULL
 *   -EBUSY   writers are so much faster that no whole value was found in 65536 attempts
 *   -EFAULT  the file lost its pages
 * Since 0.1.
 */
UNIPC_CHECK
int unipc_cell_read(const unipc_cell *cell,
                    void *record,
                    size_t size,
                    uint64_t *version);

/**
 * Publishes a value. A writer that is killed before it is done leaves the value before.
 *
 * Example:
 *
 *     unipc_cell *cell;
 *     double value = 0.5;
 *
 *     if (unipc_cell_open_named(&cell, "memfd:level", UNIPC_RECORD_CREATE, "d", NULL) < 0)
 *         return 1;
 *     if (unipc_cell_write(cell, &value, sizeof value, NULL) < 0)
 *         return 1;
 *     if (unipc_cell_read(cell, &value, sizeof value, NULL) < 0)
 *         return 1;
 *     unipc_cell_close(cell);
 *
 * cell:    a handle
 * record:  the value
 * size:    sizeof() the record
 * timeout: how long to wait for other writers' turns; NULL is for ever, {0, 0} a try. Who writes alone
 *          never waits
 *
 * Returns 0.
 * Errors:
 *   -EINVAL     the size is another; the timeout is none; cell or record is NULL
 *   -EACCES     it is mapped for reading only
 *   -EAGAIN     it was a try, and another writer has its turn
 *   -ETIMEDOUT  the time is over
 *   -EINTR      a signal came
 *   -EFAULT     the file lost its pages
 * Since 0.1.
 */
UNIPC_CHECK
int unipc_cell_write(const unipc_cell *cell,
                     const void *record,
                     size_t size,
                     const struct timespec *timeout);

/**
 * How many values have been published.
 *
 * cell:    a handle
 * version: where the number goes
 *
 * Returns 0.
 * Errors:
 *   -EFAULT  the file lost its pages
 *   -EINVAL  cell or version is NULL
 * Since 0.1.
 */
UNIPC_CHECK int unipc_cell_version(const unipc_cell *cell, uint64_t *version);

/**
 * Opens or creates a directory in shared memory.
 *
 * out:    where the handle goes; NULL on failure. Close it with unipc_directory_close().
 * shm:    the memory, writable; it may be closed before the handle is
 * offset: where the directory begins: a multiple of 64
 * how:    UNIPC_RECORD_OPEN, UNIPC_RECORD_CREATE or UNIPC_RECORD_OPEN_OR_CREATE
 * size:   when creating: how many bytes it takes with all its places; 0: all from the offset on.
 *         Its table has 320 bytes and 128 for each place that it can have
 * opts:   NULL for the defaults
 *
 * Returns 0.
 * Errors:
 *   -EPROTO      there is none
 *   -EEXIST      UNIPC_RECORD_CREATE, and there is one
 *   -EBUSY       the bytes of its table are not zero and no object: fill them with zeros first
 *   -EINVAL      the offset is no such multiple, the size is too small for the table, an argument is out
 *                of range; out or shm is NULL
 *   -ERANGE      it does not fit into the memory
 *   -EACCES      the memory is mapped read-only
 *   -EOPNOTSUPP  the memory is mapped copy-on-write
 *   -EINTR       a signal came while it waited for a creator
 * Since 0.1.
 */
UNIPC_CHECK
int unipc_directory_open(unipc_directory **out,
                         const unipc_shm *shm,
                         size_t offset,
                         int how,
                         size_t size,
                         const unipc_record_opts *opts);

/**
 * Closes the handle; the directory stays.
 *
 * directory: NULL is fine
 *
 * Since 0.1.
 */
void unipc_directory_close(unipc_directory *directory);

/**
 * Makes a place of at least size bytes, all zero, in which an object can be created.
 *
 * Example:
 *
 *     unipc_shm *shm;
 *     unipc_directory *plant;
 *     unipc_mutex *lock;
 *     unipc_place place;
 *
 *     if (unipc_shm_create(&shm, "anon:", 1 << 16, 0, NULL) < 0 ||
 *         unipc_directory_open(&plant, shm, 0, UNIPC_RECORD_OPEN_OR_CREATE, 0, NULL) < 0 ||
 *         unipc_directory_find_or_place(plant, "lock", unipc_mutex_size(), &place) < 0 ||
 *         unipc_mutex_open(&lock, shm, place.offset, UNIPC_SYNC_OPEN_OR_CREATE, NULL) < 0)
 *         return 1;
 *     unipc_mutex_close(lock);
 *     unipc_directory_close(plant);
 *     unipc_shm_close(shm);
 *
 * directory: a handle
 * name:      of 1 to 103 bytes, in UTF-8
 * size:      in bytes
 * place:     where the place is told; may be NULL
 *
 * Returns 0.
 * Errors:
 *   -EEXIST      the name is taken
 *   -ENOSPC      there is no such room in one piece, or no entry left
 *   -EINVAL      the name is none, the size is 0; directory or name is NULL
 *   -ETIMEDOUT   another process kept its turn
 *   -EINTR       a signal came
 *   -EPROTO      the table is damaged
 *   -EFAULT      the file lost its pages
 * Since 0.1.
 */
UNIPC_CHECK
int unipc_directory_place(const unipc_directory *directory,
                          const char *name,
                          size_t size,
                          unipc_place *place);

/**
 * As unipc_directory_place(), for what begins on a page of the memory, as channels do: unipc_queue_at() and
 * its kin. Up to a page is left free before it.
 *
 * Returns 0.
 * Errors: as unipc_directory_place(). Since 0.1.
 */
UNIPC_CHECK
int unipc_directory_place_on_page(const unipc_directory *directory,
                                  const char *name,
                                  size_t size,
                                  unipc_place *place);

/**
 * Finds a place.
 *
 * directory: a handle
 * name:      its name
 * place:     where the place is told; may be NULL
 *
 * Returns 0.
 * Errors: -ENOENT when there is none; otherwise as unipc_directory_place().
 * Since 0.1.
 */
UNIPC_CHECK
int unipc_directory_find(const unipc_directory *directory,
                         const char *name,
                         unipc_place *place);

/**
 * Finds a place, or makes it when there is none.
 *
 * directory: a handle
 * name:      its name
 * size:      how many bytes it has at least
 * place:     where the place is told; may be NULL
 *
 * Returns 1 when it was made, 0 when it was there, or
 *   -EINVAL  it is there with fewer bytes
 * and the other errors of unipc_directory_place().
 * Since 0.1.
 */
UNIPC_CHECK
int unipc_directory_find_or_place(const unipc_directory *directory,
                                  const char *name,
                                  size_t size,
                                  unipc_place *place);

/**
 * As unipc_directory_find_or_place(), on a page of the memory where it makes the place.
 *
 * Returns 1 when it was made, 0 when it was there.
 * Errors: as unipc_directory_find_or_place(). Since 0.1.
 */
UNIPC_CHECK
int unipc_directory_find_or_place_on_page(const unipc_directory *directory,
                                          const char *name,
                                          size_t size,
                                          unipc_place *place);

/**
 * Frees a place: its bytes are given to others. Those who use what is there must have stopped.
 *
 * directory: a handle
 * name:      its name
 *
 * Returns 0.
 * Errors: as unipc_directory_find().
 * Since 0.1.
 */
UNIPC_CHECK int unipc_directory_remove(const unipc_directory *directory, const char *name);

/**
 * Lists the places in the order in which they lie.
 *
 * directory:        a handle
 * places, capacity: where they go, as many as there is room for; NULL and 0 to count
 *
 * Returns how many there are, or
 *   -EINVAL  directory is NULL, or places is NULL and capacity is not 0
 * and the errors of unipc_directory_place() that have to do with the table.
 * Since 0.1.
 */
ptrdiff_t unipc_directory_list(const unipc_directory *directory,
                               unipc_place *places,
                               size_t capacity);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* UNIPC_RECORD_H */
