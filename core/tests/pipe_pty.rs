// SPDX-License-Identifier: MIT OR Apache-2.0
//! Pseudoterminals: programs that believe in a user, and terminals in raw mode.

#[path = "support/child.rs"]
mod child;
#[path = "support/filters.rs"]
mod filters;
#[path = "support/storm.rs"]
mod storm;

use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt;

use filters::{SHORT, WATCHDOG, gone, open_descriptors};
use storm::Storm;
use unipc::Timeout;
use unipc::pipe::{
    Command, Modes, Pty, RawMode, WindowSize, is_terminal, modes, pipe, set_window_size,
    window_size,
};

/// So many that they fill a terminal in both directions.
const LINES: usize = 2000;

const SIZE: WindowSize = WindowSize { rows: 30, columns: 100, width: 0, height: 0 };

fn spawn(line: &str) -> Pty {
    Pty::spawn(Command::shell(line), SIZE).unwrap()
}

fn line(pty: &Pty) -> String {
    String::from_utf8(pty.read_line(WATCHDOG).unwrap().unwrap()).unwrap()
}

#[test]
fn a_program_is_on_a_terminal_of_its_own() {
    let pty = spawn(
        "tty; test -t 0 && test -t 1 && test -t 2 && echo all; stty size; ps -o tpgid=,sid= -p $$",
    );
    assert_eq!(line(&pty), format!("{}\r", pty.name().display()));
    assert_eq!(line(&pty), "all\r");
    assert_eq!(line(&pty), "30 100\r");
    let pid = pty.process().unwrap().pid();
    let numbers = line(&pty);
    let numbers: Vec<i32> = numbers.split_whitespace().map(|it| it.parse().unwrap()).collect();
    assert_eq!(numbers, [pid, pid], "the terminal controls its session");
    assert_eq!(pty.read_line(WATCHDOG).unwrap(), None, "EIO is the end");
    assert_eq!(pty.read(&mut [0; 1], WATCHDOG).unwrap(), 0);
    assert!(pty.wait(WATCHDOG).unwrap().success());
}

#[test]
fn the_line_discipline_echoes_edits_and_ends() {
    let pty = spawn("echo ready; read -r x; echo got $x; cat; echo end");
    assert_eq!(line(&pty), "ready\r");
    pty.write(b"ax\x7fb\n", WATCHDOG).unwrap();
    assert_eq!(line(&pty), "ax\x08 \x08b\r", "what is typed is echoed, with the correction");
    assert_eq!(line(&pty), "got ab\r");
    pty.end_of_file(WATCHDOG).unwrap();
    let end = line(&pty);
    assert!(end.ends_with("end\r"), "{end:?}");
    assert!(pty.wait(WATCHDOG).unwrap().success());
}

#[test]
fn control_c_is_a_signal() {
    let pty = spawn("trap 'echo caught; exit 6' INT; echo ready; while :; do sleep 0.01; done");
    assert_eq!(line(&pty), "ready\r");
    pty.write(b"\x03", WATCHDOG).unwrap();
    assert_eq!(line(&pty), "^Ccaught\r");
    assert_eq!(pty.wait(WATCHDOG).unwrap().code(), Some(6));
}

#[test]
fn modes_are_switched_one_by_one() {
    let pty = spawn("echo ready; read -r x; echo got $x");
    assert_eq!(line(&pty), "ready\r");
    let all = Modes { echo: true, canonical: true, signals: true, output: true };
    assert_eq!(pty.modes().unwrap(), all);
    let wanted = Modes { echo: false, output: false, ..all };
    pty.set_modes(wanted).unwrap();
    assert_eq!(pty.modes().unwrap(), wanted);
    assert_eq!(modes(pty.slave().unwrap()).unwrap(), wanted, "both sides are one terminal");
    pty.write(b"silent\n", WATCHDOG).unwrap();
    assert_eq!(line(&pty), "got silent", "no echo, no carriage return");
}

