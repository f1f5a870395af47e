// SPDX-License-Identifier: MIT OR Apache-2.0
//! What each kind keeps: boundaries, ends, names, credentials.

use std::io::{Read, Write};
use std::os::fd::{AsFd, AsRawFd};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram, UnixStream};

use unipc::socket::{Credentials, Expect, Kind, Listener, Options, Shutdown, Socket};
use unipc::stream::{FrameReader, FrameWriter};
use unipc::{ErrorKind, Name, Timeout};

use crate::child::succeeds_alone;
use crate::{KINDS, SOON, abstract_name, connection, received};

fn me() -> Credentials {
    Credentials {
        pid: std::process::id().cast_signed(),
        uid: nix::unistd::geteuid().as_raw(),
        gid: nix::unistd::getegid().as_raw(),
    }
}

#[test]
fn messages_keep_their_boundaries_and_a_stream_has_none() {
    for kind in KINDS {
        let (one, other) = Socket::pair(kind).unwrap();
        assert_eq!(one.send(b"first", SOON).unwrap(), 5);
        one.send_all(b"second", SOON).unwrap();
        if kind.keeps_boundaries() {
            assert_eq!(other.next_size(SOON).unwrap(), 5);
            assert_eq!(received(&other), b"first");
            assert_eq!(received(&other), b"second");
        } else {
            assert_eq!(other.next_size(SOON).unwrap(), 11);
            assert_eq!(received(&other), b"firstsecond");
        }
    }
}

#[test]
fn a_message_that_does_not_fit_is_told_and_never_cut() {
    for kind in [Kind::Datagram, Kind::SeqPacket] {
        let (one, other) = Socket::pair(kind).unwrap();
        let mut buffer = [0; 4];
        for operation in ["recv", "recv_from", "recv_message"] {
            one.send(b"12345", SOON).unwrap();
            one.send(b"next", SOON).unwrap();
            let error = match operation {
                "recv" => other.recv(&mut buffer, SOON).unwrap_err(),
                "recv_from" => other.recv_from(&mut buffer, SOON).unwrap_err(),
                _ => other.recv_message(&mut buffer, &Expect::NONE, SOON).unwrap_err(),
            };
            assert_eq!(error.errno(), libc::EMSGSIZE, "{error}");
            assert_eq!(*error.kind(), ErrorKind::TooLong { length: 5, limit: 4 });
            assert_eq!(error.operation(), operation);
            assert_eq!(received(&other), b"next");
        }
    }
}

#[test]
fn a_message_too_long_for_the_send_buffer_names_it() {
    let (one, _other) = Options::new().send_buffer(4096).pair(Kind::SeqPacket).unwrap();
    let error = one.send(&vec![0; 1 << 20], SOON).unwrap_err();
    assert_eq!(error.errno(), libc::EMSGSIZE);
    assert!(error.to_string().contains("send buffer 8192"), "{error}");
}

#[test]
fn an_empty_message_is_no_end() {
    for kind in [Kind::Datagram, Kind::SeqPacket] {
        let (one, other) = Socket::pair(kind).unwrap();
        one.send(b"", SOON).unwrap();
        one.send(b"x", SOON).unwrap();
        drop(one);
        let mut buffer = [0; 8];
        for (length, what) in [(0, "an empty message"), (1, "a message")] {
            let message = other.recv_message(&mut buffer, &Expect::NONE, SOON).unwrap();
            assert_eq!((message.length, message.ended), (length, false), "{kind}: {what}");
        }
        if kind == Kind::SeqPacket {
            assert!(other.recv_message(&mut buffer, &Expect::NONE, SOON).unwrap().ended);
        }
    }
}

#[test]
fn with_credentials_even_the_last_empty_message_is_told_from_the_end() {
    let (one, other) = Options::new().pass_credentials(true).pair(Kind::SeqPacket).unwrap();
    one.send(b"", SOON).unwrap();
    drop(one);
    let mut buffer = [0; 8];
    let message = other.recv_message(&mut buffer, &Expect::NONE, SOON).unwrap();
    assert!(!message.ended);
    assert_eq!(message.credentials, Some(me()));
    assert!(other.recv_message(&mut buffer, &Expect::NONE, SOON).unwrap().ended);
}

#[test]
fn half_a_connection_can_end() {
    for kind in [Kind::Stream, Kind::SeqPacket] {
        let (one, other) = Socket::pair(kind).unwrap();
        one.send(b"last words", SOON).unwrap();
        one.shutdown(Shutdown::Send).unwrap();
        assert_eq!(received(&other), b"last words");
        assert_eq!(received(&other), b"");
        assert_eq!(one.send(b"x", SOON).unwrap_err().errno(), libc::EPIPE);
        other.send(b"the other way goes on", SOON).unwrap();
        assert_eq!(received(&one), b"the other way goes on");
        one.shutdown(Shutdown::Receive).unwrap();
        assert_eq!(other.send(b"x", SOON).unwrap_err().errno(), libc::EPIPE);
        assert_eq!(received(&one), b"");
    }
}

