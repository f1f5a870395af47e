// SPDX-License-Identifier: MIT OR Apache-2.0
//! Locks in shared memory in Rust against glibc's own. The same rows exist in C and in Python.
#![allow(clippy::print_stdout, reason = "this is a program")]
#![allow(unsafe_code, reason = "glibc's objects are calls of C")]
#![allow(dead_code, reason = "the machine's facts are for several benchmarks")]
#![allow(clippy::cast_ptr_alignment, reason = "objects lie at multiples of 64 in the memory")]

mod harness;
mod machine;
mod plain {
    use std::time::Duration;
    pub(crate) fn processor_time() -> Duration {
        nix::time::clock_gettime(nix::time::ClockId::CLOCK_THREAD_CPUTIME_ID).unwrap().into()
    }
}

use std::sync::atomic::{AtomicBool, Ordering};

use harness::{Side, compare};
use unipc::record::{Cell, Layout};
use unipc::sync::{Form, Mutex, RwLock, Semaphore};
use unipc::{SharedMemory, Timeout};

/// Calls of glibc on an object that stays mapped while the benchmark runs.
macro_rules! plain {
    ($($function:ident),*; $object:expr) => {
        || {
            $(
                // SAFETY: the object was made in its place above, and the memory stays mapped.
                unsafe { libc::$function($object) };
            )*
        }
    };
}

fn main() {
    let shm = SharedMemory::create("anon:", 1 << 16).unwrap();
    let robust = Mutex::create((&shm, 0)).unwrap();
    // The fastest kind, which glibc's own defaults give.
    let normal = Mutex::options().form(Form::Pthread).kind(unipc::sync::MutexKind::Normal);
    let pthread = normal.create((&shm, 4096)).unwrap();
    let plain = shm.ptr_at(4096, 64).unwrap().cast::<libc::pthread_mutex_t>();
    compare(
        "lock + unlock, nobody else (expected: at most 0.70 x glibc's robust mutex)",
        vec![
            Side::new("unipc Mutex, robust form", || {
                let _ = robust.lock_raw(Timeout::Forever).unwrap();
                robust.unlock().unwrap();
            }),
            Side::new(
                "glibc pthread_mutex_t, robust",
                plain!(pthread_mutex_lock, pthread_mutex_unlock; plain),
            ),
            Side::new("unipc Mutex, pthread form", || {
                let _ = pthread.lock_raw(Timeout::Forever).unwrap();
                pthread.unlock().unwrap();
            }),
        ],
    );
    let rwlock = RwLock::create((&shm, 8192)).unwrap();
    let plain = shm.ptr_at(1 << 15, 64).unwrap().cast::<libc::pthread_rwlock_t>();
    RwLock::options().form(Form::Pthread).create((&shm, 1 << 15)).unwrap();
    compare(
        "read lock + unlock, nobody else (expected: at most 1.00 x)",
        vec![
            Side::new("unipc RwLock", || {
                let _ = rwlock.read_raw(Timeout::Forever).unwrap();
                rwlock.unlock().unwrap();
            }),
            Side::new(
                "glibc pthread_rwlock_t",
                plain!(pthread_rwlock_rdlock, pthread_rwlock_unlock; plain),
            ),
        ],
    );
    let semaphore = Semaphore::options().max(1).create((&shm, 16384), 1).unwrap();
    let plain = shm.ptr_at((1 << 15) + 1024, 64).unwrap().cast::<libc::sem_t>();
    Semaphore::options().form(Form::Pthread).create((&shm, (1 << 15) + 1024), 1).unwrap();
    compare(
        "semaphore, nobody else (expected: at most 1.00 x)",
        vec![
            Side::new("unipc Semaphore acquire_raw, release", || {
                let _ = semaphore.acquire_raw(Timeout::Forever).unwrap();
                semaphore.release().unwrap();
            }),
            Side::new("glibc sem_t", plain!(sem_wait, sem_post; plain)),
        ],
    );
    for size in [64, 256, 1024, 4096] {
        cells(size);
    }
}

/// Reads of a cell of this size, while another thread writes it without pause, and copies of bytes that another
/// thread writes as fast.
fn cells(size: usize) {
    let shm = SharedMemory::create("anon:", 1 << 16).unwrap();
    let cell = Cell::create((&shm, 0), &Layout::parse(&format!("{size}B")).unwrap()).unwrap();
    let bytes = shm.ptr_at(1 << 15, size).unwrap();
    let end = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let values = [vec![1_u8; size], vec![2; size]];
            for value in values.iter().cycle() {
                cell.write(value, Timeout::Forever).unwrap();
                shm.write_at(1 << 15, value).unwrap();
                if end.load(Ordering::Relaxed) {
                    break;
                }
            }
        });
        let (mut ours, mut plain) = (vec![0_u8; size], vec![0_u8; size]);
        compare(
            &format!(
                "reading {size} bytes that are being written (expected: at most 2.00 x memcpy)"
            ),
            vec![
                Side::new("unipc Cell", || cell.read(std::hint::black_box(&mut ours)).unwrap()),
                Side::new("memcpy, which may be torn", || {
                    let to = std::hint::black_box(plain.as_mut_ptr());
                    // SAFETY: both have so many bytes, and the memory stays mapped.
                    unsafe { libc::memcpy(to.cast(), bytes.cast(), size) }
                }),
            ],
        );
        end.store(true, Ordering::Relaxed);
    });
}
