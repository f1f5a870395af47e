// SPDX-License-Identifier: MIT OR Apache-2.0
//! Party R of the interop matrix: a Rust program on the core. The line protocol is in `../../README.md`.

#![allow(clippy::print_stdout, reason = "an agent answers on its standard output")]

mod channel;
mod lock;
mod mq;
mod pipe;
mod process;
mod record;
mod sem;
mod shm;
mod signal;
mod socket;
mod sync;

use std::io::{BufRead, stdin};
use std::process::ExitCode;

/// The answer to a verb, or the name of the errno that it failed with.
type Answer = Result<String, String>;

/// A verb and its key=value pairs.
struct Request<'a> {
    verb: &'a str,
    pairs: Vec<(&'a str, &'a str)>,
}

impl<'a> Request<'a> {
    fn new(words: impl IntoIterator<Item = &'a str>) -> Self {
        let mut words = words.into_iter();
        Self {
            verb: words.next().unwrap_or_default(),
            pairs: words.filter_map(|word| word.split_once('=')).collect(),
        }
    }

    fn text(&self, key: &str) -> Option<&'a str> {
        self.pairs.iter().find(|(name, _)| *name == key).map(|&(_, value)| value)
    }

    fn number<T: std::str::FromStr>(&self, key: &str) -> Option<T> {
        self.text(key)?.parse().ok()
    }

    /// The value of `key`, hexadecimal digits.
    fn bytes(&self, key: &str) -> Vec<u8> {
        let digits = self.text(key).unwrap_or_default().as_bytes();
        let value = |digit: u8| char::from(digit).to_digit(16).unwrap_or_default();
        let pairs = digits.chunks_exact(2);
        pairs.filter_map(|pair| u8::try_from(value(pair[0]) * 16 + value(pair[1])).ok()).collect()
    }
}

/// Says that a verb is about to wait for another process.
fn waiting() {
    println!("WAIT");
}

fn hex(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(value.into(), 16).unwrap_or_default();
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// The verbs of one mechanism, and the objects that they have open.
trait Room {
    fn perform(&mut self, request: &Request) -> Answer;
}

/// Every room, by what comes before the dot in its verbs.
fn rooms() -> Vec<(&'static str, Box<dyn Room>)> {
    vec![
        ("", Box::<shm::Room>::default()),
        ("channel", Box::<channel::Room>::default()),
        ("lock", Box::<lock::Room>::default()),
        ("mq", Box::<mq::Room>::default()),
        ("process", Box::<process::Room>::default()),
        ("socket", Box::<socket::Room>::default()),
        ("pipe", Box::<pipe::Room>::default()),
        ("record", Box::<record::Room>::default()),
        ("sem", Box::<sem::Room>::default()),
        ("signal", Box::<signal::Room>::default()),
        ("sync", Box::<sync::Room>::default()),
    ]
}

/// Performs one verb and prints the answer; the exit status that it would mean.
fn perform(rooms: &mut [(&str, Box<dyn Room>)], mut request: Request) -> u8 {
    let (name, verb) = request.verb.split_once('.').unwrap_or(("", request.verb));
    request.verb = verb;
    let room = rooms.iter_mut().find(|(prefix, _)| *prefix == name);
    let answer = room.map_or(Err("ENOSYS".into()), |(_, room)| room.perform(&request));
    match answer {
        Ok(value) => {
            println!("OK {value}");
            0
        }
        Err(name) => {
            println!("ERR {name}");
            if name == "EAGAIN" { 3 } else { 1 }
        }
    }
}

fn main() -> ExitCode {
    println!("READY");
    let mut rooms = rooms();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if !arguments.is_empty() {
        let request = Request::new(arguments.iter().map(String::as_str));
        return perform(&mut rooms, request).into();
    }
    for line in stdin().lock().lines().map_while(Result::ok).filter(|line| !line.is_empty()) {
        perform(&mut rooms, Request::new(line.split('\t')));
    }
    ExitCode::SUCCESS
}
