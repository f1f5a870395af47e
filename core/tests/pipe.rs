// SPDX-License-Identifier: MIT OR Apache-2.0
//! Pipes: what they hold, what they promise, and what becomes of them in other processes.

#[path = "support/child.rs"]
mod child;
#[path = "support/fork.rs"]
mod fork;
#[path = "support/mount.rs"]
mod mount;

use std::io::{Read, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use child::{skip, succeeds_alone, succeeds_in_namespaces};
use fork::{asleep, fork, killed, succeeded};
use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use unipc::pipe::{End, Options, PIPE_BUF, Writer, capacity_limit, duplex, pipe};
use unipc::signal::{self, Signal};
use unipc::{ErrorKind, Timeout};

const LONG: Timeout = Timeout::After(Duration::from_secs(30));

fn become_nobody() -> nix::Result<()> {
    let nobody = nix::unistd::Uid::from_raw(65534);
    // CAP_SYS_RESOURCE, which is root's, allows more.
    if child::is_root() { nix::unistd::setresuid(nobody, nobody, nobody) } else { Ok(()) }
}

fn is_close_on_exec(end: &impl AsRawFd) -> bool {
    // The number is open as long as the end.
    let flags = std::fs::read_to_string(format!("/proc/self/fdinfo/{}", end.as_raw_fd())).unwrap();
    let flags = flags.lines().find_map(|line| line.strip_prefix("flags:\t")).unwrap();
    u32::from_str_radix(flags.trim(), 8).unwrap() & libc::O_CLOEXEC.cast_unsigned() != 0
}

#[test]
fn the_ends_are_close_on_exec_unless_told_otherwise() {
    let (reader, writer) = pipe().unwrap();
    let (one, other) = duplex().unwrap();
    assert!(is_close_on_exec(&reader) && is_close_on_exec(&writer));
    assert!(is_close_on_exec(&one) && is_close_on_exec(&other));
    assert!(is_close_on_exec(&writer.try_clone().unwrap()));
    writer.set_inheritable(true).unwrap();
    assert!(!is_close_on_exec(&writer));
    writer.set_inheritable(false).unwrap();
    assert!(is_close_on_exec(&writer));
    let fd: OwnedFd = writer.into();
    fcntl(&fd, FcntlArg::F_SETFD(FdFlag::empty())).unwrap();
    assert!(is_close_on_exec(&Writer::from_fd(fd).unwrap()), "what was inherited is taken over");
}

#[test]
fn a_write_raises_sigpipe_only_where_it_is_allowed_and_has_no_limit() {
    let only: signal::Set = [Signal::PIPE].into_iter().collect();
    let _blocked = signal::block(only).unwrap();
    let raised = |end: &End, timeout| {
        let written = end.write(b"x", timeout);
        assert_eq!(written.unwrap_err().errno(), libc::EPIPE);
        signal::wait(only, Timeout::TRY).is_ok()
    };
    let (reader, writer) = pipe().unwrap();
    let (one, other) = duplex().unwrap();
    drop((reader, one));
    let clone = writer.try_clone().unwrap();
    for allowed in [true, false] {
        writer.set_sigpipe(allowed);
        other.set_sigpipe(allowed);
        assert_eq!(writer.sigpipe(), allowed);
        assert_eq!(writer.try_clone().unwrap().sigpipe(), allowed);
        assert!(!clone.sigpipe(), "it is of the handle");
        assert_eq!(raised(&writer, Timeout::Forever), allowed);
        assert!(!raised(&writer, Timeout::TRY) && !raised(&writer, LONG));
        assert!(!raised(&clone, Timeout::Forever) && !raised(&other, Timeout::Forever));
    }
}

#[test]
fn the_capacity_is_the_kernels_and_changes_in_powers_of_two() {
    let (reader, writer) = pipe().unwrap();
    assert_eq!((reader.capacity().unwrap(), writer.capacity().unwrap()), (65536, 65536));
    assert_eq!(writer.set_capacity(100_000).unwrap(), 131_072);
    assert_eq!(reader.capacity().unwrap(), 131_072);
    assert_eq!(reader.set_capacity(1).unwrap(), unipc::page_size());
    let (reader, writer) = Options::new().capacity(1 << 20).create().unwrap();
    writer.write_all(&vec![1; 1 << 20], Timeout::TRY).unwrap();
    assert_eq!(reader.waiting().unwrap(), 1 << 20);
    let error = writer.set_capacity(4096).unwrap_err();
    assert_eq!(error.errno(), libc::EBUSY);
    assert!(error.to_string().contains("more than 4096 bytes wait"), "{error}");
    assert_eq!(writer.set_capacity(usize::MAX).unwrap_err().errno(), libc::EINVAL);
    assert_eq!(duplex().unwrap().0.capacity().unwrap_err().errno(), libc::EBADF);
    let text = std::fs::read_to_string("/proc/sys/fs/pipe-max-size").unwrap();
    assert_eq!(capacity_limit().unwrap(), text.trim().parse::<usize>().unwrap());
}

#[test]
fn a_capacity_above_the_limit_names_it() {
    let test = "a_capacity_above_the_limit_names_it";
    succeeds_alone(test, || {
        if let Err(errno) = become_nobody() {
            return skip(test, errno);
        }
        let (_reader, writer) = pipe().unwrap();
        let limit = capacity_limit().unwrap();
        let error = writer.set_capacity(limit * 2).unwrap_err();
        assert_eq!(error.errno(), libc::EPERM);
        assert!(error.to_string().contains(&format!("pipe-max-size is {limit}")), "{error}");
    });
}

#[test]
fn a_user_whose_pipes_have_all_pages_is_told() {
    let test = "a_user_whose_pipes_have_all_pages_is_told";
    succeeds_alone(test, || {
        if let Err(errno) = become_nobody() {
            return skip(test, errno);
        }
        let limit = capacity_limit().unwrap();
        let pages = std::fs::read_to_string("/proc/sys/fs/pipe-user-pages-soft").unwrap();
        let mut pipes = Vec::new();
        let error = loop {
            let made = Options::new().capacity(limit).create();
            match made {
                Ok(made) => pipes.push(made),
                Err(error) => break error,
            }
            if pipes.len() > 400 {
                return skip(test, "pipe-user-pages-soft is no limit here");
            }
        };
        assert_eq!(error.errno(), libc::EPERM, "{error}");
        assert!(error.to_string().contains(pages.trim()), "{error}");
        assert!(error.to_string().contains("pipe-user-pages-soft"), "{error}");
    });
}

#[test]
fn descriptors_that_run_out_are_named() {
    succeeds_alone("descriptors_that_run_out_are_named", || {
        use nix::sys::resource::{Resource, setrlimit};
        setrlimit(Resource::RLIMIT_NOFILE, 16, 16).unwrap();
        let mut pipes = Vec::new();
        let error = loop {
            match pipe() {
                Ok(made) => pipes.push(made),
                Err(error) => break error,
            }
        };
        assert_eq!(error.errno(), libc::EMFILE);
        assert!(error.to_string().contains("RLIMIT_NOFILE"), "{error}");
        assert_eq!(duplex().unwrap_err().errno(), libc::EMFILE);
    });
}

#[test]
fn an_atomic_write_refuses_what_would_be_torn() {
    let (reader, writer) = pipe().unwrap();
    let error = writer.write_atomic(&[0; PIPE_BUF + 1], Timeout::TRY).unwrap_err();
    assert_eq!(error.errno(), libc::EMSGSIZE);
    assert!(error.to_string().contains("4097 bytes are more than the 4096"), "{error}");
    assert_eq!(reader.waiting().unwrap(), 0);
    writer.write_atomic(&[0; PIPE_BUF], Timeout::TRY).unwrap();
    writer.write_atomic(&[], Timeout::TRY).unwrap();
    let (one, _other) = duplex().unwrap();
    let error = one.write_atomic(b"x", Timeout::TRY).unwrap_err();
    assert_eq!(error.errno(), libc::EOPNOTSUPP);
    // All or nothing, too, where a part would fit.
    while writer.write_all(&[0; 1024], Timeout::TRY).is_ok() {}
    let mut room = [0; PIPE_BUF];
    reader.read_exact(&mut room[..100], Timeout::TRY).unwrap();
    let before = reader.waiting().unwrap();
    let error = writer.write_atomic(&[0; PIPE_BUF], Timeout::TRY).unwrap_err();
    assert_eq!((error.errno(), error.kind().done()), (libc::EAGAIN, 0));
    assert_eq!(reader.waiting().unwrap(), before);
}

#[test]
fn four_processes_write_records_that_stay_whole() {
    // Alone: no other test's ends shall live on in the children of this one.
    succeeds_alone("four_processes_write_records_that_stay_whole", || {
        let (reader, writer) = pipe().unwrap();
        let children: Vec<_> = (0..4_u8)
            .map(|number| {
                fork(|| {
                    for _ in 0..100 {
                        writer.write_atomic(&[number; PIPE_BUF], Timeout::Forever).unwrap();
                    }
                })
            })
            .collect();
        drop(writer);
        let mut counts = [0; 4];
        let mut record = [0; PIPE_BUF];
        loop {
            match reader.read_exact(&mut record, LONG) {
                Ok(()) => counts[usize::from(record[0])] += 1,
                Err(error) => {
                    assert_eq!(error.kind(), &ErrorKind::EndOfStream);
                    break;
                }
            }
            assert!(record.iter().all(|&byte| byte == record[0]));
        }
        assert_eq!(counts, [100; 4]);
        children.into_iter().for_each(succeeded);
    });
}

#[test]
fn two_readers_share_the_bytes_and_each_is_read_once() {
    let (reader, writer) = pipe().unwrap();
    let sum = || {
        let (mut count, mut sum, mut room) = (0_u64, 0_u64, [0; 100]);
        loop {
            match reader.read(&mut room, LONG).unwrap() {
                0 => return (count, sum),
                more => {
                    count += more as u64;
                    sum += room[..more].iter().map(|&byte| u64::from(byte)).sum::<u64>();
                }
            }
        }
    };
    std::thread::scope(|scope| {
        let readers = [scope.spawn(sum), scope.spawn(sum)];
        let bytes: Vec<u8> = (0..=255).cycle().take(256 * 4000).collect();
        writer.write_all(&bytes, LONG).unwrap();
        drop(writer);
        let [(one, first), (other, second)] = readers.map(|reader| reader.join().unwrap());
        assert_eq!((one + other, first + second), (256 * 4000, 4000 * 255 * 128));
    });
}

#[test]
fn a_killed_writer_ends_the_stream_and_a_killed_reader_breaks_it() {
    // Alone: no other test's ends shall live on in the children of this one.
    succeeds_alone("a_killed_writer_ends_the_stream_and_a_killed_reader_breaks_it", || {
        let (reader, writer) = pipe().unwrap();
        let (block, _never) = pipe().unwrap();
        let child = fork(|| {
            writer.write_all(b"half", Timeout::Forever).unwrap();
            let _ = block.read_exact(&mut [0], Timeout::Forever);
        });
        drop(writer);
        let mut room = [0; 4];
        reader.read_exact(&mut room, LONG).unwrap();
        asleep(child);
        assert_eq!(reader.read(&mut room, Timeout::TRY).unwrap_err().errno(), libc::EAGAIN);
        killed(child);
        assert_eq!(reader.read(&mut room, Timeout::Forever).unwrap(), 0);

        let (reader, writer) = pipe().unwrap();
        let child = fork(|| {
            let _ = block.read_exact(&mut [0], Timeout::Forever);
        });
        drop(reader);
        asleep(child);
        writer.write_all(b"x", Timeout::Forever).unwrap();
        killed(child);
        let error = writer.write_all(b"x", Timeout::Forever).unwrap_err();
        assert_eq!(error.errno(), libc::EPIPE);
        assert!(error.to_string().contains("nobody has it open for reading"), "{error}");
    });
}

#[test]
fn a_program_that_is_executed_inherits_what_it_is_given() {
    let (reader, mut writer) = pipe().unwrap();
    let (mut replies, output) = pipe().unwrap();
    let mut command = Command::new("tr");
    command.args(["a-z", "A-Z"]).stdin(Stdio::from(OwnedFd::from(reader)));
    let mut child = command.stdout(Stdio::from(OwnedFd::from(output))).spawn().unwrap();
    drop(command);
    writer.write_all(b"through a filter", Timeout::Forever).unwrap();
    Write::write_all(&mut writer, b", twice").unwrap();
    writer.flush().unwrap();
    drop(writer);
    let mut text = String::new();
    replies.read_to_string(&mut text).unwrap();
    assert_eq!(text, "THROUGH A FILTER, TWICE");
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_duplex_carries_both_ways_and_half_closes() {
    let (one, other) = duplex().unwrap();
    one.write_all(b"ask", Timeout::TRY).unwrap();
    other.write_all(b"say", Timeout::TRY).unwrap();
    let mut room = [0; 3];
    other.read_exact(&mut room, LONG).unwrap();
    assert_eq!(&room, b"ask");
    one.finish_writing().unwrap();
    assert_eq!(other.read(&mut room, LONG).unwrap(), 0);
    assert_eq!(one.write_all(b"x", LONG).unwrap_err().errno(), libc::EPIPE);
    other.write_all(b"!", LONG).unwrap();
    let mut all = [0; 4];
    one.read_exact(&mut all, LONG).unwrap();
    assert_eq!(&all, b"say!");
    assert_eq!(one.keep_open().unwrap_err().errno(), libc::ENXIO);
    assert_eq!(pipe().unwrap().1.finish_writing().unwrap_err().errno(), libc::ENOTSOCK);
}

#[test]
fn a_stream_that_is_kept_open_does_not_end() {
    let (reader, writer) = pipe().unwrap();
    reader.keep_open().unwrap();
    reader.keep_open().unwrap();
    writer.write_all(b"x", Timeout::TRY).unwrap();
    drop(writer);
    reader.read_exact(&mut [0], Timeout::TRY).unwrap();
    assert_eq!(reader.read(&mut [0], Timeout::TRY).unwrap_err().errno(), libc::EAGAIN);
}

#[test]
fn the_wrong_direction_is_an_error() {
    let (reader, writer) = pipe().unwrap();
    for limit in [Timeout::TRY, Timeout::After(Duration::from_millis(5)), Timeout::Forever] {
        assert_eq!(End::write(&reader, b"x", limit).unwrap_err().errno(), libc::EBADF);
        assert_eq!(End::read(&writer, &mut [0], limit).unwrap_err().errno(), libc::EBADF);
    }
    assert!(reader.name().starts_with("pipe fd "), "{}", reader.name());
}

#[test]
fn without_proc_what_needs_it_says_so() {
    succeeds_in_namespaces("without_proc_what_needs_it_says_so", || {
        mount::tmpfs(Path::new("/proc"), 0, "");
        let (reader, writer) = pipe().unwrap();
        assert_eq!(reader.keep_open().unwrap_err().errno(), libc::ENOENT);
        assert_eq!(capacity_limit().unwrap_err().errno(), libc::ENOENT);
        writer.write_all(b"x", LONG).unwrap();
        reader.read_exact(&mut [0], LONG).unwrap();
    });
}