#[test]
fn a_change_of_size_is_seen_and_told() {
    let pty = spawn("trap 'stty size; exit 0' WINCH; echo ready; while :; do sleep 0.01; done");
    assert_eq!(line(&pty), "ready\r");
    assert_eq!(pty.window_size().unwrap(), SIZE);
    pty.set_window_size(WindowSize::new(50, 132)).unwrap();
    assert_eq!(line(&pty), "50 132\r");
    assert_eq!(window_size(pty.fd().unwrap()).unwrap(), WindowSize::new(50, 132));
}

#[test]
fn a_hang_up_ends_the_session() {
    let pty = spawn("echo ready; exec sleep 1000");
    assert_eq!(line(&pty), "ready\r");
    assert_eq!(pty.close(WATCHDOG).unwrap().signal(), Some(libc::SIGHUP));
    let kept = spawn("exec sleep 1000");
    kept.hang_up();
    assert_eq!(kept.read(&mut [0; 1], WATCHDOG).unwrap_err().errno(), libc::EBADF);
    assert_eq!(kept.window_size().unwrap_err().errno(), libc::EBADF);
    assert_eq!(kept.wait(WATCHDOG).unwrap().signal(), Some(libc::SIGHUP));
}

#[test]
fn without_a_program_the_other_side_is_a_descriptor() {
    let pty = Pty::open(WindowSize::default()).unwrap();
    assert_eq!(pty.wait(WATCHDOG).unwrap_err().errno(), libc::ECHILD);
    let mut slave = File::from(pty.slave().unwrap());
    assert!(is_terminal(&slave) && is_terminal(pty.fd().unwrap()));
    slave.write_all(b"hello\n").unwrap();
    assert_eq!(line(&pty), "hello\r");
    pty.write(b"typed\n", WATCHDOG).unwrap();
    let mut room = [0; 16];
    assert_eq!(slave.read(&mut room).unwrap(), 6);
    drop(slave);
    // What was echoed is there before the end.
    assert_eq!(line(&pty), "typed\r");
    assert_eq!(pty.read_line(WATCHDOG).unwrap(), None);
    // The next one to open it makes it a terminal again, and is heard.
    for _ in 0..2 {
        let mut slave = File::from(pty.slave().unwrap());
        assert_eq!(window_size(&slave).unwrap(), WindowSize::default());
        assert_eq!(pty.read(&mut room, Timeout::TRY).unwrap_err().errno(), libc::EAGAIN);
        slave.write_all(b"again\n").unwrap();
        assert_eq!(line(&pty), "again\r");
        slave.write_all(b"and again\n").unwrap();
        assert_eq!(pty.read(&mut room, WATCHDOG).unwrap(), 11);
        drop(slave);
        assert_eq!(pty.read(&mut room, WATCHDOG).unwrap(), 0);
        assert_eq!(pty.read(&mut room, WATCHDOG).unwrap(), 0);
    }
    // What it says is read while a write waits for room, as before the first end.
    let mut slave = File::from(pty.slave().unwrap());
    pty.set_modes(Modes { echo: false, ..pty.modes().unwrap() }).unwrap();
    let filter = std::thread::spawn(move || {
        let mut room = [0; 4096];
        let mut left = LINES * 100;
        while left > 0 {
            let count = slave.read(&mut room).unwrap();
            slave.write_all(&room[..count]).unwrap();
            left -= count;
        }
        slave
    });
    let text = [&[b'x'; 99], b"\n".as_slice()].concat();
    for _ in 0..LINES {
        pty.write(&text, WATCHDOG).unwrap();
    }
    for _ in 0..LINES {
        assert_eq!(line(&pty).len(), 100);
    }
    drop(filter.join().unwrap());
}

