/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Calls each function for semaphores and sets, and expects what its comment promises. */
#include <errno.h>
#include <semaphore.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/sem.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <unipc.h>

#include "expect.h"

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

static const struct timespec now = {0, 0}, soon = {0, 20000000}, late = {10, 0}, wrong = {-1, 0};

static unsigned int value_of(const unipc_sem *sem)
{
    unsigned int value = 4711;

    EXPECT(unipc_sem_value(sem, &value) == 0);
    return value;
}

static void opening(const char *name)
{
    unipc_sem *sem = NULL;
    struct stat file;
    char path[96];

    snprintf(path, sizeof path, "/dev/shm/sem.%s", name + 1);
    EXPECT(unipc_sem_open(&sem, name, 0, NULL) == -ENOENT && sem == NULL);
    EXPECT(unipc_sem_create(NULL, name, 1, 0, NULL) == -EINVAL);
    EXPECT(unipc_sem_create(&sem, NULL, 1, 0, NULL) == -EINVAL);
    EXPECT(unipc_sem_create(&sem, name, 1, 1 << 20, NULL) == -EINVAL);
    EXPECT(unipc_sem_create(&sem, name, 2147483648U, 0, NULL) == -EINVAL);
    EXPECT(unipc_sem_create(&sem, name, 1, UNIPC_SEM_UNDO, NULL) == -EOPNOTSUPP);
    EXPECT(unipc_sem_create(&sem, "memfd:demo", 1, 0, NULL) == -EOPNOTSUPP);
    EXPECT(unipc_sem_create(&sem, "sysv:id=42", 1, 0, NULL) == -EINVAL);
    EXPECT(unipc_sem_create(&sem, "sysv:private", 32768, 0, NULL) == -EINVAL && sem == NULL);

    EXPECT(unipc_sem_create(&sem, name, 2, 0, &UNIPC_SEM_OPTS(.mode = 0646)) == 0);
    EXPECT(stat(path, &file) == 0 && (file.st_mode & 07777) == 0646);
    EXPECT(strcmp(unipc_sem_name(sem), name) == 0);
    EXPECT(unipc_sem_backing(sem) == UNIPC_SEM_POSIX);
    EXPECT(unipc_sem_id(sem) == -EOPNOTSUPP && unipc_sem_index(sem) == 0);
    EXPECT(unipc_sem_acquire(sem, NULL) == 0);
    unipc_sem_close(sem);

    EXPECT(unipc_sem_create(&sem, name, 2, 0, NULL) == -EEXIST && sem == NULL);
    EXPECT(unipc_sem_open_or_create(&sem, name, 9, 0, NULL) == 0 && value_of(sem) == 1);
    unipc_sem_close(sem);
    EXPECT(unipc_sem_unlink(name) == 0 && unipc_sem_unlink(name) == -ENOENT);
    EXPECT(unipc_sem_open_or_create(&sem, name, 9, UNIPC_SEM_REMOVE_ON_CLOSE, NULL) == 0);
    EXPECT(value_of(sem) == 9);
    unipc_sem_close(sem);
    EXPECT(unipc_sem_unlink(name) == -ENOENT);
}

