// SPDX-License-Identifier: MIT OR Apache-2.0
//! Signals as C sees them: numbers, words, sets, what a call returns.

use std::ffi::{CStr, c_char, c_int};
use std::mem::MaybeUninit;
use std::ptr::{null, null_mut};

use unipc_core::signal::{ActionFlags, DefaultAction, Disposition, Set, Signal};

use crate::ffi::signal::*;
use crate::null::INVALID;

static TRY: libc::timespec = libc::timespec { tv_sec: 0, tv_nsec: 0 };

fn text<'a>(string: *const c_char) -> &'a str {
    // SAFETY: the functions that are asked here return static strings.
    unsafe { CStr::from_ptr(string) }.to_str().unwrap()
}

fn set(signals: impl IntoIterator<Item = Signal>) -> libc::sigset_t {
    signals.into_iter().collect::<Set>().into()
}

/// The calling thread alone gets it, whatever other tests do.
fn queue_here(signal: Signal, value: c_int) -> c_int {
    let (process, thread) = (std::process::id().cast_signed(), nix_gettid());
    unipc_signal_queue_thread(process, thread, signal.number(), value)
}

fn nix_gettid() -> c_int {
    // SAFETY: takes nothing.
    unsafe { libc::gettid() }
}

#[test]
fn numbers_names_and_words_are_the_cores() {
    for number in 1..=64 {
        let signal = Signal::new(number).unwrap();
        assert_eq!(text(unipc_signal_name(number)), signal.to_string());
        assert_eq!(text(unipc_signal_description(number)), signal.description());
        assert_eq!(unipc_signal_default_action(number), signal.default_action() as c_int);
    }
    for number in [0, -1, 65, c_int::MIN, c_int::MAX] {
        assert_eq!(text(unipc_signal_name(number)), "unknown");
        assert_eq!(text(unipc_signal_description(number)), "unknown");
        assert_eq!(unipc_signal_default_action(number), -libc::EINVAL);
        assert_eq!(text(unipc_signal_cause(number, 0)), "unknown");
    }
    for (name, number) in [
        (c"SIGTERM", libc::SIGTERM),
        (c"usr1", libc::SIGUSR1),
        (c"RTMIN+2", libc::SIGRTMIN() + 2),
        (c"nosuch", -libc::EINVAL),
        (c"\xff", -libc::EINVAL),
    ] {
        // SAFETY: a string.
        assert_eq!(unsafe { unipc_signal_number(name.as_ptr()) }, number, "{name:?}");
    }
    assert_eq!(unipc_signal_realtime(1), libc::SIGRTMIN() + 1);
    assert_eq!(unipc_signal_realtime(64), -libc::EINVAL);
    for (signal, code, name) in [
        (libc::SIGUSR1, libc::SI_QUEUE, "SI_QUEUE"),
        (libc::SIGCHLD, libc::CLD_EXITED, "CLD_EXITED"),
        (libc::SIGSEGV, 1, "SEGV_MAPERR"),
        (libc::SIGUSR1, libc::SI_KERNEL, "SI_KERNEL"),
        (libc::SIGUSR1, 7, "unknown"),
        (libc::SIGUSR1, c_int::MIN, "unknown"),
    ] {
        assert_eq!(text(unipc_signal_cause(signal, code)), name);
    }
}

#[test]
fn the_constants_are_the_cores() {
    use unipc_signal_default::*;
    use unipc_signal_disposition::*;
    for (ours, theirs) in [
        (UNIPC_SIGNAL_DEFAULT, Disposition::Default),
        (UNIPC_SIGNAL_IGNORE, Disposition::Ignore),
        (UNIPC_SIGNAL_HANDLER, Disposition::Handler),
        (UNIPC_SIGNAL_COUNTER, Disposition::Counter),
    ] {
        assert_eq!(ours as c_int, theirs as c_int);
    }
    for (ours, theirs) in [
        (UNIPC_SIGNAL_TERMINATES, DefaultAction::Terminate),
        (UNIPC_SIGNAL_DUMPS, DefaultAction::Core),
        (UNIPC_SIGNAL_IS_IGNORED, DefaultAction::Ignore),
        (UNIPC_SIGNAL_STOPS, DefaultAction::Stop),
        (UNIPC_SIGNAL_CONTINUES, DefaultAction::Continue),
    ] {
        assert_eq!(ours as c_int, theirs as c_int);
    }
}

