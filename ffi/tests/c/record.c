/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Calls each function of records, and expects what its comment in the header promises. In C11, where
   the compiler states the layouts. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <unipc.h>

#include "expect.h"

struct people {
    char name[4];
    int age;
};

struct vector {
    float x, y;
};

enum colour { RED, GREEN };

struct everything {
    _Bool b;
    char c;
    signed char i8;
    unsigned char u8;
    short i16;
    unsigned short u16;
    int i32;
    unsigned u32;
    long l;
    unsigned long ul;
    long long i64;
    unsigned long long u64;
    float f32;
    double f64;
    float _Complex c64;
    double _Complex c128;
    enum colour colour;
    char words[2][8];
    double matrix[2][3];
    int one[1];
    struct vector at, path[3];
};

#define PEOPLE UNIPC_LAYOUT(struct people, name, age)
#define M(name) UNIPC_MEMBER(struct everything, name)

static const struct timespec now = {0, 0}, wrong = {-1, 0};

static void layouts(void)
{
    char few[8], text[4096];
    const unipc_member strange = {"m", "=i", 0, 4, 0, 7};

    EXPECT(strcmp(PEOPLE, "T{<4s:name:<i:age:}") == 0);
    EXPECT(strcmp(UNIPC_LAYOUT(struct people, age, name), PEOPLE) == 0);
    EXPECT(
        strcmp(UNIPC_LAYOUT_OF(
                   struct everything, M(b), M(c), M(i8), M(u8), M(i16), M(u16), M(i32), M(u32),
                   M(l), M(ul), M(i64), M(u64), M(f32), M(f64), M(c64), M(c128), M(colour),
                   UNIPC_MATRIX_MEMBER(struct everything, words),
                   UNIPC_MATRIX_MEMBER(struct everything, matrix), M(one),
                   UNIPC_MEMBER_AS(struct everything, at, UNIPC_LAYOUT(struct vector, x, y)),
                   UNIPC_MEMBER_AS(struct everything, path, UNIPC_LAYOUT(struct vector, x, y))),
               "T{<?:b:<1s:c:<b:i8:<B:u8:<h:i16:<H:u16:<i:i32:<I:u32:<q:l:<Q:ul:<q:i64:<Q:u64:"
               "<f:f32:4x<d:f64:<Zf:c64:<Zd:c128:<I:colour:(2)<8s:words:4x(2,3)<d:matrix:(1)<i:one:"
               "T{<f:x:<f:y:}:at:(3)T{<f:x:<f:y:}:path:4x}") == 0);
    EXPECT(unipc_layout_size(PEOPLE) == sizeof(struct people));
    EXPECT(unipc_layout_size("T{P:next:}") == -EINVAL && unipc_layout_size(NULL) == -EINVAL);

    /* What cannot be made is refused by everything. */
    EXPECT(strcmp(unipc_layout_text(few, sizeof few, 4, &strange, 1), "!") == 0 && errno == EINVAL);
    EXPECT(strcmp(unipc_layout_text(few, sizeof few, 8,
                                    (const unipc_member[]){UNIPC_MEMBER(struct people, age)}, 1),
                  "!") == 0 &&
           errno == EMSGSIZE);
    EXPECT(unipc_layout_size("!") == -EINVAL);

    EXPECT(unipc_layout_check(PEOPLE, "T{4s:name:i:age:}") == 0);
    EXPECT(unipc_layout_check(PEOPLE, "T{4s:name:d:age:}") == -EPROTO);
    EXPECT(strstr(unipc_last_error(),
                  "\"age\" is float64 at offset 8 in the object, int32 at offset 4"));
    EXPECT(unipc_layout_check(PEOPLE, "k") == -EINVAL);

    EXPECT(unipc_layout_c(PEOPLE, "people", text, sizeof text) == (ssize_t)strlen(text));
    EXPECT(strncmp(text, "struct people {\n    char name[4];\n", 34) == 0);
    EXPECT(unipc_layout_c(PEOPLE, "people", text, 10) == -EMSGSIZE);
    EXPECT(unipc_layout_c(PEOPLE, "int", text, sizeof text) == -EINVAL);
}

