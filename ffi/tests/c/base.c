/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Calls the functions of the foundations once, and expects what their comments in the headers promise. */
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <unipc.h>

#include "expect.h"

static void base(void)
{
    EXPECT(unipc_version() == UNIPC_VERSION_NUMBER);
    EXPECT(strcmp(unipc_version_string(), UNIPC_VERSION_STRING) == 0);
    EXPECT(unipc_page_size() == (size_t)sysconf(_SC_PAGESIZE));
}

static void mechanisms(void)
{
    unipc_mechanism row;

    EXPECT(unipc_mechanism_count() > 10);
    EXPECT(unipc_mechanism_at(0, &row) == 0);
    EXPECT(strcmp(row.name, "pipe") == 0 && row.flow_control == 1 && row.records == 0);
    EXPECT(unipc_mechanism_at(unipc_mechanism_count(), &row) == -EINVAL);
}

static void errors(void)
{
    unipc_shm *shm;

    EXPECT(strcmp(unipc_last_error(), "") == 0);
    errno = 0;
    EXPECT(unipc_shm_open(&shm, "file:/nowhere/at/all", 0, NULL) == -ENOENT);
    EXPECT(errno == ENOENT && shm == NULL);
    EXPECT(strstr(unipc_last_error(), "/nowhere/at/all") != NULL);
    EXPECT(strcmp(unipc_strerror(-EEXIST), "File exists") == 0);
    EXPECT(strcmp(unipc_errname(EEXIST), "EEXIST") == 0);
}

static void names(void)
{
    char spelling[8];
    int32_t key;

    EXPECT(unipc_name_check("/demo") == 0);
    EXPECT(unipc_name_check("demo") == -EINVAL);
    EXPECT(unipc_name_canonical("posix:/demonstration", spelling, sizeof spelling) == 14);
    EXPECT(strcmp(spelling, "/demons") == 0);
    EXPECT(unipc_ftok("/", 1, &key) == 0 && key >> 24 == 1);
}

int main(void)
{
    base();
    errors();
    mechanisms();
    names();
    puts("all as promised");
    return 0;
}