#[test]
fn nothing_raises_sigpipe() {
    succeeds_alone("kinds::nothing_raises_sigpipe", || {
        // SAFETY: the default ends the process, which the test would show.
        unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };
        for kind in KINDS {
            let (one, other) = Socket::pair(kind).unwrap();
            drop(other);
            // A datagram socket is told once, and has no peer then.
            let lost = match kind {
                Kind::Datagram => vec![libc::ECONNREFUSED, libc::ENOTCONN],
                _ => vec![libc::EPIPE],
            };
            let is_told = |error: unipc::Error| assert!(lost.contains(&error.errno()), "{error}");
            for timeout in [Timeout::TRY, SOON, Timeout::Forever] {
                is_told(one.send(b"x", timeout).unwrap_err());
                is_told(one.send_all(b"x", timeout).unwrap_err());
                is_told(one.send_message(b"x", &[], None, timeout).unwrap_err());
            }
        }
        let (one, other) = Socket::pair(Kind::Stream).unwrap();
        drop(other);
        assert!((&one).write(b"x").is_err());
        let (one, other) = UnixStream::pair().unwrap();
        drop(other);
        let sent = unipc::socket::send_descriptors(&one, &[one.as_fd()], SOON);
        assert_eq!(sent.unwrap_err().errno(), libc::EPIPE);
    });
}

#[test]
fn the_end_in_the_middle_is_an_error_of_its_own() {
    let (one, other) = Socket::pair(Kind::Stream).unwrap();
    one.send_all(b"123456", SOON).unwrap();
    drop(one);
    let mut four = [0; 4];
    other.recv_exact(&mut four, SOON).unwrap();
    assert_eq!(&four, b"1234");
    let error = other.recv_exact(&mut four, SOON).unwrap_err();
    assert_eq!((error.errno(), error.kind().done()), (libc::EBADMSG, 2), "{error}");
    let error = other.recv_exact(&mut four, SOON).unwrap_err();
    assert_eq!(error.errno(), libc::ENODATA, "{error}");
    let (message, _peer) = Socket::pair(Kind::SeqPacket).unwrap();
    let error = message.recv_exact(&mut four, SOON).unwrap_err();
    assert_eq!(error.errno(), libc::EOPNOTSUPP, "{error}");
}

#[test]
fn the_frames_of_pipes_go_through_sockets() {
    let (_listener, client, server) = connection(&Options::new());
    let mut writer = FrameWriter::new(&client).unwrap();
    let mut reader = FrameReader::new(&server).unwrap();
    for frame in [b"".as_slice(), b"short", &vec![7; 100_000]] {
        std::thread::scope(|scope| {
            scope.spawn(|| writer.write(frame, SOON).unwrap());
            assert_eq!(reader.read(SOON).unwrap().unwrap(), frame);
        });
    }
    drop(client);
    assert!(reader.read(SOON).unwrap().is_none());
}

#[test]
fn standard_readers_and_writers_work() {
    let (mut one, mut other) = Socket::pair(Kind::Stream).unwrap();
    one.write_all(b"a line\n").unwrap();
    one.flush().unwrap();
    one.shutdown(Shutdown::Send).unwrap();
    let mut text = String::new();
    other.read_to_string(&mut text).unwrap();
    assert_eq!(text, "a line\n");
}

#[test]
fn datagrams_tell_their_sender_and_are_answered() {
    let server = Socket::bind(abstract_name("dgram")).unwrap();
    let name = server.local_name().unwrap().unwrap();
    assert_eq!(server.kind(), Kind::Datagram);
    let client = Socket::options().kind(Kind::Datagram).connect(&name, SOON).unwrap();
    assert_eq!(client.peer_name().unwrap(), Some(name.clone()));
    client.send(b"question", SOON).unwrap();
    let mut buffer = [0; 64];
    let (length, sender) = server.recv_from(&mut buffer, SOON).unwrap();
    assert_eq!(&buffer[..length], b"question");
    let sender = sender.expect("a client that connects gets a name");
    assert_eq!(Some(&sender), client.local_name().unwrap().as_ref());
    server.send_to(b"answer", &sender, SOON).unwrap();
    assert_eq!(received(&client), b"answer");
    let message = (server.send_message(b"rich", &[], Some(&sender), SOON).unwrap(), &client);
    assert_eq!((message.0, received(message.1)), (4, b"rich".to_vec()));
}