static void named_array(const char *name)
{
    const unipc_record_opts opts = UNIPC_RECORD_OPTS(.read_only = 1);
    unipc_array *array = NULL, *other = NULL;
    struct people one = {"ann", 21};
    struct people *all;

    EXPECT(unipc_array_open_named(&array, name, UNIPC_RECORD_OPEN, NULL, 0, NULL) == -ENOENT);
    EXPECT(unipc_array_open_named(&array, name, UNIPC_RECORD_CREATE, NULL, 10, NULL) == -EINVAL);
    EXPECT(unipc_array_open_named(&array, name, UNIPC_RECORD_CREATE, PEOPLE, 0, NULL) == -EINVAL);
    EXPECT(unipc_array_open_named(&array, name, UNIPC_RECORD_CREATE, "!", 10, NULL) == -EINVAL);
    EXPECT(array == NULL);
    EXPECT(unipc_array_open_named(&array, name, UNIPC_RECORD_CREATE, PEOPLE, 10, NULL) == 0);
    EXPECT(unipc_array_open_named(&other, name, UNIPC_RECORD_CREATE, PEOPLE, 10, NULL) == -EEXIST);
    EXPECT(unipc_array_open_named(&other, name, UNIPC_RECORD_OPEN, "T{4s:name:d:age:}", 0, NULL) ==
           -EPROTO);
    EXPECT(strstr(unipc_last_error(), "\"age\" is int32 at offset 4") != NULL);
    EXPECT(unipc_array_open_named(&other, name, UNIPC_RECORD_OPEN_OR_CREATE, PEOPLE, 11, NULL) ==
           -EPROTO);
    EXPECT(unipc_array_open_named(&other, name, UNIPC_RECORD_OPEN, NULL, 0, &opts) == 0);

    EXPECT(unipc_array_length(other) == 10 && unipc_array_record_size(other) == sizeof one);
    EXPECT(strcmp(unipc_array_layout(other), PEOPLE) == 0);
    EXPECT(unipc_array_fd(other) >= 0);
    all = unipc_array_data(array);
    EXPECT((uintptr_t)all % 64 == 0);
    all[9].age = 5;
    EXPECT(unipc_array_set(array, 8, &one, sizeof one) == 0 && all[8].age == 21);
    EXPECT(unipc_array_set(other, 8, &one, sizeof one) == -EACCES);
    EXPECT(unipc_array_get(other, 9, &one, sizeof one) == 0 && one.age == 5);
    EXPECT(unipc_array_get(other, 10, &one, sizeof one) == -ERANGE);
    EXPECT(unipc_array_get(other, 9, &one, 4) == -EINVAL);
    unipc_array_close(other);
    unipc_array_close(array);
    unipc_array_close(NULL);
    EXPECT(unipc_shm_unlink(name) == 0);
}

static void array_in_memory(const unipc_shm *shm)
{
    unipc_array *array = NULL, *raw = NULL;
    struct people *all;

    EXPECT(unipc_array_size(PEOPLE, 10) == 384 + 80);
    EXPECT(unipc_array_size(PEOPLE, (size_t)-1) == -EOVERFLOW);
    EXPECT(unipc_array_open(&array, shm, 4, UNIPC_RECORD_CREATE, PEOPLE, 10, NULL) == -EINVAL);
    EXPECT(unipc_array_open(&array, shm, 0, UNIPC_RECORD_CREATE, PEOPLE, 1 << 20, NULL) == -ERANGE);
    EXPECT(unipc_array_open(&array, shm, 0, 3, PEOPLE, 10, NULL) == -EINVAL);
    EXPECT(unipc_array_open(&array, shm, 0, UNIPC_RECORD_OPEN_OR_CREATE, PEOPLE, 10, NULL) == 0);
    EXPECT(unipc_array_fd(array) >= 0);
    all = unipc_array_data(array);
    all[1].age = 17;

    EXPECT(unipc_array_over(&raw, shm, 384, PEOPLE, 10) == 0);
    EXPECT(((struct people *)unipc_array_data(raw))[1].age == 17);
    unipc_array_close(raw);
    EXPECT(unipc_array_over(&raw, shm, 2, PEOPLE, 1) == -EINVAL && raw == NULL);
    EXPECT(unipc_array_over(&raw, shm, 0, PEOPLE, 1 << 20) == -ERANGE);
    EXPECT(unipc_array_over(&raw, shm, 0, PEOPLE, 0) == 0);
    EXPECT(unipc_array_length(raw) == unipc_shm_size(shm) / sizeof(struct people));
    unipc_array_close(raw);
    unipc_array_close(array);
}

