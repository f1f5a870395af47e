// SPDX-License-Identifier: MIT OR Apache-2.0
//! FIFOs: how they are made, how two sides meet, and what stands in the way.

#[path = "support/child.rs"]
mod child;
#[path = "support/fork.rs"]
mod fork;
#[path = "support/mount.rs"]
mod mount;
#[path = "support/storm.rs"]
mod storm;
mod support;

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::process::Command;
use std::time::{Duration, Instant};

use child::{is_root, skip, succeeds_alone, succeeds_in_namespaces};
use fork::{asleep, fork, killed, succeeded};
use storm::{Storm, through};
use support::Directory;
use unipc::pipe::Fifo;
use unipc::{Mode, Timeout};

const LONG: Timeout = Timeout::After(Duration::from_secs(30));
const SHORT: Timeout = Timeout::After(Duration::from_millis(20));

#[test]
fn a_fifo_has_exactly_the_mode_that_was_asked_for() {
    let directory = Directory::new("fifo-mode");
    for mode in [0o600, 0o666, 0o777, 0o000, 0o240] {
        let name = directory.name(&format!("{mode:o}"));
        Fifo::create_with(name.as_str(), Mode::new(mode).unwrap()).unwrap();
        let status = fs::metadata(directory.path(&format!("{mode:o}"))).unwrap();
        assert!(status.file_type().is_fifo());
        assert_eq!(status.permissions().mode() & 0o7777, mode);
    }
    let fifo = Fifo::create(directory.name("default")).unwrap();
    let status = fs::metadata(directory.path("default")).unwrap();
    assert_eq!(status.permissions().mode() & 0o7777, 0o600);
    assert_eq!(fifo.name().to_string(), directory.name("default"));
    assert_eq!(directory.entries(), 6, "nothing is left beside them");
}

#[test]
fn a_name_that_is_taken_is_never_followed_or_replaced() {
    let directory = Directory::new("fifo-taken");
    fs::write(directory.path("file"), b"text").unwrap();
    symlink(directory.path("elsewhere"), directory.path("link")).unwrap();
    Fifo::create(directory.name("fifo")).unwrap();
    for taken in ["file", "link", "fifo"] {
        let error = Fifo::create(directory.name(taken)).unwrap_err();
        assert_eq!(error.errno(), libc::EEXIST, "{taken}");
        assert!(error.to_string().contains("open it, or use open_or_create"), "{error}");
    }
    assert!(!directory.path("elsewhere").exists());
    assert_eq!(directory.entries(), 3);
    let open_or_create = |name: &str| Fifo::open_or_create(directory.name(name), Mode::PRIVATE);
    assert_eq!(open_or_create("fifo").unwrap(), Fifo::open(directory.name("fifo")).unwrap());
    open_or_create("new").unwrap();
    assert_eq!(open_or_create("file").unwrap_err().errno(), libc::EMEDIUMTYPE);
    let error = open_or_create("link").unwrap_err();
    assert!(error.to_string().contains("a symbolic link that leads nowhere"), "{error}");
}

#[test]
fn something_else_under_the_name_is_told_and_left_alone() {
    let directory = Directory::new("fifo-planted");
    fs::write(directory.path("a regular file"), b"text").unwrap();
    fs::create_dir(directory.path("a directory")).unwrap();
    let short = format!("/tmp/unipc-test-{:x}", support::unique());
    let socket = UnixListener::bind(&short).unwrap();
    symlink(&short, directory.path("a socket")).unwrap();
    symlink("/dev/zero", directory.path("a device")).unwrap();
    for what in ["a regular file", "a directory", "a socket", "a device"] {
        let name = directory.name(what);
        let error = Fifo::open(name.as_str()).unwrap_err();
        assert_eq!(error.errno(), libc::EMEDIUMTYPE, "{error}");
        assert!(error.to_string().contains(&format!("not a FIFO but {what}")), "{error}");
        assert_eq!(Fifo::unlink(name.as_str()).unwrap_err().errno(), libc::EMEDIUMTYPE);
    }
    drop(socket);
    fs::remove_file(&short).unwrap();
    assert_eq!(directory.entries(), 4);
    // The name changed hands after it was opened as a FIFO.
    let fifo = Fifo::create(directory.name("fifo")).unwrap();
    fs::rename(directory.path("a regular file"), directory.path("fifo")).unwrap();
    for timeout in [Timeout::TRY, SHORT, Timeout::Forever] {
        assert_eq!(fifo.reader(timeout).unwrap_err().errno(), libc::EMEDIUMTYPE);
        assert_eq!(fifo.writer(timeout).unwrap_err().errno(), libc::EMEDIUMTYPE);
    }
    assert_eq!(fs::read(directory.path("fifo")).unwrap(), b"text");
}

