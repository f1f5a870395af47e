// SPDX-License-Identifier: MIT OR Apache-2.0
//! Crates that move messages between processes, each behind the C interface of `peer.h`.

mod arena;
mod iceoryx;
mod peer;
mod ring;
mod shmem;

/// What the benchmark looks for; a null ends it.
#[unsafe(no_mangle)]
#[allow(non_upper_case_globals)]
pub static unipc_bench_peers: peer::List = peer::List([
    &iceoryx::COPIED,
    &iceoryx::UNTOUCHED,
    &iceoryx::ASKED,
    &ring::SHARED,
    &shmem::POLLED,
    std::ptr::null(),
]);
