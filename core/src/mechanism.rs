// SPDX-License-Identifier: MIT OR Apache-2.0
//! The mechanisms of Linux beside each other: what each gives, as data. The tests hold it against the kernel.
//!
//! Stevens compares some of them so in *Advanced Programming in the UNIX Environment*; the answers here are Linux's, which differ in
//! one: a UNIX datagram socket makes the sender wait. STREAMS, which he lists too, do not exist on Linux.

use std::fmt;

/// How long what was put there stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(i32)]
pub enum Persistence {
    /// Until the last process that has it open ends.
    Process = 1,
    /// Until it is removed, or the machine stops.
    Kernel = 2,
    /// Until it is removed.
    FileSystem = 3,
}

/// By what a receiver can choose among messages, or what goes before the order of sending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(i32)]
pub enum Selection {
    /// Nothing: first in, first out.
    Nothing = 0,
    /// The receiver asks for a type.
    Type = 1,
    /// The highest priority comes first.
    Priority = 2,
    /// The lowest signal number comes first.
    Number = 3,
}

/// A mechanism and what it gives. `None`: the question does not arise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mechanism {
    /// What it is called.
    pub name: &'static str,
    /// The room of this library that has it.
    pub room: &'static str,
    /// Can one send without opening or connecting anything first?
    pub connectionless: bool,
    /// Does everything arrive that was accepted, and in order?
    pub reliable: Option<bool>,
    /// Does a sender that is too fast wait for the receiver?
    pub flow_control: Option<bool>,
    /// Is what is sent at once received at once?
    pub records: Option<bool>,
    /// What besides the order of sending decides what comes next.
    pub selection: Selection,
    /// Is what one reader has read gone for the others?
    pub consumed: bool,
    /// How long it stays.
    pub persistence: Persistence,
    /// What else there is to know.
    pub remark: &'static str,
}

const fn message(name: &'static str, room: &'static str) -> Mechanism {
    Mechanism {
        name,
        room,
        connectionless: false,
        reliable: Some(true),
        flow_control: Some(true),
        records: Some(true),
        selection: Selection::Nothing,
        consumed: true,
        persistence: Persistence::Process,
        remark: "",
    }
}

const fn stream(name: &'static str, room: &'static str, remark: &'static str) -> Mechanism {
    Mechanism { records: Some(false), remark, ..message(name, room) }
}

const fn memory(name: &'static str, persistence: Persistence) -> Mechanism {
    Mechanism {
        reliable: None,
        flow_control: None,
        records: None,
        consumed: false,
        persistence,
        remark: "needs a lock, and a layout that is agreed upon",
        ..message(name, "shm")
    }
}

/// All of them, by family.
///
/// ```
/// let pipe = unipc::mechanism::ALL.iter().find(|mechanism| mechanism.name == "pipe").unwrap();
/// assert_eq!((pipe.flow_control, pipe.records), (Some(true), Some(false)));
/// ```
pub const ALL: &[Mechanism] = &[
    stream(
        "pipe",
        "pipe",
        "writes of up to PIPE_BUF bytes are never mixed; for kin, or by passing a descriptor",
    ),
    Mechanism {
        records: Some(true),
        ..stream("pipe in packet mode", "pipe", "O_DIRECT; packets of up to PIPE_BUF bytes")
    },
    stream("FIFO", "pipe", "writes of up to PIPE_BUF bytes are never mixed"),
    Mechanism {
        selection: Selection::Type,
        persistence: Persistence::Kernel,
        remark: "an identifier is enough to send; msgget counts as opening",
        ..message("System V message queue", "mq")
    },
    Mechanism {
        selection: Selection::Priority,
        persistence: Persistence::Kernel,
        remark: "has a descriptor to poll",
        ..message("POSIX message queue", "mq")
    },
    stream("UNIX stream socket", "socket", "descriptors and credentials can ride along"),
    Mechanism {
        connectionless: true,
        remark: "elsewhere it may drop what the receiver does not take; descriptors and credentials can ride along",
        ..message("UNIX datagram socket", "socket")
    },
    Mechanism {
        remark: "descriptors and credentials can ride along",
        ..message("UNIX sequenced packet socket", "socket")
    },
    stream("TCP socket", "socket", "between machines too"),
    Mechanism {
        connectionless: true,
        reliable: Some(false),
        flow_control: Some(false),
        remark: "between machines too",
        ..message("UDP socket", "socket")
    },
    Mechanism {
        connectionless: true,
        flow_control: Some(false),
        selection: Selection::Number,
        remark: "one number or pointer; refused (EAGAIN) beyond RLIMIT_SIGPENDING",
        ..message("real-time signal", "signal")
    },
    Mechanism {
        connectionless: true,
        reliable: Some(false),
        flow_control: Some(false),
        selection: Selection::Number,
        remark: "no content; repeats merge into one while it is pending",
        ..message("standard signal", "signal")
    },
    memory("System V shared memory", Persistence::Kernel),
    memory("POSIX shared memory", Persistence::Kernel),
    memory("mapped file", Persistence::FileSystem),
    memory("memfd or anonymous memory", Persistence::Process),
];

impl fmt::Display for Selection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nothing => "no",
            Self::Type => "type",
            Self::Priority => "priority",
            Self::Number => "number",
        })
    }
}

impl fmt::Display for Persistence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Process => "process",
            Self::Kernel => "kernel",
            Self::FileSystem => "file system",
        })
    }
}
