// SPDX-License-Identifier: MIT OR Apache-2.0
//! shmem-ipc: a ring in a memfd. Both sides poll; its descriptors are for those who sleep.

use crate::peer::{
    COPIES_OUT, ONE_WAY, Own, Peer, ROUND_TRIP, SIZES, good, slots, words, words_mut,
};
use shmem_ipc::sharedring::{Receiver, Sender};
use std::ffi::{c_int, c_void};

pub static POLLED: Peer = Peer {
    name: c"shmem-ipc, polled".as_ptr(),
    traits: ROUND_TRIP | ONE_WAY | COPIES_OUT,
    sizes: SIZES.as_ptr(),
    open,
    attach,
    detach: None,
    send,
    receive,
};

static RINGS: Own<[(Sender<u64>, Receiver<u64>); 2]> = Own::new();

fn ring(size: usize) -> (Sender<u64>, Receiver<u64>) {
    let capacity = slots(size) * size / 8;
    let sender = good(Sender::<u64>::new(capacity), "shmem-ipc's sender");
    let receiver = good(
        Receiver::open(
            capacity,
            good(sender.memfd().as_file().try_clone(), "its memory"),
            good(sender.empty_signal().try_clone(), "its signal"),
            good(sender.full_signal().try_clone(), "its signal"),
        ),
        "shmem-ipc's receiver",
    );
    (sender, receiver)
}

unsafe extern "C" fn open(size: usize) {
    RINGS.set([ring(size), ring(size)]);
}

unsafe extern "C" fn attach(_role: c_int) {}

unsafe extern "C" fn send(direction: c_int, bytes: *const c_void, size: usize) {
    // SAFETY: the benchmark's messages are aligned and a multiple of 8 bytes long.
    let mut left = unsafe { words(bytes, size) };
    let sender = RINGS.get()[direction as usize].0.sender_mut();
    while !left.is_empty() {
        let put = |room: *mut u64, most: usize| {
            let (now, later) = left.split_at(most.min(left.len()));
            // SAFETY: the ring gives room for `most` words that nobody else uses.
            unsafe { room.copy_from_nonoverlapping(now.as_ptr(), now.len()) };
            left = later;
            now.len()
        };
        good(sender.send(put), "shmem-ipc's send");
    }
}

unsafe extern "C" fn receive(direction: c_int, bytes: *mut c_void, size: usize) {
    // SAFETY: as in `send`.
    let inbox = unsafe { words_mut(bytes, size) };
    let receiver = RINGS.get()[direction as usize].1.receiver_mut();
    let mut done = 0;
    while done < inbox.len() {
        let get = |there: *const u64, most: usize| {
            let now = &mut inbox[done..];
            let count = most.min(now.len());
            // SAFETY: the ring has `most` words there.
            unsafe { now.as_mut_ptr().copy_from_nonoverlapping(there, count) };
            done += count;
            count
        };
        good(receiver.recv(get), "shmem-ipc's receive");
    }
}