#[test]
fn names_that_are_no_files_are_refused() {
    for name in ["/demo", "sysv:0x1", "memfd:x", "anon:"] {
        let error = Fifo::create(name).unwrap_err();
        assert_eq!(error.errno(), libc::EOPNOTSUPP, "{error}");
        assert!(error.to_string().contains("file:PATH"), "{error}");
    }
    assert_eq!(Fifo::open("fifo").unwrap_err().errno(), libc::EINVAL);
}

#[test]
fn a_writer_without_a_reader_is_told_what_to_do() {
    // Alone: no other test's ends shall live on in the children of this one.
    succeeds_alone("a_writer_without_a_reader_is_told_what_to_do", || {
        let directory = Directory::new("fifo-enxio");
        let fifo = Fifo::create(directory.name("fifo")).unwrap();
        let error = fifo.writer(Timeout::TRY).unwrap_err();
        assert_eq!(error.errno(), libc::ENXIO);
        assert!(error.to_string().contains("nobody has it open for reading"), "{error}");
        let started = Instant::now();
        let error = fifo.writer(SHORT).unwrap_err();
        assert!(started.elapsed() >= Duration::from_millis(20));
        assert_eq!(error.errno(), libc::ETIMEDOUT);
        assert!(error.to_string().contains("nobody opened it for reading"), "{error}");
        let error = fifo.reader(SHORT).unwrap_err();
        assert_eq!(error.errno(), libc::ETIMEDOUT);
        assert!(error.to_string().contains("nobody opened it for writing"), "{error}");
        // A reader opens without waiting; then it waits for the first writer.
        let reader = fifo.reader(Timeout::TRY).unwrap();
        let mut room = [0; 8];
        assert_eq!(reader.read(&mut room, Timeout::TRY).unwrap_err().errno(), libc::EAGAIN);
        assert_eq!(reader.read(&mut room, SHORT).unwrap_err().errno(), libc::ETIMEDOUT);
        let child = fork(|| {
            assert_eq!(reader.read(&mut [0; 2], Timeout::Forever).unwrap(), 1);
            assert_eq!(reader.read(&mut [0; 2], Timeout::Forever).unwrap(), 0);
        });
        asleep(child);
        fifo.writer(Timeout::TRY).unwrap().write_all(b"1", Timeout::TRY).unwrap();
        succeeded(child);
        let writer = fifo.writer(Timeout::TRY).unwrap();
        assert_eq!(reader.read(&mut room, Timeout::TRY).unwrap_err().errno(), libc::EAGAIN);
        writer.write_all(b"x", Timeout::TRY).unwrap();
        drop(writer);
        assert_eq!(reader.read(&mut room, Timeout::Forever).unwrap(), 1);
        assert_eq!(reader.read(&mut room, Timeout::Forever).unwrap(), 0);
        assert_eq!(reader.name(), directory.name("fifo"));
    });
}

#[test]
fn both_sides_wait_for_each_other() {
    // Alone: no other test's ends shall live on in the children of this one.
    succeeds_alone("both_sides_wait_for_each_other", || {
        let directory = Directory::new("fifo-meet");
        let fifo = Fifo::create(directory.name("fifo")).unwrap();
        for limit in [LONG, Timeout::Forever] {
            let child =
                fork(|| fifo.writer(limit).unwrap().write_all(b"from below", LONG).unwrap());
            asleep(child);
            let reader = fifo.reader(limit).unwrap();
            let mut room = [0; 10];
            reader.read_exact(&mut room, limit).unwrap();
            assert_eq!(&room, b"from below");
            assert_eq!(reader.read(&mut room, limit).unwrap(), 0);
            succeeded(child);

            let child = fork(|| {
                let mut text = String::new();
                fifo.reader(limit).unwrap().read_to_string(&mut text).unwrap();
                assert_eq!(text, "from above");
            });
            asleep(child);
            write!(fifo.writer(limit).unwrap(), "from above").unwrap();
            succeeded(child);
        }
    });
}

