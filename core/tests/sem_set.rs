// SPDX-License-Identifier: MIT OR Apache-2.0
//! System V sets at full fidelity, with /proc/sysvipc/sem as the judge.
#![allow(unsafe_code, reason = "the C library is asked directly, and processes are forked")]

#[path = "support/child.rs"]
mod child;
#[path = "support/semaphore.rs"]
mod semaphore;
mod support;

use std::fs;
use std::time::{Duration, Instant};

use child::{skip, succeeds_in_namespaces};
use semaphore::Unlinked;
use support::{Directory, key_name};
use unipc::sem::{Operation, Options, limits, usage};
use unipc::sysv::{Change, Key, Permissions};
use unipc::{Mode, Name, Semaphore, SemaphoreSet, Timeout};

const LONG: Timeout = Timeout::After(Duration::from_secs(30));

fn errno<T: std::fmt::Debug>(result: unipc::Result<T>) -> i32 {
    result.unwrap_err().errno()
}

/// A private set that goes when it is dropped.
fn set(values: &[u16]) -> SemaphoreSet {
    Options::new().remove_on_drop(true).create_set("sysv:private", values).unwrap()
}

/// The kernel's own table: the fields of the row of this identifier, by column name.
fn kernel_row(id: i32) -> Option<impl Fn(&str) -> i64> {
    let table = fs::read_to_string("/proc/sysvipc/sem").unwrap();
    let mut lines = table.lines();
    let columns: Vec<_> = lines.next().unwrap().split_whitespace().map(str::to_owned).collect();
    let row = lines.find_map(|line| {
        let fields: Vec<_> = line.split_whitespace().map(str::to_owned).collect();
        (fields[1] == id.to_string()).then_some(fields)
    })?;
    Some(move |column: &str| {
        let at = columns.iter().position(|name| name == column).unwrap();
        let radix = if column == "perms" { 8 } else { 10 };
        i64::from_str_radix(&row[at], radix).unwrap()
    })
}

#[test]
fn every_field_of_the_status_is_the_kernels() {
    let name = Unlinked(key_name());
    let set = SemaphoreSet::create(name.0.as_str(), &[1, 2, 3]).unwrap();
    let status = set.stat().unwrap();
    let row = kernel_row(status.id).unwrap();
    let permissions = status.permissions;
    for (column, value) in [
        ("key", i64::from(permissions.key)),
        ("semid", i64::from(set.id())),
        ("perms", i64::from(permissions.mode)),
        ("nsems", i64::try_from(status.count).unwrap()),
        ("uid", i64::from(permissions.uid)),
        ("gid", i64::from(permissions.gid)),
        ("cuid", i64::from(permissions.cuid)),
        ("cgid", i64::from(permissions.cgid)),
        ("otime", status.operation_time),
        ("ctime", status.change_time),
    ] {
        assert_eq!(row(column), value, "{column}");
    }
    assert_eq!((status.count, permissions.mode), (3, 0o600));
    assert!(status.operation_time > 0, "a new set was operated on once");
    assert_eq!(permissions.sequence, status.id.cast_unsigned() / 32768);
}

#[test]
fn values_are_read_and_set_one_by_one_and_together() {
    let set = set(&[1, 0, 32767]);
    assert_eq!(set.values().unwrap(), [1, 0, 32767]);
    set.set_value(1, 5).unwrap();
    assert_eq!((set.value(0).unwrap(), set.value(1).unwrap()), (1, 5));
    set.set_values(&[7, 8, 9]).unwrap();
    assert_eq!(set.values().unwrap(), [7, 8, 9]);
    assert_eq!(set.last_pid(2).unwrap().cast_unsigned(), std::process::id());
    for wrong in [&[1, 2][..], &[1, 2, 3, 4], &[]] {
        assert_eq!(errno(set.set_values(wrong)), libc::EINVAL);
    }
    for high in [set.set_value(0, 32768), set.set_values(&[1, 2, 65535])] {
        let error = high.unwrap_err();
        assert_eq!(error.errno(), libc::ERANGE);
        assert!(error.to_string().contains("SEMVMX is 32767"), "{error}");
    }
    assert_eq!(set.values().unwrap(), [7, 8, 9]);
    for index in [3, u16::MAX] {
        let error = set.value(index).unwrap_err();
        assert_eq!(error.errno(), libc::EINVAL);
        assert!(error.to_string().contains("the set has 3 semaphores"), "{error}");
        assert_eq!(errno(set.set_value(index, 1)), libc::EINVAL);
        assert_eq!(errno(set.info(index)), libc::EINVAL);
    }
}

