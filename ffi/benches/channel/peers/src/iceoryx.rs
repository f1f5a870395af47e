// SPDX-License-Identifier: MIT OR Apache-2.0
//! iceoryx2: publisher and subscriber, client and server; both sides poll, since it has no receive that waits.

use crate::peer::{
    self, Meeting, ONE_WAY, Own, Peer, ROUND_TRIP, SIZES, fail, good, read_all, slots, words,
    words_mut,
};
use iceoryx2::active_request::ActiveRequest;
use iceoryx2::config::Config;
use iceoryx2::pending_response::PendingResponse;
use iceoryx2::port::{
    client::Client, publisher::Publisher, server::Server, subscriber::Subscriber,
};
use iceoryx2::prelude::*;
use std::ffi::{c_int, c_void};

type Local = ipc::Service;

pub static COPIED: Peer = Peer {
    name: c"iceoryx2, read in place".as_ptr(),
    traits: ROUND_TRIP | ONE_WAY,
    sizes: SIZES.as_ptr(),
    open,
    attach,
    detach: Some(detach),
    send: send_copied,
    receive: receive_copied,
};

static LARGE: [usize; 2] = [65536, 0];

/// Only the first word is written and read: what handing over memory costs whatever its size.
pub static UNTOUCHED: Peer = Peer {
    name: c"iceoryx2, in place and untouched".as_ptr(),
    traits: ROUND_TRIP | ONE_WAY | peer::UNTOUCHED,
    sizes: LARGE.as_ptr(),
    open,
    attach,
    detach: Some(detach),
    send: send_untouched,
    receive: receive_untouched,
};

static ASKED_SIZES: [usize; 4] = [8, 56, 1024, 0];

pub static ASKED: Peer = Peer {
    name: c"iceoryx2, request and response".as_ptr(),
    traits: ROUND_TRIP | peer::ASKS,
    sizes: ASKED_SIZES.as_ptr(),
    open,
    attach: attach_asked,
    detach: Some(detach_asked),
    send: send_asked,
    receive: receive_asked,
};

/// What both processes know before the fork.
struct Plan {
    size: usize,
    name: String,
    meeting: Meeting,
}
static PLAN: Own<Plan> = Own::new();

struct Ports {
    publisher: Publisher<Local, [u64], ()>,
    subscriber: Subscriber<Local, [u64], ()>,
    _node: Node<Local>,
}
static PORTS: Own<Ports> = Own::new();

unsafe extern "C" fn open(size: usize) {
    let name = format!("unipc-bench-{}", std::process::id());
    PLAN.set(Plan { size, name, meeting: Meeting::new() });
}

/// Its files and segments have names of ours, by which `make bench-channel` removes what it leaves.
fn node() -> Node<Local> {
    set_log_level(LogLevel::Error);
    let mut config = Config::default();
    config.global.prefix = good("unipc_bench_".try_into(), "a prefix");
    config.global.set_root_path(&good("/tmp/unipc_bench".try_into(), "a path"));
    good(NodeBuilder::new().config(&config).create::<Local>(), "a node")
}

fn service_name(direction: c_int) -> ServiceName {
    let text = format!("{}/{direction}", PLAN.get().name);
    good(text.as_str().try_into(), "a service's name")
}

unsafe extern "C" fn attach(role: c_int) {
    let node = node();
    let plan = PLAN.get();
    let buffer = slots(plan.size).min(4096);
    let service = |direction| {
        good(
            node.service_builder(&service_name(direction))
                .publish_subscribe::<[u64]>()
                .max_publishers(1)
                .max_subscribers(1)
                .history_size(0)
                .subscriber_max_buffer_size(buffer)
                .enable_safe_overflow(false)
                .open_or_create(),
            "a service",
        )
    };
    let publisher = service(role)
        .publisher_builder()
        .initial_max_slice_len(plan.size / 8)
        .backpressure_strategy(BackpressureStrategy::RetryUntilDelivered)
        .create();
    let subscriber = service(1 - role).subscriber_builder().buffer_size(buffer).create();
    let ports = Ports {
        publisher: good(publisher, "a publisher"),
        subscriber: good(subscriber, "a subscriber"),
        _node: node,
    };
    plan.meeting.wait();
    // A subscriber is connected by its first look; what is sent before may be dropped without a word.
    if good(ports.subscriber.receive(), "a first look").is_some() {
        fail("a message before the first one");
    }
    plan.meeting.wait();
    PORTS.set(ports);
}

unsafe extern "C" fn detach(_role: c_int) {
    drop(PORTS.take());
}

