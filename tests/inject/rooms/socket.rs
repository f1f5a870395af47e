// SPDX-License-Identifier: MIT OR Apache-2.0
//! Sockets: making them, moving bytes, and what rides along.

use std::fs;
use std::os::fd::AsFd;
use std::time::Duration;

use libc::{
    SYS_accept4, SYS_bind, SYS_connect, SYS_flock, SYS_getpeername, SYS_getsockname,
    SYS_newfstatat, SYS_openat, SYS_recvfrom, SYS_recvmsg, SYS_sendmsg, SYS_sendto,
};
use unipc::socket::{
    self, Expect, Kind, Listener, Options, Received, Shutdown, Socket, recv_descriptors,
    send_descriptors,
};
use unipc::{Error, Mode, Name, Result, Timeout};

use super::{ANY, Act, Case, Room, Yard};

const LONG: Timeout = Timeout::After(Duration::from_secs(20));
const SHORT: Timeout = Timeout::After(Duration::from_millis(2));
const FOREVER: Timeout = Timeout::Forever;

/// The directory's lock is a courtesy where nothing has to be replaced; a name that seems taken is looked at again.
const COURTESY: &[(i64, i32)] =
    &[(SYS_flock, ANY), (SYS_openat, ANY), (SYS_bind, libc::EADDRINUSE)];

/// Nothing there, or no room: the call is made again after a poll.
const AGAIN: &[(i64, i32)] = &[
    (SYS_recvfrom, libc::EAGAIN),
    (SYS_recvmsg, libc::EAGAIN),
    (SYS_sendto, libc::EAGAIN),
    (SYS_sendmsg, libc::EAGAIN),
    (SYS_accept4, libc::EAGAIN),
];