#[test]
fn an_array_is_done_whole_or_not_at_all() {
    let set = set(&[1, 0, 5]);
    let both = [Operation::new(0, -1), Operation::new(1, -1)];
    assert_eq!(errno(set.operate(&both, Timeout::TRY)), libc::EAGAIN);
    assert_eq!(set.values().unwrap(), [1, 0, 5]);
    let started = Instant::now();
    let limit = Duration::from_millis(20);
    assert_eq!(errno(set.operate(&both, Timeout::After(limit))), libc::ETIMEDOUT);
    assert!(started.elapsed() >= limit);
    assert_eq!(set.values().unwrap(), [1, 0, 5]);
    // In their order: what one gives the next may take.
    set.operate(&[Operation::new(1, 2), Operation::new(1, -1), Operation::new(0, -1)], LONG)
        .unwrap();
    assert_eq!(set.values().unwrap(), [0, 1, 5]);
    set.operate(&[Operation::wait_zero(0), Operation::new(0, 3)], Timeout::TRY).unwrap();
    assert_eq!(errno(set.wait_zero(0, Timeout::TRY)), libc::EAGAIN);
    // More than fit without an allocation.
    set.operate(&[Operation::new(2, 1); 100], Timeout::TRY).unwrap();
    assert_eq!(set.value(2).unwrap(), 105);
    set.acquire(2, 100, Timeout::TRY).unwrap();
    set.release(2, 7).unwrap();
    assert_eq!(set.value(2).unwrap(), 12);
    assert_eq!(errno(set.acquire(2, 0, Timeout::TRY)), libc::EINVAL);
    assert_eq!(errno(set.release(2, 32768)), libc::EINVAL);
}

#[test]
fn an_operation_that_will_not_wait_does_not_whatever_the_timeout() {
    let set = set(&[0]);
    let never = [Operation::new(0, -1).no_wait(true)];
    for timeout in [Timeout::Forever, LONG, Timeout::TRY] {
        assert_eq!(errno(set.operate(&never, timeout)), libc::EAGAIN);
    }
}

#[test]
fn a_wait_whose_time_is_over_says_so_whatever_the_others_of_the_array_would_not_wait_for() {
    let set = set(&[0, 0]);
    let patient = Operation::new(0, -1);
    let both = [patient, Operation::wait_zero(1).no_wait(true)];
    let limit = Duration::from_millis(20);
    let started = Instant::now();
    assert_eq!(errno(set.operate(&both, Timeout::After(limit))), libc::ETIMEDOUT);
    assert!(started.elapsed() >= limit);
    // The other way round it would not wait.
    set.set_value(1, 1).unwrap();
    let both = [Operation::wait_zero(1).no_wait(true), patient];
    for timeout in [Timeout::Forever, LONG, Timeout::TRY] {
        assert_eq!(errno(set.operate(&both, timeout)), libc::EAGAIN);
    }
}