/// Nothing may be lost without a word.
fn delivered<E: std::fmt::Debug>(to: Result<usize, E>) {
    if good(to, "a send") != 1 {
        fail("a message that reached nobody");
    }
}

unsafe extern "C" fn send_copied(_direction: c_int, bytes: *const c_void, size: usize) {
    // SAFETY: the benchmark's messages are aligned and a multiple of 8 bytes long.
    let message = unsafe { words(bytes, size) };
    let sample = good(PORTS.get().publisher.loan_slice_uninit(message.len()), "a loan");
    delivered(sample.write_from_slice(message).send());
}

unsafe extern "C" fn receive_copied(_direction: c_int, bytes: *mut c_void, size: usize) {
    // SAFETY: as in `send_copied`.
    let inbox = unsafe { words_mut(bytes, size) };
    loop {
        if let Some(sample) = good(PORTS.get().subscriber.receive(), "a receive") {
            read_all(sample.payload());
            inbox[0] = sample.payload()[0];
            return;
        }
    }
}

unsafe extern "C" fn send_untouched(_direction: c_int, bytes: *const c_void, size: usize) {
    // SAFETY: as in `send_copied`.
    let message = unsafe { words(bytes, size) };
    let sample = good(PORTS.get().publisher.loan_slice_uninit(message.len()), "a loan");
    // SAFETY: any bits are a number; what is not written is not looked at.
    let mut sample = unsafe { sample.assume_init() };
    sample.payload_mut()[0] = message[0];
    delivered(sample.send());
}

unsafe extern "C" fn receive_untouched(_direction: c_int, bytes: *mut c_void, size: usize) {
    // SAFETY: as in `send_copied`.
    let inbox = unsafe { words_mut(bytes, size) };
    loop {
        if let Some(sample) = good(PORTS.get().subscriber.receive(), "a receive") {
            inbox[0] = sample.payload()[0];
            return;
        }
    }
}

// --- question and answer ---

enum Side {
    Asks(Client<Local, [u64], (), [u64], ()>),
    Answers(Server<Local, [u64], (), [u64], ()>),
}
static SIDE: Own<(Side, Node<Local>)> = Own::new();
static PENDING: Own<PendingResponse<Local, [u64], (), [u64], ()>> = Own::new();
static ACTIVE: Own<ActiveRequest<Local, [u64], (), [u64], ()>> = Own::new();

unsafe extern "C" fn attach_asked(role: c_int) {
    let node = node();
    let plan = PLAN.get();
    let service = good(
        node.service_builder(&service_name(0))
            .request_response::<[u64], [u64]>()
            .max_clients(1)
            .max_servers(1)
            .open_or_create(),
        "a service",
    );
    let most = plan.size / 8;
    let side = if role == 0 {
        let client = service.client_builder().initial_max_slice_len(most).create();
        Side::Asks(good(client, "a client"))
    } else {
        let server = service.server_builder().initial_max_slice_len(most).create();
        Side::Answers(good(server, "a server"))
    };
    SIDE.set((side, node));
    plan.meeting.wait();
}

unsafe extern "C" fn detach_asked(_role: c_int) {
    drop(PENDING.take());
    drop(ACTIVE.take());
    drop(SIDE.take());
}

unsafe extern "C" fn send_asked(_direction: c_int, bytes: *const c_void, size: usize) {
    // SAFETY: as in `send_copied`.
    let message = unsafe { words(bytes, size) };
    match &SIDE.get().0 {
        Side::Asks(client) => {
            let request = good(client.loan_slice_uninit(message.len()), "a loan");
            PENDING.set(good(request.write_from_slice(message).send(), "a request"));
        }
        Side::Answers(_) => {
            let request = ACTIVE.take().unwrap_or_else(|| fail("no question"));
            let response = good(request.loan_slice_uninit(message.len()), "a loan");
            good(response.write_from_slice(message).send(), "a response");
        }
    }
}

unsafe extern "C" fn receive_asked(_direction: c_int, bytes: *mut c_void, size: usize) {
    // SAFETY: as in `send_copied`.
    let inbox = unsafe { words_mut(bytes, size) };
    match &SIDE.get().0 {
        Side::Asks(_) => loop {
            if let Some(response) = good(PENDING.get().receive(), "a receive") {
                read_all(response.payload());
                inbox[0] = response.payload()[0];
                return;
            }
        },
        Side::Answers(server) => loop {
            if let Some(request) = good(server.receive(), "a receive") {
                read_all(request.payload());
                inbox[0] = request.payload()[0];
                ACTIVE.set(request);
                return;
            }
        },
    }
}
