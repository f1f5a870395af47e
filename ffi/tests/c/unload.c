/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* A host that unloads the library, argv[1], after a guarded access: SIGBUS still reaches its own
 * handler, which says so and exits 0. */
#include <dlfcn.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>
#include <unipc.h>

static void of_the_host(int number)
{
    static const char said[] = "the host's handler ran\n";
    (void)number;
    _exit(write(STDOUT_FILENO, said, sizeof(said) - 1) < 0);
}

int main(int argc, char **argv)
{
    int (*create)(unipc_shm **, const char *, size_t, unsigned, const unipc_shm_opts *);
    int (*begin)(const unipc_shm *), (*end)(const unipc_shm *);
    void (*finish)(unipc_shm *);
    unipc_shm_opts opts = UNIPC_SHM_OPTS_INIT;
    unipc_shm *shm = NULL;
    FILE *empty = tmpfile();
    if (argc < 2 || empty == NULL || signal(SIGBUS, of_the_host) == SIG_ERR)
        return 1;
    void *library = dlopen(argv[1], RTLD_NOW);
    if (library == NULL)
        return 1;
    *(void **)&create = dlsym(library, "unipc_shm_create");
    *(void **)&begin = dlsym(library, "unipc_shm_begin_access");
    *(void **)&end = dlsym(library, "unipc_shm_end_access");
    *(void **)&finish = dlsym(library, "unipc_shm_close");
    opts.seals = UNIPC_SEAL_NONE;
    if (create(&shm, "memfd:plugin", 4096, 0, &opts) < 0 || begin(shm) < 0 || end(shm) < 0)
        return 1;
    finish(shm);
    dlclose(library);

    const char *nothing = mmap(NULL, 1, PROT_READ, MAP_SHARED, fileno(empty), 0);
    if (nothing == MAP_FAILED)
        return 1;
    return *(const volatile char *)nothing + 1;
}
