// SPDX-License-Identifier: MIT OR Apache-2.0
//! Filters at the other end of two pipes.
#![allow(unsafe_code, reason = "settings of a process are raw calls")]

#[path = "support/child.rs"]
mod child;
#[path = "support/filters.rs"]
mod filters;
#[path = "support/storm.rs"]
mod storm;

use std::os::unix::process::ExitStatusExt;
use std::sync::atomic::{AtomicBool, Ordering};

use filters::{SHORT, WATCHDOG, adder, gone, open_descriptors};
use storm::{Storm, through};
use unipc::Timeout;
use unipc::pipe::{Command, Coprocess, CoprocessOptions};

fn cat() -> Coprocess {
    Coprocess::spawn(Command::new("cat")).unwrap()
}

#[test]
fn a_line_goes_and_a_line_comes() {
    let filter = Coprocess::spawn(adder()).unwrap();
    for (line, answer) in
        [("1 2", "3"), ("20 22", "42"), ("x", "invalid args"), ("", "invalid args")]
    {
        assert_eq!(filter.exchange(line.as_bytes(), WATCHDOG).unwrap(), answer.as_bytes());
    }
    assert_eq!(filter.exchange(b"1\n2", WATCHDOG).unwrap_err().errno(), libc::EINVAL);
    assert!(filter.close(WATCHDOG).unwrap().success());
}

#[test]
fn pieces_do_what_an_exchange_does() {
    let filter = cat();
    filter.write_line(b"one", WATCHDOG).unwrap();
    filter.write(b"two\nthr", WATCHDOG).unwrap();
    assert_eq!(filter.read_line(WATCHDOG).unwrap().unwrap(), b"one");
    assert_eq!(filter.read_line(WATCHDOG).unwrap().unwrap(), b"two");
    assert_eq!(filter.read_line(SHORT).unwrap_err().errno(), libc::ETIMEDOUT);
    assert!(filter.has_buffered(), "a part of a line stays");
    filter.write(b"ee", WATCHDOG).unwrap();
    filter.end_input();
    assert_eq!(filter.read_line(WATCHDOG).unwrap().unwrap(), b"three");
    assert_eq!(filter.read_line(WATCHDOG).unwrap(), None);
    assert_eq!(filter.write(b"x", WATCHDOG).unwrap_err().errno(), libc::EBADF);
    assert!(filter.wait(WATCHDOG).unwrap().success());
}

#[test]
fn a_refused_line_stays_the_next_one() {
    let filter = cat();
    filter.write_line(b"again", WATCHDOG).unwrap();
    let refuse = |_: &[u8]| Err::<(), _>(unipc::ErrorKind::Empty);
    assert_eq!(filter.with_line(WATCHDOG, refuse).unwrap_err().errno(), libc::ENODATA);
    assert_eq!(filter.read_line(WATCHDOG).unwrap().unwrap(), b"again");
}

#[test]
fn an_answer_comes_into_room_of_any_size() {
    // What is longer than a pipe holds comes in pieces.
    for length in [0, 1, 4094, 4095, 4096, 65535, 65536, 300_000] {
        let (filter, line) = (cat(), vec![b'x'; length]);
        for room in [length + 1, length + 5000, 1 << 20] {
            let mut room = vec![b'#'; room];
            assert_eq!(filter.exchange_into(&line, &mut room, WATCHDOG).unwrap(), length);
            assert!(room[..length] == line);
        }
        let error = filter.exchange_into(&line, &mut vec![0; length], WATCHDOG).unwrap_err();
        assert_eq!(error.errno(), libc::EMSGSIZE);
        assert_eq!(filter.read_line(WATCHDOG).unwrap().unwrap(), line, "it stays");
        assert!(!filter.has_buffered());
    }
}