#[test]
fn a_value_goes_through_a_wait_and_a_stream() {
    let signal = Signal::realtime(5).unwrap();
    let wanted = set([signal]);
    let (mut before, mut now, mut pending) = (set([]), set([]), set([]));
    let mut info = MaybeUninit::uninit();
    // SAFETY: every pointer is valid.
    unsafe {
        assert_eq!(unipc_signal_block(&raw const wanted, &raw mut before), 0);
        assert_eq!(unipc_signal_mask(&raw mut now), 0);
        assert_eq!(Set::from(&now), Set::from(&before) | signal);
        assert_eq!(unipc_signal_wait(&raw const wanted, null_mut(), &raw const TRY), -libc::EAGAIN);
        assert_eq!(queue_here(signal, -9), 0);
        assert_eq!(unipc_signal_pending(&raw mut pending), 0);
        assert!(Set::from(&pending).contains(signal));
        let got = unipc_signal_wait(&raw const wanted, info.as_mut_ptr(), &raw const TRY);
        assert_eq!(got, signal.number());
        let info: unipc_signal_info = info.assume_init();
        assert_eq!((info.signal, info.code, info.value), (got, libc::SI_QUEUE, -9));
        assert_eq!((info.pid, info.pointer), (std::process::id().cast_signed(), 0xffff_fff7));
        assert_eq!(unipc_signal_set_mask(&raw const before, null_mut()), 0);
        assert_eq!(unipc_signal_mask(&raw mut now), 0);
        assert_eq!(Set::from(&now), Set::from(&before));
    }
    let mut stream = null_mut();
    let mut infos = [MaybeUninit::<unipc_signal_info>::uninit(); 4];
    let room = infos.as_mut_ptr().cast();
    // SAFETY: every pointer is valid and the handle open.
    unsafe {
        assert_eq!(unipc_signal_stream_open(&raw mut stream, &raw const wanted, 2), -libc::EINVAL);
        assert!(stream.is_null());
        assert_eq!(unipc_signal_stream_open(&raw mut stream, &raw const wanted, 0), 0);
        assert_eq!(unipc_signal_stream_read(stream, null_mut(), &raw const TRY), -libc::EAGAIN);
        let short = libc::timespec { tv_sec: 0, tv_nsec: 1_000_000 };
        assert_eq!(
            unipc_signal_stream_read(stream, null_mut(), &raw const short),
            -libc::ETIMEDOUT
        );
        for value in 0..3 {
            assert_eq!(queue_here(signal, value), 0);
        }
        assert_eq!(unipc_signal_stream_read(stream, null_mut(), null()), signal.number());
        assert_eq!(unipc_signal_stream_read_many(stream, room, 4, null()), 2);
        assert_eq!(infos.map(|info| info.assume_init_ref().value)[..2], [1, 2]);
        assert_eq!(
            unipc_signal_stream_read_many(stream, room, 0, &raw const TRY),
            -(libc::EINVAL as isize)
        );
        let mut told = set([]);
        assert_eq!(unipc_signal_stream_set(stream, &raw mut told), 0);
        assert_eq!(Set::from(&told), Set::from(signal));
        assert!(unipc_signal_stream_fd(stream) > 2);
        let other = set([Signal::WINCH]);
        assert_eq!(unipc_signal_stream_change(stream, &raw const other), 0);
        unipc_signal_stream_close(stream);
        assert_eq!(unipc_signal_mask(&raw mut now), 0);
        assert_eq!(Set::from(&now), Set::from(&before));
    }
}

