// SPDX-License-Identifier: MIT OR Apache-2.0
//! System V at full fidelity, with /proc/sysvipc/shm as the judge.

#[path = "support/fork.rs"]
mod fork;
mod support;

use std::fs;

use support::{Directory, Removed, key_name};
use unipc::shm::{SystemV, limits, usage};
use unipc::sysv::{Change, Key};
use unipc::{Advice, Name, SharedMemory, page_size};

/// The kernel's own table: the fields of the row of this identifier, by column name.
fn kernel_row(id: i32) -> Option<impl Fn(&str) -> i64> {
    let table = fs::read_to_string("/proc/sysvipc/shm").unwrap();
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
    let key = Removed(key_name());
    let shm = SharedMemory::create(key.0.as_str(), 10).unwrap();
    let segment = shm.system_v().unwrap();
    let other = SharedMemory::open(key.0.as_str()).unwrap();
    drop(other);
    let status = segment.stat().unwrap();
    let row = kernel_row(status.id).unwrap();
    let permissions = status.permissions;
    for (column, value) in [
        ("key", i64::from(permissions.key)),
        ("shmid", i64::from(segment.id())),
        ("perms", i64::from(permissions.mode)),
        ("size", i64::try_from(status.size).unwrap()),
        ("cpid", i64::from(status.creator_pid)),
        ("lpid", i64::from(status.last_pid)),
        ("nattch", i64::try_from(status.attached).unwrap()),
        ("uid", i64::from(permissions.uid)),
        ("gid", i64::from(permissions.gid)),
        ("cuid", i64::from(permissions.cuid)),
        ("cgid", i64::from(permissions.cgid)),
        ("atime", status.attach_time),
        ("dtime", status.detach_time),
        ("ctime", status.change_time),
    ] {
        assert_eq!(row(column), value, "{column}");
    }
    assert_eq!(status.size, 10, "the size is what was asked for, not whole pages");
    assert_eq!(status.attached, 1);
    assert!(status.attach_time > 0 && status.detach_time > 0);
    assert_eq!(permissions.mode, 0o600);
    assert_eq!(status.creator_pid.cast_unsigned(), std::process::id());
    // On default kernels the identifier is made of the slot and the sequence.
    assert_eq!(permissions.sequence, status.id.cast_unsigned() / 32768);
    assert!(!status.removed && !status.locked);
}

#[test]
fn a_removed_segment_lives_until_its_last_user_leaves() {
    let key = key_name();
    let shm = SharedMemory::create(key.as_str(), 100).unwrap();
    let segment = shm.system_v().unwrap();
    shm.write_at(0, b"still here").unwrap();
    shm.remove().unwrap();

    let status = segment.stat().unwrap();
    assert!(status.removed);
    assert_eq!(status.permissions.key, 0, "the key is free at once");
    assert_eq!(kernel_row(segment.id()).unwrap()("key"), 0);
    assert_eq!(SharedMemory::open(key.as_str()).unwrap_err().errno(), libc::ENOENT);

    let by_id = Name::parse(format!("sysv:id={}", segment.id())).unwrap();
    assert_eq!(SharedMemory::open(&by_id).unwrap_err().errno(), libc::EIDRM);
    let nevertheless = SharedMemory::options().allow_removed(true).open(&by_id).unwrap();
    assert!(nevertheless.compare(0, b"still here").unwrap().is_eq());

    let anew = SharedMemory::create(key.as_str(), 100).unwrap();
    assert_ne!(anew.system_v().unwrap().id(), segment.id());
    anew.remove().unwrap();
    drop((shm, nevertheless, anew));
    assert_eq!(segment.stat().unwrap_err().errno(), libc::EINVAL);
    assert!(kernel_row(segment.id()).is_none());
}

#[test]
fn set_changes_what_it_is_given_and_nothing_else() {
    let shm = SharedMemory::options().remove_on_drop(true).create("sysv:private", 10).unwrap();
    let segment = shm.system_v().unwrap();
    let before = segment.stat().unwrap().permissions;
    segment.set(Change { mode: Some(0o640), ..Change::default() }).unwrap();
    let after = segment.stat().unwrap().permissions;
    assert_eq!(after, unipc::sysv::Permissions { mode: 0o640, ..before });
    assert_eq!(kernel_row(segment.id()).unwrap()("perms"), 0o640);
    let odd = segment.set(Change { mode: Some(0o4640), ..Change::default() });
    assert_eq!(odd.unwrap_err().errno(), libc::EINVAL);
    assert_eq!(segment.stat().unwrap().permissions, after);
}