static void cells(const unipc_shm *shm, const char *name)
{
    const unipc_record_opts opts = UNIPC_RECORD_OPTS(.read_only = 1);
    unipc_cell *cell = NULL, *other = NULL;
    struct people one = {"eve", 30};
    uint64_t version;
    pid_t child;
    int status;

    EXPECT(unipc_cell_size(PEOPLE) == 384 + 4 * 64 && unipc_cell_size(NULL) == -EINVAL);
    EXPECT(unipc_cell_open(&cell, shm, 8192, UNIPC_RECORD_OPEN_OR_CREATE, PEOPLE, NULL) == 0);
    EXPECT(unipc_cell_open(&other, shm, 8192, UNIPC_RECORD_CREATE, PEOPLE, NULL) == -EEXIST);
    EXPECT(unipc_cell_fd(cell) >= 0);
    unipc_cell_close(cell);

    EXPECT(unipc_cell_open_named(&cell, name, UNIPC_RECORD_CREATE, PEOPLE, NULL) == 0);
    EXPECT(unipc_cell_open_named(&other, name, UNIPC_RECORD_OPEN, "d", NULL) == -EPROTO);
    EXPECT(unipc_cell_open_named(&other, name, UNIPC_RECORD_OPEN, NULL, &opts) == 0);
    EXPECT(strcmp(unipc_cell_layout(other), PEOPLE) == 0);
    EXPECT(unipc_cell_record_size(other) == sizeof one && unipc_cell_fd(other) >= 0);
    EXPECT(unipc_cell_version(other, &version) == 0 && version == 0);
    EXPECT(unipc_cell_write(cell, &one, sizeof one, NULL) == 0);
    EXPECT(unipc_cell_write(cell, &one, 4, NULL) == -EINVAL);
    EXPECT(unipc_cell_write(cell, &one, sizeof one, &wrong) == -EINVAL);
    EXPECT(unipc_cell_write(other, &one, sizeof one, &now) == -EACCES);
    one.age = 0;
    EXPECT(unipc_cell_read(other, &one, sizeof one, &version) == 0);
    EXPECT(version == 1 && one.age == 30);
    EXPECT(unipc_cell_read(other, &one, 4, NULL) == -EINVAL);

    child = fork();
    EXPECT(child >= 0);
    if (child == 0)
        for (one.age = 31;; one.age++)
            EXPECT(unipc_cell_write(cell, &one, sizeof one, NULL) == 0);
    do
        EXPECT(unipc_cell_version(other, &version) == 0);
    while (version < 100);
    EXPECT(kill(child, SIGKILL) == 0 && waitpid(child, &status, 0) == child);
    EXPECT(unipc_cell_write(cell, &one, sizeof one, &now) == 0);
    unipc_cell_close(other);
    unipc_cell_close(cell);
    EXPECT(unipc_shm_unlink(name) == 0);
}

