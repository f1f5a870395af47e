/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * Shared memory in C against the plain calls. The same rows exist in Rust and in Python.
 */
#define _GNU_SOURCE /* MAP_POPULATE */

#include "harness.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <unipc.h>
#include <unistd.h>

#define KIB ((size_t)1 << 10)
#define MIB ((size_t)1 << 20)
#define LARGE (64 * MIB)

/* What the sides work on, set before each comparison. */
static char name[256];
static const char *path;
static key_t key;
static int id;
static size_t size;
static unipc_shm *shm;
static char *mapping;
static char *private_bytes;

static void check(int result)
{
    if (result >= 0)
        return;
    fprintf(stderr, "%s\n", unipc_last_error());
    exit(1);
}

/* An object for the benchmark, named as `name` says, which goes when it is closed. */
static unipc_shm *object(size_t bytes)
{
    unipc_shm *made;
    size = bytes;
    check(
        unipc_shm_create(&made, name, size, UNIPC_SHM_POPULATE | UNIPC_SHM_REMOVE_ON_CLOSE, NULL));
    return made;
}

static void name_posix(const char *what)
{
    snprintf(name, sizeof name, "/unipc-bench-%s-%d", what, (int)getpid());
}

static void name_key(void)
{
    key = 0x30000000 | getpid();
    snprintf(name, sizeof name, "sysv:%#x", (unsigned)key);
}

static char *map(int fd, size_t length, int flags)
{
    char *base = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED | flags, fd, 0);
    succeeded(base == MAP_FAILED ? -1 : 0);
    return base;
}

static size_t size_of(int fd)
{
    struct stat status;
    succeeded(fstat(fd, &status));
    return (size_t)status.st_size;
}

static void touch(char *base, size_t length)
{
    for (size_t offset = 0; offset < length; offset += 4096)
        *(volatile char *)(base + offset) = 1;
}

/* --- attach + detach --- */

static void unmap_and_close(int fd, size_t length)
{
    succeeded(munmap(map(fd, length, 0), length));
    succeeded(close(fd));
}

static void open_and_close(void)
{
    unipc_shm *opened;
    check(unipc_shm_open(&opened, name, 0, NULL));
    unipc_shm_close(opened);
}

static void open_of_size_and_close(void)
{
    unipc_shm *opened;
    check(unipc_shm_open(&opened, name, 0, &UNIPC_SHM_OPTS(.size = size)));
    unipc_shm_close(opened);
}

static int plain_open(void)
{
    return succeeded(shm_open(name, O_RDWR, 0));
}

static int file_open(void)
{
    return succeeded(open(path, O_RDWR | O_CLOEXEC));
}

static void attach_segment(int segment)
{
    void *base = shmat(segment, NULL, 0);
    succeeded(base == (void *)-1 ? -1 : 0);
    succeeded(shmdt(base));
}

static int segment_of_key(void)
{
    return succeeded(shmget(key, 0, 0));
}

static int segment_of_size(void)
{
    return succeeded(shmget(key, size, 0));
}

static int asked(int segment)
{
    struct shmid_ds status;
    succeeded(shmctl(segment, IPC_STAT, &status));
    return segment;
}

SIDE(unipc_attach, open_and_close())
SIDE(unipc_attach_size, open_of_size_and_close())
SIDE(plain_posix, unmap_and_close(plain_open(), size))
SIDE(plain_posix_fstat, int fd = plain_open(); unmap_and_close(fd, size_of(fd)))
SIDE(plain_file, unmap_and_close(file_open(), size))
SIDE(plain_file_fstat, int fd = file_open(); unmap_and_close(fd, size_of(fd)))
SIDE(plain_id, attach_segment(id))
SIDE(plain_id_stat, attach_segment(asked(id)))
SIDE(plain_key, attach_segment(segment_of_key()))
SIDE(plain_key_size, attach_segment(segment_of_size()))
SIDE(plain_key_stat, attach_segment(asked(segment_of_key())))

