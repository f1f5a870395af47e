// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the examples share: the record, pauses that can be shortened, and how a program ends.
#![allow(dead_code, reason = "each example uses a part")]

use std::ffi::OsString;
use std::process::ExitCode;
use std::thread::sleep;
use std::time::{Duration, Instant};

use unipc::SharedMemory;
use zerocopy::{FromBytes, Immutable, IntoBytes};

/// The record on which all languages agree: `struct people { char name[4]; int age; }`.
#[derive(FromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub(crate) struct People {
    pub(crate) name: [u8; 4],
    pub(crate) age: i32,
}

/// One record in bytes.
pub(crate) const PEOPLE: usize = size_of::<People>();

impl People {
    /// The record number `i` of the experiments: b 20, c 21, d 22 …
    pub(crate) fn number(i: u8) -> Self {
        Self { name: [b'b' + i, 0, 0, 0], age: 20 + i32::from(i) }
    }

    /// The name up to its NUL.
    pub(crate) fn name(&self) -> String {
        let end = self.name.iter().position(|&byte| byte == 0).unwrap_or(self.name.len());
        String::from_utf8_lossy(&self.name[..end]).into_owned()
    }
}

/// Sleeps so many seconds, times the environment variable `UNIPC_PAUSE_SCALE`.
pub(crate) fn pause(seconds: f64) {
    let scale = std::env::var("UNIPC_PAUSE_SCALE").ok().and_then(|scale| scale.parse().ok());
    let seconds: f64 = seconds * scale.unwrap_or(1.0);
    sleep(Duration::try_from_secs_f64(seconds).unwrap_or_default());
}

/// Waits until the integer at `offset` is at least `value`, but not for ever: the peer may have died.
pub(crate) fn wait_for(shm: &SharedMemory, offset: usize, value: u32) -> Result<(), Failure> {
    let deadline = Instant::now() + Duration::from_secs(60);
    while shm.load_u32(offset)? < value {
        if Instant::now() > deadline {
            return Err("the other side did not answer within 60 s".into());
        }
        sleep(Duration::from_millis(1));
    }
    Ok(())
}

/// An error of unipc, or words of our own.
pub(crate) type Failure = Box<dyn std::error::Error>;

/// The arguments; without the first of them, shows how the program is called.
pub(crate) fn arguments(usage: &str) -> Result<Vec<OsString>, Failure> {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    if arguments.is_empty() { Err(format!("usage: {usage}").into()) } else { Ok(arguments) }
}

/// Ends the program: an error goes to standard error and makes the exit status 1.
#[allow(clippy::print_stderr, reason = "this is a program")]
pub(crate) fn finish(result: Result<(), Failure>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
