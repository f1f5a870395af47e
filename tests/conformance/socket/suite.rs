// SPDX-License-Identifier: MIT OR Apache-2.0
//! The facts that hold for every kind of socket in every face.

use std::os::fd::AsFd;
use std::os::unix::fs::PermissionsExt;

use unipc::Timeout;
use unipc::pipe::pipe;
use unipc::socket::{DescriptorKind, Kind};

use super::face::{LONG, SHORT, Socket, TRY};
use crate::object::{Kind as ObjectKind, Object};

/// A path of this test's own, as a name of a socket.
struct Place {
    object: Object,
    name: String,
}

impl Place {
    fn new() -> Self {
        let object = Object::new(ObjectKind::File);
        let name = format!("unix:{}", path_of(&object));
        Self { object, name }
    }

    fn mode(&self) -> u32 {
        let status = std::fs::metadata(path_of(&self.object)).unwrap();
        status.permissions().mode() & 0o777
    }
}

fn path_of(object: &Object) -> &str {
    object.name.trim_start_matches("file:")
}

/// Two sides that know each other.
fn sides<S: Socket>(kind: Kind) -> (S, S) {
    S::pair(kind).unwrap()
}

pub(crate) fn what_is_sent_arrives_with_its_boundaries<S: Socket>(kind: Kind) {
    let (one, other) = sides::<S>(kind);
    assert_eq!(one.send(b"first", LONG), Ok(5));
    assert_eq!(one.send(b"second", LONG), Ok(6));
    if kind == Kind::Stream {
        assert_eq!(other.recv(64, LONG).unwrap(), b"firstsecond");
    } else {
        assert_eq!(other.recv(64, LONG).unwrap(), b"first");
        assert_eq!(other.recv(64, None).unwrap(), b"second");
    }
    assert_eq!(other.send(b"back", None), Ok(4));
    assert_eq!(one.recv(64, TRY).unwrap(), b"back");
}

pub(crate) fn a_message_too_long_is_refused<S: Socket>(kind: Kind) {
    let (one, other) = sides::<S>(kind);
    one.send(b"message", LONG).unwrap();
    one.send(b"next", LONG).unwrap();
    if kind == Kind::Stream {
        assert_eq!(other.recv(3, LONG).unwrap(), b"mes");
        assert_eq!(other.recv(64, LONG).unwrap(), b"sagenext");
    } else {
        assert_eq!(other.recv(3, LONG), Err(libc::EMSGSIZE));
        assert_eq!(other.recv(64, LONG).unwrap(), b"next");
    }
}

pub(crate) fn limits_are_kept<S: Socket>(kind: Kind) {
    let (one, _other) = sides::<S>(kind);
    assert_eq!(one.recv(8, TRY), Err(libc::EAGAIN));
    assert_eq!(one.recv(8, SHORT), Err(libc::ETIMEDOUT));
    if kind != Kind::Datagram {
        let place = Place::new();
        let listener = S::listen(&place.name, kind, None).unwrap();
        assert_eq!(S::accept(&listener, TRY).err(), Some(libc::EAGAIN));
        assert_eq!(S::accept(&listener, SHORT).err(), Some(libc::ETIMEDOUT));
    }
}

pub(crate) fn a_full_socket_takes_no_more<S: Socket>(kind: Kind) {
    let (one, other) = sides::<S>(kind);
    let block = [7; 4096];
    let mut sent = 0;
    let refused = loop {
        match one.send(&block, TRY) {
            Ok(count) => sent += count,
            Err(errno) => break errno,
        }
    };
    assert_eq!(refused, libc::EAGAIN);
    assert_eq!(one.send(&block, SHORT), Err(libc::ETIMEDOUT));
    let mut came = 0;
    while let Ok(bytes) = other.recv(4096, TRY) {
        assert!(bytes.iter().all(|&byte| byte == 7));
        came += bytes.len();
    }
    assert_eq!(came, sent);
    one.send(b"room again", LONG).unwrap();
}