pub(super) const ROOM: Room = Room {
    name: "socket",
    cases: &[
        Case::new("pair", |_| {
            let options = Options::new().pass_credentials(true).send_buffer(10_000);
            Box::new(move || options.pair(Kind::SeqPacket).map(drop))
        }),
        Case::new("listen at a path", |yard| {
            listens(yard, |name| Options::new().mode(Mode::new(0o666)?).listen(name))
        })
        .forgives(COURTESY),
        Case::new("listen at a path, removed on drop", |yard| {
            let (name, path) = place(yard, "socket");
            yard.at_end(move || drop(fs::remove_file(path)));
            Box::new(move || Options::new().remove_on_drop(true).listen(name.as_str()).map(drop))
        })
        // That the file goes when the handle does is best effort.
        .forgives(&[
            (SYS_flock, ANY),
            (SYS_openat, ANY),
            (SYS_bind, libc::EADDRINUSE),
            (SYS_newfstatat, ANY),
            (libc::SYS_unlink, ANY),
            (libc::SYS_unlinkat, ANY),
        ]),
        Case::new("listen where a dead one lies", |yard| {
            let (name, path) = place(yard, "socket");
            drop(Listener::bind(name.as_str()).expect("the name is free"));
            yard.at_end(move || drop(fs::remove_file(path)));
            Box::new(move || Listener::bind(name.as_str()).map(drop))
        })
        // It has gone meanwhile, so that there is nothing to replace; or nobody answers, as it should be.
        .forgives(&[
            (SYS_flock, ANY),
            (SYS_openat, ANY),
            (SYS_bind, libc::EADDRINUSE),
            (SYS_newfstatat, libc::ENOENT),
            (SYS_connect, libc::ECONNREFUSED),
            (SYS_connect, libc::ENOENT),
        ])
        // Somebody else's directory lock lasts; somebody answers after all.
        .translates(&[
            (SYS_flock, ANY, libc::EBUSY),
            (SYS_newfstatat, ANY, libc::EADDRINUSE),
            (SYS_connect, ANY, libc::EADDRINUSE),
        ]),
        Case::new("listen at an abstract name", |_| {
            Box::new(|| Listener::bind("unix:@").map(drop))
        }),
        Case::new("listen over TCP", |_| Box::new(|| Listener::bind("tcp:127.0.0.1:0").map(drop))),
        Case::new("bind datagrams", |_| Box::new(|| Socket::bind("udp:127.0.0.1:0").map(drop))),
        Case::new("connect a stream", |_| connects(Kind::Stream, FOREVER))
            .forgives(&[(SYS_connect, libc::EAGAIN)]),
        Case::new("connect in time", |_| connects(Kind::SeqPacket, LONG))
            .forgives(&[(SYS_connect, libc::EAGAIN)]),
        Case::new("connect at once", |_| connects(Kind::Stream, Timeout::TRY)),
        Case::new("connect datagrams", |_| connects(Kind::Datagram, LONG)),
        Case::new("connect with a name of its own", |yard| {
            let server = Socket::bind("unix:@").expect("a free name");
            let name = local(&server);
            let (own, path) = place(yard, "own");
            let options = Options::new().kind(Kind::Datagram).local(own.as_str());
            let options = options.expect("a name").remove_on_drop(true);
            yard.at_end(move || drop(fs::remove_file(path)));
            Box::new(move || {
                let _keeps = &server;
                options.connect(&name, LONG).map(drop)
            })
        })
        .forgives(&[
            (SYS_flock, ANY),
            (SYS_openat, ANY),
            (SYS_bind, libc::EADDRINUSE),
            (SYS_newfstatat, ANY),
            (libc::SYS_unlink, ANY),
            (libc::SYS_unlinkat, ANY),
        ]),
        Case::new("connect over TCP", |_| {
            let listener = Listener::bind("tcp:127.0.0.1:0").expect("loopback");
            let name = listener.local_name().ok().flatten().expect("a port");
            Box::new(move || {
                let _keeps = &listener;
                Socket::connect(&name, LONG).map(drop)
            })
        }),
        Case::new("accept", |_| {
            let listener = Listener::bind("unix:@").expect("a free name");
            let name = listener.local_name().ok().flatten().expect("a name");
            let client = Socket::connect(&name, LONG).expect("there is room");
            Box::new(move || {
                let _keeps = &client;
                listener.accept(LONG).map(drop)
            })
        })
        .forgives(&[(SYS_accept4, libc::EAGAIN), (SYS_accept4, libc::ECONNABORTED)]),
        Case::new("accept in vain", |_| {
            let listener = Listener::bind("unix:@").expect("a free name");
            Box::new(move || in_vain(listener.accept(SHORT)))
        })
        .forgives(&[(SYS_accept4, libc::EAGAIN), (SYS_accept4, libc::ECONNABORTED)]),
        Case::new("stream: send, receive", |_| through(Kind::Stream, FOREVER)).forgives(AGAIN),
        Case::new("stream: in time", |_| through(Kind::Stream, LONG)).forgives(AGAIN),
        Case::new("datagram: send, receive", |_| through(Kind::Datagram, LONG)).forgives(AGAIN),
        Case::new("seqpacket: at once", |_| through(Kind::SeqPacket, Timeout::TRY)),
        Case::new("stream: receive exactly", |_| {
            let (one, other) = Socket::pair(Kind::Stream).expect("a pair");
            let mut sent = false;
            Box::new(move || {
                if !sent {
                    one.send_all(b"12345678", LONG)?;
                    sent = true;
                }
                let mut bytes = [0; 8];
                other.recv_exact(&mut bytes, LONG)?;
                sent = false;
                assert_eq!(&bytes, b"12345678");
                Ok(())
            })
        })
        .forgives(AGAIN),
        Case::new("receive in vain", |_| {
            let (one, other) = Socket::pair(Kind::SeqPacket).expect("a pair");
            Box::new(move || {
                let _keeps = &other;
                in_vain(one.recv(&mut [0; 8], SHORT))
            })
        })
        .forgives(AGAIN),
        Case::new("send to, receive from", |_| {
            let (one, other) = (Socket::bind("unix:@"), Socket::bind("unix:@"));
            let (one, other) = (one.expect("a free name"), other.expect("a free name"));
            let name = local(&other);
            let mut sent = false;
            Box::new(move || {
                if !sent {
                    one.send_to(b"datagram", &name, LONG)?;
                    sent = true;
                }
                let (length, sender) = other.recv_from(&mut [0; 16], LONG)?;
                sent = false;
                assert_eq!((length, sender.is_some()), (8, true));
                Ok(())
            })
        })
        .forgives(AGAIN),
        Case::new("message with descriptors", |_| {
            let (one, other) =
                Options::new().pass_credentials(true).pair(Kind::SeqPacket).expect("a pair");
            let mut sent = false;
            Box::new(move || {
                if !sent {
                    one.send_message(b"message", &[one.as_fd(); 3], None, LONG)?;
                    sent = true;
                }
                let Received { descriptors, credentials, .. } =
                    other.recv_message(&mut [0; 16], &Expect::exactly(3), LONG)?;
                sent = false;
                assert_eq!((descriptors.len(), credentials.is_some()), (3, true));
                Ok(())
            })
        })
        .forgives(AGAIN),
        Case::new("descriptors alone", |_| {
            let (one, other) = Socket::pair(Kind::Stream).expect("a pair");
            let mut sent = false;
            Box::new(move || {
                if !sent {
                    send_descriptors(&one, &[one.as_fd(); 2], LONG)?;
                    sent = true;
                }
                let came = recv_descriptors(&other, &Expect::exactly(2), LONG)?;
                sent = false;
                assert_eq!(came.len(), 2);
                Ok(())
            })
        })
        .forgives(AGAIN),
        Case::new("ask", |_| {
            let (one, other) = Socket::pair(Kind::Stream).expect("a pair");
            other.send(b"12345", LONG).expect("room");
            Box::new(move || {
                assert_eq!(one.next_size(LONG)?, 5);
                assert_eq!(one.waiting()?, 5);
                one.unsent()?;
                one.peer_credentials()?;
                one.local_name()?;
                one.peer_name()?;
                one.set_send_buffer(10_000)?;
                one.set_receive_buffer(10_000)?;
                one.pass_credentials(true)?;
                one.shutdown(Shutdown::Send)
            })
        })
        // Without a peer there is no name, which is no failure.
        .forgives(&[(SYS_recvfrom, libc::EAGAIN)]),
        Case::new("ask over TCP", |_| {
            let listener = Listener::bind("tcp:127.0.0.1:0").expect("loopback");
            let name = listener.local_name().ok().flatten().expect("a port");
            let one = Socket::connect(&name, LONG).expect("there is room");
            Box::new(move || {
                let _keeps = &listener;
                one.set_delay(true)?;
                assert!(one.delay()?);
                one.send_buffer()?;
                one.receive_buffer().map(drop)
            })
        }),
        Case::new("remove", |yard| {
            let (name, path) = place(yard, "own");
            let socket = Options::new().kind(Kind::Datagram).bind(name.as_str());
            let socket = socket.expect("the name is free");
            yard.at_end(move || drop(fs::remove_file(path)));
            Box::new(move || socket.remove())
        }),
        Case::new("from a descriptor", |_| {
            let (one, _other) = std::os::unix::net::UnixStream::pair().expect("a pair");
            Box::new(move || Socket::from_fd(copy(&one)?).map(drop))
        }),
        Case::new("unlink", |yard| {
            let (name, path) = place(yard, "socket");
            drop(Listener::bind(name.as_str()).expect("the name is free"));
            yard.at_end(move || drop(fs::remove_file(path)));
            Box::new(move || socket::unlink(name.as_str()))
        }),
    ],
    // For the text of an error alone.
    forgives: &[(SYS_getsockname, ANY), (SYS_getpeername, ANY)],
    translates: &[],
    impossible: &[],
};

