// SPDX-License-Identifier: MIT OR Apache-2.0
//! Programs in Rust against the standard library, which makes the plain calls: `posix_spawn`, `waitpid`, and `write`
//! and `read` on its pipes. The same rows exist in C and in Python.
#![allow(clippy::print_stdout, reason = "this is a program")]
#![allow(dead_code, reason = "the harness and the plain calls are shared")]

mod harness;
mod machine;
mod plain;

use std::cell::RefCell;
use std::io::{Read, Write};
use std::process::{Command as Std, Stdio};

use harness::{Side, compare};
use unipc::Timeout;
use unipc::pipe::{Command, Coprocess, Modes, Pty, WindowSize};

const FOREVER: Timeout = Timeout::Forever;
const CAT: &str = "/bin/cat";
const TRUE: &str = "/bin/true";

fn start_and_wait() {
    compare(
        "start a program and wait for its end, elapsed (expected: at most 1.03 x)",
        vec![
            Side::elapsed("unipc spawn, wait", || {
                Command::new(TRUE).spawn().expect("it starts").wait(FOREVER).expect("it ends")
            }),
            Side::elapsed("std::process spawn, wait", || {
                Std::new(TRUE).spawn().expect("it starts").wait().expect("it ends")
            }),
        ],
    );
}

fn exchange(bytes: usize) {
    let line = vec![b'x'; bytes - 1];
    let with_newline = [line.as_slice(), b"\n"].concat();
    let filter = Coprocess::spawn(Command::new(CAT)).expect("cat starts");
    let mut theirs =
        Std::new(CAT).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("cat starts");
    let input = RefCell::new(theirs.stdin.take().expect("a pipe"));
    let output = RefCell::new(theirs.stdout.take().expect("a pipe"));
    let room = RefCell::new(vec![0; bytes]);
    compare(
        &format!("a line of {bytes} bytes to cat and back (expected: at most 1.03 x)"),
        vec![
            Side::new("unipc exchange_with", || {
                let take = |answer: &[u8]| Ok(answer.len());
                filter.exchange_with(&line, FOREVER, take).expect("an answer")
            }),
            Side::new("std::process: write, read", || {
                input.borrow_mut().write_all(&with_newline).expect("cat reads");
                output.borrow_mut().read_exact(&mut room.borrow_mut()).expect("cat answers");
            }),
        ],
    );
    drop((input, output));
    theirs.wait().expect("cat ends");
}

fn terminal() {
    let pty = Pty::spawn(Command::new(CAT), WindowSize::default()).expect("cat starts");
    let modes = Modes { echo: false, canonical: true, signals: false, output: false };
    pty.set_modes(modes).expect("a terminal");
    let line = [[b'x'; 63].as_slice(), b"\n"].concat();
    compare(
        "a line of 64 bytes to cat on a pseudoterminal and back",
        vec![Side::new("unipc write, with_line", || {
            pty.write(&line, FOREVER).expect("cat reads");
            pty.with_line(FOREVER, |line| Ok(line.len())).expect("cat answers")
        })],
    );
}

fn main() {
    machine::print_head("Rust");
    plain::share_a_processor();
    start_and_wait();
    for bytes in [8, 64, 1 << 10, 1 << 16] {
        exchange(bytes);
    }
    terminal();
}