static void attach_all(void)
{
    name_posix("attach");
    shm = object(MIB);
    COMPARE("attach + detach, POSIX object of 1 MiB (expected: at most 1.10 x the calls that ask "
            "its size)",
            {"unipc open, close", unipc_attach},
            {"shm_open mmap munmap close, size known", plain_posix},
            {"shm_open fstat mmap munmap close", plain_posix_fstat});
    unipc_shm_close(shm);

    strcpy(name, "sysv:private");
    shm = object(MIB);
    id = unipc_shm_id(shm);
    strcpy(name, unipc_shm_name(shm));
    COMPARE("attach + detach, System V segment of 1 MiB by identifier (expected: at most 1.10 x "
            "the calls that ask its size)",
            {"unipc open, close", unipc_attach}, {"shmat shmdt, size known", plain_id},
            {"shmctl(IPC_STAT) shmat shmdt", plain_id_stat});
    unipc_shm_close(shm);

    name_key();
    shm = object(MIB);
    COMPARE("attach + detach, System V segment of 1 MiB by key (expected: at most 1.10 x the calls "
            "that ask its size)",
            {"unipc open, close", unipc_attach}, {"shmget shmat shmdt, size known", plain_key},
            {"shmget shmctl(IPC_STAT) shmat shmdt", plain_key_stat});
    COMPARE("attach + detach, System V segment of 1 MiB by key, its size stated (expected: at most "
            "1.10 x)",
            {"unipc open with .size, close", unipc_attach_size},
            {"shmget with the size, shmat shmdt", plain_key_size});
    unipc_shm_close(shm);

    const char *directory = getenv("TMPDIR");
    snprintf(name, sizeof name, "file:%s/unipc-bench-%d", directory ? directory : "/tmp",
             (int)getpid());
    path = name + strlen("file:");
    shm = object(MIB);
    COMPARE("attach + detach, file of 1 MiB (expected: at most 1.10 x)",
            {"unipc open, close", unipc_attach}, {"open mmap munmap close, size known", plain_file},
            {"open fstat mmap munmap close", plain_file_fstat});
    unipc_shm_close(shm);
}

/* --- create + remove --- */

static void create_and_unlink(void)
{
    unipc_shm *created;
    check(unipc_shm_create(&created, name, size, 0, NULL));
    unipc_shm_close(created);
    check(unipc_shm_unlink(name));
}

static void plain_create(int allocated)
{
    int fd = succeeded(shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0600));
    succeeded(allocated ? -posix_fallocate(fd, 0, (off_t)size) : ftruncate(fd, (off_t)size));
    unmap_and_close(fd, size);
    succeeded(shm_unlink(name));
}

static void plain_create_segment(void)
{
    int segment = succeeded(shmget(key, size, IPC_CREAT | IPC_EXCL | 0600));
    attach_segment(segment);
    succeeded(shmctl(segment, IPC_RMID, NULL));
}

SIDE(unipc_create, create_and_unlink())
SIDE(plain_create_allocated, plain_create(1))
SIDE(plain_create_hole, plain_create(0))
SIDE(plain_segment, plain_create_segment())

static void create_all(void)
{
    size = 4 * KIB;
    name_posix("create");
    COMPARE("create + remove, POSIX object of 4 KiB", {"unipc create, close, unlink", unipc_create},
            {"shm_open posix_fallocate mmap munmap close shm_unlink", plain_create_allocated},
            {"shm_open ftruncate mmap munmap close shm_unlink", plain_create_hole});
    name_key();
    COMPARE("create + remove, System V segment of 4 KiB",
            {"unipc create, close, unlink", unipc_create},
            {"shmget shmat shmdt shmctl(IPC_RMID)", plain_segment});
}

/* --- copies and atomics --- */

/* The compiler must believe that memory is read and written, and by sizes that it does not know. */
#define KEEP __asm__ volatile("" : "+r"(size) : : "memory")

SIDE(unipc_write_at, check(unipc_shm_write_at(shm, 0, private_bytes, size)))
SIDE(plain_copy_in, memcpy(mapping, private_bytes, size); KEEP)
SIDE(unipc_read_at, check(unipc_shm_read_at(shm, 0, private_bytes, size)))
SIDE(plain_copy_out, memcpy(private_bytes, mapping, size); KEEP)
SIDE(unipc_add, uint32_t previous; check(unipc_shm_add_u32(shm, 0, 1, &previous)))
SIDE(plain_add, atomic_fetch_add((_Atomic uint32_t *)(void *)mapping, 1))

