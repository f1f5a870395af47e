// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whose SIGBUS it is: ours inside a guard becomes an error, every other one does what it would have done without us.
#![allow(unsafe_code, reason = "signals and raw pointers are what is tested")]

#[path = "support/child.rs"]
mod child;
mod support;

use std::cell::Cell;
use std::os::unix::process::ExitStatusExt;
use std::process::Output;
use std::sync::Barrier;
use std::thread;

use child::{alone, succeeds_alone};
use nix::errno::Errno;
use unipc::shm::Seals;
use unipc::{SharedMemory, page_size};

/// Memory whose second page the file has lost, mapped by the library, outside of its guard.
fn lost_page() -> SharedMemory {
    let shm =
        SharedMemory::options().seals(Seals::NONE).create("memfd:lost", 2 * page_size()).unwrap();
    truncate(&shm, page_size());
    shm
}

/// The address of that page.
fn lost(shm: &SharedMemory) -> *mut u8 {
    shm.ptr_at(page_size(), 1).unwrap()
}

fn truncate(shm: &SharedMemory, size: usize) {
    let file = std::fs::File::from(shm.fd().unwrap().try_clone_to_owned().unwrap());
    file.set_len(size as u64).unwrap();
}

/// The same, mapped by somebody else in this process.
fn foreign_lost_page() -> *mut u8 {
    let shm = lost_page();
    let fd = std::os::fd::AsRawFd::as_raw_fd(&shm.fd().unwrap());
    // SAFETY: the kernel chooses the address of a new mapping.
    let base = unsafe {
        libc::mmap(std::ptr::null_mut(), 2 * page_size(), libc::PROT_READ, libc::MAP_SHARED, fd, 0)
    };
    assert_ne!(base, libc::MAP_FAILED);
    // SAFETY: inside the mapping.
    unsafe { base.cast::<u8>().add(page_size()) }
}

fn dispose(handler: usize, flags: i32) {
    // SAFETY: all zeros is a sigaction.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    action.sa_sigaction = handler;
    action.sa_flags = flags;
    // SAFETY: the handlers of this test call nothing but async-signal-safe functions.
    let result = unsafe { libc::sigaction(libc::SIGBUS, &raw const action, std::ptr::null_mut()) };
    assert_eq!(result, 0);
}

/// Has the library install its handler, by an access that it guards and that loses a page.
fn install() {
    let shm = lost_page();
    assert_eq!(shm.write_at(page_size(), b"x").unwrap_err().errno(), libc::EFAULT);
    let guarded = shm.guarded(|| touch(lost(&shm)));
    assert_eq!(guarded.unwrap_err().errno(), libc::EFAULT);
}

fn touch(address: *mut u8) {
    // SAFETY: mapped, though no memory is behind it: SIGBUS is what is wanted.
    unsafe { address.read_volatile() };
}

fn died_of_sigbus(output: &Output) {
    assert_eq!(output.status.signal(), Some(libc::SIGBUS), "{output:?}");
}

#[test]
fn a_foreign_fault_kills_by_default() {
    died_of_sigbus(&alone("a_foreign_fault_kills_by_default", || {
        dispose(libc::SIG_DFL, 0);
        install();
        touch(foreign_lost_page());
    }));
}

#[test]
fn a_foreign_fault_kills_within_a_guard_too() {
    died_of_sigbus(&alone("a_foreign_fault_kills_within_a_guard_too", || {
        dispose(libc::SIG_DFL, 0);
        let shm = lost_page();
        let foreign = foreign_lost_page();
        let _ = shm.guarded(|| touch(foreign));
    }));
}

#[test]
fn our_own_fault_outside_a_guard_kills() {
    died_of_sigbus(&alone("our_own_fault_outside_a_guard_kills", || {
        dispose(libc::SIG_DFL, 0);
        let shm = lost_page();
        assert_eq!(shm.guarded(|| touch(shm.as_ptr())), Ok(()));
        touch(lost(&shm));
    }));
}

#[test]
fn a_fault_kills_although_the_signal_is_ignored() {
    // As without the library: the kernel never lets a fault be ignored.
    died_of_sigbus(&alone("a_fault_kills_although_the_signal_is_ignored", || {
        dispose(libc::SIG_IGN, 0);
        install();
        touch(foreign_lost_page());
    }));
}

extern "C" fn leave_with_41(_: i32) {
    // SAFETY: async-signal-safe.
    unsafe { libc::_exit(41) };
}

extern "C" fn leave_with_42_if_told_where(
    _: i32,
    info: *mut libc::siginfo_t,
    _: *mut libc::c_void,
) {
    // SAFETY: the kernel's siginfo, handed on.
    let info = unsafe { &*info };
    // SAFETY: a fault carries an address.
    let address = unsafe { info.si_addr() }.addr();
    let told =
        info.si_code == libc::BUS_ADRERR && address != 0 && address.is_multiple_of(page_size());
    // SAFETY: async-signal-safe.
    unsafe { libc::_exit(if told { 42 } else { 43 }) };
}