pub(crate) fn the_end_is_seen_on_both_sides<S: Socket>(kind: Kind) {
    let (one, other) = sides::<S>(kind);
    one.send(b"last", LONG).unwrap();
    drop(one);
    assert_eq!(other.recv(8, LONG).unwrap(), b"last");
    if kind == Kind::Datagram {
        assert_eq!(other.send(b"x", LONG), Err(libc::ECONNREFUSED));
        return;
    }
    assert_eq!(other.recv(8, LONG).unwrap(), b"");
    let came = other.recv_message(8, (0, 0), DescriptorKind::Any, LONG).unwrap();
    assert!(came.ended);
    // And nobody dies of a SIGPIPE.
    assert_eq!(other.send(b"x", LONG), Err(libc::EPIPE));
}

pub(crate) fn half_a_connection_goes_on<S: Socket>(kind: Kind) {
    let (one, other) = sides::<S>(kind);
    one.finish().unwrap();
    assert_eq!(one.send(b"x", LONG), Err(libc::EPIPE));
    if kind != Kind::Datagram {
        assert_eq!(other.recv(8, LONG).unwrap(), b"");
    }
    other.send(b"still", LONG).unwrap();
    assert_eq!(one.recv(8, LONG).unwrap(), b"still");
}

pub(crate) fn a_name_is_listened_at_once<S: Socket>(kind: Kind) {
    let place = Place::new();
    assert_eq!(S::connect(&place.name, kind, LONG).err(), Some(libc::ENOENT));
    assert_eq!(S::unlink(&place.name), Err(libc::ENOENT));
    if kind == Kind::Datagram {
        assert_eq!(S::listen(&place.name, kind, None).err(), Some(libc::EINVAL));
        return;
    }
    let listener = S::listen(&place.name, kind, None).unwrap();
    assert_eq!(S::listen(&place.name, kind, None).err(), Some(libc::EADDRINUSE));
    let client = S::connect(&place.name, kind, LONG).unwrap();
    let server = S::accept(&listener, LONG).unwrap();
    client.send(b"question", LONG).unwrap();
    assert_eq!(server.recv(64, LONG).unwrap(), b"question");
    // What a server leaves that is gone is in nobody's way.
    drop(listener);
    assert_eq!(S::connect(&place.name, kind, LONG).err(), Some(libc::ECONNREFUSED));
    drop(S::listen(&place.name, kind, None).unwrap());
    S::unlink(&place.name).unwrap();
    assert_eq!(S::unlink(&place.name), Err(libc::ENOENT));
}

pub(crate) fn the_mode_is_exact_whatever_the_umask<S: Socket>(kind: Kind) {
    if kind == Kind::Datagram {
        // Nobody listens there; what is bound is another function.
        return;
    }
    for (mode, wanted) in [(None, 0o600), (Some(0o666), 0o666), (Some(0o620), 0o620)] {
        let place = Place::new();
        let _listener = S::listen(&place.name, kind, mode).unwrap();
        assert_eq!(place.mode(), wanted);
        S::unlink(&place.name).unwrap();
    }
}

pub(crate) fn descriptors_arrive_as_expected_or_not_at_all<S: Socket>(kind: Kind) {
    let cases = [
        (1, (1, 1), DescriptorKind::Pipe, true),
        (2, (0, 3), DescriptorKind::Any, true),
        (0, (0, 3), DescriptorKind::Pipe, true),
        (1, (0, 0), DescriptorKind::Any, false),
        (3, (1, 2), DescriptorKind::Pipe, false),
        (1, (2, 2), DescriptorKind::Pipe, false),
        (1, (1, 1), DescriptorKind::Socket, false),
    ];
    for (count, expected, of, accepted) in cases {
        let (one, other) = sides::<S>(kind);
        let (reader, writer) = pipe().unwrap();
        one.send_message(b"message", &vec![writer.as_fd(); count], LONG).unwrap();
        drop(writer);
        match other.recv_message(64, expected, of, LONG) {
            Ok(came) => {
                assert!(accepted, "{count} of {expected:?}");
                assert_eq!(
                    (came.bytes.as_slice(), came.descriptors.len()),
                    (&b"message"[..], count)
                );
                assert!(!came.ended);
            }
            Err(errno) => assert_eq!((errno, accepted), (libc::EPERM, false), "{count}"),
        }
        // What was refused is closed, and so is what was accepted and dropped.
        assert_eq!(reader.read(&mut [0], Timeout::TRY), Ok(0), "{count} of {expected:?}");
    }
}
