// SPDX-License-Identifier: MIT OR Apache-2.0
//! Signals in Rust against the plain calls. The same rows exist in C and in Python.
#![allow(clippy::print_stdout, reason = "this is a program")]
#![allow(unsafe_code, reason = "the plain calls are calls of C")]

mod harness;
mod machine;
#[allow(dead_code, reason = "of the plain calls it needs the clock alone")]
mod plain;

use std::process::id;

use harness::{Side, compare};
use unipc::Timeout;
use unipc::signal::{self, PidFd, Set, Signal, Stream};

/// What the plain sides work on.
struct Plain {
    me: i32,
    signal: i32,
    set: libc::sigset_t,
    signalfd: i32,
    pidfd: i32,
}

fn succeeded(result: i64) -> i64 {
    assert!(result >= 0, "{}", std::io::Error::last_os_error());
    result
}

impl Plain {
    fn new(set: Set, signal: Signal) -> Self {
        let me = id().cast_signed();
        let set = libc::sigset_t::from(set);
        // SAFETY: the set is alive.
        let signalfd = unsafe { libc::signalfd(-1, &raw const set, libc::SFD_CLOEXEC) };
        // SAFETY: takes integers.
        let pidfd = succeeded(unsafe { libc::syscall(libc::SYS_pidfd_open, me, 0) });
        let pidfd = pidfd.try_into().expect("a descriptor");
        Self { me, signal: signal.number(), set, signalfd, pidfd }
    }

    fn kill(&self) {
        // SAFETY: takes integers.
        succeeded(unsafe { libc::kill(self.me, self.signal) }.into());
    }

    fn queue(&self) {
        let value = libc::sigval { sival_ptr: std::ptr::without_provenance_mut(7) };
        // SAFETY: takes integers.
        succeeded(unsafe { libc::sigqueue(self.me, self.signal, value) }.into());
    }

    fn pidfd_send(&self) {
        let call = libc::SYS_pidfd_send_signal;
        // SAFETY: takes integers, and no siginfo.
        succeeded(unsafe {
            libc::syscall(call, self.pidfd, self.signal, std::ptr::null::<u8>(), 0)
        });
    }

    fn wait(&self) -> libc::siginfo_t {
        // SAFETY: all zeros is a siginfo_t.
        let mut info: libc::siginfo_t = unsafe { std::mem::zeroed() };
        // SAFETY: set and info are alive.
        succeeded(unsafe { libc::sigwaitinfo(&raw const self.set, &raw mut info) }.into());
        info
    }

    fn read(&self) -> libc::signalfd_siginfo {
        // SAFETY: all zeros is a signalfd_siginfo.
        let mut info: libc::signalfd_siginfo = unsafe { std::mem::zeroed() };
        // SAFETY: `info` is alive and of that size.
        let read = unsafe { libc::read(self.signalfd, (&raw mut info).cast(), size_of_val(&info)) };
        succeeded(read as i64);
        info
    }

    fn mask(&self) {
        let mut before = self.set;
        // SAFETY: both sets are alive.
        let blocked =
            unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, &raw const self.set, &raw mut before) };
        // SAFETY: as above.
        let restored = unsafe {
            libc::pthread_sigmask(libc::SIG_SETMASK, &raw const before, std::ptr::null_mut())
        };
        assert_eq!((blocked, restored), (0, 0));
    }
}

const EXPECTED: &str = "(expected: at most 1.03 x)";

fn main() {
    machine::print_head("Rust");
    let signal = Signal::realtime(0).expect("real-time signals");
    let set = Set::from(signal);
    let stream = Stream::open(set).expect("a stream");
    let process = PidFd::open(id().cast_signed()).expect("this process");
    let (me, plain) = (id().cast_signed(), Plain::new(set, signal));
    let wait = || signal::wait(set, Timeout::Forever).expect("it is pending");
    let read = || stream.read(Timeout::Forever).expect("it is pending");
    compare(
        &format!("send a signal and take it {EXPECTED}"),
        vec![
            Side::new("unipc send, wait", || (signal::send(me, signal), wait())),
            Side::new("kill, sigwaitinfo", || (plain.kill(), plain.wait())),
        ],
    );
    compare(
        &format!("queue a value and take it {EXPECTED}"),
        vec![
            Side::new("unipc queue, wait", || (signal::queue(me, signal, 7), wait())),
            Side::new("sigqueue, sigwaitinfo", || (plain.queue(), plain.wait())),
        ],
    );
    compare(
        &format!("queue a value and read it from the descriptor {EXPECTED}"),
        vec![
            Side::new("unipc queue, stream read", || (signal::queue(me, signal, 7), read())),
            Side::new("sigqueue, read(signalfd)", || (plain.queue(), plain.read())),
        ],
    );
    compare(
        &format!("send by descriptor and take it {EXPECTED}"),
        vec![
            Side::new("unipc PidFd send, wait", || (process.send(signal), wait())),
            Side::new("pidfd_send_signal, sigwaitinfo", || (plain.pidfd_send(), plain.wait())),
        ],
    );
    compare(
        &format!("block and give the mask back {EXPECTED}"),
        vec![
            Side::new("unipc block, drop", || drop(signal::block(set))),
            Side::new("pthread_sigmask twice", || plain.mask()),
        ],
    );
}
