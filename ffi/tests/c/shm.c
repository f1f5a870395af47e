/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Calls the functions of shared memory once, and expects what their comments in the headers promise. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include <unipc.h>

#include "expect.h"

/* What a handle of any backing can do. */
static void bytes(unipc_shm *shm)
{
    char word[6] = "";
    int order = 7;

    EXPECT(unipc_shm_size(shm) == 4097 && unipc_shm_mapped_size(shm) >= 4097);
    EXPECT(unipc_shm_at(shm, 1, 4096) == (char *)unipc_shm_data(shm) + 1);
    EXPECT(unipc_shm_at(shm, 1, 4097) == NULL && errno == ERANGE);
    EXPECT(unipc_shm_is_read_only(shm) == 0);
    EXPECT(unipc_shm_fill(shm, 0, 4097, 'x') == 0);
    EXPECT(unipc_shm_write_at(shm, 4091, "hello", 6) == 0);
    EXPECT(unipc_shm_read_at(shm, 4091, word, 6) == 0 && strcmp(word, "hello") == 0);
    EXPECT(unipc_shm_compare(shm, 4091, "help!", 6, &order) == 0 && order == -1);
    EXPECT(unipc_shm_begin_access(shm) == 0);
    EXPECT(*(char *)unipc_shm_data(shm) == 'x');
    EXPECT(unipc_shm_end_access(shm) == 0);
}

static void atomics(const unipc_shm *shm)
{
    uint32_t word = 1;
    uint64_t wide = 1;

    EXPECT(unipc_shm_store_u32(shm, 0, UINT32_MAX) == 0);
    EXPECT(unipc_shm_add_u32(shm, 0, 2, &word) == 0 && word == UINT32_MAX);
    EXPECT(unipc_shm_add_u32(shm, 0, 1, NULL) == 0);
    EXPECT(unipc_shm_load_u32(shm, 0, &word) == 0 && word == 2);
    EXPECT(unipc_shm_compare_exchange_u32(shm, 0, 2, 5, &word) == 1 && word == 2);
    EXPECT(unipc_shm_compare_exchange_u32(shm, 0, 2, 6, &word) == 0 && word == 5);
    EXPECT(unipc_shm_load_u32(shm, 2, &word) == -EINVAL && word == 5);

    EXPECT(unipc_shm_store_u64(shm, 8, UINT64_MAX) == 0);
    EXPECT(unipc_shm_add_u64(shm, 8, 2, &wide) == 0 && wide == UINT64_MAX);
    EXPECT(unipc_shm_load_u64(shm, 8, &wide) == 0 && wide == 1);
    EXPECT(unipc_shm_compare_exchange_u64(shm, 8, 1, 5, NULL) == 1);
    EXPECT(unipc_shm_compare_exchange_u64(shm, 8, 1, 6, &wide) == 0 && wide == 5);
}

static void posix(void)
{
    char name[64];
    unipc_shm *mine, *other;

    snprintf(name, sizeof name, "/ffi-program-%ld", (long)getpid());
    EXPECT(unipc_shm_create(&mine, name, 4097, 0, &UNIPC_SHM_OPTS(.mode = 0640)) == 0);
    EXPECT(strcmp(unipc_shm_name(mine), name) == 0);
    EXPECT(unipc_shm_backing(mine) == UNIPC_BACKING_POSIX);
    EXPECT(fcntl(unipc_shm_fd(mine), F_GETFD) == FD_CLOEXEC);
    EXPECT(unipc_shm_id(mine) == -EOPNOTSUPP);
    bytes(mine);
    atomics(mine);

    EXPECT(unipc_shm_open_or_create(&other, name, 4097, 0, NULL) == 0);
    EXPECT(unipc_shm_resize(mine, 10000) == 0 && unipc_shm_size(mine) == 10000);
    EXPECT(unipc_shm_refresh(other) == 0 && unipc_shm_size(other) == 10000);
    EXPECT(unipc_shm_flush(mine, 0, 0, UNIPC_FLUSH_ASYNC) == 0);
    EXPECT(unipc_shm_advise(mine, 0, 0, UNIPC_ADVICE_WILL_NEED) == 0);
    EXPECT(unipc_shm_lock(mine) == 0 && unipc_shm_unlock(mine) == 0);
    EXPECT(unipc_shm_unlink(name) == 0);
    EXPECT(unipc_shm_remove(other, 0) == -ENOENT);
    unipc_shm_close(other);
    unipc_shm_close(mine);
    unipc_shm_close(NULL);
}

static void memfd(void)
{
    unipc_shm *mine, *other;
    int fd;

    EXPECT(unipc_shm_create(&mine, "memfd:program", 4097, 0, NULL) == 0);
    bytes(mine);
    EXPECT((unipc_shm_seals(mine) & ~UNIPC_SEAL_EXEC) == UNIPC_SEAL_SHRINK);
    EXPECT(unipc_shm_add_seals(mine, UNIPC_SEAL_GROW) == 0);
    fd = unipc_shm_read_only_fd(mine);
    EXPECT(fd >= 0);
    EXPECT(unipc_shm_from_fd(&other, fd, 0, NULL) == -EACCES);
    EXPECT(unipc_shm_from_fd(&other, fd, UNIPC_SHM_READ_ONLY,
                             &UNIPC_SHM_OPTS(.required_seals = UNIPC_SEAL_FUTURE_WRITE)) == 0);
    EXPECT(close(fd) == 0);
    EXPECT(strcmp((char *)unipc_shm_data(other) + 4091, "hello") == 0);
    unipc_shm_close(other);
    unipc_shm_close(mine);
}

static void system_v(void)
{
    unipc_shm_sysv_status status, first;
    unipc_shm_limit_values limits;
    unipc_shm_usage_values usage;
    unipc_shm *shm;
    int id;

    EXPECT(unipc_shm_create(&shm, "sysv:private", 4097, 0, NULL) == 0);
    bytes(shm);
    id = unipc_shm_id(shm);
    EXPECT(id >= 0 && unipc_shm_fd(shm) == -EOPNOTSUPP);
    EXPECT(unipc_shm_sysv_set(id, UINT32_MAX, UINT32_MAX, 0640) == 0);
    EXPECT(unipc_shm_sysv_lock(id) == 0);
    EXPECT(unipc_shm_sysv_stat(id, &status) == 0);
    EXPECT(status.id == id && status.size == 4097 && status.mode == 0640 && status.attached == 1);
    EXPECT(status.uid == geteuid() && status.creator_pid == getpid() && status.locked);
    EXPECT(unipc_shm_sysv_unlock(id) == 0);
    EXPECT(unipc_shm_sysv_list(&first, 1) >= 1 && first.size > 0);
    EXPECT(unipc_shm_limits(&limits) == 0 && limits.shmmax >= 4097);
    EXPECT(unipc_shm_usage(&usage) == 0 && usage.segments >= 1);
    EXPECT(unipc_shm_sysv_remove(id) == 0);
    EXPECT(unipc_shm_sysv_stat(id, &status) == 0 && status.removed && status.key == 0);
    unipc_shm_close(shm);
}

int main(void)
{
    posix();
    memfd();
    system_v();
    puts("all as promised");
    return 0;
}
