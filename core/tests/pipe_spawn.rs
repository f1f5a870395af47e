// SPDX-License-Identifier: MIT OR Apache-2.0
//! Starting programs, waiting for them, signalling them; shells at the other end of a pipe.
#![allow(unsafe_code, reason = "settings of a process are raw calls")]

#[path = "support/child.rs"]
mod child;
#[path = "support/filters.rs"]
mod filters;
#[path = "support/storm.rs"]
mod storm;

use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::process::ExitStatusExt;
use std::sync::Arc;

use filters::{SHORT, WATCHDOG, gone, open_descriptors, state, until};
use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::sys::resource::{Resource, setrlimit};
use storm::{Storm, through};
use unipc::Timeout;
use unipc::pipe::{Command, Process, Shell, pipe};

fn status(command: Command) -> i32 {
    command.spawn().unwrap().wait(WATCHDOG).unwrap().code().unwrap()
}

/// All that a command puts out.
fn output(command: Command) -> String {
    let mut text = String::new();
    let shell = Shell::reader(command).unwrap();
    std::io::Read::read_to_string(&mut &shell, &mut text).unwrap();
    text
}

#[test]
fn a_descriptor_may_have_the_last_number_that_there_is() {
    child::succeeds_alone("a_descriptor_may_have_the_last_number_that_there_is", || {
        let (reader, writer) = pipe().unwrap();
        setrlimit(Resource::RLIMIT_NOFILE, 64, 64).unwrap();
        let last = writer.try_clone().unwrap();
        // Each is where the other shall be, besides.
        let (one, other) = (last.as_raw_fd(), writer.as_raw_fd());
        let line =
            format!("echo one >/dev/fd/63; echo two >/dev/fd/{one}; echo six >/dev/fd/{other}");
        let command = Command::shell(line).descriptor(63, writer.try_clone().unwrap());
        let command = command.descriptor(one, writer).descriptor(other, last);
        assert_eq!(status(command), 0);
        let mut room = [0; 12];
        reader.read_exact(&mut room, WATCHDOG).unwrap();
        assert_eq!(room, *b"one\ntwo\nsix\n");
        assert_eq!(reader.read(&mut room, WATCHDOG).unwrap(), 0, "nothing is left open");
    });
}

#[test]
fn how_it_ended_is_told_as_often_as_asked() {
    assert_eq!(status(Command::new("true")), 0);
    for timeout in [WATCHDOG, Timeout::Forever] {
        let process = Command::shell("exit 3").spawn().unwrap();
        for _ in 0..2 {
            assert_eq!(process.wait(timeout).unwrap().code(), Some(3));
            assert_eq!(process.status().unwrap().unwrap().code(), Some(3));
        }
        let killed = Command::shell("kill -9 $$").spawn().unwrap();
        assert_eq!(killed.wait(timeout).unwrap().signal(), Some(libc::SIGKILL));
        let real_time = Command::shell("kill -40 $$").spawn().unwrap();
        assert_eq!(real_time.wait(timeout).unwrap().signal(), Some(40));
    }
}

#[test]
fn what_cannot_be_started_is_an_error_of_the_call() {
    let failed = |command: Command| command.spawn().unwrap_err();
    let missing = failed(Command::new("unipc-no-such-program"));
    assert_eq!(missing.errno(), libc::ENOENT);
    assert!(missing.to_string().contains("no folder of PATH"), "{missing}");
    assert_eq!(failed(Command::new("/unipc/no/such/program")).errno(), libc::ENOENT);
    assert_eq!(failed(Command::new("")).errno(), libc::ENOENT);
    assert_eq!(failed(Command::new("/etc/passwd")).errno(), libc::EACCES);
    assert_eq!(failed(Command::new("/")).errno(), libc::EACCES);
    assert_eq!(failed(Command::new("true").arg("a\0b")).errno(), libc::EINVAL);
    let nowhere = failed(Command::new("true").directory("/unipc/no/such/folder"));
    assert_eq!((nowhere.errno(), nowhere.operation()), (libc::ENOENT, "chdir"));
    assert_eq!(failed(Command::new("true").arg("x".repeat(3 << 20))).errno(), libc::E2BIG);
    assert_eq!(failed(Command::new("true").null(-1)).errno(), libc::EINVAL);
    assert_eq!(failed(Command::new("true").same(1, 2).same(2, 1)).errno(), libc::EINVAL);
    assert_eq!(Command::from_list::<&str>([]).unwrap_err().errno(), libc::EINVAL);
}