/* Other programs use the same objects, with sem_open(3). */
static void posix(const char *name)
{
    unipc_sem *sem, *binary, *newer;
    sem_t *theirs;
    int value;

    EXPECT(unipc_sem_create(&sem, name, 1, 0, NULL) == 0);
    EXPECT(unipc_sem_open(&binary, name, UNIPC_SEM_BINARY | UNIPC_SEM_OWN_ONLY, NULL) == 0);
    theirs = sem_open(name, 0);
    EXPECT(theirs != SEM_FAILED);
    EXPECT(unipc_sem_release(binary) == -EOVERFLOW);
    EXPECT(unipc_sem_acquire(binary, &late) == 0);
    EXPECT(unipc_sem_acquire(sem, &now) == -EAGAIN);
    EXPECT(unipc_sem_acquire(sem, &soon) == -ETIMEDOUT);
    EXPECT(unipc_sem_acquire(sem, &wrong) == -EINVAL);
    EXPECT(unipc_sem_release(sem) == 0 && unipc_sem_release(sem) == 0);
    EXPECT(sem_getvalue(theirs, &value) == 0 && value == 2 && value_of(sem) == 2);
    EXPECT(sem_trywait(theirs) == 0 && value_of(sem) == 1 && sem_close(theirs) == 0);
    EXPECT(unipc_sem_set_value(sem, 5) == -EOPNOTSUPP);

    /* Who has it open keeps it; the name is another one's now. */
    EXPECT(unipc_sem_create(&newer, name, 7, UNIPC_SEM_REPLACE, NULL) == 0);
    EXPECT(value_of(newer) == 7 && value_of(sem) == 1);
    EXPECT(unipc_sem_remove(sem) == -ESTALE);
    EXPECT(unipc_sem_remove(newer) == 0);
    EXPECT(unipc_sem_remove(newer) == -ENOENT);
    EXPECT(value_of(newer) == 7);
    unipc_sem_close(newer);
    unipc_sem_close(binary);
    unipc_sem_close(sem);
}

static void in_memory(void)
{
    unipc_shm *shm;
    unipc_sem *sem, *binary = NULL;
    sem_t *theirs;

    EXPECT(unipc_sem_size() == sizeof(sem_t));
    EXPECT(unipc_shm_create(&shm, "anon:", 4096, 0, NULL) == 0);
    EXPECT(unipc_sem_create_at(&sem, NULL, 64, 3, 0) == -EINVAL);
    EXPECT(unipc_sem_create_at(&sem, shm, 65, 3, 0) == -EINVAL);
    EXPECT(unipc_sem_create_at(&sem, shm, 64, 2147483648U, 0) == -EINVAL);
    EXPECT(unipc_sem_create_at(&sem, shm, 4096 - 8, 3, 0) == -ERANGE);
    EXPECT(unipc_sem_create_at(&sem, shm, 64, 3, UNIPC_SEM_UNDO) == -EOPNOTSUPP && sem == NULL);
    EXPECT(unipc_sem_create_at(&sem, shm, 64, 3, 0) == 0);
    EXPECT(unipc_sem_open_at(&binary, shm, 64, UNIPC_SEM_REPLACE) == -EINVAL && binary == NULL);
    EXPECT(unipc_sem_open_at(&binary, shm, 4096, 0) == -ERANGE);
    EXPECT(unipc_sem_open_at(&binary, shm, 64, UNIPC_SEM_BINARY) == 0);
    EXPECT(unipc_sem_backing(sem) == UNIPC_SEM_MEMORY);
    EXPECT(strcmp(unipc_sem_name(sem), unipc_shm_name(shm)) == 0);

    theirs = (sem_t *)(void *)((char *)unipc_shm_data(shm) + 64);
    EXPECT(sem_trywait(theirs) == 0 && value_of(binary) == 2);
    EXPECT(unipc_sem_acquire(binary, &now) == 0 && unipc_sem_acquire(sem, &now) == 0);
    EXPECT(unipc_sem_acquire(sem, &now) == -EAGAIN);
    EXPECT(unipc_sem_release(binary) == 0 && unipc_sem_release(binary) == -EOVERFLOW);
    EXPECT(unipc_sem_remove(sem) == -EOPNOTSUPP);
    unipc_sem_close(binary);
    unipc_sem_close(sem);
    unipc_shm_close(shm);
}

/* What a process that dies has acquired comes back. */
static void undone(const char *name)
{
    unipc_sem *sem;
    int status;
    pid_t child;

    EXPECT(unipc_sem_open(&sem, name, UNIPC_SEM_UNDO, NULL) == 0);
    EXPECT(value_of(sem) == 1);
    child = fork();
    EXPECT(child >= 0);
    if (child == 0)
        _exit(unipc_sem_acquire(sem, &now) == 0 && value_of(sem) == 0 ? 0 : 1);
    EXPECT(waitpid(child, &status, 0) == child && status == 0);
    EXPECT(unipc_sem_acquire(sem, &late) == 0 && unipc_sem_release(sem) == 0);
    unipc_sem_close(sem);
}