static void directories(const unipc_shm *shm)
{
    const unipc_record_opts opts = UNIPC_RECORD_OPTS(.entries = 3, .turn_ms = 10000);
    unipc_directory *plant = NULL;
    unipc_place place, places[2];
    unipc_mutex *mutex;
    unipc_cell *cell;

    EXPECT(unipc_directory_open(&plant, shm, 16384, UNIPC_RECORD_OPEN, 0, NULL) == -EPROTO);
    EXPECT(unipc_directory_open(&plant, shm, 16384, UNIPC_RECORD_CREATE, 100, NULL) == -EINVAL);
    EXPECT(unipc_directory_open(&plant, shm, 16384, UNIPC_RECORD_CREATE, 0, &opts) == 0);
    unipc_directory_close(plant);
    EXPECT(unipc_directory_open(&plant, shm, 16384, UNIPC_RECORD_OPEN, 0, NULL) == 0);

    EXPECT(unipc_directory_find(plant, "lock", &place) == -ENOENT);
    EXPECT(unipc_directory_place(plant, "lock", unipc_mutex_size(), &place) == 0);
    EXPECT(place.size == unipc_mutex_size() && strcmp(place.name, "lock") == 0);
    EXPECT(place.kind[0] == 0);
    EXPECT(unipc_mutex_open(&mutex, shm, place.offset, UNIPC_SYNC_CREATE, NULL) == 0);
    unipc_mutex_close(mutex);
    EXPECT(unipc_directory_place(plant, "lock", 64, NULL) == -EEXIST);
    EXPECT(unipc_directory_place(plant, "", 64, NULL) == -EINVAL);
    EXPECT(unipc_directory_place(plant, "much", 1 << 20, NULL) == -ENOSPC);
    EXPECT(unipc_directory_find_or_place(plant, "cell", (size_t)unipc_cell_size("d"), &place) == 1);
    EXPECT(unipc_cell_open(&cell, shm, place.offset, UNIPC_RECORD_CREATE, "d", NULL) == 0);
    unipc_cell_close(cell);
    EXPECT(unipc_directory_find_or_place(plant, "cell", 64, NULL) == 0);
    EXPECT(unipc_directory_find_or_place(plant, "cell", 4096, NULL) == -EINVAL);
    EXPECT(unipc_directory_place(plant, "third", 1, NULL) == 0);
    EXPECT(unipc_directory_place(plant, "fourth", 1, NULL) == -ENOSPC);

    EXPECT(unipc_directory_list(plant, NULL, 0) == 3);
    EXPECT(unipc_directory_list(plant, places, 2) == 3);
    EXPECT(strcmp(places[0].kind, "mutex") == 0 && strcmp(places[1].kind, "cell") == 0);
    EXPECT(unipc_directory_remove(plant, "lock") == 0);
    EXPECT(unipc_directory_remove(plant, "lock") == -ENOENT);
    EXPECT(unipc_directory_place(plant, "again", 64, &place) == 0);
    EXPECT(place.offset == places[0].offset);
    unipc_directory_close(plant);
    unipc_directory_close(NULL);
}

static void record_queue(const char *name)
{
    const unipc_channel_opts opts = UNIPC_CHANNEL_OPTS(.layout = PEOPLE);
    const unipc_channel_opts twice = UNIPC_CHANNEL_OPTS(.layout = PEOPLE, .message_size = 9);
    struct people all[3] = {{"ann", 21}, {"bob", 22}, {"eve", 23}}, got[4];
    unipc_queue *queue = NULL, *other = NULL;

    EXPECT(unipc_queue_create(&queue, name, 4096, 0, &twice) == -EINVAL && queue == NULL);
    EXPECT(unipc_queue_create(&queue, name, 4096, 0, &opts) == 0);
    EXPECT(strcmp(unipc_queue_layout(queue), PEOPLE) == 0);
    EXPECT(unipc_queue_open_layout(&other, name, "T{4s:name:d:age:}", 0) == -EPROTO &&
           other == NULL);
    EXPECT(strstr(unipc_last_error(), "\"age\" is int32 at offset 4") != NULL);
    EXPECT(unipc_queue_open_layout(&other, name, "!", 0) == -EINVAL);
    EXPECT(unipc_queue_open_layout(&other, name, PEOPLE, 0) == 0);
    EXPECT(unipc_queue_send(other, "short", 5, NULL) == -EMSGSIZE);
    EXPECT(strstr(unipc_last_error(), "a message has 8 bytes here, not 5") != NULL);
    EXPECT(unipc_queue_send_many(queue, all, sizeof *all, 3, NULL) == 3);
    EXPECT(unipc_queue_recv_many(other, got, sizeof *got, 4, NULL) == 3);
    EXPECT(memcmp(got, all, sizeof all) == 0);
    unipc_queue_close(other);
    unipc_queue_close(queue);
    EXPECT(unipc_queue_unlink(name) == 0);

    EXPECT(unipc_queue_create(&queue, name, 4096, 0, NULL) == 0);
    EXPECT(unipc_queue_layout(queue) == NULL);
    EXPECT(unipc_queue_open_layout(&other, name, PEOPLE, 0) == -EPROTO);
    unipc_queue_close(queue);
    EXPECT(unipc_queue_unlink(name) == 0);
}