#[test]
fn an_earlier_handler_gets_foreign_faults() {
    let plain = alone("an_earlier_handler_gets_foreign_faults", || {
        dispose(leave_with_41 as *const () as usize, 0);
        install();
        touch(foreign_lost_page());
    });
    assert_eq!(plain.status.code(), Some(41), "{plain:?}");
}

#[test]
fn an_earlier_handler_is_told_the_address() {
    let informed = alone("an_earlier_handler_is_told_the_address", || {
        dispose(leave_with_42_if_told_where as *const () as usize, libc::SA_SIGINFO);
        install();
        touch(foreign_lost_page());
    });
    assert_eq!(informed.status.code(), Some(42), "{informed:?}");
}

extern "C" fn leave_with_44_if_blocked(_: i32) {
    let nothing = std::ptr::null();
    // SAFETY: all zeros is a signal set.
    let mut blocked = unsafe { std::mem::zeroed() };
    // SAFETY: only asks.
    unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, nothing, &raw mut blocked) };
    // SAFETY: the set was filled.
    let usr1 = unsafe { libc::sigismember(&raw const blocked, libc::SIGUSR1) } == 1;
    // SAFETY: as above.
    let bus = unsafe { libc::sigismember(&raw const blocked, libc::SIGBUS) } == 1;
    // SAFETY: async-signal-safe.
    unsafe { libc::_exit(if usr1 && !bus { 44 } else { 45 }) };
}

#[test]
fn an_earlier_handler_runs_with_the_mask_that_it_asked_for() {
    let masked = alone("an_earlier_handler_runs_with_the_mask_that_it_asked_for", || {
        // SAFETY: all zeros is a sigaction.
        let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
        action.sa_sigaction = leave_with_44_if_blocked as *const () as usize;
        action.sa_flags = libc::SA_NODEFER;
        // SAFETY: a signal set inside a valid struct.
        unsafe { libc::sigaddset(&raw mut action.sa_mask, libc::SIGUSR1) };
        // SAFETY: the handler calls nothing but async-signal-safe functions.
        unsafe { libc::sigaction(libc::SIGBUS, &raw const action, std::ptr::null_mut()) };
        install();
        touch(foreign_lost_page());
    });
    assert_eq!(masked.status.code(), Some(44), "{masked:?}");
}

#[test]
fn a_signal_that_was_sent_is_no_fault() {
    // SAFETY: sends a signal to this thread.
    let send = || unsafe { libc::raise(libc::SIGBUS) };
    died_of_sigbus(&alone("a_signal_that_was_sent_is_no_fault", || {
        dispose(libc::SIG_DFL, 0);
        let shm = lost_page();
        let _ = shm.guarded(send);
    }));
}

#[test]
fn an_ignored_signal_stays_ignored() {
    succeeds_alone("an_ignored_signal_stays_ignored", || {
        dispose(libc::SIG_IGN, 0);
        install();
        // SAFETY: sends a signal to this thread.
        assert_eq!(unsafe { libc::raise(libc::SIGBUS) }, 0);
        install();
    });
}

#[test]
fn the_errno_of_whoever_faults_is_kept() {
    let shm = lost_page();
    let kept = Cell::new(None);
    let told = shm.guarded(|| {
        Errno::EDOM.set();
        touch(lost(&shm));
        kept.set(Some(Errno::last()));
    });
    assert_eq!(told.unwrap_err().errno(), libc::EFAULT);
    assert_eq!(kept.get(), Some(Errno::EDOM));
}

#[test]
fn all_who_overlap_with_a_loss_are_told_and_later_ones_are_not() {
    let shm = lost_page();
    let together = Barrier::new(4);
    thread::scope(|scope| {
        for toucher in [true, false, true, false] {
            let (shm, together) = (&shm, &together);
            scope.spawn(move || {
                let told = shm.guarded(|| {
                    together.wait();
                    if toucher {
                        touch(lost(shm));
                    }
                    together.wait();
                });
                assert_eq!(told.unwrap_err().errno(), libc::EFAULT);
            });
        }
    });
    // The page has come back, with the mapping repaired: what is written is shared again.
    truncate(&shm, 2 * page_size());
    shm.write_at(page_size(), b"again").unwrap();
    let other = SharedMemory::from_fd(shm.fd().unwrap().try_clone_to_owned().unwrap()).unwrap();
    assert_eq!(other.compare(page_size(), b"again").unwrap(), std::cmp::Ordering::Equal);
}

#[test]
fn guards_of_many_mappings_do_not_mix() {
    let all: Vec<_> = (0..200).map(|_| lost_page()).collect();
    let whole = SharedMemory::options().seals(Seals::NONE).create("memfd:whole", 100).unwrap();
    let outer: Vec<_> = all.iter().map(SharedMemory::begin_access).collect();
    let inner = whole.guarded(|| {
        touch(lost(&all[199]));
    });
    assert_eq!(inner, Ok(()), "the loss was another's");
    let told: Vec<_> = outer.into_iter().map(|access| access.end().is_err()).collect();
    assert_eq!(told.iter().filter(|&&told| told).count(), 1);
    assert!(told[199]);
}