static void system_v(const char *name)
{
    unipc_sem *sem, *second;
    unsigned int value;

    EXPECT(unipc_sem_create(&sem, name, 1, 0, NULL) == 0);
    EXPECT(unipc_sem_create(&second, name, 1, 0, NULL) == -EEXIST && second == NULL);
    EXPECT(unipc_sem_open(&second, name, 0, &UNIPC_SEM_OPTS(.index = 1)) == -EINVAL);
    EXPECT(unipc_sem_backing(sem) == UNIPC_SEM_SYSTEM_V && unipc_sem_index(sem) == 0);
    EXPECT(strcmp(unipc_sem_name(sem), name) == 0);
    EXPECT(semctl(unipc_sem_id(sem), 0, GETVAL) == 1);
    undone(name);

    EXPECT(unipc_sem_set_value(sem, 32768) == -ERANGE && value_of(sem) == 1);
    EXPECT(unipc_sem_set_value(sem, 32767) == 0 && value_of(sem) == 32767);
    EXPECT(unipc_sem_release(sem) == -EOVERFLOW);
    EXPECT(unipc_sem_set_value(sem, 0) == 0);
    EXPECT(unipc_sem_acquire(sem, &now) == -EAGAIN);
    EXPECT(unipc_sem_acquire(sem, &soon) == -ETIMEDOUT);
    EXPECT(unipc_sem_unlink(name) == 0 && unipc_sem_unlink(name) == -ENOENT);
    EXPECT(unipc_sem_acquire(sem, NULL) == -EIDRM && unipc_sem_release(sem) == -EIDRM);
    EXPECT(unipc_sem_value(sem, &value) == -EIDRM && unipc_sem_set_value(sem, 1) == -EIDRM);
    EXPECT(unipc_sem_remove(sem) == -EIDRM);
    unipc_sem_close(sem);
    EXPECT(unipc_sem_unlink("sysv:private") == -EINVAL);
    EXPECT(unipc_sem_unlink("memfd:demo") == -EOPNOTSUPP && unipc_sem_unlink(NULL) == -EINVAL);
}

static void set_opening(const char *name)
{
    const uint16_t values[] = {3, 0, 5, 1}, high[] = {1, 32768};
    unipc_semset *set, *same;
    unipc_sem *one;

    EXPECT(unipc_semset_open(&set, name, 0, NULL) == -ENOENT && set == NULL);
    EXPECT(unipc_semset_create(&set, name, values, 0, 0, NULL) == -EINVAL);
    EXPECT(unipc_semset_create(&set, name, NULL, 3, 0, NULL) == -EINVAL);
    EXPECT(unipc_semset_create(&set, name, high, 2, 0, NULL) == -ERANGE);
    EXPECT(unipc_semset_create(&set, name, values, 3, 0, &UNIPC_SEM_OPTS(.mode = 0611)) == -EINVAL);
    EXPECT(unipc_semset_create(&set, "/demo", values, 3, 0, NULL) == -EOPNOTSUPP);
    EXPECT(unipc_semset_open(&set, "/demo", 0, NULL) == -EOPNOTSUPP && set == NULL);
    EXPECT(unipc_semset_create(&set, name, values, 3, UNIPC_SEM_REMOVE_ON_CLOSE, NULL) == 0);
    EXPECT(unipc_semset_create(&same, name, values, 3, 0, NULL) == -EEXIST && same == NULL);
    EXPECT(strcmp(unipc_semset_name(set), name) == 0 && unipc_semset_count(set) == 3);

    EXPECT(unipc_semset_open(&same, name, UNIPC_SEM_OWN_ONLY, NULL) == 0);
    EXPECT(unipc_semset_id(same) == unipc_semset_id(set) && unipc_semset_count(same) == 3);
    EXPECT(semctl(unipc_semset_id(set), 2, GETVAL) == 5);
    unipc_semset_close(same);
    EXPECT(unipc_semset_open_or_create(&same, name, values, 4, 0, NULL) == -EINVAL && same == NULL);
    EXPECT(unipc_semset_open_or_create(&same, name, values + 1, 2, 0, NULL) == 0);
    EXPECT(unipc_semset_count(same) == 3 && unipc_semset_value(same, 0) == 3);
    unipc_semset_close(same);
    EXPECT(unipc_sem_open(&one, name, 0, &UNIPC_SEM_OPTS(.index = 2)) == 0);
    EXPECT(unipc_sem_index(one) == 2 && value_of(one) == 5);
    unipc_sem_close(one);
    unipc_semset_close(set);

    EXPECT(unipc_semset_open(&set, name, 0, NULL) == -ENOENT);
    EXPECT(unipc_semset_open_or_create(&set, name, values, 4, 0, NULL) == 0);
    EXPECT(unipc_semset_count(set) == 4 && unipc_semset_value(set, 2) == 5);
    EXPECT(unipc_semset_remove(set) == 0);
    unipc_semset_close(set);
}