#[test]
fn who_waits_is_counted_and_woken() {
    let set = set(&[0, 1]);
    std::thread::scope(|scope| {
        let taker = scope.spawn(|| set.acquire(0, 2, LONG));
        let zero = scope.spawn(|| set.wait_zero(1, LONG));
        while set.waiting_increase(0).unwrap() == 0 || set.waiting_zero(1).unwrap() == 0 {
            std::thread::yield_now();
        }
        let info = set.info(0).unwrap();
        assert_eq!((info.value, info.waiting_increase, info.waiting_zero), (0, 1, 0));
        assert_eq!(set.info(1).unwrap().waiting_zero, 1);
        set.release(0, 1).unwrap();
        assert_eq!(set.waiting_increase(0).unwrap(), 1, "one is not enough for two");
        set.release(0, 1).unwrap();
        set.acquire(1, 1, Timeout::TRY).unwrap();
        taker.join().unwrap().unwrap();
        zero.join().unwrap().unwrap();
    });
    assert_eq!(set.values().unwrap(), [0, 0]);
    assert_eq!((set.waiting_increase(0).unwrap(), set.waiting_zero(1).unwrap()), (0, 0));
}

#[test]
fn errors_name_the_limit() {
    let set = set(&[0, 32767]);
    let says = |result: unipc::Result<()>, errno: i32, words: &str| {
        let error = result.unwrap_err();
        assert_eq!(error.errno(), errno, "{error}");
        assert!(error.to_string().contains(words), "{error}");
    };
    let limits = limits().unwrap();
    let many = vec![Operation::new(0, 1); usize::try_from(limits.semopm).unwrap() + 1];
    let words = format!("SEMOPM is {}: {} operations", limits.semopm, many.len());
    says(set.operate(&many, Timeout::TRY), libc::E2BIG, &words);
    says(set.operate(&[Operation::new(2, 1)], Timeout::TRY), libc::EFBIG, "2 semaphores, 0 to 1");
    says(set.release(1, 1), libc::ERANGE, "SEMVMX is 32767");
    says(set.operate(&[], Timeout::TRY), libc::EINVAL, "no operations");
    assert_eq!(set.values().unwrap(), [0, 32767]);
}

/// Forks a child that does something to the set and dies by SIGKILL.
fn dies_after(set: &SemaphoreSet, work: impl FnOnce(&SemaphoreSet)) {
    // SAFETY: the child makes semaphore operations, which are system calls, and kills itself.
    let child = unsafe { libc::fork() };
    if child == 0 {
        work(set);
        // SAFETY: ends the child at once.
        unsafe { libc::raise(libc::SIGKILL) };
        unreachable!("nobody survives it");
    }
    let mut status = 0;
    // SAFETY: the child is ours.
    assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
    assert!(libc::WIFSIGNALED(status) && libc::WTERMSIG(status) == libc::SIGKILL);
}

#[test]
fn what_is_to_be_undone_is_undone_at_death() {
    let set = set(&[5, 0]);
    let take = |index, delta| Operation::new(index, delta).undo(true);
    dies_after(&set, |set| {
        set.operate(&[take(0, -3), take(1, 2)], LONG).unwrap();
    });
    assert_eq!(set.values().unwrap(), [5, 0]);
    dies_after(&set, |set| set.acquire(0, 2, LONG).unwrap());
    assert_eq!(set.values().unwrap(), [3, 0], "without a record it stays taken");
}

#[test]
fn setting_a_value_forgets_what_was_to_be_undone() {
    let set = set(&[5, 5]);
    dies_after(&set, |set| {
        let take = |index| Operation::new(index, -1).undo(true);
        set.operate(&[take(0), take(1)], LONG).unwrap();
        set.set_value(0, 1).unwrap();
    });
    assert_eq!(set.values().unwrap(), [1, 5]);
    dies_after(&set, |set| {
        set.operate(&[Operation::new(0, -1).undo(true)], LONG).unwrap();
        set.set_values(&[2, 2]).unwrap();
    });
    assert_eq!(set.values().unwrap(), [2, 2]);
}