static void copy(const char *what, const char *target, const char *expected)
{
    char into[128], out_of[128];
    snprintf(into, sizeof into, "copy %s into a %s%s", what, target, expected);
    snprintf(out_of, sizeof out_of, "copy %s out of a %s%s", what, target, expected);
    COMPARE(into, {"unipc write_at", unipc_write_at}, {"memcpy", plain_copy_in});
    COMPARE(out_of, {"unipc read_at", unipc_read_at}, {"memcpy", plain_copy_out});
}

static void begin_copies(size_t bytes)
{
    shm = object(bytes);
    mapping = unipc_shm_data(shm);
    private_bytes = malloc(bytes);
    succeeded(private_bytes ? 0 : -1);
    memset(private_bytes, 7, bytes);
}

static void end_copies(void)
{
    free(private_bytes);
    unipc_shm_close(shm);
}

static void copy_large(const char *what, size_t bytes, const char *expected)
{
    name_posix("copy");
    begin_copies(bytes);
    copy(what, "POSIX object", expected);
    end_copies();
}

static void small(const char *target)
{
    char title[128];
    begin_copies(4 * KIB);
    snprintf(title, sizeof title, "add to an integer in a %s", target);
    COMPARE(title, {"unipc add_u32", unipc_add}, {"fetch_add", plain_add});
    size = 8;
    copy("8 bytes", target, "");
    size = 64;
    copy("64 bytes", target, "");
    end_copies();
}

/* --- pages --- */

static void open_and_touch(unsigned flags)
{
    unipc_shm *opened;
    check(unipc_shm_open(&opened, name, flags, NULL));
    touch(unipc_shm_data(opened), size);
    unipc_shm_close(opened);
}

static void map_and_touch(int flags)
{
    int fd = plain_open();
    char *base = map(fd, size, flags);
    touch(base, size);
    succeeded(munmap(base, size));
    succeeded(close(fd));
}

SIDE(unipc_populate, open_and_touch(UNIPC_SHM_POPULATE))
SIDE(unipc_fault, open_and_touch(0))
SIDE(plain_populate, map_and_touch(MAP_POPULATE))
SIDE(plain_fault, map_and_touch(0))

static void populate(void)
{
    name_posix("populate");
    shm = object(LARGE);
    COMPARE("attach 64 MiB, touch each page, detach", {"unipc open with populate", unipc_populate},
            {"unipc open without", unipc_fault}, {"mmap with MAP_POPULATE", plain_populate},
            {"mmap without", plain_fault});
    unipc_shm_close(shm);
}

/* 4096 reads, each at a place that depends on the one before. */
static void wander(const char *base)
{
    size_t place = 0, value;
    for (int i = 0; i < 4096; i++) {
        memcpy(&value, base + (place >> 32) % (LARGE - 8), sizeof value);
        place = place * 6364136223846793005u + 1 + value;
    }
    /* The compiler must believe that the reads are of use. */
    __asm__ volatile("" : : "r"(place) : "memory");
}

SIDE(wander_huge, wander(mapping))
SIDE(wander_ordinary, wander(private_bytes))

static void huge_pages(void)
{
    unipc_shm *huge;
    if (free_huge_pages() < LARGE / HUGE_PAGE) {
        printf("\nhuge pages: too few are free. As root: `echo %zu > /proc/sys/vm/nr_hugepages`\n"
               "  before the benchmark, and `echo 0 > /proc/sys/vm/nr_hugepages` after it.\n",
               LARGE / HUGE_PAGE);
        return;
    }
    strcpy(name, "memfd:ordinary");
    shm = object(LARGE);
    check(unipc_shm_create(&huge, "memfd:huge", LARGE, UNIPC_SHM_POPULATE,
                           &UNIPC_SHM_OPTS(.huge_page_size = HUGE_PAGE)));
    mapping = unipc_shm_data(huge);
    private_bytes = unipc_shm_data(shm);
    COMPARE("4096 reads of 8 bytes at random places of 64 MiB",
            {"memfd with huge pages", wander_huge}, {"memfd with ordinary pages", wander_ordinary});
    unipc_shm_close(huge);
    unipc_shm_close(shm);
}

int main(void)
{
    print_head(unipc_version_string());
    attach_all();
    create_all();
    copy_large("4 KiB", 4 * KIB, "");
    copy_large("1 MiB", MIB, "");
    copy_large("64 MiB", LARGE, " (expected: at most 1.05 x)");
    populate();
    huge_pages();
    name_posix("small");
    small("POSIX object");
    strcpy(name, "memfd:small");
    small("memfd");
}