#[test]
fn what_comes_with_an_answer_stays_behind_it() {
    let filter =
        Coprocess::spawn(Command::shell("while read x; do echo $x; echo more; done; printf end"))
            .unwrap();
    let mut room = vec![0; 8192];
    for line in [&b"one"[..], b"two"] {
        assert_eq!(filter.exchange_into(line, &mut room, WATCHDOG).unwrap(), 3);
        assert_eq!(&room[..3], line);
        assert_eq!(filter.read_line(WATCHDOG).unwrap().unwrap(), b"more");
    }
    // Nothing comes in time; what was begun goes on.
    let mut silent = cat();
    let nothing = silent.begin(b"part").receive_into(&mut room, SHORT).unwrap_err();
    assert_eq!(nothing.errno(), libc::ETIMEDOUT);
    assert_eq!(silent.exchange_into(b"ly", &mut room, WATCHDOG).unwrap(), 6);
    assert_eq!(&room[..6], b"partly");
    silent = CoprocessOptions::new().line_limit(4999).spawn(Command::new("cat")).unwrap();
    let long = silent.exchange_into(&[b'y'; 5000], &mut room, WATCHDOG).unwrap_err();
    assert_eq!(long.errno(), libc::EMSGSIZE);
    assert!(long.to_string().contains("the limit of a line is 4999 bytes"), "{long}");
    // A last line may have no newline; after it there is none.
    filter.end_input();
    assert_eq!(
        filter.begin(b"").receive_into(&mut room, WATCHDOG).unwrap_err().errno(),
        libc::EBADF
    );
    assert_eq!(filter.read_line(WATCHDOG).unwrap().unwrap(), b"end");
}

#[test]
fn a_dead_filter_is_epipe_with_how_it_ended() {
    child::succeeds_alone("a_dead_filter_is_epipe_with_how_it_ended", || {
        // SIGPIPE would end this process.
        // SAFETY: numbers only.
        unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };
        let filter = Coprocess::spawn(adder()).unwrap();
        // It ends instead of answering.
        let error = filter.exchange(b"quit", WATCHDOG).unwrap_err();
        assert_eq!(error.errno(), libc::EPIPE);
        assert!(error.to_string().contains("exit status: 7"), "{error}");
        // It has ended before.
        let error = filter.exchange(b"1 2", WATCHDOG).unwrap_err();
        assert!(error.errno() == libc::EPIPE && error.to_string().contains("status: 7"), "{error}");
        let killed = Coprocess::spawn(adder()).unwrap();
        killed.process().kill().unwrap();
        killed.process().wait(WATCHDOG).unwrap();
        let error = killed.write_line(b"1 2", WATCHDOG).unwrap_err();
        assert!(error.to_string().contains("signal: 9"), "{error}");
        assert_eq!(killed.read_line(WATCHDOG).unwrap(), None);
    });
}

#[test]
fn a_filter_killed_in_the_middle_ends_the_wait() {
    let filter = Coprocess::spawn(Command::shell("read x; exec sleep 1000")).unwrap();
    std::thread::scope(|scope| {
        let asking = scope.spawn(|| filter.exchange(b"hello", WATCHDOG));
        filters::until(|| filters::state(filter.process().pid()) == Some('S'));
        filter.process().kill().unwrap();
        let error = asking.join().unwrap().unwrap_err();
        assert_eq!(error.errno(), libc::EPIPE);
        assert!(error.to_string().contains("signal: 9"), "{error}");
    });
}

#[test]
fn full_pipes_do_not_block_for_ever() {
    // More than both pipes hold, all written before anything is read.
    let filter = cat();
    let line: Vec<u8> = (b'a'..=b'z').cycle().take(999).collect();
    for _ in 0..2000 {
        filter.write_line(&line, WATCHDOG).unwrap();
    }
    for _ in 0..2000 {
        assert_eq!(filter.read_line(WATCHDOG).unwrap().unwrap(), line);
    }
    let large = vec![b'x'; 3 << 20];
    filter.write(&large, WATCHDOG).unwrap();
    filter.end_input();
    let (mut room, mut total) = (vec![0; 1 << 16], 0);
    loop {
        match filter.read(&mut room, WATCHDOG).unwrap() {
            0 => break,
            count => total += count,
        }
    }
    assert_eq!(total, large.len());
}

