// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a peer that cannot be trusted sends: the same as the fuzz target `socket`, with bytes of a seed.

use crate::incoming;

const INPUTS: u32 = 4000;

#[test]
fn whatever_comes_is_taken_whole_or_refused_and_nothing_leaks() {
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = |limit: u64| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        (random >> 11) % limit
    };
    for _ in 0..INPUTS {
        let length = 1 + next(600);
        // Small numbers are lengths that a frame may have.
        let bytes = (0..length).map(|_| if next(2) == 0 { next(4) } else { next(256) });
        let bytes: Vec<u8> = bytes.map(|byte| u8::try_from(byte).unwrap()).collect();
        incoming::check(&bytes);
    }
}

#[test]
fn the_edges_of_frames_are_what_the_format_says() {
    let frame =
        |length: u32, bytes: usize| [&[0][..], &length.to_le_bytes(), &vec![9; bytes]].concat();
    for (length, bytes) in [(0, 0), (1, 1), (300, 300), (301, 301), (300, 299), (u32::MAX, 5)] {
        incoming::check(&frame(length, bytes));
        incoming::check(&[frame(length, bytes), vec![0, 0, 0]].concat());
    }
}