#[test]
fn a_file_without_a_format_says_so() {
    let path = format!("{}/no-format-{}", env!("CARGO_TARGET_TMPDIR"), std::process::id());
    std::fs::write(&path, "echo no first line\n").unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&path, mode).unwrap();
    let error = Command::new(&path).spawn().unwrap_err();
    std::fs::remove_file(&path).unwrap();
    assert_eq!(error.errno(), libc::ENOEXEC);
    assert!(error.to_string().contains("#!"), "{error}");
}

#[test]
fn words_reach_the_program_as_they_are_and_a_line_goes_through_the_shell() {
    let words = ["a b", "$HOME", "*", "'", ""];
    assert_eq!(output(Command::new("printf").arg("<%s>").args(words)), "<a b><$HOME><*><'><>");
    assert_eq!(output(Command::shell("echo $((1 + 2)) | tr 3 x")), "x\n");
    assert_eq!(output(Command::from_list(["echo", "list"]).unwrap()), "list\n");
    assert_eq!(output(Command::new("sh").name("other").args(["-c", "echo $0"])), "other\n");
}

#[test]
fn environment_and_directory_are_as_told() {
    let show = || Command::shell("echo ${UNIPC_A-unset} ${UNIPC_B-unset}; pwd");
    let changed = show().env("UNIPC_A", "1").env("UNIPC_B", "2").env_remove("UNIPC_B");
    assert_eq!(output(changed.directory("/")), "1 unset\n/\n");
    let cleared = Command::new("/usr/bin/env").env("UNIPC_A", "1").env_clear().env("C", "3");
    assert_eq!(output(cleared), "C=3\n");
    assert_eq!(status(Command::new("true").env("PATH", "/unipc/none:/bin:/usr/bin")), 0);
    let nowhere = Command::new("true").env("PATH", "/unipc/none").spawn();
    assert_eq!(nowhere.unwrap_err().errno(), libc::ENOENT);
    assert_eq!(Command::new("true").env("A=B", "x").spawn().unwrap_err().errno(), libc::EINVAL);
}

#[test]
fn an_end_moves_to_the_program_and_the_file_ends_with_it() {
    let (reader, writer) = pipe().unwrap();
    let process = Command::new("echo").arg("moved").stdout(writer).spawn().unwrap();
    let mut room = [0; 64];
    assert_eq!(reader.read(&mut room, WATCHDOG).unwrap(), 6);
    assert_eq!(reader.read(&mut room, WATCHDOG).unwrap(), 0, "no stray writer is left here");
    assert!(process.wait(WATCHDOG).unwrap().success());
}

#[test]
fn a_program_has_the_descriptors_handed_on_and_no_others() {
    child::succeeds_alone("a_program_has_the_descriptors_handed_on_and_no_others", || {
        // One that somebody opened without close-on-exec, low and high.
        let file = std::fs::File::open("/").unwrap();
        fcntl(&file, FcntlArg::F_SETFD(FdFlag::empty())).unwrap();
        // SAFETY: numbers only.
        assert_eq!(unsafe { libc::dup2(file.as_raw_fd(), 200) }, 200);
        let (reader, writer) = pipe().unwrap();
        let (_other, last) = pipe().unwrap();
        let command =
            Command::shell("exec ls /proc/self/fd").descriptor(7, writer).descriptor(5, last);
        // ls has the folder open as 3.
        assert_eq!(output(command), "0\n1\n2\n3\n5\n7\n");
        assert_eq!(reader.read(&mut [0; 1], WATCHDOG).unwrap(), 0);
        // SAFETY: numbers only.
        assert_eq!(unsafe { libc::fcntl(200, libc::F_GETFD) }, 0, "ours stay as they were");
    });
}

#[test]
fn descriptors_may_change_places() {
    let (one, one_writer) = pipe().unwrap();
    let (other, other_writer) = pipe().unwrap();
    let (first, second) = (one_writer.as_raw_fd(), other_writer.as_raw_fd());
    let line = format!("echo one >&{second}; echo other >&{first}");
    let command = Command::new("bash").args(["-c", &line]);
    let swapped = command.descriptor(second, one_writer).descriptor(first, other_writer);
    assert_eq!(status(swapped), 0);
    let read = |reader: unipc::pipe::Reader| {
        let mut room = [0; 16];
        let count = reader.read(&mut room, WATCHDOG).unwrap();
        String::from_utf8_lossy(&room[..count]).into_owned()
    };
    assert_eq!((read(one), read(other)), ("one\n".into(), "other\n".into()));
}