#[test]
fn a_counter_and_an_action_come_and_go() {
    use unipc_signal_flag::*;
    let wanted = set([Signal::WINCH]);
    let mask = set([Signal::HUP]);
    let mut counter = null_mut();
    let mut counts = MaybeUninit::<unipc_signal_counts>::uninit();
    let mut action = MaybeUninit::<unipc_signal_action_values>::uninit();
    let number = libc::SIGWINCH;
    let flags = UNIPC_SIGNAL_NO_RESTART as u32 | UNIPC_SIGNAL_NO_DEFER as u32;
    // SAFETY: every pointer is valid and the handle open.
    unsafe {
        let open = unipc_signal_counter_open;
        assert_eq!(open(&raw mut counter, &raw const wanted, 1, null()), -libc::EINVAL);
        assert_eq!(open(&raw mut counter, &raw const wanted, flags, &raw const mask), 0);
        assert_eq!(unipc_signal_ensure_unhandled(number), -libc::EBUSY);
        assert_eq!(unipc_signal_action(number, action.as_mut_ptr()), 0);
        let ours = action.assume_init();
        assert_eq!(ours.disposition, Disposition::Counter as i32);
        let expected = ActionFlags::NO_DEFER | ActionFlags::ON_STACK;
        assert_eq!(ours.flags, expected.bits());
        assert_eq!(Set::from(&ours.mask), Set::from(Signal::HUP));
        assert_eq!(
            unipc_signal_counter_wait(counter, counts.as_mut_ptr(), &raw const TRY),
            -libc::EAGAIN
        );
        assert_eq!(unipc_signal_raise(number), 0);
        assert_eq!(unipc_signal_raise(number), 0);
        assert_eq!(unipc_signal_counter_wait(counter, counts.as_mut_ptr(), null()), 1);
        assert_eq!(counts.assume_init().of[usize::try_from(number).unwrap()], 2);
        assert_eq!(counts.assume_init().of.iter().sum::<u64>(), 2);
        // Away and back, by value.
        assert_eq!(unipc_signal_ignore(number, action.as_mut_ptr()), 0);
        assert_eq!(unipc_signal_raise(number), 0);
        assert_eq!(unipc_signal_counter_take(counter, counts.as_mut_ptr()), 0);
        assert_eq!(unipc_signal_set_action(number, action.as_ptr(), null_mut()), 0);
        assert_eq!(unipc_signal_raise(number), 0);
        assert_eq!(unipc_signal_counter_take(counter, counts.as_mut_ptr()), 1);
        let mut told = set([]);
        assert_eq!(unipc_signal_counter_set(counter, &raw mut told), 0);
        assert_eq!(Set::from(&told), Set::from(Signal::WINCH));
        assert!(unipc_signal_counter_fd(counter) > 2);
        unipc_signal_counter_close(counter);
        assert_eq!(unipc_signal_reset(number, action.as_mut_ptr()), 0);
        assert_eq!(action.assume_init().disposition, Disposition::Default as i32);
        for bad in [
            unipc_signal_action_values { disposition: 9, ..ours },
            unipc_signal_action_values { flags: 1 << 20, ..ours },
        ] {
            let answer = unipc_signal_set_action(number, &raw const bad, null_mut());
            assert_eq!(answer, -libc::EINVAL);
        }
    }
}