/// A name and the path of its file.
fn place(yard: &Yard, word: &str) -> (String, std::path::PathBuf) {
    let path = yard.path(word);
    (format!("unix:{}", path.display()), path)
}

fn local(socket: &Socket) -> Name {
    socket.local_name().ok().flatten().expect("it was bound")
}

fn copy(socket: &std::os::unix::net::UnixStream) -> Result<std::os::unix::net::UnixStream> {
    socket.try_clone().map_err(|error| {
        let errno = error.raw_os_error().unwrap_or(libc::EIO);
        Error::new("try_clone", "the socket", unipc::ErrorKind::Os(errno))
    })
}

/// A failure must have left no file, and success one with exactly its mode.
fn listens(yard: &mut Yard, listen: fn(&str) -> Result<Listener>) -> Act {
    let (name, path) = place(yard, "socket");
    let new = path.clone();
    yard.check(move |result| {
        let mode = fs::metadata(&new)
            .map(|status| std::os::unix::fs::PermissionsExt::mode(&status.permissions()) & 0o777);
        let expected = result.is_ok().then_some(0o666);
        (mode.as_ref().ok() != expected.as_ref()).then(|| format!("the file has the mode {mode:?}"))
    });
    yard.at_end(move || drop(fs::remove_file(path)));
    Box::new(move || listen(&name).map(drop))
}

fn connects(kind: Kind, timeout: Timeout) -> Act {
    let options = Options::new().kind(kind);
    let keep: Box<dyn AsFd>;
    let name;
    if kind == Kind::Datagram {
        let server = Socket::bind("unix:@").expect("a free name");
        (name, keep) = (local(&server), Box::new(server));
    } else {
        let server = options.listen("unix:@").expect("a free name");
        name = server.local_name().ok().flatten().expect("a name");
        keep = Box::new(server);
    }
    Box::new(move || {
        let _keeps = &keep;
        options.connect(&name, timeout).map(drop)
    })
}

/// In and out again: whatever fails, nothing is lost and nothing comes twice.
fn through(kind: Kind, timeout: Timeout) -> Act {
    let (one, other) = Socket::pair(kind).expect("a pair");
    let mut sent = false;
    Box::new(move || {
        if !sent {
            one.send(b"message", timeout)?;
            sent = true;
        }
        let mut bytes = [0; 16];
        let length = other.recv(&mut bytes, timeout)?;
        sent = false;
        assert_eq!(&bytes[..length], b"message");
        assert_eq!(other.waiting()?, 0, "it came once");
        Ok(())
    })
}

/// A wait that nobody ends must end by itself.
fn in_vain<T>(result: Result<T>) -> Result<()> {
    match result {
        Err(error) if error.errno() == libc::ETIMEDOUT => Ok(()),
        Err(error) => Err(error),
        Ok(_) => panic!("nothing could come"),
    }
}
