/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Sockets by libc alone: socket, bind, listen, accept, connect, sendmsg and recvmsg. */
#define _GNU_SOURCE
#include "plain.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { ROOM = 1 << 17, BLOCK = 1000, MOST = 8 };

/* The one listener and the one socket that this process has, and what came through it. */
static int listener = -1, sock = -1, came[MOST], arrived;
static unsigned char data[ROOM];

union address {
    struct sockaddr any;
    struct sockaddr_un un;
    struct sockaddr_in in;
    struct sockaddr_storage storage;
};

static int failed(void)
{
    return answer_error(strerrorname_np(errno));
}

/* unix:PATH, unix:@NAME, tcp:127.0.0.1:PORT */
static socklen_t address_of(const char *name, union address *address)
{
    memset(address, 0, sizeof *address);
    if (strncmp(name, "tcp:", 4) == 0) {
        const char *port = strrchr(name, ':');
        address->in.sin_family = AF_INET;
        address->in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        address->in.sin_port = htons((uint16_t)strtoul(port + 1, NULL, 10));
        return sizeof address->in;
    }
    const char *path = name + strlen("unix:");
    size_t length = strlen(path), room = sizeof address->un.sun_path;
    address->un.sun_family = AF_UNIX;
    memcpy(address->un.sun_path, path, length < room ? length : room);
    if (path[0] == '@')
        address->un.sun_path[0] = 0;
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
}

static void name_of(const union address *address, socklen_t size, char name[256])
{
    int length = (int)size - (int)offsetof(struct sockaddr_un, sun_path);
    if (size >= sizeof address->in && address->any.sa_family == AF_INET)
        snprintf(name, 256, "tcp:127.0.0.1:%d", ntohs(address->in.sin_port));
    else if (length <= 0)
        strcpy(name, "-");
    else if (address->un.sun_path[0] == 0)
        snprintf(name, 256, "unix:@%.*s", length - 1, address->un.sun_path + 1);
    else
        snprintf(name, 256, "unix:%.*s", length, address->un.sun_path);
}

static int told(int fd)
{
    union address address;
    socklen_t size = sizeof address;
    char name[256];
    if (getsockname(fd, &address.any, &size) < 0)
        return failed();
    name_of(&address, size, name);
    return answer("name=%s", name);
}

static int new_socket(const struct request *request, const union address *address)
{
    const char *kind = text(request, "kind");
    int type = kind && strcmp(kind, "datagram") == 0    ? SOCK_DGRAM
               : kind && strcmp(kind, "seqpacket") == 0 ? SOCK_SEQPACKET
                                                        : SOCK_STREAM;
    return socket(address->any.sa_family, type | SOCK_CLOEXEC, 0);
}

static int listen_at(const struct request *request)
{
    union address address;
    socklen_t size = address_of(text(request, "name"), &address);
    listener = new_socket(request, &address);
    if (listener < 0 || bind(listener, &address.any, size) < 0 || listen(listener, 8) < 0)
        return failed();
    return told(listener);
}

static int bind_to(const struct request *request)
{
    union address address;
    socklen_t size = address_of(text(request, "name"), &address);
    sock = new_socket(request, &address);
    if (sock < 0 || bind(sock, &address.any, size) < 0)
        return failed();
    return told(sock);
}

static int connect_to(const struct request *request)
{
    union address address, own;
    socklen_t size = address_of(text(request, "name"), &address);
    const char *local = text(request, "local");
    sock = new_socket(request, &address);
    if (sock < 0 || (local && bind(sock, &own.any, address_of(local, &own)) < 0) ||
        connect(sock, &address.any, size) < 0)
        return failed();
    return told(sock);
}

static int accept_one(const struct request *request)
{
    (void)request;
    waiting();
    sock = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    return sock < 0 ? failed() : told(sock);
}

/* timeout=0 is a try; everything else waits, and says so. */
static int flags(const struct request *request)
{
    if (text(request, "timeout"))
        return MSG_DONTWAIT;
    waiting();
    return 0;
}