/* All of the operations, or none. */
static void operations(void)
{
    struct sembuf both[] = {{0, -1, 0}, {1, -2, 0}}, give = {1, 2, 0}, beyond = {2, 1, 0};
    struct sembuf no_wait = {1, -1, IPC_NOWAIT}, many = {1, 32767, 0};
    const uint16_t values[] = {1, 1};
    unipc_semset *set;

    EXPECT(unipc_semset_create(&set, "sysv:private", values, 2, 0, NULL) == 0);
    EXPECT(unipc_semset_operate(set, both, 2, &now) == -EAGAIN);
    EXPECT(unipc_semset_operate(set, both, 2, &soon) == -ETIMEDOUT);
    EXPECT(unipc_semset_value(set, 0) == 1 && unipc_semset_value(set, 1) == 1);
    EXPECT(unipc_semset_operate(set, &give, 1, NULL) == 0 && unipc_semset_value(set, 1) == 3);
    EXPECT(unipc_semset_operate(set, both, 2, &late) == 0);
    EXPECT(unipc_semset_value(set, 0) == 0 && unipc_semset_value(set, 1) == 1);
    EXPECT(unipc_semset_operate(set, &beyond, 1, &now) == -EFBIG);
    EXPECT(unipc_semset_operate(set, &many, 1, &now) == -ERANGE);
    EXPECT(unipc_semset_operate(set, both, 0, &now) == -EINVAL);
    EXPECT(unipc_semset_operate(set, both, 2, &wrong) == -EINVAL);

    EXPECT(unipc_semset_wait_zero(set, 0, NULL) == 0);
    EXPECT(unipc_semset_wait_zero(set, 1, &now) == -EAGAIN);
    EXPECT(unipc_semset_wait_zero(set, 1, &soon) == -ETIMEDOUT);
    EXPECT(unipc_semset_acquire(set, 1, 1, &now) == 0 && unipc_semset_value(set, 1) == 0);
    EXPECT(unipc_semset_operate(set, &no_wait, 1, &late) == -EAGAIN);
    EXPECT(unipc_semset_release(set, 1, 4) == 0 && unipc_semset_value(set, 1) == 4);
    EXPECT(unipc_semset_acquire(set, 1, 5, &now) == -EAGAIN && unipc_semset_value(set, 1) == 4);
    EXPECT(unipc_semset_acquire(set, 1, 5, &soon) == -ETIMEDOUT);
    EXPECT(unipc_semset_release(set, 1, 32767) == -ERANGE);
    EXPECT(unipc_semset_release(set, 2, 1) == -EFBIG);
    EXPECT(unipc_semset_remove(set) == 0);
    EXPECT(unipc_semset_acquire(set, 1, 1, NULL) == -EIDRM);
    EXPECT(unipc_semset_release(set, 1, 1) == -EIDRM);
    EXPECT(unipc_semset_wait_zero(set, 1, NULL) == -EIDRM);
    EXPECT(unipc_semset_operate(set, both, 2, NULL) == -EIDRM);
    unipc_semset_close(set);
}