#[test]
fn a_client_has_the_name_that_it_asks_for() {
    let server = Socket::bind("unix:@").unwrap();
    let name = server.local_name().unwrap().unwrap();
    let own = abstract_name("own");
    let options = Options::new().kind(Kind::Datagram).local(own.as_str()).unwrap();
    let client = options.connect(&name, SOON).unwrap();
    client.send(b"x", SOON).unwrap();
    let (_, sender) = server.recv_from(&mut [0; 8], SOON).unwrap();
    assert_eq!(sender.unwrap().to_string(), own);
    let error = options.connect(&name, SOON).unwrap_err();
    assert_eq!(error.errno(), libc::EADDRINUSE, "{error}");
    let error = Options::new().local("/demo").unwrap_err();
    assert_eq!(error.errno(), libc::EINVAL, "{error}");
    let error = options.clone().kind(Kind::Stream).connect("tcp:127.0.0.1:1", SOON).unwrap_err();
    assert!(error.to_string().contains("another family"), "{error}");
    // Of TCP it is the address and port that the server sees.
    let listener = Listener::bind("tcp:127.0.0.1:0").unwrap();
    let options = Options::new().local("tcp:127.0.0.2:0").unwrap();
    let client = options.connect(listener.local_name().unwrap().unwrap(), SOON).unwrap();
    let seen = listener.accept(SOON).unwrap().peer_name().unwrap().unwrap();
    assert!(seen.to_string().starts_with("tcp:127.0.0.2:"), "{seen}");
    assert_eq!(client.local_name().unwrap(), Some(seen));
}

#[test]
fn a_name_padded_with_nuls_can_be_answered() {
    let server = Socket::bind("unix:@").unwrap();
    let client = Socket::bind("unix:@").unwrap();
    drop(client);
    // As programs do that pass the size of the whole struct.
    let client = UnixDatagram::unbound().unwrap();
    // SAFETY: an address is integers, of which zero is a value.
    let mut address: libc::sockaddr_un = unsafe { std::mem::zeroed() };
    address.sun_family = libc::sa_family_t::try_from(libc::AF_UNIX).unwrap();
    for (to, from) in
        address.sun_path[1..].iter_mut().zip(format!("{:x}", crate::support::unique()).bytes())
    {
        *to = libc::c_char::try_from(from).unwrap();
    }
    let size = libc::socklen_t::try_from(size_of::<libc::sockaddr_un>()).unwrap();
    // SAFETY: the pointer is to an address of that size.
    let bound = unsafe { libc::bind(client.as_raw_fd(), (&raw const address).cast(), size) };
    assert_eq!(bound, 0);
    let name = server.local_name().unwrap().unwrap().to_string();
    let to = SocketAddr::from_abstract_name(&name["unix:@".len()..]).unwrap();
    client.send_to_addr(b"hello", &to).unwrap();
    let (_, sender) = server.recv_from(&mut [0; 8], SOON).unwrap();
    let sender = sender.unwrap();
    assert!(sender.to_string().ends_with(r"\0"), "{sender}");
    assert_eq!(Name::parse(sender.to_string()).unwrap(), sender);
    server.send_to(b"back", &sender, SOON).unwrap();
    let mut buffer = [0; 8];
    assert_eq!(client.recv(&mut buffer).unwrap(), 4);
}

#[test]
fn the_kernel_says_who_the_peer_is() {
    for kind in [Kind::Stream, Kind::SeqPacket] {
        let (_listener, client, server) = connection(&Options::new().kind(kind));
        assert_eq!(client.peer_credentials().unwrap(), me());
        assert_eq!(server.peer_credentials().unwrap(), me());
        assert_eq!(server.kind(), kind);
    }
    let alone = Socket::bind("unix:@").unwrap();
    let error = alone.peer_credentials().unwrap_err();
    assert_eq!(error.errno(), libc::EOPNOTSUPP, "{error}");
}

#[test]
fn messages_tell_who_sent_them_when_asked() {
    for kind in KINDS {
        let (one, other) = Socket::pair(kind).unwrap();
        let mut buffer = [0; 8];
        one.send(b"1", SOON).unwrap();
        let first = other.recv_message(&mut buffer, &Expect::NONE, SOON).unwrap();
        assert_eq!(first.credentials, None);
        other.pass_credentials(true).unwrap();
        one.send(b"2", SOON).unwrap();
        let second = other.recv_message(&mut buffer, &Expect::NONE, SOON).unwrap();
        assert_eq!(second.credentials, Some(me()));
        other.pass_credentials(false).unwrap();
        one.send(b"3", SOON).unwrap();
        let third = other.recv_message(&mut buffer, &Expect::NONE, SOON).unwrap();
        assert_eq!(third.credentials, None);
    }
    // What is accepted asks as the listener does.
    let (_listener, client, server) = connection(&Options::new().pass_credentials(true));
    client.send(b"x", SOON).unwrap();
    let message = server.recv_message(&mut [0; 8], &Expect::NONE, SOON).unwrap();
    assert_eq!(message.credentials, Some(me()));
}