static int send_bytes(const struct request *request)
{
    union address to;
    size_t size, done = 0;
    const unsigned char *all = bytes(request, "hex", &size);
    const char *name = text(request, "name");
    socklen_t length = name ? address_of(name, &to) : 0;
    int how = MSG_NOSIGNAL | flags(request);
    do {
        ssize_t sent = sendto(sock, all + done, size - done, how, name ? &to.any : NULL, length);
        if (sent < 0)
            return failed();
        done += (size_t)sent;
    } while (done < size);
    return answer("sent=%zu", done);
}

static int is_stream(void)
{
    int type = 0;
    socklen_t size = sizeof type;
    getsockopt(sock, SOL_SOCKET, SO_TYPE, &type, &size);
    return type == SOCK_STREAM;
}

static int receive(const struct request *request)
{
    union address from;
    socklen_t size = sizeof from;
    size_t cap = number(request, "cap", ROOM), exact = number(request, "exact", 0);
    int how = flags(request) | (is_stream() ? 0 : MSG_TRUNC) | (exact ? MSG_WAITALL : 0);
    char name[256] = "-";
    ssize_t got = recvfrom(sock, data, exact ? exact : cap, how, &from.any, &size);
    if (got >= 0 && (size_t)got > cap)
        errno = EMSGSIZE, got = -1;
    if (got < 0)
        return failed();
    if (!is_stream())
        name_of(&from, size, name);
    printf("OK from=%s len=%zd hex=", name, got);
    for (ssize_t i = 0; i < got; i++)
        printf("%02x", data[i]);
    putchar('\n');
    fflush(stdout);
    return 0;
}

static int fill_up(const struct request *request)
{
    static const unsigned char block[BLOCK];
    size_t all = 0;
    ssize_t sent;
    (void)request;
    while ((sent = send(sock, block, sizeof block, MSG_NOSIGNAL | MSG_DONTWAIT)) > 0)
        all += (size_t)sent;
    return errno == EAGAIN ? answer("bytes=%zu", all) : failed();
}

static int drain(const struct request *request)
{
    size_t all = 0;
    ssize_t got;
    (void)request;
    while ((got = recv(sock, data, sizeof data, MSG_DONTWAIT)) > 0)
        all += (size_t)got;
    return got == 0 || errno == EAGAIN ? answer("bytes=%zu", all) : failed();
}

static int shut_down(const struct request *request)
{
    const char *how = text(request, "how");
    int direction = strcmp(how, "send") == 0 ? SHUT_WR : SHUT_RD;
    return shutdown(sock, direction) < 0 ? failed() : answer("done");
}

static int peer(const struct request *request)
{
    struct ucred who;
    socklen_t size = sizeof who;
    (void)request;
    if (getsockopt(sock, SOL_SOCKET, SO_PEERCRED, &who, &size) < 0)
        return failed();
    return answer("pid=%d uid=%u gid=%u", who.pid, who.uid, who.gid);
}

static int credentials(const struct request *request)
{
    int on = (int)number(request, "on", 1);
    return setsockopt(sock, SOL_SOCKET, SO_PASSCRED, &on, sizeof on) < 0 ? failed()
                                                                         : answer("done");
}

union control {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(MOST * sizeof(int)) + CMSG_SPACE(sizeof(struct ucred))];
};

static int receive_message(const struct request *request)
{
    union control control;
    struct iovec part = {data, sizeof data};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof control.bytes};
    struct ucred who = {0};
    ssize_t got = recvmsg(sock, &message, flags(request) | MSG_CMSG_CLOEXEC);
    if (got < 0)
        return failed();
    arrived = 0;
    for (struct cmsghdr *it = CMSG_FIRSTHDR(&message); it; it = CMSG_NXTHDR(&message, it)) {
        if (it->cmsg_type == SCM_CREDENTIALS)
            memcpy(&who, CMSG_DATA(it), sizeof who);
        if (it->cmsg_type == SCM_RIGHTS) {
            arrived = (int)((it->cmsg_len - CMSG_LEN(0)) / sizeof(int));
            memcpy(came, CMSG_DATA(it), (size_t)arrived * sizeof(int));
        }
    }
    return answer("len=%zd fds=%d pid=%d uid=%u gid=%u", got, arrived, who.pid, who.uid, who.gid);
}

