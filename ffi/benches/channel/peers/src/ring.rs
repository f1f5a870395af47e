// SPDX-License-Identifier: MIT OR Apache-2.0
//! rtrb: a ring between two threads. Here its memory is shared, so that it is measured between two processes.

use crate::arena;
use crate::peer::{COPIES_OUT, ONE_WAY, Own, Peer, ROUND_TRIP, SIZES, slots, words, words_mut};
use rtrb::{Consumer, Producer, RingBuffer};
use std::ffi::{c_int, c_void};

pub static SHARED: Peer = Peer {
    name: c"rtrb, its heap in shared memory".as_ptr(),
    traits: ROUND_TRIP | ONE_WAY | COPIES_OUT,
    sizes: SIZES.as_ptr(),
    open,
    attach,
    detach: None,
    send,
    receive,
};

/// Small messages are elements; larger ones are slices, which rtrb copies by a call of its own.
enum Ring {
    Words(Producer<u64>, Consumer<u64>),
    Lines(Producer<[u64; 8]>, Consumer<[u64; 8]>),
}

static RINGS: Own<[Ring; 2]> = Own::new();

unsafe extern "C" fn open(size: usize) {
    let ring = || {
        if size == 64 {
            let (producer, consumer) = RingBuffer::new(slots(size));
            Ring::Lines(producer, consumer)
        } else {
            let (producer, consumer) = RingBuffer::new(slots(size) * size / 8);
            Ring::Words(producer, consumer)
        }
    };
    RINGS.set(arena::shared(|| [ring(), ring()]));
}

unsafe extern "C" fn attach(_role: c_int) {}

unsafe extern "C" fn send(direction: c_int, bytes: *const c_void, size: usize) {
    // SAFETY: the benchmark's messages are aligned and a multiple of 8 bytes long.
    let message = unsafe { words(bytes, size) };
    match &mut RINGS.get()[direction as usize] {
        Ring::Words(producer, _) if size == 8 => while producer.push(message[0]).is_err() {},
        Ring::Words(producer, _) => while producer.push_entire_slice(message).is_err() {},
        Ring::Lines(producer, _) => {
            let mut line = [0; 8];
            line.copy_from_slice(message);
            while producer.push(line).is_err() {}
        }
    }
}

unsafe extern "C" fn receive(direction: c_int, bytes: *mut c_void, size: usize) {
    // SAFETY: as in `send`.
    let inbox = unsafe { words_mut(bytes, size) };
    match &mut RINGS.get()[direction as usize] {
        Ring::Words(_, consumer) if size == 8 => {
            inbox[0] = loop {
                if let Ok(word) = consumer.pop() {
                    break word;
                }
            }
        }
        Ring::Words(_, consumer) => while consumer.pop_entire_slice(inbox).is_err() {},
        Ring::Lines(_, consumer) => loop {
            if let Ok(line) = consumer.pop() {
                inbox.copy_from_slice(&line);
                break;
            }
        },
    }
}