#[test]
fn a_private_segment_is_named_by_its_identifier() {
    let shm = SharedMemory::create("sysv:private", 10).unwrap();
    let id = shm.system_v().unwrap().id();
    let guard = Removed(format!("sysv:id={id}"));
    assert_eq!(shm.name().to_string(), guard.0);
    let again = SharedMemory::open(shm.name()).unwrap();
    again.write_at(0, b"kin").unwrap();
    assert!(shm.compare(0, b"kin").unwrap().is_eq());
    assert_eq!(SharedMemory::open("sysv:private").unwrap_err().errno(), libc::EINVAL);
    assert_eq!(SharedMemory::create(guard.0.as_str(), 10).unwrap_err().errno(), libc::EINVAL);
    assert_eq!(SharedMemory::unlink("sysv:private").unwrap_err().errno(), libc::EINVAL);
}

#[test]
fn sizes_follow_shmget() {
    let key = Removed(key_name());
    let shm = SharedMemory::create(key.0.as_str(), 10).unwrap();
    let asked = |size| SharedMemory::options().size(size).open(key.0.as_str());
    assert_eq!(asked(5).unwrap().len(), 5);
    assert_eq!(asked(10).unwrap().len(), 10);
    assert_eq!(asked(11).unwrap().len(), 10, "cut at the end");
    let part = SharedMemory::options().offset(4).size(3).open(key.0.as_str()).unwrap();
    shm.write_at(4, b"abc").unwrap();
    assert!(part.compare(0, b"abc").unwrap().is_eq());
    assert_eq!(part.read_at(3, &mut [0]).unwrap_err().errno(), libc::ERANGE);
    let behind = SharedMemory::options().offset(10).size(1).open(key.0.as_str()).unwrap_err();
    assert!(behind.to_string().contains("behind the object's 10 bytes"), "{behind}");
    let slack = SharedMemory::options().slack(true).open(key.0.as_str()).unwrap();
    assert_eq!(slack.len(), page_size());
    let larger = SharedMemory::open_or_create(key.0.as_str(), 11).unwrap_err();
    assert_eq!(larger.errno(), libc::EINVAL);
    assert!(larger.to_string().contains("exists with 10 bytes"), "{larger}");
}

#[test]
fn removal_asks_first_whether_it_is_used_when_told_to() {
    let key = Removed(key_name());
    let shm = SharedMemory::create(key.0.as_str(), 10).unwrap();
    let other = SharedMemory::open(key.0.as_str()).unwrap();
    let refused = shm.remove_if_unused().unwrap_err();
    assert_eq!(refused.errno(), libc::EBUSY);
    assert!(refused.to_string().contains("attached 1 more time"), "{refused}");
    drop(other);
    shm.remove_if_unused().unwrap();
    assert!(shm.system_v().unwrap().stat().unwrap().removed);
}

#[test]
fn what_lies_in_the_memory_is_nobody_else() {
    let shm = SharedMemory::options().remove_on_drop(true).create("sysv:private", 4096).unwrap();
    let mutex = unipc::sync::Mutex::create((&shm, 0)).unwrap();
    let other = SharedMemory::open(shm.name()).unwrap();
    assert_eq!(shm.remove_if_unused().unwrap_err().errno(), libc::EBUSY);
    drop(other);
    shm.remove_if_unused().unwrap();
    drop(mutex.lock(unipc::Timeout::TRY).unwrap());
}

#[test]
fn a_child_that_inherits_again_detaches_as_well() {
    let options = SharedMemory::options().remove_on_drop(true);
    let mut shm = Some(options.create("sysv:private", 4096).unwrap());
    let segment = shm.as_ref().unwrap().system_v().unwrap();
    for (advice, inherited) in [(Advice::DontFork, 0), (Advice::DoFork, 1)] {
        shm.as_ref().unwrap().advise(0, 4096, advice).unwrap();
        let child = fork::fork(|| {
            assert_eq!(segment.stat().unwrap().attached, 1 + inherited);
            drop(shm.take());
            assert_eq!(segment.stat().unwrap().attached, 1);
        });
        fork::succeeded(child);
    }
}

#[test]
fn locking_shows_in_the_status() {
    let shm = SharedMemory::options().remove_on_drop(true).create("sysv:private", 10).unwrap();
    let segment = shm.system_v().unwrap();
    segment.lock().unwrap();
    assert!(segment.stat().unwrap().locked);
    segment.unlock().unwrap();
    assert!(!segment.stat().unwrap().locked);
}

