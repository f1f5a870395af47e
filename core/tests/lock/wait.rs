// SPDX-License-Identifier: MIT OR Apache-2.0
//! How a wait ends, and what it costs.

use std::fs;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::sync::{Arc, Barrier, Mutex};
use std::time::{Duration, Instant};

use crate::child::{skip, succeeds_alone};
use crate::peer::Peer;
use crate::storm::{Storm, through};
use crate::support::Directory;
use crate::{FOREVER, KINDS, ROUNDS, SHORT, TRY, alone, errno, open, peer};
use nix::sys::resource::{Resource, setrlimit};
use unipc::Timeout;
use unipc::lock::Kind;
use unipc::lock::Sharing::{Exclusive, Shared};

#[test]
fn a_wait_ends_with_its_time_or_with_the_lock() {
    let _alone = alone();
    let directory = Directory::new("lock-wait");
    for kind in KINDS {
        let name = directory.name(&format!("{kind:?}"));
        let mut holder = Peer::run(|link| {
            let lock = open(kind, &name);
            for _ in 0..2 {
                lock.acquire(.., Exclusive, FOREVER).unwrap();
                link.tell();
                link.hear();
                lock.release(..).unwrap();
                link.tell();
                link.hear();
            }
        });
        let lock = open(kind, &name);
        for timeout in [FOREVER, Timeout::After(peer::WATCHDOG)] {
            holder.hear();
            assert_eq!(errno(lock.acquire(.., Exclusive, TRY)), libc::EAGAIN);
            let started = Instant::now();
            assert_eq!(errno(lock.acquire(.., Exclusive, SHORT)), libc::ETIMEDOUT);
            assert_eq!(errno(lock.acquire(.., Shared, SHORT)), libc::ETIMEDOUT);
            assert!(started.elapsed() >= Duration::from_millis(40));
            let (started, thread) = (Arc::new(Barrier::new(2)), Arc::new(Mutex::new(0)));
            std::thread::scope(|scope| {
                let waiter = scope.spawn(|| {
                    *thread.lock().unwrap() = nix::unistd::gettid().as_raw();
                    started.wait();
                    lock.acquire(.., Exclusive, timeout)
                });
                started.wait();
                let id = *thread.lock().unwrap();
                peer::asleep(&format!("/proc/self/task/{id}/status"));
                assert!(!waiter.is_finished());
                holder.tell();
                assert_eq!(errno(waiter.join().unwrap()), 0, "{kind:?} {timeout:?}");
            });
            holder.hear();
            lock.release(..).unwrap();
            holder.tell();
        }
        holder.ends();
    }
}

#[test]
fn eight_threads_with_a_handle_each_count_right_in_a_storm_of_signals() {
    let _alone = alone();
    let directory = Directory::new("lock-threads");
    for kind in [Kind::Ofd, Kind::Flock] {
        let name = directory.name(&format!("{kind:?}"));
        let path = directory.path(&format!("{kind:?}"));
        fs::write(&path, 0_u64.to_le_bytes()).unwrap();
        std::thread::scope(|scope| {
            for number in 0..8 {
                let (name, path) = (&name, &path);
                scope.spawn(move || {
                    let _storm = Storm::new();
                    let lock = open(kind, name);
                    let mut file = File::options().read(true).write(true).open(path).unwrap();
                    let limits = [FOREVER, Timeout::After(peer::WATCHDOG)];
                    for _ in 0..ROUNDS {
                        let limit = limits[number % 2];
                        through(|| lock.acquire(.., Exclusive, limit)).unwrap();
                        let mut count = [0; 8];
                        file.seek(SeekFrom::Start(0)).unwrap();
                        file.read_exact(&mut count).unwrap();
                        file.seek(SeekFrom::Start(0)).unwrap();
                        let more = u64::from_le_bytes(count) + 1;
                        file.write_all(&more.to_le_bytes()).unwrap();
                        lock.release(..).unwrap();
                    }
                });
            }
        });
        assert_eq!(fs::read(&path).unwrap(), (8 * ROUNDS).to_le_bytes(), "{kind:?}");
    }
    assert!(Storm::signals() > 0);
}

#[test]
fn a_wait_that_gets_no_timer_says_so_and_holds_nothing() {
    succeeds_alone("wait::a_wait_that_gets_no_timer_says_so_and_holds_nothing", || {
        let directory = Directory::new("lock-timer");
        let name = directory.name("lock");
        let (holder, waiter) = (open(Kind::Ofd, &name), open(Kind::Ofd, &name));
        holder.acquire(.., Exclusive, TRY).unwrap();
        setrlimit(Resource::RLIMIT_SIGPENDING, 0, 0).unwrap();
        let result = waiter.acquire(.., Exclusive, SHORT);
        if errno(result.clone()) == libc::ETIMEDOUT {
            return skip("a_wait_that_gets_no_timer", "RLIMIT_SIGPENDING is not enforced here");
        }
        assert_eq!(errno(result), libc::EAGAIN);
        holder.release(..).unwrap();
        // Without somebody in the way no timer is needed.
        waiter.acquire(.., Exclusive, SHORT).unwrap();
    });
}