#[test]
fn time_limits_and_signals_end_the_waits() {
    let pty = Pty::open(SIZE).unwrap();
    let _slave = pty.slave().unwrap();
    assert_eq!(pty.read(&mut [0; 1], Timeout::TRY).unwrap_err().errno(), libc::EAGAIN);
    assert_eq!(pty.read_line(SHORT).unwrap_err().errno(), libc::ETIMEDOUT);
    let storm = Storm::new();
    assert_eq!(pty.read_line(WATCHDOG).unwrap_err().errno(), libc::EINTR);
    drop(storm);
    // Nobody reads on the other side: what does not fit ends in time.
    RawMode::enter(pty.fd().unwrap()).map(std::mem::forget).unwrap();
    let error = loop {
        match pty.write(&[b'x'; 4096], SHORT) {
            Ok(()) => {}
            Err(error) => break error,
        }
    };
    assert_eq!(error.errno(), libc::ETIMEDOUT);
}

#[test]
fn much_that_is_echoed_does_not_block_for_ever() {
    let pty = spawn("stty -echo; echo ready; exec cat");
    assert_eq!(line(&pty), "ready\r");
    let text = [b"0123456789".repeat(10).as_slice(), b"\n"].concat();
    for _ in 0..2000 {
        pty.write(&text, WATCHDOG).unwrap();
    }
    for _ in 0..2000 {
        assert_eq!(line(&pty).len(), 101);
    }
}

#[test]
fn raw_mode_passes_every_byte_and_is_taken_back() {
    let pty = Pty::open(SIZE).unwrap();
    let mut slave = File::from(pty.slave().unwrap());
    let before = modes(&slave).unwrap();
    let raw = RawMode::enter(&slave).unwrap();
    let off = Modes { echo: false, canonical: false, signals: false, output: false };
    assert_eq!(modes(&slave).unwrap(), off);
    let bytes: Vec<u8> = (0..=255).collect();
    pty.write(&bytes, WATCHDOG).unwrap();
    let mut room = [0; 256];
    slave.read_exact(&mut room).unwrap();
    assert_eq!(room.as_slice(), bytes);
    slave.write_all(&bytes).unwrap();
    let mut back = Vec::new();
    while back.len() < 256 {
        let count = pty.read(&mut room, WATCHDOG).unwrap();
        back.extend_from_slice(&room[..count]);
    }
    assert_eq!(back, bytes);
    raw.restore().unwrap();
    assert_eq!(modes(&slave).unwrap(), before);
    raw.restore().unwrap();
    drop(RawMode::enter(&slave).unwrap());
    assert_eq!(modes(&slave).unwrap(), before);
}

#[test]
fn what_is_no_terminal_says_so() {
    let (reader, _writer) = pipe().unwrap();
    assert!(!is_terminal(&reader));
    for error in [
        window_size(&reader).unwrap_err(),
        set_window_size(&reader, SIZE).unwrap_err(),
        modes(&reader).unwrap_err(),
        RawMode::enter(&reader).unwrap_err(),
    ] {
        assert_eq!(error.errno(), libc::ENOTTY);
        assert!(error.to_string().contains("no terminal"), "{error}");
    }
    let used = Pty::spawn(Command::new("cat").null(0), SIZE);
    assert_eq!(used.unwrap_err().errno(), libc::EINVAL);
}

#[test]
fn a_program_may_have_its_errors_elsewhere() {
    let (reader, writer) = pipe().unwrap();
    let pty = Pty::spawn(Command::shell("echo out; echo err >&2").stderr(writer), SIZE).unwrap();
    assert_eq!(line(&pty), "out\r");
    let mut room = [0; 16];
    let count = unipc::pipe::End::read(&reader, &mut room, WATCHDOG).unwrap();
    assert_eq!(&room[..count], b"err\n");
}

#[test]
fn nothing_is_left() {
    child::succeeds_alone("nothing_is_left", || {
        let before = open_descriptors();
        let pty = spawn("echo ready; exec sleep 1000");
        assert_eq!(line(&pty), "ready\r");
        let (pid, name) = (pty.process().unwrap().pid(), pty.name().to_owned());
        assert!(name.exists());
        drop(pty);
        gone(pid);
        filters::until(|| open_descriptors() == before);
        // The name may belong to another program's terminal by now.
    });
}