#[test]
fn the_list_holds_what_the_kernel_lists() {
    let shm = SharedMemory::options().remove_on_drop(true).create("sysv:private", 12345).unwrap();
    let id = shm.system_v().unwrap().id();
    let listed = SystemV::list().unwrap();
    let mine = listed.iter().find(|status| status.id == id).expect("ours is listed");
    assert_eq!((mine.size, mine.attached), (12345, 1));
    drop(shm);
    assert!(!SystemV::list().unwrap().iter().any(|status| status.id == id));
}

#[test]
fn limits_and_usage_are_the_kernels() {
    let kernel = |name: &str| -> u64 {
        let text = fs::read_to_string(format!("/proc/sys/kernel/{name}")).unwrap();
        text.trim().parse().unwrap()
    };
    let limits = limits().unwrap();
    assert_eq!(limits.shmmax, kernel("shmmax"));
    assert_eq!(limits.shmall, kernel("shmall"));
    assert_eq!(limits.shmmni, kernel("shmmni"));
    assert_eq!(limits.shmmin, 1);
    let shm = SharedMemory::options().remove_on_drop(true).create("sysv:private", 1 << 20).unwrap();
    shm.fill(0, shm.len(), 1).unwrap();
    let used = usage().unwrap();
    assert!(used.segments >= 1);
    assert!(used.pages >= (1 << 20) / page_size() as u64);
    assert!(used.resident + used.swapped >= (1 << 20) / page_size() as u64);
}

#[test]
fn ftok_computes_what_stat_says() {
    let directory = Directory::new("ftok");
    let path = directory.path("file");
    fs::write(&path, "").unwrap();
    let meta = fs::metadata(&path).unwrap();
    let (device, inode) =
        (std::os::unix::fs::MetadataExt::dev(&meta), std::os::unix::fs::MetadataExt::ino(&meta));
    for project in [0, 1, 0x5a, 0xff] {
        let expected = (u64::from(project) << 24) | ((device & 0xff) << 16) | (inode & 0xffff);
        let key = Key::ftok(&path, project).unwrap().raw().cast_unsigned();
        assert_eq!(u64::from(key), expected);
    }
    assert_eq!(Key::ftok(directory.path("none"), 1).unwrap_err().errno(), libc::ENOENT);

    let name = format!("sysv:{},7", path.display());
    let guard = Removed(name.clone());
    let shm = SharedMemory::create(name.as_str(), 64).unwrap();
    let same = SharedMemory::open(format!("sysv:{}", Key::ftok(&path, 7).unwrap())).unwrap();
    assert_eq!(shm.system_v(), same.system_v());
    drop(guard);
    let missing = format!("sysv:{},7", directory.path("none").display());
    let error = SharedMemory::open(missing).unwrap_err();
    assert_eq!(error.errno(), libc::ENOENT);
}

#[test]
fn a_second_creation_is_refused_and_replacing_makes_a_new_one() {
    let key = Removed(key_name());
    let first = SharedMemory::create(key.0.as_str(), 10).unwrap();
    let error = SharedMemory::create(key.0.as_str(), 10).unwrap_err();
    assert_eq!(error.errno(), libc::EEXIST);
    assert!(error.to_string().contains("open it"), "{error}");
    first.write_at(0, b"old").unwrap();
    let second = SharedMemory::options().replace(true).create(key.0.as_str(), 20).unwrap();
    assert_eq!((second.len(), first.len()), (20, 10));
    assert!(second.compare(0, &[0; 20]).unwrap().is_eq());
    assert!(first.compare(0, b"old").unwrap().is_eq());
}

#[test]
fn a_segment_found_by_its_key_has_its_size_whatever_becomes_of_the_key() {
    let key = Removed(key_name());
    let creator = SharedMemory::create(key.0.as_str(), 10_000).unwrap();
    let opened = SharedMemory::open(key.0.as_str()).unwrap();
    creator.remove().unwrap();
    drop(creator);
    let _another = SharedMemory::create(key.0.as_str(), 50).unwrap();
    assert_eq!(opened.len(), 10_000);
    assert_eq!(opened.mapped_len(), 10_000_usize.next_multiple_of(page_size()));
    opened.write_at(9_999, b"!").unwrap();
    assert_eq!(opened.write_at(9_999, b"!!").unwrap_err().errno(), libc::ERANGE);
}