static void record_topic(const char *name)
{
    const unipc_channel_opts opts = UNIPC_CHANNEL_OPTS(.layout = PEOPLE);
    struct people one = {"ann", 21};
    unipc_topic *topic = NULL, *other = NULL;
    unipc_subscriber *subscriber = NULL;
    unipc_service *service = NULL;
    uint64_t lost;

    EXPECT(unipc_topic_create(&topic, name, 4096, UNIPC_CHANNEL_RELIABLE, &opts) == 0);
    EXPECT(unipc_topic_open_layout(&other, name, "=q", 0) == -EPROTO);
    EXPECT(unipc_topic_open_layout(&other, name, PEOPLE, 0) == 0);
    EXPECT(strcmp(unipc_topic_layout(other), PEOPLE) == 0);
    EXPECT(unipc_subscriber_open_layout(&subscriber, name, "=q", 0) == -EPROTO);
    EXPECT(unipc_subscriber_open_layout(&subscriber, name, PEOPLE, 0) == 0);
    EXPECT(strcmp(unipc_subscriber_layout(subscriber), PEOPLE) == 0);
    EXPECT(unipc_topic_publish(topic, &one, sizeof one, NULL) == 0);
    one.age = 0;
    EXPECT(unipc_subscriber_recv(subscriber, &one, sizeof one, &lost, NULL) == sizeof one);
    EXPECT(one.age == 21 && lost == 0);
    unipc_subscriber_close(subscriber);
    unipc_topic_close(other);
    unipc_topic_close(topic);
    EXPECT(unipc_topic_unlink(name) == 0);
    EXPECT(unipc_service_create(&service, name, 4096, 0, &opts) == -EINVAL && service == NULL);
}