#[test]
fn null_and_the_same_are_descriptors_too() {
    assert_eq!(status(Command::shell("read x; test $? = 1 && echo lost").null(0).null(1)), 0);
    let both = Command::shell("echo out; echo err >&2").same(2, 1);
    assert_eq!(output(both), "out\nerr\n");
}

#[test]
fn a_program_starts_with_default_signals_and_nothing_blocked() {
    child::succeeds_alone("a_program_starts_with_default_signals_and_nothing_blocked", || {
        extern "C" fn ignore(_: libc::c_int) {}
        let handler = ignore as extern "C" fn(libc::c_int);
        // SAFETY: the handler does nothing.
        unsafe { libc::signal(libc::SIGUSR1, handler as libc::sighandler_t) };
        for ignored in [libc::SIGPIPE, libc::SIGXFSZ, libc::SIGHUP] {
            // SAFETY: numbers only.
            unsafe { libc::signal(ignored, libc::SIG_IGN) };
        }
        nix::sys::signal::SigSet::all().thread_block().unwrap();
        let text = output(Command::new("cat").arg("/proc/self/status"));
        let field = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap();
            u64::from_str_radix(line.trim(), 16).unwrap()
        };
        assert_eq!((field("SigBlk:"), field("SigCgt:")), (0, 0));
        // The C library keeps 32 and 33 for itself, and may have made them ignored.
        let ignored = field("SigIgn:") & !(0b11 << 31);
        assert_eq!(ignored, 1 << (libc::SIGHUP - 1), "nohup's stays");
        let ours = nix::sys::signal::SigSet::thread_get_mask().unwrap();
        assert!(ours.contains(nix::sys::signal::SIGUSR1), "this thread's mask is as before");
    });
}

#[test]
fn a_group_of_its_own_is_led_by_the_program() {
    let group = Command::shell("ps -o pgid= -p $$").new_group(true);
    let shell = Shell::reader(group).unwrap();
    let line = shell.read_line(WATCHDOG).unwrap().unwrap();
    let number: i32 = String::from_utf8(line).unwrap().trim().parse().unwrap();
    assert_eq!(number, shell.process().pid());
}

#[test]
fn waiting_ends_in_time_and_goes_on_later() {
    let process = Command::new("cat").stdin(pipe_that_stays()).spawn().unwrap();
    assert_eq!(process.wait(Timeout::TRY).unwrap_err().errno(), libc::EAGAIN);
    assert_eq!(process.wait(SHORT).unwrap_err().errno(), libc::ETIMEDOUT);
    assert_eq!(process.status().unwrap(), None);
    process.signal(0).unwrap();
    assert_eq!(process.signal(1000).unwrap_err().errno(), libc::EINVAL);
    process.signal(libc::SIGTERM).unwrap();
    assert_eq!(process.wait(WATCHDOG).unwrap().signal(), Some(libc::SIGTERM));
    assert_eq!(process.signal(0).unwrap_err().errno(), libc::ESRCH);
    process.kill().unwrap();
}

/// A reading end whose writing end nobody closes.
fn pipe_that_stays() -> OwnedFd {
    let (reader, writer) = pipe().unwrap();
    std::mem::forget(writer);
    reader.into()
}

#[test]
fn a_signal_interrupts_a_wait_and_loses_nothing() {
    let process = Command::shell("read x; exit 5").stdin(pipe_that_stays()).spawn().unwrap();
    let storm = Storm::new();
    let before = Storm::signals();
    for timeout in [WATCHDOG, Timeout::Forever] {
        let error = process.wait(timeout).unwrap_err();
        assert_eq!(error.errno(), libc::EINTR);
    }
    let killer = std::thread::scope(|scope| {
        let killer = scope.spawn(|| {
            until(|| Storm::signals() > before + 20);
            process.kill()
        });
        let status = through(|| process.wait(Timeout::Forever)).unwrap();
        assert_eq!(status.signal(), Some(libc::SIGKILL));
        killer.join().unwrap()
    });
    killer.unwrap();
    drop(storm);
    // Starting is not interrupted.
    let _storm = Storm::new();
    for _ in 0..50 {
        through(|| Command::new("true").spawn()?.wait(WATCHDOG)).unwrap();
    }
}