#[test]
fn what_one_process_has_to_undo_is_limited() {
    let set = set(&[0]);
    let give = Operation::new(0, 32767).undo(true);
    set.operate(&[give], Timeout::TRY).unwrap();
    set.acquire(0, 32767, Timeout::TRY).unwrap();
    // The record goes from -32768 to 32767.
    set.operate(&[Operation::new(0, 1).undo(true)], Timeout::TRY).unwrap();
    let error = set.operate(&[Operation::new(0, 1).undo(true)], Timeout::TRY).unwrap_err();
    assert_eq!(error.errno(), libc::ERANGE);
    assert!(error.to_string().contains("has to undo"), "{error}");
    set.operate(&[Operation::new(0, 1)], Timeout::TRY).unwrap();
}

#[test]
fn a_removed_set_wakes_all_and_is_gone() {
    let name = Unlinked(key_name());
    let set = SemaphoreSet::create(name.0.as_str(), &[0, 1]).unwrap();
    let other = SemaphoreSet::open(name.0.as_str()).unwrap();
    std::thread::scope(|scope| {
        let taker = scope.spawn(|| set.acquire(0, 1, Timeout::Forever));
        let zero = scope.spawn(|| set.wait_zero(1, LONG));
        while set.waiting_increase(0).unwrap() == 0 || set.waiting_zero(1).unwrap() == 0 {
            std::thread::yield_now();
        }
        other.remove().unwrap();
        assert_eq!(errno(taker.join().unwrap()), libc::EIDRM);
        assert_eq!(errno(zero.join().unwrap()), libc::EIDRM);
    });
    for gone in [
        set.release(0, 1),
        set.value(0).map(drop),
        set.values().map(drop),
        set.set_value(0, 1),
        set.set_values(&[1, 2]),
        set.stat().map(drop),
        set.set(Change::default()),
        set.remove(),
    ] {
        assert_eq!(errno(gone), libc::EIDRM);
    }
    assert!(kernel_row(set.id()).is_none());
    assert_eq!(errno(SemaphoreSet::open(name.0.as_str())), libc::ENOENT);
    let by_id = format!("sysv:id={}", set.id());
    assert_eq!(errno(SemaphoreSet::open(by_id.as_str())), libc::EINVAL);
    assert_eq!(errno(SemaphoreSet::unlink(by_id.as_str())), libc::EINVAL);
    assert_eq!(errno(SemaphoreSet::unlink(name.0.as_str())), libc::ENOENT);
    // A stale identifier never means another set.
    let anew = SemaphoreSet::create(name.0.as_str(), &[9]).unwrap();
    assert_ne!(anew.id(), set.id());
    assert_eq!(errno(set.value(0)), libc::EIDRM);
}

