// SPDX-License-Identifier: MIT OR Apache-2.0
//! Five rounds in which parent and child print in turn; if one of them ends, the other hears so.
//!
//! ```text
//! tellwait [parent|child]                  who prints first; the parent unless told otherwise
//! tellwait FIRST parent|child HEAR TELL    one side, on descriptors that were inherited
//! ```
#![allow(unsafe_code, reason = "fork is unsafe, and so is taking over a descriptor by number")]
#![allow(clippy::print_stdout, reason = "this is a program")]

mod common;

use std::os::fd::{FromRawFd, OwnedFd};
use std::process::ExitCode;

use common::Failure;
use nix::unistd::ForkResult;
use unipc::Timeout;
use unipc::pipe::{Side, Turnstile};

fn parent(turnstile: &mut Turnstile, goes_first: bool) -> unipc::Result<()> {
    for round in 1..=5 {
        if !goes_first {
            turnstile.wait_child(Timeout::Forever)?;
        }
        println!("output from parent {round}");
        turnstile.tell_child()?;
        if goes_first {
            turnstile.wait_child(Timeout::Forever)?;
        }
    }
    Ok(())
}

fn child(turnstile: &mut Turnstile, goes_first: bool) -> unipc::Result<()> {
    for round in 1..=5 {
        if !goes_first {
            turnstile.wait_parent(Timeout::Forever)?;
        }
        println!("output from child {round}");
        turnstile.tell_parent()?;
        if goes_first {
            turnstile.wait_parent(Timeout::Forever)?;
        }
    }
    Ok(())
}

/// A descriptor that this program was started with.
fn inherited(number: &str) -> Result<OwnedFd, Failure> {
    let number = number.parse()?;
    // SAFETY: whoever started the program says that the descriptor is its own.
    Ok(unsafe { OwnedFd::from_raw_fd(number) })
}

fn rounds() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let parent_first = arguments.first().is_none_or(|first| first != "child");
    if let [_, side, hear, tell] = arguments.as_slice() {
        let side = if side == "parent" { Side::Parent } else { Side::Child };
        let mut turnstile = Turnstile::from_fds(side, inherited(hear)?, inherited(tell)?)?;
        return Ok(match side {
            Side::Parent => parent(&mut turnstile, parent_first),
            Side::Child => child(&mut turnstile, !parent_first),
        }?);
    }
    let mut turnstile = Turnstile::new()?;
    // SAFETY: the program has one thread.
    match unsafe { nix::unistd::fork() }? {
        ForkResult::Child => child(&mut turnstile, !parent_first)?,
        ForkResult::Parent { child } => {
            parent(&mut turnstile, parent_first)?;
            nix::sys::wait::waitpid(child, None)?;
        }
    }
    Ok(())
}

fn main() -> ExitCode {
    common::finish(rounds())
}