static void channels_in_a_directory(void)
{
    const unipc_channel_opts opts = UNIPC_CHANNEL_OPTS(.layout = PEOPLE);
    const unipc_channel_opts huge = UNIPC_CHANNEL_OPTS(.huge_page_size = 4096);
    struct people one = {"ann", 21};
    unipc_shm *shm;
    unipc_directory *plant;
    unipc_place at;
    unipc_queue *queue = NULL, *worker = NULL;
    unipc_topic *topic = NULL;
    unipc_subscriber *subscriber = NULL, *other = NULL;
    unipc_service *service = NULL;
    unipc_client *client = NULL;
    char text[8];

    EXPECT(unipc_shm_create(&shm, "memfd:plant", 4 << 20, 0, NULL) == 0);
    EXPECT(unipc_directory_open(&plant, shm, 0, UNIPC_RECORD_CREATE, 0, NULL) == 0);
    EXPECT(unipc_queue_size(4096, &opts) > 4096 &&
           unipc_queue_size(4096, &huge) == unipc_queue_size(4096, NULL));
    EXPECT(unipc_directory_place_on_page(plant, "jobs", (size_t)unipc_queue_size(4096, &opts),
                                         &at) == 0);
    EXPECT(at.offset % unipc_page_size() == 0);
    EXPECT(unipc_queue_at(&queue, shm, at.offset, 3, 4096, 0, NULL) == -EINVAL);
    EXPECT(unipc_queue_at(&queue, shm, at.offset + 64, UNIPC_CHANNEL_CREATE, 4096, 0, NULL) ==
           -EINVAL);
    EXPECT(unipc_queue_at(&queue, shm, at.offset, UNIPC_CHANNEL_CREATE, 4096, 0, &huge) == -EINVAL);
    EXPECT(unipc_queue_at(&queue, shm, at.offset, UNIPC_CHANNEL_CREATE, 1 << 30, 0, NULL) ==
           -ERANGE);
    EXPECT(unipc_queue_at(&queue, shm, at.offset, UNIPC_CHANNEL_CREATE, 4096, 0, &opts) == 0);
    EXPECT(unipc_queue_at(&worker, shm, at.offset, UNIPC_CHANNEL_CREATE, 4096, 0, &opts) ==
           -EEXIST);
    EXPECT(unipc_directory_find(plant, "jobs", &at) == 0 && strcmp(at.kind, "queue") == 0);
    EXPECT(unipc_queue_at(&worker, shm, at.offset, UNIPC_CHANNEL_OPEN, 0, 0, NULL) == 0);
    EXPECT(strcmp(unipc_queue_layout(worker), PEOPLE) == 0);
    EXPECT(unipc_queue_send(queue, &one, sizeof one, NULL) == 0);
    one.age = 0;
    EXPECT(unipc_queue_recv(worker, &one, sizeof one, NULL) == sizeof one && one.age == 21);

    EXPECT(unipc_directory_find_or_place_on_page(plant, "frames",
                                                 (size_t)unipc_topic_size(4096, NULL), &at) == 1);
    EXPECT(unipc_topic_at(&topic, shm, at.offset, UNIPC_CHANNEL_OPEN_OR_CREATE, 4096, 0, NULL) ==
           0);
    EXPECT(unipc_subscriber_at(&subscriber, shm, at.offset, 0, &opts) == -EPROTO);
    EXPECT(unipc_subscriber_at(&subscriber, shm, at.offset, 0, NULL) == 0);
    EXPECT(unipc_topic_subscribe(&other, topic, 1U << 9) == -EINVAL);
    EXPECT(unipc_topic_subscribe(&other, topic, 0) == 0);
    EXPECT(unipc_topic_publish(topic, "frame", 5, NULL) == 0);
    EXPECT(unipc_subscriber_recv(subscriber, text, sizeof text, NULL, NULL) == 5);
    EXPECT(unipc_subscriber_recv(other, text, sizeof text, NULL, NULL) == 5 &&
           !memcmp(text, "frame", 5));

    EXPECT(unipc_directory_place_on_page(plant, "ask", (size_t)unipc_service_size(4096, NULL),
                                         &at) == 0);
    EXPECT(unipc_service_at(&service, shm, at.offset, UNIPC_CHANNEL_CREATE, 4096, 0, NULL) == 0);
    EXPECT(unipc_client_at(&client, shm, at.offset, 0, NULL) == 0);
    EXPECT(unipc_client_call(client, "?", 1, text, sizeof text, &now) < 0);

    unipc_client_close(client);
    unipc_service_close(service);
    unipc_topic_close(topic);
    unipc_subscriber_close(other);
    unipc_subscriber_close(subscriber);
    unipc_queue_close(worker);
    unipc_queue_close(queue);
    unipc_directory_close(plant);
    unipc_shm_close(shm);
}

int main(void)
{
    unipc_shm *shm;
    char name[64];

    snprintf(name, sizeof name, "/unipc-c-record-%ld", (long)getpid());
    EXPECT(unipc_shm_create(&shm, "memfd:record", 32768, 0, NULL) == 0);
    layouts();
    named_array(name);
    array_in_memory(shm);
    cells(shm, name);
    directories(shm);
    record_queue(name);
    record_topic(name);
    channels_in_a_directory();
    unipc_shm_close(shm);
    puts("all as promised");
    return 0;
}