#[test]
fn processes_are_told_by_number_and_by_descriptor() {
    let me = std::process::id().cast_signed();
    let pidfd = unipc_signal_pidfd_open(me);
    assert!(pidfd > 2);
    assert_eq!((unipc_signal_pidfd_pid(pidfd), unipc_signal_pidfd_is_alive(pidfd)), (me, 1));
    let mut started = 0;
    let mut status = MaybeUninit::<unipc_signal_status>::uninit();
    // SAFETY: the pointers are valid.
    unsafe {
        assert_eq!(unipc_signal_start_time(me, &raw mut started), 0);
        assert_eq!(unipc_signal_pidfd_open_started(me, started + 1), -libc::ESRCH);
        let again = unipc_signal_pidfd_open_started(me, started);
        assert!(again > 2);
        libc::close(again);
        assert_eq!(unipc_signal_stat(0, status.as_mut_ptr()), 0);
        assert!(status.assume_init().queue_limit > 0);
        let mut reserved = set([]);
        assert_eq!(unipc_signal_reserved(&raw mut reserved), 0);
        assert_eq!(libc::sigismember(&raw const reserved, 32), 1);
    }
    assert!([0, libc::SIGRTMAX()].contains(&unipc_signal_timeout_signal()));
    assert_eq!((unipc_signal_probe(me), unipc_signal_probe(0)), (0, -libc::EINVAL));
    assert_eq!(unipc_signal_send(me, libc::SIGURG), 0, "ignored by default");
    assert_eq!(unipc_signal_pidfd_send(pidfd, libc::SIGURG), 0);
    assert_eq!(unipc_signal_queue(me, libc::SIGURG, 1), 0);
    assert_eq!(unipc_signal_queue_pointer(me, libc::SIGURG, null_mut()), 0);
    assert_eq!(unipc_signal_pidfd_queue(pidfd, libc::SIGURG, 1), 0);
    assert_eq!(unipc_signal_pidfd_queue_pointer(pidfd, libc::SIGURG, null_mut()), 0);
    assert_eq!(unipc_signal_send_thread(me, nix_gettid(), libc::SIGURG), 0);
    assert_eq!(unipc_signal_send_group(1, libc::SIGURG), -libc::EINVAL);
    for answer in [
        unipc_signal_send(me, 0),
        unipc_signal_raise(65),
        unipc_signal_queue(me, -1, 0),
        unipc_signal_pidfd_send(pidfd, 0),
        unipc_signal_send_group(0, 99),
    ] {
        assert_eq!(answer, -libc::EINVAL);
    }
    for bad in [-1, 1_000_000] {
        assert_eq!(unipc_signal_pidfd_send(bad, libc::SIGURG), -libc::EBADF);
        assert_eq!(unipc_signal_pidfd_queue(bad, libc::SIGURG, 1), -libc::EBADF);
        assert_eq!(unipc_signal_pidfd_send_group(bad, libc::SIGURG), -libc::EBADF);
        assert_eq!(unipc_signal_pidfd_pid(bad), -libc::EBADF);
        assert_eq!(unipc_signal_pidfd_is_alive(bad), -libc::EBADF);
    }
    // SAFETY: the descriptor is used no more.
    unsafe { libc::close(pidfd) };
}