#[test]
fn several_threads_learn_how_it_ended() {
    let process = &Command::shell("read x; exit 5").stdin(pipe_that_stays()).spawn().unwrap();
    std::thread::scope(|scope| {
        let timeouts = [WATCHDOG, Timeout::Forever].into_iter().cycle().take(8);
        let wait = |timeout| scope.spawn(move || process.wait(timeout));
        let waiters: Vec<_> = timeouts.map(wait).collect();
        process.kill().unwrap();
        for waiter in waiters {
            assert_eq!(waiter.join().unwrap().unwrap().signal(), Some(libc::SIGKILL));
        }
    });
}

#[test]
fn no_zombie_and_no_descriptor_is_left() {
    child::succeeds_alone("no_zombie_and_no_descriptor_is_left", || {
        let before = open_descriptors();
        let ended = Command::new("true").spawn().unwrap();
        until(|| state(ended.pid()) == Some('Z'));
        let pid = ended.pid();
        drop(ended);
        assert_eq!(state(pid), None);
        let (reader, writer) = pipe().unwrap();
        let running = Command::new("cat").stdin(reader).spawn().unwrap();
        let pid = running.pid();
        running.detach();
        assert_ne!(state(pid), None, "it goes on");
        drop(writer);
        gone(pid);
        until(|| open_descriptors() == before);
        let _ = Command::new("unipc-no-such-program").null(0).spawn().unwrap_err();
        assert_eq!(open_descriptors(), before);
        // SAFETY: asks for any child.
        assert_eq!(unsafe { libc::waitpid(-1, std::ptr::null_mut(), libc::WNOHANG) }, -1);
    });
}

#[test]
fn a_lost_status_is_an_error_that_says_why() {
    child::succeeds_alone("a_lost_status_is_an_error_that_says_why", || {
        // SAFETY: numbers only.
        unsafe { libc::signal(libc::SIGCHLD, libc::SIG_IGN) };
        for timeout in [WATCHDOG, Timeout::Forever] {
            let process = Command::new("true").spawn().unwrap();
            let error = process.wait(timeout).unwrap_err();
            assert_eq!(error.errno(), libc::ECHILD);
            assert!(error.to_string().contains("SIGCHLD is ignored"), "{error}");
        }
    });
}

#[test]
fn a_child_of_fork_is_not_the_parent_of_the_program() {
    child::succeeds_alone("a_child_of_fork_is_not_the_parent_of_the_program", || {
        let process = Command::new("cat").stdin(pipe_that_stays()).spawn().unwrap();
        // SAFETY: this process has one thread but the harness's, which is not needed in the child.
        let child = unsafe { libc::fork() };
        if child == 0 {
            let lost = [WATCHDOG, Timeout::Forever]
                .map(|timeout| process.wait(timeout).map_err(|error| error.errno()));
            drop(process);
            // SAFETY: ends the child at once.
            unsafe { libc::_exit(i32::from(lost != [Err(libc::ECHILD); 2])) };
        }
        let mut status = -1;
        // SAFETY: the pointer is to room for a status.
        assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
        assert_eq!(status, 0);
        assert_eq!(process.status().unwrap(), None, "the child's drop did no harm");
        process.kill().unwrap();
        process.wait(WATCHDOG).unwrap();
    });
}

#[test]
fn many_threads_start_programs_at_once() {
    std::thread::scope(|scope| {
        for thread in 0..8 {
            scope.spawn(move || {
                for round in 0..10 {
                    let code = (thread * 10 + round) % 256;
                    assert_eq!(status(Command::shell(format!("exit {code}"))), code);
                }
            });
        }
    });
}

#[test]
fn processes_are_shared_and_polled() {
    let process: Arc<Process> = Arc::new(Command::new("true").spawn().unwrap());
    let fd = process.pidfd().unwrap();
    let flags = FdFlag::from_bits_retain(fcntl(fd, FcntlArg::F_GETFD).unwrap());
    assert!(flags.contains(FdFlag::FD_CLOEXEC));
    let mut polled = [nix::poll::PollFd::new(fd.as_fd(), nix::poll::PollFlags::POLLIN)];
    assert_eq!(nix::poll::poll(&mut polled, nix::poll::PollTimeout::NONE), Ok(1));
    assert!(format!("{process:?}").contains("true"));
}

