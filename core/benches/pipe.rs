// SPDX-License-Identifier: MIT OR Apache-2.0
//! Pipes, FIFOs and pairs in Rust against the plain calls. The same rows exist in C and in Python.
#![allow(clippy::print_stdout, reason = "this is a program")]
#![allow(unsafe_code, reason = "fork is unsafe")]

mod harness;
mod machine;
#[allow(dead_code, reason = "the calls of shared memory are not needed here")]
mod plain;

use std::cell::RefCell;
use std::os::fd::AsFd;
use std::time::Duration;

use harness::{Side, compare};
use nix::unistd::ForkResult;
use unipc::Timeout;
use unipc::pipe::{End, Fifo, duplex, pipe};
use unipc::stream::{FrameReader, FrameWriter};

const SECOND: Timeout = Timeout::After(Duration::from_secs(1));

fn title(what: &str, size: usize) -> String {
    format!("{what}, {size} bytes (expected: at most 1.03 x)")
}

fn plain_write(fd: impl AsFd, bytes: &[u8]) {
    assert_eq!(nix::unistd::write(fd, bytes), Ok(bytes.len()));
}

fn plain_read(fd: impl AsFd, room: &mut [u8]) {
    let mut have = 0;
    while have < room.len() {
        have += nix::unistd::read(fd.as_fd(), &mut room[have..]).expect("bytes are there");
    }
}

/// What a program that must not change the process's signals has to do.
fn masked(write: impl FnOnce()) {
    use nix::sys::signal::{SigSet, SigmaskHow, Signal, pthread_sigmask};
    let (mut only, mut before) = (SigSet::empty(), SigSet::empty());
    only.add(Signal::SIGPIPE);
    pthread_sigmask(SigmaskHow::SIG_BLOCK, Some(&only), Some(&mut before)).expect("a mask");
    write();
    pthread_sigmask(SigmaskHow::SIG_SETMASK, Some(&before), None).expect("a mask");
}

fn ours(reader: &End, writer: &End, bytes: &[u8], room: &mut [u8], timeout: Timeout) {
    writer.write_all(bytes, timeout).expect("there is room");
    reader.read_exact(room, timeout).expect("bytes are there");
}

/// Written by one end and read by another, in one thread.
fn pairs(what: &str, reader: &End, writer: &End, size: usize) {
    let (bytes, room) = (vec![1; size], RefCell::new(vec![0; size]));
    let unipc = |timeout| {
        let (bytes, room) = (&bytes, &room);
        move || ours(reader, writer, bytes, &mut room.borrow_mut(), timeout)
    };
    let plain = || {
        plain_write(writer, &bytes);
        plain_read(reader, &mut room.borrow_mut());
    };
    compare(
        &title(&format!("{what}: written and read"), size),
        vec![
            Side::new("unipc write_all, read_exact", unipc(Timeout::Forever)),
            Side::new("write read, SIGPIPE ignored by the whole process", plain),
            Side::new("write read, SIGPIPE blocked around the write", || {
                masked(|| plain_write(writer, &bytes));
                plain_read(reader, &mut room.borrow_mut());
            }),
        ],
    );
    writer.set_sigpipe(true);
    compare(
        &title(&format!("{what}: written and read"), size),
        vec![
            Side::new("unipc, SIGPIPE allowed by set_sigpipe", unipc(Timeout::Forever)),
            Side::new("write read, SIGPIPE ignored by the whole process", plain),
        ],
    );
    writer.set_sigpipe(false);
    if what == "pipe" {
        compare(
            &title("pipe: written and read within a time", size),
            vec![
                Side::new("unipc with a timeout of 1 s", unipc(SECOND)),
                Side::new("unipc as a try", unipc(Timeout::TRY)),
                Side::new("write read", plain),
            ],
        );
    }
}

fn frames(reader: &End, writer: &End, size: usize) {
    let from = FrameReader::new(reader).expect("a pipe");
    let from = RefCell::new(from);
    let to = || FrameWriter::new(writer).expect("a pipe");
    let frame = |mut to: FrameWriter<_>| {
        let (payload, from) = (vec![1; size - 4], &from);
        move || {
            to.write(&payload, Timeout::Forever).expect("there is room");
            from.borrow_mut().read(Timeout::Forever).expect("bytes are there").map(<[u8]>::len)
        }
    };
    let (mut whole, mut room) = (vec![1; size], vec![0; size - 4]);
    let length = u32::try_from(size - 4).expect("a small frame").to_le_bytes();
    compare(
        &title("a frame written and read, its length of 4 bytes included", size),
        vec![
            Side::new("unipc FrameWriter, FrameReader", frame(to())),
            Side::new("unipc, SIGPIPE allowed", frame(to().sigpipe())),
            Side::new("write read read", || {
                whole[..4].copy_from_slice(&length);
                plain_write(writer, &whole);
                plain_read(reader, &mut [0; 4]);
                plain_read(reader, &mut room);
            }),
        ],
    );
}

/// Through two pipes and a process that sends back what it gets.
fn round_trips(size: usize) {
    let ((there, out), (back, replies)) = (pipe().expect("a pipe"), pipe().expect("a pipe"));
    let (bytes, room) = (vec![1; size], RefCell::new(vec![0; size]));
    // SAFETY: the benchmark has one thread.
    let child = match unsafe { nix::unistd::fork() }.expect("a child") {
        ForkResult::Parent { child } => child,
        ForkResult::Child => {
            drop(out);
            let mut room = room.borrow_mut();
            while let Ok(count @ 1..) = nix::unistd::read(&there, &mut room) {
                plain_write(&replies, &room[..count]);
            }
            std::process::exit(0);
        }
    };
    compare(
        &title("round trip through two pipes and another process", size),
        vec![
            Side::new("unipc write_all, read_exact", || {
                ours(&back, &out, &bytes, &mut room.borrow_mut(), Timeout::Forever);
            }),
            Side::new("write read", || {
                plain_write(&out, &bytes);
                plain_read(&back, &mut room.borrow_mut());
            }),
        ],
    );
    drop(out);
    nix::sys::wait::waitpid(child, None).expect("the child ends");
}

fn open_fifo() -> (End, End) {
    let name = format!("file:/tmp/unipc-bench-{}", std::process::id());
    let fifo = Fifo::create(name.as_str()).expect("the name is free");
    let reader = fifo.reader(Timeout::TRY).expect("it needs nobody");
    let writer = fifo.writer(Timeout::Forever).expect("the reader is there");
    Fifo::unlink(name.as_str()).expect("it is there");
    (reader.into(), writer.into())
}

fn main() {
    machine::print_head("Rust");
    plain::share_a_processor();
    for size in [8, 64, 1024, 65536] {
        let (reader, writer) = pipe().expect("a pipe");
        pairs("pipe", &reader, &writer, size);
        frames(&reader, &writer, size);
        let (reader, writer) = open_fifo();
        pairs("FIFO", &reader, &writer, size);
        let (one, other) = duplex().expect("a pair");
        pairs("duplex", &one, &other, size);
        round_trips(size);
    }
}