#[test]
fn names_lead_to_sets_as_they_do_to_segments() {
    let name = Unlinked(key_name());
    assert_eq!(errno(SemaphoreSet::open(name.0.as_str())), libc::ENOENT);
    let first = SemaphoreSet::create(name.0.as_str(), &[1, 2]).unwrap();
    let error = SemaphoreSet::create(name.0.as_str(), &[1]).unwrap_err();
    assert_eq!(error.errno(), libc::EEXIST);
    assert!(error.to_string().contains("open it"), "{error}");
    assert_eq!(SemaphoreSet::open(name.0.as_str()).unwrap().len(), 2);
    assert_eq!(
        SemaphoreSet::open_or_create(name.0.as_str(), &[7]).unwrap().values().unwrap(),
        [1, 2]
    );
    let error = SemaphoreSet::open_or_create(name.0.as_str(), &[7, 7, 7]).unwrap_err();
    assert_eq!(error.errno(), libc::EINVAL);
    assert!(error.to_string().contains("exists with 2 semaphores"), "{error}");
    let replaced = Options::new().replace(true).create_set(name.0.as_str(), &[3, 4, 5]).unwrap();
    assert_eq!(replaced.values().unwrap(), [3, 4, 5]);
    assert_eq!(errno(first.value(0)), libc::EIDRM);

    let private = set(&[1]);
    assert_eq!(private.name().to_string(), format!("sysv:id={}", private.id()));
    assert_eq!(private.stat().unwrap().permissions.key, 0);
    let again = SemaphoreSet::open(private.name()).unwrap();
    assert_eq!(again.id(), private.id());
    assert_eq!(errno(SemaphoreSet::open("sysv:private")), libc::EINVAL);
    assert_eq!(errno(SemaphoreSet::unlink("sysv:private")), libc::EINVAL);
    assert_eq!(errno(SemaphoreSet::create(private.name(), &[1])), libc::EINVAL);
    assert_eq!(errno(SemaphoreSet::create(key_name().as_str(), &[])), libc::EINVAL);
    assert_eq!(errno(SemaphoreSet::create(key_name().as_str(), &[32768])), libc::ERANGE);

    let directory = Directory::new("sem-ftok");
    let path = directory.path("file");
    fs::write(&path, "").unwrap();
    let name = Unlinked(format!("sysv:{},7", path.display()));
    let by_path = SemaphoreSet::create(name.0.as_str(), &[1]).unwrap();
    let key = Key::ftok(&path, 7).unwrap();
    assert_eq!(SemaphoreSet::open(format!("sysv:{key}")).unwrap().id(), by_path.id());
    let missing = format!("sysv:{},7", directory.path("none").display());
    assert_eq!(errno(Semaphore::open(missing)), libc::ENOENT);
}

#[test]
fn the_mode_is_exact_and_can_be_changed() {
    for bits in [0o600, 0o640, 0o666, 0o000, 0o200] {
        let mode = Mode::new(bits).unwrap();
        let options = Options::new().mode(mode).remove_on_drop(true);
        let name = Unlinked(key_name());
        let set = options.create_set(name.0.as_str(), &[1]).unwrap();
        assert_eq!(kernel_row(set.id()).unwrap()("perms"), i64::from(bits));
    }
    let set = set(&[1]);
    let before = set.stat().unwrap().permissions;
    set.set(Change { mode: Some(0o640), ..Change::default() }).unwrap();
    assert_eq!(set.stat().unwrap().permissions, Permissions { mode: 0o640, ..before });
    // The mark of a set that is being made is nobody's mode.
    let marked = Change { mode: Some(0o611), ..Change::default() };
    assert_eq!(errno(set.set(marked)), libc::EINVAL);
    let marked = Options::new().mode(Mode::new(0o611).unwrap());
    assert_eq!(errno(marked.create_set("sysv:private", &[1])), libc::EINVAL);
    assert_eq!(errno(set.set(Change { mode: Some(0o1600), ..Change::default() })), libc::EINVAL);
}

#[test]
fn list_limits_and_usage_are_the_kernels() {
    let set = set(&[1, 2, 3]);
    let status = set.stat().unwrap();
    assert!(SemaphoreSet::list().unwrap().contains(&status));
    let used = usage().unwrap();
    assert!(used.sets >= 1 && used.semaphores >= 3);
    let text = fs::read_to_string("/proc/sys/kernel/sem").unwrap();
    let kernel: Vec<u64> = text.split_whitespace().map(|word| word.parse().unwrap()).collect();
    let limits = limits().unwrap();
    assert_eq!([limits.semmsl, limits.semmns, limits.semopm, limits.semmni], kernel[..]);
    assert_eq!(limits.semvmx, 32767);
    let id = set.id();
    drop(set);
    assert!(!SemaphoreSet::list().unwrap().iter().any(|status| status.id == id));
}