#[test]
fn a_reader_that_is_kept_open_serves_one_writer_after_another() {
    // Alone: no other test's ends shall live on in the children of this one.
    succeeds_alone("a_reader_that_is_kept_open_serves_one_writer_after_another", || {
        let directory = Directory::new("fifo-keep");
        let fifo = Fifo::create(directory.name("fifo")).unwrap();
        let reader = fifo.reader(Timeout::TRY).unwrap();
        reader.keep_open().unwrap();
        let mut room = [0; 1];
        for round in 0..3 {
            let child =
                fork(|| fifo.writer(Timeout::TRY).unwrap().write_all(&[round], LONG).unwrap());
            reader.read_exact(&mut room, LONG).unwrap();
            succeeded(child);
            assert_eq!(room, [round]);
            assert_eq!(reader.read(&mut room, SHORT).unwrap_err().errno(), libc::ETIMEDOUT);
        }
        // Only a writer is kept: without the reader nobody reads.
        drop(reader);
        assert_eq!(fifo.writer(Timeout::TRY).unwrap_err().errno(), libc::ENXIO);
    });
}

#[test]
fn a_writer_outlives_its_reader_and_finds_the_next() {
    // Alone: no other test's ends shall live on in the children of this one.
    succeeds_alone("a_writer_outlives_its_reader_and_finds_the_next", || {
        let directory = Directory::new("fifo-outlive");
        let fifo = Fifo::create(directory.name("fifo")).unwrap();
        let child = fork(|| {
            let _reader = fifo.reader(Timeout::Forever).unwrap();
            nix::unistd::pause();
        });
        let writer = fifo.writer(LONG).unwrap();
        writer.write_all(b"x", LONG).unwrap();
        asleep(child);
        killed(child);
        assert_eq!(writer.write_all(b"x", LONG).unwrap_err().errno(), libc::EPIPE);
        let next = fifo.reader(LONG).unwrap();
        writer.write_all(b"y", LONG).unwrap();
        let mut room = [0; 8];
        assert_eq!(next.read(&mut room, LONG).unwrap(), 2, "the pipe lives as long as the writer");
        assert_eq!(&room[..2], b"xy");
    });
}

#[test]
fn the_file_systems_refusals_are_told_apart() {
    let directory = Directory::new("fifo-errors");
    fs::write(directory.path("file"), b"").unwrap();
    for (name, errno) in [
        (directory.name("nowhere/fifo"), libc::ENOENT),
        (directory.name("file/fifo"), libc::ENOTDIR),
        (directory.name(&"n".repeat(256)), libc::ENAMETOOLONG),
        (format!("file:/{}", "d/".repeat(3000)), libc::ENAMETOOLONG),
    ] {
        for error in [
            Fifo::create(name.as_str()).unwrap_err(),
            Fifo::open(name.as_str()).unwrap_err(),
            Fifo::unlink(name.as_str()).unwrap_err(),
        ] {
            assert_eq!(error.errno(), errno, "{error}");
            assert_eq!(error.object(), name);
        }
    }
    assert_eq!(directory.entries(), 1);
    let error = Fifo::open(directory.name("none")).unwrap_err();
    assert!(error.to_string().contains("mkfifo(1)"), "{error}");
}

#[test]
fn a_read_only_and_a_full_file_system_refuse() {
    succeeds_in_namespaces("a_read_only_and_a_full_file_system_refuse", || {
        let directory = Directory::new("fifo-full");
        fs::create_dir(directory.path("full")).unwrap();
        mount::tmpfs(&directory.path("full"), 0, "nr_inodes=2");
        Fifo::create(directory.name("full/one")).unwrap();
        let error = Fifo::create(directory.name("full/two")).unwrap_err();
        assert_eq!(error.errno(), libc::ENOSPC, "{error}");
        fs::create_dir(directory.path("fixed")).unwrap();
        mount::tmpfs(&directory.path("fixed"), libc::MS_RDONLY, "");
        let error = Fifo::create(directory.name("fixed/one")).unwrap_err();
        assert_eq!(error.errno(), libc::EROFS, "{error}");
        assert_eq!(Fifo::unlink(directory.name("fixed/one")).unwrap_err().errno(), libc::ENOENT);
    });
}

