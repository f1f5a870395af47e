// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a peer that cannot be trusted may send through a socket, made of any bytes: for a test that chooses them with a
//! seed, and for the fuzzer. Each answer is held against what the documentation promises, and no descriptor may leak.
#![allow(clippy::unwrap_used, reason = "what is not under test has to work")]

use std::fs::File;
use std::io::Write;
use std::net::Shutdown;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use unipc::Timeout;
use unipc::pipe::{Reader, Writer, pipe};
use unipc::socket::{DescriptorKind, Expect, Kind, Received, Socket, recv_descriptors};
use unipc::stream::FrameReader;

/// Frames above this are refused.
const LIMIT: u32 = 300;
/// So many bytes a socket holds without anybody who reads.
const MOST: usize = 16 << 10;
/// A descriptor that is open for so long is not on its way to be closed.
const LEFT_OPEN: Duration = Duration::from_secs(30);
/// Room for a message.
const ROOM: usize = 16;

/// The first byte chooses what the others are.
pub(crate) fn check(bytes: &[u8]) {
    match bytes.split_first() {
        Some((0..128, rest)) => frames(rest),
        Some((_, rest)) => messages(rest),
        None => {}
    }
}

/// Any bytes as a stream of frames, which then ends.
fn frames(bytes: &[u8]) {
    let bytes = &bytes[..bytes.len().min(MOST)];
    let (mut peer, ours) = UnixStream::pair().unwrap();
    peer.write_all(bytes).unwrap();
    peer.shutdown(Shutdown::Write).unwrap();
    let mut reader = FrameReader::new(ours).unwrap().limit(LIMIT);
    let mut rest = bytes;
    loop {
        let got = reader.read(Timeout::TRY);
        match next_frame(&mut rest) {
            Ok(wanted) => assert_eq!(got.unwrap(), wanted),
            Err(errno) => return assert_eq!(got.unwrap_err().errno(), errno),
        }
        if rest.is_empty() {
            return assert_eq!(reader.read(Timeout::TRY).unwrap(), None, "the end");
        }
    }
}

/// What the bytes mean: a frame, the end, or why there is none.
fn next_frame<'a>(rest: &mut &'a [u8]) -> Result<Option<&'a [u8]>, i32> {
    if rest.is_empty() {
        return Ok(None);
    }
    let Some((header, body)) = rest.split_first_chunk() else { return Err(libc::EBADMSG) };
    let length = u32::from_le_bytes(*header);
    if length > LIMIT {
        return Err(libc::EMSGSIZE);
    }
    let Some((frame, after)) = body.split_at_checked(length as usize) else {
        return Err(libc::EBADMSG);
    };
    *rest = after;
    Ok(Some(frame))
}

/// What may be sent: both ends of a pipe, whose end tells that nothing is left of it, and things of other kinds.
struct Things {
    reader: Reader,
    writer: Writer,
    socket: Socket,
    null: File,
}

impl Things {
    fn new() -> Self {
        let (reader, writer) = pipe().unwrap();
        let (socket, _) = Socket::pair(Kind::Stream).unwrap();
        Self { reader, writer, socket, null: File::open("/dev/null").unwrap() }
    }

    fn choose(&self, byte: u8) -> (BorrowedFd<'_>, DescriptorKind) {
        match byte % 8 {
            0..5 => (self.writer.as_fd(), DescriptorKind::Pipe),
            5 => (self.reader.as_fd(), DescriptorKind::Pipe),
            6 => (self.socket.as_fd(), DescriptorKind::Socket),
            _ => (self.null.as_fd(), DescriptorKind::Device),
        }
    }

    /// All copies that others had of the writing end are gone, at the latest when a child that another thread has just
    /// forked executes its program.
    fn are_alone(self) {
        drop(self.writer);
        let end = self.reader.read(&mut [0], Timeout::After(LEFT_OPEN));
        assert_eq!(end, Ok(0), "a descriptor was left open");
    }
}

/// Messages with descriptors, received with any expectation.
fn messages(bytes: &[u8]) {
    for chunk in bytes.chunks(8).take(16) {
        let mut plan = [0; 8];
        plan[..chunk.len()].copy_from_slice(chunk);
        message(plan);
    }
}

fn message([how, length, count, least, more, wanted, seed, kind]: [u8; 8]) {
    let things = Things::new();
    let count = count % 7;
    // Three of four are all alike.
    let seed_of = |at: u8| if kind % 4 == 0 { seed.wrapping_add(at) } else { seed };
    let chosen: Vec<_> = (0..count).map(|at| things.choose(seed_of(at))).collect();
    let count = usize::from(count);
    let sent: Vec<_> = chosen.iter().map(|&(fd, _)| fd).collect();
    let (least, most) = (usize::from(least % 4), usize::from(least % 4 + more % 4));
    let kind = match wanted % 4 {
        0 => DescriptorKind::Any,
        1 => DescriptorKind::Socket,
        _ => DescriptorKind::Pipe,
    };
    let expect = Expect::between(least, most).kind(kind);
    let is_right = |&(_, is): &(_, DescriptorKind)| kind == DescriptorKind::Any || is == kind;
    let accepted = (least..=most).contains(&count) && chosen.iter().all(is_right);
    let length = usize::from(length) % (2 * ROOM);
    if how % 2 == 0 {
        whole_message(length, &sent, &expect, accepted);
    } else {
        descriptors_alone(length, &sent, &expect, accepted);
    }
    drop(sent);
    things.are_alone();
}

/// By a socket that keeps boundaries: all, or one clear error.
fn whole_message(length: usize, sent: &[BorrowedFd<'_>], expect: &Expect, accepted: bool) {
    let (peer, ours) = Socket::pair(Kind::SeqPacket).unwrap();
    let bytes = vec![7; length];
    peer.send_message(&bytes, sent, None, Timeout::TRY).unwrap();
    let mut room = [0; ROOM];
    match ours.recv_message(&mut room, expect, Timeout::TRY) {
        Ok(Received { length: got, descriptors, ended, .. }) => {
            assert!(accepted && length <= ROOM, "{length} bytes, {} descriptors", sent.len());
            assert_eq!((got, descriptors.len(), ended), (length, sent.len(), false));
            assert_eq!(room[..got], bytes[..]);
        }
        Err(error) if !accepted => assert_eq!(error.errno(), libc::EPERM, "{error}"),
        Err(error) => {
            assert_eq!((error.errno(), length > ROOM), (libc::EMSGSIZE, true), "{error}");
        }
    }
}

/// By a stream: what comes with the first byte.
fn descriptors_alone(length: usize, sent: &[BorrowedFd<'_>], expect: &Expect, accepted: bool) {
    let (peer, ours) = Socket::pair(Kind::Stream).unwrap();
    if length > 0 {
        peer.send_message(&vec![7; length], sent, None, Timeout::TRY).unwrap();
    }
    drop(peer);
    let got: unipc::Result<Vec<OwnedFd>> = recv_descriptors(&ours, expect, Timeout::TRY);
    match got {
        Ok(descriptors) if length == 0 => assert!(descriptors.is_empty(), "the peer has closed"),
        Ok(descriptors) => {
            assert!(accepted, "{} descriptors", sent.len());
            assert_eq!(descriptors.len(), sent.len());
        }
        Err(error) => {
            let refused = !accepted || sent.is_empty();
            assert_eq!((error.errno(), refused), (libc::EPERM, true), "{error}");
        }
    }
}