#[test]
fn what_nobody_reads_is_kept_up_to_a_limit() {
    let filter = cat();
    let block = vec![b'x'; 1 << 20];
    let error = (0..80).find_map(|_| filter.write(&block, WATCHDOG).err()).unwrap();
    assert_eq!(error.errno(), libc::ENOBUFS);
    assert!(error.to_string().contains("64 MiB"), "{error}");
}

#[test]
fn one_thread_writes_while_another_reads() {
    let filter = cat();
    let count = 20_000;
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for number in 0..count {
                filter.write_line(format!("{number:090}").as_bytes(), WATCHDOG).unwrap();
            }
            filter.end_input();
        });
        for number in 0..count {
            let line = filter.read_line(WATCHDOG).unwrap().unwrap();
            assert_eq!(line, format!("{number:090}").as_bytes());
        }
        assert_eq!(filter.read_line(WATCHDOG).unwrap(), None);
    });
}

#[test]
fn each_of_eight_threads_gets_the_answer_to_its_own_line() {
    let filter = Coprocess::spawn(adder()).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let filter = &filter;
            scope.spawn(move || {
                for round in 0..50 {
                    let line = format!("{thread}000 {round}");
                    let answer = (thread * 1000 + round).to_string();
                    let got = filter.exchange(line.as_bytes(), WATCHDOG).unwrap();
                    assert_eq!(got, answer.as_bytes());
                }
            });
        }
    });
}

#[test]
fn a_turn_that_others_have_ends_in_time() {
    let filter = cat();
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| filter.read_line(WATCHDOG));
        let writer = scope.spawn(|| {
            // SYNC: a flag alone.
            while !stop.load(Ordering::Relaxed) {
                std::thread::yield_now();
            }
            filter.write_line(b"done", WATCHDOG)
        });
        // Either way the time ends: with the other reader's turn, or with the pipe's silence.
        for _ in 0..5 {
            let error = filter.read_line(SHORT).unwrap_err();
            assert_eq!(error.errno(), libc::ETIMEDOUT);
            assert_eq!(filter.read_line(Timeout::TRY).unwrap_err().errno(), libc::EAGAIN);
        }
        // SYNC: a flag alone.
        stop.store(true, Ordering::Relaxed);
        writer.join().unwrap().unwrap();
        assert_eq!(reader.join().unwrap().unwrap().unwrap(), b"done");
    });
}

#[test]
fn a_storm_of_signals_loses_nothing() {
    let filter = cat();
    let _storm = Storm::new();
    let before = Storm::signals();
    let mut number = 0;
    while Storm::signals() < before + 200 {
        number += 1;
        let line = number.to_string().into_bytes();
        let mut exchange = filter.begin_line(&line).unwrap();
        let answer = through(|| exchange.receive(WATCHDOG, |answer| Ok(answer.to_vec()))).unwrap();
        assert_eq!(answer, line);
    }
}

#[test]
fn all_at_once_for_filters_that_read_to_the_end() {
    let sort = || Coprocess::spawn(Command::new("sort")).unwrap();
    let sorted = sort().communicate(b"b\nc\na\n", WATCHDOG).unwrap();
    assert_eq!(sorted, b"a\nb\nc\n");
    let large = b"line\n".repeat(200_000);
    assert_eq!(cat().communicate(&large, WATCHDOG).unwrap(), large);
    // It stops reading early, which is its right.
    let head = Coprocess::spawn(Command::new("head").args(["-n", "1"])).unwrap();
    assert_eq!(head.communicate(&large, WATCHDOG).unwrap(), b"line\n");
    let silent = Coprocess::spawn(Command::new("sleep").arg("1000")).unwrap();
    assert_eq!(silent.communicate(b"", SHORT).unwrap_err().errno(), libc::ETIMEDOUT);
    silent.process().kill().unwrap();
}