static void set_values(void)
{
    const uint16_t first[] = {3, 0, 5}, second[] = {7, 8, 9}, high[] = {1, 1, 32768};
    uint16_t read[] = {99, 99, 99, 99};
    unipc_sem_information info;
    unipc_semset *set;

    EXPECT(unipc_semset_create(&set, "sysv:private", first, 3, 0, NULL) == 0);
    EXPECT(unipc_semset_values(set, NULL, 0) == 3);
    EXPECT(unipc_semset_values(set, NULL, 1) == -EINVAL);
    EXPECT(unipc_semset_values(set, read, 2) == 3);
    EXPECT(read[0] == 3 && read[1] == 0 && read[2] == 99);
    EXPECT(unipc_semset_set_values(set, high, 3) == -ERANGE && unipc_semset_value(set, 0) == 3);
    EXPECT(unipc_semset_set_values(set, second, 2) == -EINVAL);
    EXPECT(unipc_semset_set_values(set, second, 3) == 0);
    EXPECT(unipc_semset_values(set, read, 4) == 3);
    EXPECT(memcmp(read, second, sizeof second) == 0 && read[3] == 99);

    EXPECT(unipc_semset_set_value(set, 1, 32768) == -ERANGE);
    EXPECT(unipc_semset_set_value(set, 3, 1) == -EINVAL && unipc_semset_value(set, 3) == -EINVAL);
    EXPECT(unipc_semset_set_value(set, 1, 32767) == 0 && unipc_semset_value(set, 1) == 32767);
    EXPECT(unipc_semset_acquire(set, 1, 32767, &now) == 0);
    EXPECT(unipc_semset_info(set, 3, &info) == -EINVAL);
    EXPECT(unipc_semset_info(set, 1, &info) == 0 && info.value == 0 && info.last_pid == getpid());
    EXPECT(info.waiting_increase == 0 && info.waiting_zero == 0);
    EXPECT(unipc_semset_remove(set) == 0 && unipc_semset_remove(set) == -EIDRM);
    EXPECT(unipc_semset_value(set, 0) == -EIDRM && unipc_semset_set_value(set, 0, 1) == -EIDRM);
    EXPECT(unipc_semset_values(set, read, 4) == -EIDRM);
    EXPECT(unipc_semset_set_values(set, second, 3) == -EIDRM);
    EXPECT(unipc_semset_info(set, 0, &info) == -EIDRM);
    unipc_semset_close(set);
}

static int listed(int id)
{
    static unipc_semset_status all[4096];
    ssize_t count = unipc_semset_list(all, COUNT_OF(all));
    ssize_t i;

    EXPECT(count >= 0 && count <= (ssize_t)COUNT_OF(all));
    for (i = 0; i < count; i++)
        if (all[i].id == id)
            return (int)all[i].count;
    return 0;
}