#[test]
fn queues_are_told() {
    for kind in KINDS {
        let (one, other) = Socket::pair(kind).unwrap();
        assert_eq!((other.waiting().unwrap(), one.unsent().unwrap()), (0, 0));
        one.send(b"12345", SOON).unwrap();
        assert_eq!(other.waiting().unwrap(), 5);
        assert!(one.unsent().unwrap() >= 5, "{kind}");
        received(&other);
        assert_eq!((other.waiting().unwrap(), one.unsent().unwrap()), (0, 0));
    }
}

#[test]
fn buffers_have_the_size_that_the_kernel_allows() {
    let (one, _other) = Socket::pair(Kind::Stream).unwrap();
    assert_eq!(one.set_send_buffer(10_000).unwrap(), 20_000);
    assert_eq!(one.send_buffer().unwrap(), 20_000);
    assert_eq!(one.set_receive_buffer(10_000).unwrap(), 20_000);
    assert_eq!(one.receive_buffer().unwrap(), 20_000);
    let cut = one.set_send_buffer(1 << 30).unwrap();
    let limit = std::fs::read_to_string("/proc/sys/net/core/wmem_max").unwrap();
    assert_eq!(cut, 2 * limit.trim().parse::<usize>().unwrap());
    assert_eq!(one.set_send_buffer(1 << 40).unwrap_err().errno(), libc::EINVAL);
}

#[test]
fn what_is_open_already_is_looked_at() {
    let pair = UnixDatagram::pair().unwrap();
    let socket = Socket::from_fd(pair.0).unwrap();
    assert_eq!((socket.kind(), socket.is_unix()), (Kind::Datagram, true));
    let file = std::fs::File::open("/dev/null").unwrap();
    assert_eq!(Socket::from_fd(file).unwrap_err().errno(), libc::ENOTSOCK);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let error = Socket::from_fd(listener.try_clone().unwrap()).unwrap_err();
    assert_eq!(error.errno(), libc::EINVAL, "{error}");
    let listener = Listener::from_fd(listener).unwrap();
    assert!(listener.name().to_string().starts_with("tcp:127.0.0.1:"));
    assert_eq!(listener.accept(Timeout::TRY).unwrap_err().errno(), libc::EAGAIN);
    let (one, _other) = Socket::pair(Kind::Stream).unwrap();
    let error = Listener::from_fd(one).unwrap_err();
    assert_eq!(error.errno(), libc::EINVAL, "{error}");
    let netlink = nix::sys::socket::socket(
        nix::sys::socket::AddressFamily::Netlink,
        nix::sys::socket::SockType::Raw,
        nix::sys::socket::SockFlag::SOCK_CLOEXEC,
        None,
    );
    let error = Socket::from_fd(netlink.unwrap()).unwrap_err();
    assert_eq!(error.errno(), libc::EOPNOTSUPP, "{error}");
}

#[test]
fn names_and_kinds_that_do_not_fit_are_refused() {
    let (stream, datagram) = (Kind::Stream, Kind::Datagram);
    let options = |kind| Options::new().kind(kind);
    for (error, words) in [
        (Socket::connect("/demo", SOON).unwrap_err(), "names no socket"),
        (Socket::connect("file:/demo", SOON).unwrap_err(), "names no socket"),
        (Socket::bind("sysv:private").unwrap_err(), "names no socket"),
        (Listener::bind("memfd:x").unwrap_err(), "names no socket"),
        (Socket::connect("unix:@", SOON).unwrap_err(), "for binding"),
        (Listener::bind("udp:127.0.0.1:0").unwrap_err(), "no connections"),
        (Socket::bind("tcp:127.0.0.1:0").unwrap_err(), "Listener::bind"),
        (options(datagram).connect("tcp:localhost:1", SOON).unwrap_err(), "a stream"),
        (options(stream).bind("udp:localhost:1").unwrap_err(), "datagrams"),
        (options(stream).bind("unix:@").unwrap_err(), "Listener::bind"),
        (options(datagram).listen("unix:@").unwrap_err(), "Socket::bind"),
    ] {
        assert_eq!(error.errno(), libc::EINVAL, "{error}");
        assert!(error.to_string().contains(words), "{error}");
    }
}