#[test]
fn reading_a_command_gives_lines_bytes_and_its_status() {
    let shell = Shell::reader(Command::shell("printf 'one\\n\\nlast'; exit 3")).unwrap();
    assert_eq!(shell.read_line(WATCHDOG).unwrap().unwrap(), b"one");
    let mut room = [0; 2];
    assert_eq!(shell.read(&mut room, WATCHDOG).unwrap(), 2);
    assert_eq!(&room, b"\nl");
    assert_eq!(shell.read_line(WATCHDOG).unwrap().unwrap(), b"ast");
    assert_eq!(shell.read_line(WATCHDOG).unwrap(), None);
    assert_eq!(shell.read(&mut room, WATCHDOG).unwrap(), 0);
    assert_eq!(shell.write(b"x", WATCHDOG).unwrap_err().errno(), libc::EBADF);
    assert_eq!(shell.close(WATCHDOG).unwrap().code(), Some(3));
}

#[test]
fn a_command_that_writes_for_ever_ends_when_nobody_reads() {
    let shell = Shell::reader(Command::new("yes")).unwrap();
    assert_eq!(shell.read_line(WATCHDOG).unwrap().unwrap(), b"y");
    assert_eq!(shell.close(WATCHDOG).unwrap().signal(), Some(libc::SIGPIPE));
}

#[test]
fn writing_to_a_command_gives_it_all_and_then_its_status() {
    let bytes = vec![b'x'; 300_000];
    let shell = Shell::writer(Command::shell("test $(wc -c) = 300000 && exit 4")).unwrap();
    shell.write(&bytes, WATCHDOG).unwrap();
    assert_eq!(shell.read(&mut [0; 1], WATCHDOG).unwrap_err().errno(), libc::EBADF);
    assert_eq!(shell.wait(WATCHDOG).unwrap().code(), Some(4));
    assert_eq!(shell.write(b"x", WATCHDOG).unwrap_err().errno(), libc::EBADF, "it was closed");
    let used = Command::new("cat").null(0);
    assert_eq!(Shell::writer(used).unwrap_err().errno(), libc::EINVAL);
}

#[test]
fn a_command_that_reads_no_more_is_epipe_with_its_status() {
    child::succeeds_alone("a_command_that_reads_no_more_is_epipe_with_its_status", || {
        // SIGPIPE would end this process.
        // SAFETY: numbers only.
        unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };
        let shell = Shell::writer(Command::shell("exit 3")).unwrap();
        let error = loop {
            match shell.write(&[b'x'; 4096], WATCHDOG) {
                Ok(()) => {}
                Err(error) => break error,
            }
        };
        assert_eq!(error.errno(), libc::EPIPE);
        assert!(error.to_string().contains("exit status: 3"), "{error}");
        let closed = Shell::writer(Command::shell("exec <&-; read x </dev/zero")).unwrap();
        let error = loop {
            match closed.write(&[b'x'; 4096], WATCHDOG) {
                Ok(()) => {}
                Err(error) => break error,
            }
        };
        assert!(error.to_string().contains("still runs"), "{error}");
        closed.process().kill().unwrap();
    });
}

#[test]
fn time_limits_hold_for_shells() {
    let silent = Shell::reader(Command::new("sleep").arg("1000")).unwrap();
    assert_eq!(silent.read(&mut [0; 1], Timeout::TRY).unwrap_err().errno(), libc::EAGAIN);
    assert_eq!(silent.read_line(SHORT).unwrap_err().errno(), libc::ETIMEDOUT);
    let deaf = Shell::writer(Command::new("sleep").arg("1000")).unwrap();
    let error = deaf.write(&vec![0; 1 << 20], SHORT).unwrap_err();
    assert_eq!(error.errno(), libc::ETIMEDOUT);
    assert_eq!(error.kind().done(), 65536);
    for shell in [silent, deaf] {
        let process = Arc::clone(shell.process());
        assert_eq!(shell.close(SHORT).unwrap_err().errno(), libc::ETIMEDOUT);
        process.kill().unwrap();
        process.wait(WATCHDOG).unwrap();
    }
}

#[test]
fn a_long_line_is_refused_and_its_bytes_stay() {
    let line = "head -c 2000000 /dev/zero | tr '\\0' x; echo; echo next";
    let shell = Shell::reader(Command::shell(line)).unwrap();
    for _ in 0..2 {
        assert_eq!(shell.read_line(WATCHDOG).unwrap_err().errno(), libc::EMSGSIZE);
    }
    let mut left = 2_000_001;
    let mut room = vec![0; 65536];
    while left > 0 {
        let want = left.min(room.len());
        left -= shell.read(&mut room[..want], WATCHDOG).unwrap();
    }
    assert_eq!(shell.read_line(WATCHDOG).unwrap().unwrap(), b"next");
}