#[test]
fn another_user_may_only_what_the_mode_says() {
    let test = "another_user_may_only_what_the_mode_says";
    if !is_root() {
        return skip(test, "only root can become somebody else");
    }
    succeeds_alone(test, || {
        let directory = format!("/tmp/unipc-test-{:x}", support::unique());
        fs::create_dir(&directory).unwrap();
        fs::set_permissions(&directory, fs::Permissions::from_mode(0o755)).unwrap();
        let name = format!("file:{directory}/fifo");
        Fifo::create_with(name.as_str(), Mode::new(0o644).unwrap()).unwrap();
        succeeded(fork(|| {
            let nobody = nix::unistd::Uid::from_raw(65534);
            nix::unistd::setresuid(nobody, nobody, nobody).unwrap();
            let fifo = Fifo::open(name.as_str()).unwrap();
            let _reader = fifo.reader(Timeout::TRY).unwrap();
            for timeout in [Timeout::TRY, SHORT] {
                assert_eq!(fifo.writer(timeout).unwrap_err().errno(), libc::EACCES);
            }
            let error = Fifo::create(format!("file:{directory}/other").as_str()).unwrap_err();
            assert_eq!(error.errno(), libc::EACCES);
            assert_eq!(Fifo::unlink(name.as_str()).unwrap_err().errno(), libc::EACCES);
        }));
        fs::remove_dir_all(&directory).unwrap();
    });
}

#[test]
fn the_shell_is_at_the_other_end() {
    let directory = Directory::new("fifo-shell");
    let path = directory.path("fifo");
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    let fifo = Fifo::open(directory.name("fifo")).unwrap();
    let mut shell = Command::new("sh");
    let mut child = shell.args(["-c", "echo hello >\"$0\""]).arg(&path).spawn().unwrap();
    let mut text = String::new();
    fifo.reader(LONG).unwrap().read_to_string(&mut text).unwrap();
    assert_eq!(text, "hello\n");
    assert!(child.wait().unwrap().success());
    let mut reader = Command::new("cat");
    let reader = reader.arg(&path).stdout(std::process::Stdio::piped()).spawn().unwrap();
    fifo.writer(LONG).unwrap().write_all(b"to cat", LONG).unwrap();
    assert_eq!(reader.wait_with_output().unwrap().stdout, b"to cat");
}

#[test]
fn data_is_in_the_kernel_and_not_in_the_file() {
    let directory = Directory::new("fifo-size");
    let fifo = Fifo::create(directory.name("fifo")).unwrap();
    let reader = fifo.reader(Timeout::TRY).unwrap();
    let writer = fifo.writer(Timeout::TRY).unwrap();
    writer.write_all(&[1; 1000], Timeout::TRY).unwrap();
    assert_eq!(fs::metadata(directory.path("fifo")).unwrap().size(), 0);
    assert_eq!(reader.waiting().unwrap(), 1000);
    let mut file = fs::File::from(std::os::fd::OwnedFd::from(reader));
    let error = std::io::Seek::seek(&mut file, std::io::SeekFrom::Start(0)).unwrap_err();
    assert_eq!(error.raw_os_error(), Some(libc::ESPIPE), "a stream has no positions");
    Fifo::unlink(directory.name("fifo")).unwrap();
    assert_eq!(Fifo::unlink(directory.name("fifo")).unwrap_err().errno(), libc::ENOENT);
    // Who has it open goes on.
    writer.write_all(b"x", Timeout::TRY).unwrap();
}

#[test]
fn an_open_that_waits_stands_a_storm_of_signals() {
    let directory = Directory::new("fifo-storm");
    let fifo = Fifo::create(directory.name("fifo")).unwrap();
    for limit in [LONG, Timeout::Forever] {
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| {
                let _storm = Storm::new();
                let began = Storm::signals();
                let mut calls = 0;
                let opened = through(|| {
                    calls += 1;
                    // The other side comes only after some interruptions.
                    if calls == 5 {
                        scope.spawn(|| fifo.writer(Timeout::Forever).unwrap());
                    }
                    fifo.reader(limit)
                });
                opened.unwrap();
                assert!(calls >= 5 && Storm::signals() >= began + 4);
            });
            waiting.join().unwrap();
        });
    }
}
