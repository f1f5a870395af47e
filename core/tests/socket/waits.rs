// SPDX-License-Identifier: MIT OR Apache-2.0
//! How calls wait: not at all, for a while, through signals, in many threads, and when the peer dies.

use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use unipc::socket::{Expect, Kind, Options, Shutdown, Socket};
use unipc::{Error, Result, Timeout};

use crate::child::succeeds_alone;
use crate::storm::{Storm, through};
use crate::{KINDS, SHORT, SOON, abstract_name, received};

/// A call that cannot be done: at once EAGAIN, later ETIMEDOUT, and not too early.
fn waits_in_vain<T: std::fmt::Debug>(what: &str, call: impl Fn(Timeout) -> Result<T>) {
    let errno = |result: Result<T>| result.map_err(|error: Error| error.errno()).unwrap_err();
    assert_eq!(errno(call(Timeout::TRY)), libc::EAGAIN, "{what}");
    let started = Instant::now();
    assert_eq!(errno(call(SHORT)), libc::ETIMEDOUT, "{what}");
    assert!(started.elapsed() >= Duration::from_millis(30), "{what}: too early");
}

/// Sends until the peer takes no more.
fn fill(socket: &Socket) {
    let mut times = 0;
    while socket.send(&[7; 1000], Timeout::TRY).is_ok() {
        times += 1;
        assert!(times < 1_000_000, "flow control ends it");
    }
}

#[test]
fn receiving_waits_no_longer_than_told() {
    for kind in KINDS {
        let (one, _other) = Socket::pair(kind).unwrap();
        waits_in_vain("recv", |timeout| one.recv(&mut [0; 8], timeout));
        waits_in_vain("recv_from", |timeout| one.recv_from(&mut [0; 8], timeout));
        waits_in_vain("next_size", |timeout| one.next_size(timeout));
        waits_in_vain("recv_message", |timeout| {
            one.recv_message(&mut [0; 8], &Expect::up_to(1), timeout)
        });
        waits_in_vain("recv_descriptors", |timeout| {
            unipc::socket::recv_descriptors(&one, &Expect::up_to(1), timeout)
        });
    }
    let (one, other) = Socket::pair(Kind::Stream).unwrap();
    waits_in_vain("recv_exact", |timeout| one.recv_exact(&mut [0; 8], timeout));
    other.send(b"123", SOON).unwrap();
    let error = one.recv_exact(&mut [0; 8], SHORT).unwrap_err();
    assert_eq!((error.errno(), error.kind().done()), (libc::ETIMEDOUT, 3), "{error}");
}

#[test]
fn a_full_queue_holds_the_sender_until_the_peer_receives() {
    for kind in KINDS {
        let (one, other) = Socket::pair(kind).unwrap();
        fill(&one);
        waits_in_vain("send", |timeout| one.send(&[7; 1000], timeout));
        waits_in_vain("send_message", |timeout| one.send_message(&[7; 1000], &[], None, timeout));
        waits_in_vain("send_descriptors", |timeout| {
            unipc::socket::send_descriptors(&one, &[one.as_fd()], timeout)
        });
        std::thread::scope(|scope| {
            let sender = scope.spawn(|| one.send_all(&[9; 1000], SOON));
            while received(&other).last() == Some(&7) {}
            sender.join().unwrap().unwrap();
        });
    }
}

#[test]
fn a_full_queue_of_somebody_unconnected_is_waited_for_too() {
    let server = Socket::bind(abstract_name("full")).unwrap();
    let name = server.local_name().unwrap().unwrap();
    let client = Socket::bind("unix:@").unwrap();
    while client.send_to(b"x", &name, Timeout::TRY).is_ok() {}
    waits_in_vain("send_to", |timeout| client.send_to(b"x", &name, timeout));
    waits_in_vain("send_message", |timeout| client.send_message(b"x", &[], Some(&name), timeout));
    std::thread::scope(|scope| {
        let sender = scope.spawn(|| client.send_to(b"last", &name, SOON));
        while received(&server) != b"last" {}
        sender.join().unwrap().unwrap();
    });
}