/// The functions that refuse NULL, and those that take no pointer or for which NULL is fine.
pub(crate) fn null_is_refused() -> Vec<&'static str> {
    let at_once = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    let mut set = libc::sigset_t::from(Set::from(Signal::URG));
    let (mut stream, mut counter) = (null_mut(), null_mut());
    let (mut open_stream, mut open_counter) = (null_mut(), null_mut());
    // SAFETY: the pointers are valid.
    assert_eq!(unsafe { unipc_signal_stream_open(&raw mut open_stream, &raw const set, 0) }, 0);
    // SAFETY: as above.
    let opened =
        unsafe { unipc_signal_counter_open(&raw mut open_counter, &raw const set, 0, null()) };
    assert_eq!(opened, 0);
    let mut info = std::mem::MaybeUninit::uninit();
    let mut room = std::mem::MaybeUninit::uninit();
    let (infos, counts) = (info.as_mut_ptr(), room.as_mut_ptr());
    let asked = ask! {
        unipc_signal_number(null()) -> INVALID;
        unipc_signal_start_time(1, null_mut()) -> INVALID;
        unipc_signal_block(null(), null_mut()) -> INVALID;
        unipc_signal_unblock(null(), null_mut()) -> INVALID;
        unipc_signal_set_mask(null(), null_mut()) -> INVALID;
        unipc_signal_mask(null_mut()) -> INVALID;
        unipc_signal_pending(null_mut()) -> INVALID;
        unipc_signal_wait(null(), null_mut(), &raw const at_once) -> INVALID;
        unipc_signal_stat(0, null_mut()) -> INVALID;
        unipc_signal_reserved(null_mut()) -> INVALID;
        unipc_signal_stream_open(null_mut(), &raw const set, 0) -> INVALID;
        unipc_signal_stream_open(&raw mut stream, null(), 0) -> INVALID;
        unipc_signal_stream_read(null(), null_mut(), &raw const at_once) -> INVALID;
        unipc_signal_stream_read_many(null(), infos, 1, &raw const at_once) -> INVALID as isize;
        unipc_signal_stream_read_many(open_stream, null_mut(), 1, &raw const at_once) -> INVALID as isize;
        unipc_signal_stream_change(null(), &raw const set) -> INVALID;
        unipc_signal_stream_change(open_stream, null()) -> INVALID;
        unipc_signal_stream_set(null(), &raw mut set) -> INVALID;
        unipc_signal_stream_set(open_stream, null_mut()) -> INVALID;
        unipc_signal_stream_fd(null()) -> INVALID;
        unipc_signal_counter_open(null_mut(), &raw const set, 0, null()) -> INVALID;
        unipc_signal_counter_open(&raw mut counter, null(), 0, null()) -> INVALID;
        unipc_signal_counter_wait(null(), counts, &raw const at_once) -> INVALID;
        unipc_signal_counter_wait(open_counter, null_mut(), &raw const at_once) -> INVALID;
        unipc_signal_counter_take(null(), counts) -> INVALID;
        unipc_signal_counter_take(open_counter, null_mut()) -> INVALID;
        unipc_signal_counter_set(null(), &raw mut set) -> INVALID;
        unipc_signal_counter_set(open_counter, null_mut()) -> INVALID;
        unipc_signal_counter_fd(null()) -> INVALID;
        unipc_signal_action(libc::SIGUSR1, null_mut()) -> INVALID;
        unipc_signal_set_action(libc::SIGUSR1, null(), null_mut()) -> INVALID;
    };
    // SAFETY: the handles are open and used no more, and NULL is fine.
    unsafe {
        unipc_signal_stream_close(open_stream);
        unipc_signal_stream_close(null_mut());
        unipc_signal_counter_close(open_counter);
        unipc_signal_counter_close(null_mut());
    }
    let exempt = [
        "unipc_signal_cause",
        "unipc_signal_counter_close",
        "unipc_signal_default_action",
        "unipc_signal_description",
        "unipc_signal_ensure_unhandled",
        "unipc_signal_ignore",
        "unipc_signal_name",
        "unipc_signal_pidfd_is_alive",
        "unipc_signal_pidfd_open",
        "unipc_signal_pidfd_open_started",
        "unipc_signal_pidfd_pid",
        "unipc_signal_pidfd_queue",
        "unipc_signal_pidfd_queue_pointer",
        "unipc_signal_pidfd_send",
        "unipc_signal_pidfd_send_group",
        "unipc_signal_probe",
        "unipc_signal_queue",
        "unipc_signal_queue_pointer",
        "unipc_signal_queue_thread",
        "unipc_signal_raise",
        "unipc_signal_realtime",
        "unipc_signal_reset",
        "unipc_signal_send",
        "unipc_signal_send_group",
        "unipc_signal_send_thread",
        "unipc_signal_stream_close",
        "unipc_signal_timeout_signal",
    ];
    asked.into_iter().chain(exempt).collect()
}
