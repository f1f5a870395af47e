// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Boost: two lock-free queues, laid into shared memory, and the message queue of Boost.Interprocess.
#include <boost/interprocess/ipc/message_queue.hpp>
#include <boost/lockfree/queue.hpp>
#include <boost/lockfree/spsc_queue.hpp>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
#include <string>
#include <sys/mman.h>
#include <unistd.h>

extern "C" {
#include "peer.h"
}

namespace
{

const size_t sizes[] = {8, 64, 1024, 65536, 0}, line[] = {64, 0};

[[noreturn]] void fail(const char *what)
{
    std::fprintf(stderr, "peer: %s\n", what);
    _exit(3);
}

template <size_t SIZE> struct Message {
    char bytes[SIZE];
};

// Constructs a T in memory that processes which are forked later share.
template <typename T> T *in_shared_memory()
{
    void *memory =
        mmap(nullptr, sizeof(T), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        fail("mmap");
    return new (memory) T;
}

void attach_nothing(int) {}

// A queue in each direction, of messages of one size, with its memory inside.
template <typename QUEUE, size_t SIZE> struct Lockfree {
    static QUEUE *queues[2];

    static void open()
    {
        for (QUEUE *&queue : queues)
            queue = in_shared_memory<QUEUE>();
    }
    static void send(int direction, const void *bytes)
    {
        while (!queues[direction]->push(*static_cast<const Message<SIZE> *>(bytes))) {
        }
    }
    static void receive(int direction, void *bytes)
    {
        while (!queues[direction]->pop(*static_cast<Message<SIZE> *>(bytes))) {
        }
    }
};
template <typename QUEUE, size_t SIZE> QUEUE *Lockfree<QUEUE, SIZE>::queues[2];

template <size_t SIZE>
using Spsc =
    Lockfree<boost::lockfree::spsc_queue<
                 Message<SIZE>, boost::lockfree::capacity<(SIZE <= 64     ? (1 << 20) / 64
                                                           : SIZE <= 1024 ? (1 << 20) / SIZE
                                                                          : 64)>>,
             SIZE>;
using Many =
    Lockfree<boost::lockfree::queue<Message<64>, boost::lockfree::capacity<(1 << 20) / 64>>, 64>;

void spsc_open(size_t size)
{
    switch (size) {
    case 8:
        return Spsc<8>::open();
    case 64:
        return Spsc<64>::open();
    case 1024:
        return Spsc<1024>::open();
    default:
        return Spsc<65536>::open();
    }
}

void spsc_send(int direction, const void *bytes, size_t size)
{
    switch (size) {
    case 8:
        return Spsc<8>::send(direction, bytes);
    case 64:
        return Spsc<64>::send(direction, bytes);
    case 1024:
        return Spsc<1024>::send(direction, bytes);
    default:
        return Spsc<65536>::send(direction, bytes);
    }
}

void spsc_receive(int direction, void *bytes, size_t size)
{
    switch (size) {
    case 8:
        return Spsc<8>::receive(direction, bytes);
    case 64:
        return Spsc<64>::receive(direction, bytes);
    case 1024:
        return Spsc<1024>::receive(direction, bytes);
    default:
        return Spsc<65536>::receive(direction, bytes);
    }
}

void many_open(size_t)
{
    Many::open();
}

void many_send(int direction, const void *bytes, size_t)
{
    Many::send(direction, bytes);
}

void many_receive(int direction, void *bytes, size_t)
{
    Many::receive(direction, bytes);
}

// --- Boost.Interprocess; the names are gone as soon as the queues are open, and a child inherits the mapping ---

using boost::interprocess::message_queue;
message_queue *queues[2];

void queue_open(size_t size)
{
    for (int i = 0; i < 2; i++) {
        std::string name = "unipc-bench-" + std::to_string(getpid()) + "-" + std::to_string(i);
        message_queue::remove(name.c_str());
        queues[i] = new message_queue(boost::interprocess::create_only, name.c_str(),
                                      peer_slots(size), size);
        message_queue::remove(name.c_str());
    }
}

void queue_send(int direction, const void *bytes, size_t size)
{
    queues[direction]->send(bytes, size, 0);
}

void queue_receive(int direction, void *bytes, size_t size)
{
    message_queue::size_type received;
    unsigned priority;
    queues[direction]->receive(bytes, size, received, priority);
}

void queue_try_send(int direction, const void *bytes, size_t size)
{
    while (!queues[direction]->try_send(bytes, size, 0)) {
    }
}

void queue_try_receive(int direction, void *bytes, size_t size)
{
    message_queue::size_type received;
    unsigned priority;
    while (!queues[direction]->try_receive(bytes, size, received, priority)) {
    }
}

constexpr unsigned BOTH = PEER_ROUND_TRIP | PEER_ONE_WAY;
const peer spsc = {"Boost.Lockfree spsc_queue",
                   BOTH | PEER_COPIES_OUT,
                   sizes,
                   spsc_open,
                   attach_nothing,
                   nullptr,
                   spsc_send,
                   spsc_receive};
const peer many = {"Boost.Lockfree queue",
                   BOTH | PEER_MIXED | PEER_COPIES_OUT,
                   line,
                   many_open,
                   attach_nothing,
                   nullptr,
                   many_send,
                   many_receive};
const peer waiting = {"Boost message_queue",
                      BOTH | PEER_COPIES_OUT,
                      sizes,
                      queue_open,
                      attach_nothing,
                      nullptr,
                      queue_send,
                      queue_receive};
const peer polled = {"Boost message_queue, polled",
                     BOTH | PEER_MIXED | PEER_COPIES_OUT,
                     sizes,
                     queue_open,
                     attach_nothing,
                     nullptr,
                     queue_try_send,
                     queue_try_receive};

} // namespace

extern "C" const peer *const unipc_bench_peers[] = {&spsc, &many, &waiting, &polled, nullptr};
