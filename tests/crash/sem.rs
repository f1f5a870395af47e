// SPDX-License-Identifier: MIT OR Apache-2.0
//! Semaphores: the creator is killed before and after each of its system calls, while another process waits to open.
//!
//! Whatever point it is, whoever opens afterwards finds nothing or a complete semaphore, whoever opens or creates has one
//! with the right value, and nobody hangs.
#![allow(unsafe_code, reason = "the control makes a set as textbooks do, by raw calls")]

use unipc::{Mode, Semaphore, Timeout};

use crate::process::{Child, Status, umask};
use crate::step::Report;
use crate::tracer::{self, Stop, Traced};

const VALUE: u32 = 3;
const MODE: u32 = 0o664;

/// How a semaphore is made.
struct Creation {
    name: &'static str,
    make: fn(&str) -> unipc::Result<Semaphore>,
    posix: bool,
}

const CREATIONS: [Creation; 6] = [
    Creation { name: "create POSIX", make: create, posix: true },
    Creation { name: "open_or_create POSIX", make: open_or_create, posix: true },
    Creation { name: "replace POSIX", make: replace, posix: true },
    Creation { name: "create by key", make: create, posix: false },
    Creation { name: "open_or_create by key", make: open_or_create, posix: false },
    Creation { name: "replace by key", make: replace, posix: false },
];

/// The control: caught if the checks are any good.
const TEXTBOOK: Creation = Creation { name: "textbook", make: textbook, posix: false };

fn options() -> unipc::sem::Options {
    Semaphore::options().mode(Mode::new(MODE).expect("nine bits"))
}

fn create(name: &str) -> unipc::Result<Semaphore> {
    options().create(name, VALUE)
}

fn open_or_create(name: &str) -> unipc::Result<Semaphore> {
    options().open_or_create(name, VALUE)
}

fn replace(name: &str) -> unipc::Result<Semaphore> {
    options().replace(true).create(name, VALUE)
}

/// `semget` and then `SETVAL`, with an operation at the end.
fn textbook(name: &str) -> unipc::Result<Semaphore> {
    let key = i64::from_str_radix(name.trim_start_matches("sysv:0x"), 16).expect("a key");
    let key = i32::try_from(key).expect("31 bits");
    let flags = libc::IPC_CREAT | libc::IPC_EXCL | MODE.cast_signed();
    // SAFETY: numbers alone.
    let id = unsafe { libc::semget(key, 1, flags) };
    // SAFETY: SETVAL takes a number.
    unsafe { libc::semctl(id, 0, libc::SETVAL, VALUE.cast_signed()) };
    let quick = options().creator_timeout(Timeout::TRY);
    quick.open(name)
}

pub(crate) fn run() -> Vec<Report> {
    CREATIONS.iter().map(each_death).collect()
}

pub(crate) fn run_textbook() -> Report {
    each_death(&TEXTBOOK)
}

fn each_death(creation: &Creation) -> Report {
    let pid = std::process::id();
    let name = if creation.posix {
        format!("/unipc-crash-sem-{pid}")
    } else {
        format!("sysv:{:#x}", 0x5e00_0000 | pid & 0x00ff_ffff)
    };
    let mut report = Report { operation: creation.name, deaths: 0, failures: Vec::new() };
    for stops in 0.. {
        let outcome = die_after(stops, &name, creation);
        let _ = Semaphore::unlink(name.as_str());
        match outcome {
            Ok(true) => report.deaths += 1,
            Ok(false) => return report,
            Err(why) => report.failures.push(format!("after {stops} stops: {why}")),
        }
    }
    unreachable!("every creation ends")
}

/// Kills a creator at that stop. False when it had ended before.
fn die_after(stops: usize, name: &str, creation: &Creation) -> Result<bool, String> {
    let before = files();
    let mut child = Child::run(|| {
        tracer::allow();
        umask(0o077);
        let pid = std::process::id().cast_signed();
        tracer::mark(pid);
        (creation.make)(name).unwrap_or_else(|error| panic!("{error}"));
        tracer::mark(pid);
    });
    let mut traced = Traced::new(&mut child).map_err(|status| format!("{status:?}"))?;
    for _ in 0..stops {
        match traced.next() {
            Stop::Entry { .. } | Stop::Exit => {}
            Stop::End => return Ok(false),
            Stop::Ended(status) => return Err(format!("it ended by itself: {status:?}")),
        }
    }
    // Alive and standing still, it is waited for; it dies meanwhile.
    let mut waiting = Child::run(|| opens(name));
    child.kill();
    match child.wait() {
        Status::Killed(libc::SIGKILL) => {}
        other => return Err(format!("{other:?}")),
    }
    if waiting.wait() != Status::Exited(0) {
        return Err("who opened meanwhile saw a wrong value, or hung".into());
    }
    look(name, creation, before)?;
    Ok(true)
}

/// In a child: finds nothing, or a complete semaphore.
fn opens(name: &str) {
    match Semaphore::open(name) {
        Ok(semaphore) => assert_eq!(semaphore.value().map_err(|error| error.errno()), Ok(VALUE)),
        Err(error) => assert_eq!(error.errno(), libc::ENOENT, "{error}"),
    }
}

/// Afterwards: nothing or a complete semaphore, of the exact mode; and the next one creates, if it must.
fn look(name: &str, creation: &Creation, before: usize) -> Result<(), String> {
    match Semaphore::open(name) {
        Err(error) if error.errno() == libc::ENOENT => {}
        Err(error) => return Err(error.to_string()),
        Ok(semaphore) => {
            let value = semaphore.value().map_err(|error| error.to_string())?;
            let mode = mode(name, &semaphore);
            if (value, mode) != (VALUE, MODE) {
                return Err(format!("half-made: value {value}, mode {mode:o}"));
            }
        }
    }
    let next = open_or_create(name).map_err(|error| format!("for the next one: {error}"))?;
    let value = next.value().map_err(|error| error.to_string())?;
    if value != VALUE {
        return Err(format!("half-made for the next one: value {value}"));
    }
    let left = files().saturating_sub(before);
    // The semaphore itself, and nothing besides, where this program is alone.
    let alone = std::env::var("UNIPC_ISOLATED").is_ok_and(|way| way != "none");
    if alone && left != usize::from(creation.posix) {
        return Err(format!("{left} files in /dev/shm"));
    }
    Ok(())
}

fn files() -> usize {
    std::fs::read_dir("/dev/shm").map_or(0, Iterator::count)
}

fn mode(name: &str, semaphore: &Semaphore) -> u32 {
    if let Some(set) = semaphore.set() {
        return set.stat().map_or(0, |status| status.permissions.mode);
    }
    let file = format!("/dev/shm/sem.{}", name.trim_start_matches('/'));
    std::fs::metadata(file)
        .map_or(0, |status| std::os::unix::fs::MetadataExt::mode(&status) & 0o777)
}