static void status(const char *name)
{
    const uint16_t values[] = {1, 2, 3};
    unipc_semset_status stat;
    unipc_semset *set;

    EXPECT(unipc_semset_create(&set, name, values, 3, 0, &UNIPC_SEM_OPTS(.mode = 0640)) == 0);
    EXPECT(unipc_semset_stat(set, &stat) == 0);
    EXPECT(stat.id == unipc_semset_id(set) && stat.mode == 0640 && stat.count == 3);
    EXPECT((unsigned int)stat.key == strtoul(name + strlen("sysv:"), NULL, 16));
    EXPECT(stat.uid == geteuid() && stat.gid == getegid());
    EXPECT(stat.cuid == geteuid() && stat.cgid == getegid() && stat.change_time > 0);
    EXPECT(unipc_semset_set(set, UINT32_MAX, UINT32_MAX, 0611) == -EINVAL);
    EXPECT(unipc_semset_set(set, UINT32_MAX, UINT32_MAX, 01000) == -EINVAL);
    EXPECT(unipc_semset_set(set, UINT32_MAX, UINT32_MAX, 0660) == 0);
    EXPECT(unipc_semset_release(set, 0, 1) == 0);
    EXPECT(unipc_semset_stat(set, &stat) == 0 && stat.mode == 0660 && stat.operation_time > 0);
    EXPECT(stat.uid == geteuid() && stat.gid == getegid());
    EXPECT(unipc_semset_stat(set, NULL) == -EINVAL);

    EXPECT(listed(unipc_semset_id(set)) == 3);
    EXPECT(unipc_semset_list(NULL, 0) >= 1 && unipc_semset_list(NULL, 1) == -EINVAL);
    EXPECT(unipc_semset_remove(set) == 0 && listed(unipc_semset_id(set)) == 0);
    EXPECT(unipc_semset_stat(set, &stat) == -EIDRM);
    EXPECT(unipc_semset_set(set, UINT32_MAX, UINT32_MAX, 0600) == -EIDRM);
    unipc_semset_close(set);
}

static void system_wide(void)
{
    const uint16_t values[] = {1, 2, 3};
    unsigned long semmsl, semmns, semopm, semmni;
    unipc_sem_limit_values limits;
    unipc_sem_usage_values usage;
    unipc_semset *set;
    FILE *kernel = fopen("/proc/sys/kernel/sem", "r");

    EXPECT(kernel != NULL);
    EXPECT(fscanf(kernel, "%lu %lu %lu %lu", &semmsl, &semmns, &semopm, &semmni) == 4);
    EXPECT(fclose(kernel) == 0);
    EXPECT(unipc_sem_limits(&limits) == 0 && unipc_sem_limits(NULL) == -EINVAL);
    EXPECT(limits.semmsl == semmsl && limits.semmns == semmns);
    EXPECT(limits.semopm == semopm && limits.semmni == semmni && limits.semvmx == 32767);

    EXPECT(unipc_semset_create(&set, "sysv:private", values, 3, 0, NULL) == 0);
    EXPECT(unipc_sem_usage(&usage) == 0 && unipc_sem_usage(NULL) == -EINVAL);
    EXPECT(usage.sets >= 1 && usage.semaphores >= 3);
    EXPECT(unipc_semset_remove(set) == 0);
    unipc_semset_close(set);
}

static void nothing(void)
{
    unsigned int value;

    unipc_sem_close(NULL);
    EXPECT(unipc_sem_acquire(NULL, &now) == -EINVAL && unipc_sem_release(NULL) == -EINVAL);
    EXPECT(unipc_sem_value(NULL, &value) == -EINVAL && unipc_sem_set_value(NULL, 1) == -EINVAL);
    EXPECT(unipc_sem_remove(NULL) == -EINVAL && unipc_sem_name(NULL) == NULL);
    EXPECT(unipc_sem_backing(NULL) == -EINVAL);
    EXPECT(unipc_sem_id(NULL) == -EINVAL && unipc_sem_index(NULL) == -EINVAL);
    unipc_semset_close(NULL);
    EXPECT(unipc_semset_acquire(NULL, 0, 1, &now) == -EINVAL);
    EXPECT(unipc_semset_release(NULL, 0, 1) == -EINVAL);
    EXPECT(unipc_semset_name(NULL) == NULL && unipc_semset_id(NULL) == -EINVAL);
    EXPECT(unipc_semset_count(NULL) == 0 && unipc_semset_value(NULL, 0) == -EINVAL);
    EXPECT(unipc_semset_remove(NULL) == -EINVAL);
}

int main(void)
{
    char name[64], key[64];

    snprintf(name, sizeof name, "/ffi-sem-%ld", (long)getpid());
    snprintf(key, sizeof key, "sysv:0x5e%06lx", (unsigned long)getpid());
    opening(name);
    posix(name);
    in_memory();
    system_v(key);
    set_opening(key);
    operations();
    set_values();
    status(key);
    system_wide();
    nothing();
    puts("all as promised");
    return 0;
}