#[test]
fn a_filter_that_keeps_its_output_back_answers_on_a_terminal() {
    // awk's output is the C library's: whole blocks into a pipe, lines to a terminal.
    let command = || Command::new("sed").args(["s/^/</", "-"]);
    let pipes = Coprocess::spawn(command()).unwrap();
    assert_eq!(pipes.exchange(b"kept back", SHORT).unwrap_err().errno(), libc::ETIMEDOUT);
    let options = CoprocessOptions::new().terminal(true);
    let filter = options.spawn(command()).unwrap();
    for line in ["a", "b c", "\t\u{1}\u{4}\u{7f}ü"] {
        let answer = filter.exchange(line.as_bytes(), WATCHDOG).unwrap();
        assert_eq!(answer, format!("<{line}").as_bytes(), "no echo, and every byte as it was");
    }
    filter.end_input();
    assert_eq!(filter.read_line(WATCHDOG).unwrap(), None);
    assert!(filter.close(WATCHDOG).unwrap().success());
    let isatty = options.spawn(Command::shell("test ! -t 0 && test -t 1 && echo yes")).unwrap();
    assert_eq!(isatty.read_line(WATCHDOG).unwrap().unwrap(), b"yes");
}

#[test]
fn a_terminal_carries_much_and_ends_well() {
    let options = CoprocessOptions::new().terminal(true);
    let filter = options.spawn(Command::new("cat")).unwrap();
    let large = b"0123456789abcdef\r\n".repeat(20_000);
    assert_eq!(filter.communicate(&large, WATCHDOG).unwrap(), large);
    let dies = options.spawn(adder()).unwrap();
    let error = dies.exchange(b"quit", WATCHDOG).unwrap_err();
    assert!(error.errno() == libc::EPIPE && error.to_string().contains("status: 7"), "{error}");
}

#[test]
fn lines_have_a_limit() {
    let filter = CoprocessOptions::new().line_limit(5).spawn(Command::new("cat")).unwrap();
    assert_eq!(filter.exchange(b"12345", WATCHDOG).unwrap(), b"12345");
    let error = filter.exchange(b"123456", WATCHDOG).unwrap_err();
    assert_eq!(error.errno(), libc::EMSGSIZE);
    assert!(error.to_string().contains("5 bytes"), "{error}");
    let mut room = [0; 7];
    assert_eq!(filter.read(&mut room, WATCHDOG).unwrap(), 7);
    assert_eq!(filter.exchange(b"ok", WATCHDOG).unwrap(), b"ok");
}

#[test]
fn what_is_the_pipe_cannot_be_something_else() {
    let error = Coprocess::spawn(Command::new("cat").null(1)).unwrap_err();
    assert_eq!(error.errno(), libc::EINVAL);
    assert!(error.to_string().contains("standard output"), "{error}");
    let missing = Coprocess::spawn(Command::new("unipc-no-such-program"));
    assert_eq!(missing.unwrap_err().errno(), libc::ENOENT);
}

#[test]
fn a_filter_ends_with_its_driver_and_leaves_nothing() {
    child::succeeds_alone("a_filter_ends_with_its_driver_and_leaves_nothing", || {
        let before = open_descriptors();
        for terminal in [false, true] {
            let options = CoprocessOptions::new().terminal(terminal);
            let filter = options.spawn(Command::new("cat")).unwrap();
            filter.exchange(b"x", WATCHDOG).unwrap();
            let pid = filter.process().pid();
            drop(filter);
            gone(pid);
        }
        filters::until(|| open_descriptors() == before);
    });
}

#[test]
fn closing_does_not_wait_for_what_a_filter_still_says() {
    let filter = Coprocess::spawn(Command::new("yes")).unwrap();
    assert_eq!(filter.close(WATCHDOG).unwrap().signal(), Some(libc::SIGPIPE));
}