/* One end of a pipe with the bytes in it, and a memfd with the bytes in it. */
static int make(const unsigned char *all, size_t size, int fds[2])
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0 || write(ends[1], all, size) != (ssize_t)size)
        return -1;
    close(ends[1]);
    fds[0] = ends[0];
    fds[1] = memfd_create("interop", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fds[1] < 0 || write(fds[1], all, size) != (ssize_t)size)
        return -1;
    return fcntl(fds[1], F_ADD_SEALS, F_SEAL_SHRINK);
}

static int send_descriptors(const struct request *request)
{
    size_t size;
    const unsigned char *all = bytes(request, "hex", &size);
    int fds[2];
    union control control = {.bytes = {0}};
    struct iovec part = {"!", 1};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = CMSG_SPACE(sizeof fds)};
    if (make(all, size, fds) < 0)
        return failed();
    control.header.cmsg_level = SOL_SOCKET;
    control.header.cmsg_type = SCM_RIGHTS;
    control.header.cmsg_len = CMSG_LEN(sizeof fds);
    memcpy(CMSG_DATA(&control.header), fds, sizeof fds);
    ssize_t sent = sendmsg(sock, &message, MSG_NOSIGNAL);
    close(fds[0]);
    close(fds[1]);
    return sent < 0 ? failed() : answer("sent=%zd", sent);
}

/* The bytes of the pipe, up to its end, and those of the memory; and whether both are close-on-exec. */
static int read_descriptors(const struct request *request)
{
    struct stat status;
    ssize_t length = 0, got;
    int closing = 1;
    (void)request;
    for (int i = 0; i < arrived; i++)
        closing &= fcntl(came[i], F_GETFD) & FD_CLOEXEC ? 1 : 0;
    while ((got = read(came[0], data + length, sizeof data - (size_t)length)) > 0)
        length += got;
    if (got < 0 || fstat(came[1], &status) < 0)
        return failed();
    void *memory = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_SHARED, came[1], 0);
    if (memory == MAP_FAILED)
        return failed();
    int same = status.st_size == length && memcmp(memory, data, (size_t)length) == 0;
    munmap(memory, (size_t)status.st_size);
    printf("OK cloexec=%d same=%d hex=", closing, same);
    for (ssize_t i = 0; i < length; i++)
        printf("%02x", data[i]);
    putchar('\n');
    fflush(stdout);
    while (arrived > 0)
        close(came[--arrived]);
    return 0;
}

static int close_all(const struct request *request)
{
    if (text(request, "listener"))
        close(listener), listener = -1;
    if (sock >= 0)
        close(sock);
    sock = -1;
    return answer("closed");
}

static int removed(const struct request *request)
{
    return unlink(text(request, "name") + strlen("unix:")) < 0 ? failed() : answer("removed");
}

const struct verb socket_verbs[] = {
    {"socket.listen", listen_at},
    {"socket.bind", bind_to},
    {"socket.connect", connect_to},
    {"socket.accept", accept_one},
    {"socket.send", send_bytes},
    {"socket.recv", receive},
    {"socket.fill", fill_up},
    {"socket.drain", drain},
    {"socket.shutdown", shut_down},
    {"socket.peer", peer},
    {"socket.credentials", credentials},
    {"socket.recv_message", receive_message},
    {"socket.send_fds", send_descriptors},
    {"socket.read_fds", read_descriptors},
    {"socket.close", close_all},
    {"socket.remove", removed},
    {NULL, NULL},
};