#[test]
fn limits_are_named_with_their_values() {
    const TEST: &str = "limits_are_named_with_their_values";
    succeeds_in_namespaces(TEST, || {
        let set_limits = |text: &str| fs::write("/proc/sys/kernel/sem", text);
        // SEMMSL, SEMMNS, SEMOPM, SEMMNI
        if let Err(error) = set_limits("4 6 3 2") {
            return skip(TEST, format!("/proc/sys/kernel/sem: {error}"));
        }
        let create = |count: usize| SemaphoreSet::create(key_name().as_str(), &vec![1; count]);
        let says = |result: unipc::Result<SemaphoreSet>, errno: i32, words: &str| {
            let error = result.unwrap_err();
            assert_eq!(error.errno(), errno, "{error}");
            assert!(error.to_string().contains(words), "{error}");
        };
        says(create(5), libc::EINVAL, "SEMMSL is 4: 5 semaphores");
        let first = create(4).unwrap();
        says(create(3), libc::ENOSPC, "SEMMNS is 6: 4 semaphores exist, 3 more");
        let _second = create(1).unwrap();
        says(create(1), libc::ENOSPC, "SEMMNI is 2: 2 sets exist");
        let semaphore = Semaphore::create(key_name().as_str(), 1).unwrap_err();
        assert!(semaphore.to_string().contains("SEMMNI is 2"), "{semaphore}");
        let error = first.operate(&[Operation::new(0, 1); 4], Timeout::TRY).unwrap_err();
        assert!(error.to_string().contains("SEMOPM is 3: 4 operations"), "{error}");
        assert_eq!(usage().unwrap().sets, 2);
    });
}

#[test]
fn large_sets_are_made_and_read_whole() {
    let values: Vec<u16> = (0..2000).collect();
    let set = set(&values);
    assert_eq!(set.len(), 2000);
    assert_eq!(set.values().unwrap(), values);
    assert_eq!(set.semaphore(1999).unwrap().value().unwrap(), 1999);
}

#[test]
fn another_user_is_let_in_as_the_mode_says() {
    const TEST: &str = "another_user_is_let_in_as_the_mode_says";
    if !child::is_root() {
        return skip(TEST, "only root can act for another user");
    }
    let names: Vec<_> =
        [0o600, 0o604, 0o606, 0o602].map(|bits| (bits, Unlinked(key_name()))).into();
    for (bits, name) in &names {
        let options = Options::new().mode(Mode::new(*bits).unwrap());
        options.create_set(name.0.as_str(), &[1, 2]).unwrap();
    }
    // SAFETY: the child ends by _exit.
    let child = unsafe { libc::fork() };
    if child == 0 {
        let work = || {
            // SAFETY: concerns the child alone.
            assert_eq!(unsafe { libc::setgid(4321) }, 0);
            // SAFETY: as above.
            assert_eq!(unsafe { libc::setuid(4321) }, 0);
            for (bits, name) in &names {
                // Who may not read it learns its size nevertheless.
                let set = SemaphoreSet::open(name.0.as_str()).unwrap();
                assert_eq!(set.len(), 2);
                let read = if bits & 4 == 0 { Err(libc::EACCES) } else { Ok(1) };
                assert_eq!(set.value(0).map_err(|error| error.errno()), read, "{bits:o}");
                let write = if bits & 2 == 0 { Err(libc::EACCES) } else { Ok(()) };
                let released = set.release(1, 1).map_err(|error| error.errno());
                assert_eq!(released, write, "{bits:o}");
                assert_eq!(errno(set.remove()), libc::EPERM);
                assert_eq!(
                    errno(set.set(Change { mode: Some(0o666), ..Change::default() })),
                    libc::EPERM
                );
            }
        };
        let fine = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).is_ok();
        // SAFETY: ends the child.
        unsafe { libc::_exit(i32::from(!fine)) };
    }
    let mut status = 0;
    // SAFETY: the child is ours.
    assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
    assert_eq!(status, 0);
    let name: Name = names[0].1.0.parse().unwrap();
    assert_eq!(SemaphoreSet::open(&name).unwrap().values().unwrap(), [1, 2]);
}
