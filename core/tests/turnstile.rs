// SPDX-License-Identifier: MIT OR Apache-2.0
//! Parent and child take turns, and hear when the other is gone.

#[path = "support/child.rs"]
mod child;
#[path = "support/fork.rs"]
mod fork;

use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use fork::{asleep, fork, killed, succeeded};
use unipc::Timeout;
use unipc::pipe::{Side, Turnstile, pipe};

const LONG: Timeout = Timeout::After(Duration::from_secs(30));
const SHORT: Timeout = Timeout::After(Duration::from_millis(20));

/// Five rounds; each process writes its letter in its turn.
fn rounds(parent_first: bool) -> Vec<u8> {
    let (log, entries) = pipe().unwrap();
    let mut turnstile = Turnstile::new().unwrap();
    let child = fork(|| {
        for _ in 0..5 {
            if parent_first {
                turnstile.wait_parent(LONG).unwrap();
            }
            entries.write_all(b"c", LONG).unwrap();
            turnstile.tell_parent().unwrap();
            if !parent_first {
                turnstile.wait_parent(LONG).unwrap();
            }
        }
    });
    for _ in 0..5 {
        if !parent_first {
            turnstile.wait_child(LONG).unwrap();
        }
        entries.write_all(b"p", LONG).unwrap();
        turnstile.tell_child().unwrap();
        if parent_first {
            turnstile.wait_child(LONG).unwrap();
        }
    }
    succeeded(child);
    let mut order = vec![0; 10];
    log.read_exact(&mut order, LONG).unwrap();
    order
}

#[test]
fn five_rounds_with_either_side_first() {
    // Alone, for no other test's child may hold this one's pipes.
    child::succeeds_alone("five_rounds_with_either_side_first", || {
        assert_eq!(rounds(true), b"pcpcpcpcpc");
        assert_eq!(rounds(false), b"cpcpcpcpcp");
    });
}

#[test]
fn a_dead_peer_is_an_error_on_either_side() {
    child::succeeds_alone("a_dead_peer_is_an_error_on_either_side", || {
        for limit in [Timeout::Forever, LONG] {
            let mut turnstile = Turnstile::new().unwrap();
            let child = fork(|| {
                turnstile.choose(Side::Child).unwrap();
                turnstile.tell_parent().unwrap();
                nix::unistd::pause();
            });
            turnstile.wait_child(LONG).unwrap();
            asleep(child);
            killed(child);
            let error = turnstile.wait_child(limit).unwrap_err();
            assert_eq!(error.errno(), libc::EPIPE);
            assert!(error.to_string().contains("the child has ended"), "{error}");
            assert_eq!(turnstile.tell_child().unwrap_err().errno(), libc::EPIPE);
        }
        // The parent ends: a process in between is the parent, so that it can be killed.
        let (verdict, tell) = pipe().unwrap();
        let middle = fork(|| {
            let mut turnstile = Turnstile::new().unwrap();
            fork(|| {
                let error = turnstile.wait_parent(Timeout::Forever).unwrap_err();
                assert!(error.to_string().contains("the parent has ended"), "{error}");
                tell.write_all(&error.errno().to_le_bytes(), LONG).unwrap();
            });
            turnstile.choose(Side::Parent).unwrap();
            nix::unistd::pause();
        });
        asleep(middle);
        killed(middle);
        let mut errno = [0; 4];
        verdict.read_exact(&mut errno, LONG).unwrap();
        assert_eq!(i32::from_le_bytes(errno), libc::EPIPE);
    });
}

#[test]
fn a_wait_ends_when_its_time_is_over() {
    child::succeeds_alone("a_wait_ends_when_its_time_is_over", || {
        let mut turnstile = Turnstile::new().unwrap();
        let child = fork(|| turnstile.wait_parent(LONG).unwrap());
        assert_eq!(turnstile.wait_child(Timeout::TRY).unwrap_err().errno(), libc::EAGAIN);
        let started = Instant::now();
        assert_eq!(turnstile.wait_child(SHORT).unwrap_err().errno(), libc::ETIMEDOUT);
        assert!(started.elapsed() >= Duration::from_millis(20));
        turnstile.tell_child().unwrap();
        succeeded(child);
    });
}

#[test]
fn each_side_has_its_own_verbs() {
    let mut turnstile = Turnstile::new().unwrap();
    let error = turnstile.tell_parent().unwrap_err();
    assert_eq!(error.errno(), libc::EINVAL);
    assert!(error.to_string().contains("this process is the parent"), "{error}");
    assert_eq!(turnstile.wait_parent(Timeout::TRY).unwrap_err().errno(), libc::EINVAL);
    assert!(turnstile.fds(Side::Child).is_some());
    turnstile.choose(Side::Child).unwrap();
    turnstile.choose(Side::Child).unwrap();
    assert!(turnstile.fds(Side::Parent).is_none());
    let error = turnstile.choose(Side::Parent).unwrap_err();
    assert!(error.to_string().contains("this process is the child"), "{error}");
    assert_eq!(turnstile.tell_child().unwrap_err().errno(), libc::EINVAL);
    let child = fork(|| {
        let mut turnstile = Turnstile::new().unwrap();
        assert_eq!(turnstile.tell_parent().unwrap_err().errno(), libc::EINVAL);
    });
    succeeded(child);
}

#[test]
fn the_bytes_are_the_documents() {
    let ((hear, told), (telling, tell)) = (pipe().unwrap(), pipe().unwrap());
    let mut child = Turnstile::from_fds(Side::Child, hear.into(), tell.into()).unwrap();
    told.write_all(b"p", LONG).unwrap();
    child.wait_parent(LONG).unwrap();
    child.tell_parent().unwrap();
    let mut word = [0];
    telling.read_exact(&mut word, LONG).unwrap();
    assert_eq!(&word, b"c");
    told.write_all(b"x", LONG).unwrap();
    assert_eq!(child.wait_parent(LONG).unwrap_err().errno(), libc::EPROTO);
    let (reader, writer) = pipe().unwrap();
    let (reader, writer): (OwnedFd, OwnedFd) = (reader.into(), writer.into());
    let error = Turnstile::from_fds(Side::Parent, writer, reader).unwrap_err();
    assert_eq!(error.errno(), libc::EBADF);
}