#[test]
fn a_partial_send_says_how_much_went() {
    let (one, _other) = Socket::pair(Kind::Stream).unwrap();
    let much = vec![0; 8 << 20];
    let fits = one.send(&much, SHORT).unwrap();
    assert!(fits > 0 && fits < much.len());
    let (one, _other) = Socket::pair(Kind::Stream).unwrap();
    let error = one.send_all(&much, SHORT).unwrap_err();
    assert_eq!(error.errno(), libc::ETIMEDOUT);
    let done = error.kind().done();
    assert!(done > 0 && done < much.len(), "{error}");
}

#[test]
fn accepting_and_connecting_wait_no_longer_than_told() {
    for kind in [Kind::Stream, Kind::SeqPacket] {
        let options = Options::new().kind(kind).backlog(0);
        let listener = options.listen("unix:@").unwrap();
        let name = listener.local_name().unwrap().unwrap();
        waits_in_vain("accept", |timeout| listener.accept(timeout));
        let mut clients = Vec::new();
        while let Ok(client) = options.connect(&name, Timeout::TRY) {
            clients.push(client);
        }
        assert!(!clients.is_empty());
        waits_in_vain("connect", |timeout| options.connect(&name, timeout));
        std::thread::scope(|scope| {
            let late = scope.spawn(|| options.connect(&name, SOON));
            for _ in 0..=clients.len() {
                listener.accept(SOON).unwrap();
            }
            late.join().unwrap().unwrap();
        });
        // Whatever was set for connecting does not stay.
        let client = options.connect(&name, SHORT).unwrap();
        let server = listener.accept(SOON).unwrap();
        fill(&client);
        std::thread::scope(|scope| {
            let sender = scope.spawn(|| client.send(&[9; 1000], Timeout::Forever));
            std::thread::sleep(Duration::from_millis(60));
            assert!(!sender.is_finished(), "for ever is for ever");
            while received(&server).last() == Some(&7) {}
            sender.join().unwrap().unwrap();
        });
    }
}

#[test]
fn a_non_blocking_descriptor_waits_all_the_same() {
    for kind in KINDS {
        let (one, other) = Socket::pair(kind).unwrap();
        for end in [&one, &other] {
            fcntl(end.as_fd(), FcntlArg::F_SETFL(OFlag::O_NONBLOCK)).unwrap();
        }
        std::thread::scope(|scope| {
            let receiver = scope.spawn(|| {
                let mut buffer = [0; 8];
                other.recv(&mut buffer, Timeout::Forever).map(|length| buffer[..length].to_vec())
            });
            std::thread::sleep(Duration::from_millis(10));
            one.send(b"late", Timeout::Forever).unwrap();
            assert_eq!(receiver.join().unwrap().unwrap(), b"late");
        });
    }
}

#[test]
fn receiving_ends_when_this_side_is_told_to_receive_no_more() {
    for kind in KINDS {
        let (one, _other) = Socket::pair(kind).unwrap();
        for timeout in [SOON, Timeout::Forever] {
            std::thread::scope(|scope| {
                let receiver = scope.spawn(|| one.recv(&mut [0; 8], timeout));
                std::thread::sleep(Duration::from_millis(5));
                one.shutdown(Shutdown::Receive).unwrap();
                assert_eq!(receiver.join().unwrap().unwrap(), 0, "{kind}");
            });
        }
    }
}

#[test]
fn a_storm_of_signals_loses_nothing() {
    const ROUNDS: u32 = 20_000;
    let storm = || {
        for kind in KINDS {
            let (one, other) = Socket::pair(kind).unwrap();
            let echo = std::thread::spawn(move || {
                let _storm = Storm::new();
                let mut buffer = [0; 4];
                for _ in 0..ROUNDS {
                    assert_eq!(through(|| other.recv(&mut buffer, SOON)).unwrap(), 4);
                    assert_eq!(through(|| other.send(&buffer, Timeout::Forever)).unwrap(), 4);
                }
            });
            let _storm = Storm::new();
            let mut buffer = [0; 4];
            for round in 0..ROUNDS {
                through(|| one.send(&round.to_ne_bytes(), SOON)).unwrap();
                assert_eq!(through(|| one.recv(&mut buffer, Timeout::Forever)).unwrap(), 4);
                assert_eq!(u32::from_ne_bytes(buffer), round);
            }
            echo.join().unwrap();
        }
        assert!(Storm::signals() > 0);
    };
    succeeds_alone("waits::a_storm_of_signals_loses_nothing", storm);
}

#[test]
fn a_signal_ends_a_wait_with_eintr() {
    succeeds_alone("waits::a_signal_ends_a_wait_with_eintr", || {
        let (one, other) = Socket::pair(Kind::Stream).unwrap();
        let listener = Options::new().backlog(0).listen("unix:@").unwrap();
        let name = listener.local_name().unwrap().unwrap();
        let mut clients = Vec::new();
        while let Ok(client) = Socket::connect(&name, Timeout::TRY) {
            clients.push(client);
        }
        while listener.accept(Timeout::TRY).is_ok() {}
        fill(&other);
        let mut full = Vec::new();
        while let Ok(client) = Socket::connect(&name, Timeout::TRY) {
            full.push(client);
        }
        let _storm = Storm::new();
        for timeout in [SOON, Timeout::Forever] {
            assert_eq!(other.recv(&mut [0], timeout).unwrap_err().errno(), libc::EINTR);
            assert_eq!(other.send(&[0; 1000], timeout).unwrap_err().errno(), libc::EINTR);
            let error = Socket::connect(&name, timeout).unwrap_err();
            assert_eq!(error.errno(), libc::EINTR, "{error}");
        }
        drop((one, full));
        while listener.accept(Timeout::TRY).is_ok() {}
        assert_eq!(listener.accept(SOON).unwrap_err().errno(), libc::EINTR);
    });
}

#[test]
fn each_message_goes_to_one_of_many_threads() {
    const MESSAGES: u32 = 4000;
    for kind in [Kind::Datagram, Kind::SeqPacket] {
        let (one, other) = Socket::pair(kind).unwrap();
        let seen = std::sync::Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let mut buffer = [0; 4];
                    loop {
                        assert_eq!(other.recv(&mut buffer, SOON).unwrap(), 4);
                        match u32::from_ne_bytes(buffer) {
                            u32::MAX => break,
                            number => seen.lock().unwrap().push(number),
                        }
                    }
                });
            }
            for number in (0..MESSAGES).chain([u32::MAX; 8]) {
                one.send(&number.to_ne_bytes(), SOON).unwrap();
            }
        });
        let mut seen = seen.into_inner().unwrap();
        seen.sort_unstable();
        assert_eq!(seen, (0..MESSAGES).collect::<Vec<_>>());
    }
}

#[test]
fn a_peer_that_is_killed_is_noticed() {
    succeeds_alone("waits::a_peer_that_is_killed_is_noticed", || {
        for kind in [Kind::Stream, Kind::SeqPacket] {
            let (one, other) = Socket::pair(kind).unwrap();
            // SAFETY: this process has one thread that matters, and the child only waits.
            let child = match unsafe { nix::unistd::fork() }.unwrap() {
                nix::unistd::ForkResult::Child => loop {
                    nix::unistd::pause();
                },
                nix::unistd::ForkResult::Parent { child } => child,
            };
            drop(other);
            std::thread::scope(|scope| {
                let receiver = scope.spawn(|| one.recv(&mut [0; 8], Timeout::Forever));
                std::thread::sleep(Duration::from_millis(10));
                assert!(!receiver.is_finished(), "the child holds the other end");
                nix::sys::signal::kill(child, nix::sys::signal::SIGKILL).unwrap();
                assert_eq!(receiver.join().unwrap().unwrap(), 0);
            });
            assert_eq!(one.send(b"x", SOON).unwrap_err().errno(), libc::EPIPE);
            nix::sys::wait::waitpid(child, None).unwrap();
        }
    });
}
