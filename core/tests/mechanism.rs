// SPDX-License-Identifier: MIT OR Apache-2.0
//! The table of mechanisms, held against what the kernel does; and the copy of it in the README.

#[path = "support/peer.rs"]
mod peer;
mod support;

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram, UnixStream};

use peer::Peer;
use support::{key_name, posix_name};
use unipc::mechanism::{ALL, Mechanism, Persistence, Selection};
use unipc::mq::Want;
use unipc::pipe::Fifo;
use unipc::signal::{self, Set, Signal};
use unipc::socket::{Kind, Socket};
use unipc::{MessageQueue, Name, Timeout};

fn the(name: &str) -> &'static Mechanism {
    ALL.iter().find(|mechanism| mechanism.name == name).unwrap()
}

/// How many sends of `size` bytes are accepted before one would wait; `None` when none ever would.
fn accepted(mut send: impl FnMut() -> std::io::Result<()>) -> Option<usize> {
    (0..100_000).find(|_| match send() {
        Ok(()) => false,
        Err(error) if error.kind() == ErrorKind::WouldBlock => true,
        Err(error) => panic!("{error}"),
    })
}

fn io(result: unipc::Result<impl Sized>) -> std::io::Result<()> {
    result.map(drop).map_err(std::io::Error::from)
}

/// Checks the three that need a sender and a receiver: 10 + 10 bytes are sent, then as many as go.
fn observe(
    name: &str,
    mut send: impl FnMut(&[u8]) -> std::io::Result<()>,
    mut receive: impl FnMut(&mut [u8]) -> std::io::Result<usize>,
) {
    let mechanism = the(name);
    let mut room = [0; 64];
    send(&[1; 10]).unwrap();
    send(&[2; 10]).unwrap();
    let first = receive(&mut room).unwrap();
    assert_eq!(mechanism.records, Some(first == 10), "{name}: {first} bytes at once");
    if first == 10 {
        assert_eq!(receive(&mut room).unwrap(), 10);
    }
    let block = [7; 64];
    let count = accepted(|| send(&block));
    assert_eq!(mechanism.flow_control, Some(count.is_some()), "{name}: {count:?} accepted");
    let mut arrived = 0;
    let mut all = [0; 64];
    while let Ok(length) = receive(&mut all) {
        arrived += length;
        if length == 0 {
            break;
        }
    }
    let whole = arrived == count.unwrap_or(100_000) * 64;
    assert_eq!(mechanism.reliable, Some(whole), "{name}: {arrived} bytes arrived");
}

#[test]
fn pipes_and_fifos() {
    let (reader, writer) = unipc::pipe::pipe().unwrap();
    observe(
        "pipe",
        |it| io(writer.write_all(it, Timeout::TRY)),
        |it| Ok(reader.read(it, Timeout::TRY)?),
    );
    let directory = support::Directory::new("mechanism");
    let path = directory.name("fifo");
    let fifo = Fifo::create(path.as_str()).unwrap();
    let reader = fifo.reader(Timeout::TRY).unwrap();
    let writer = fifo.writer(Timeout::TRY).unwrap();
    observe(
        "FIFO",
        |it| io(writer.write_all(it, Timeout::TRY)),
        |it| Ok(reader.read(it, Timeout::TRY)?),
    );
}

#[test]
fn message_queues() {
    let (sysv, posix) = (key_name(), posix_name("mechanism"));
    for (name, mechanism) in
        [(sysv.as_str(), "System V message queue"), (posix.as_str(), "POSIX message queue")]
    {
        let queue = MessageQueue::create(name).unwrap();
        let send = |bytes: &[u8]| io(queue.send(1, bytes, Timeout::TRY));
        let receive = |room: &mut [u8]| {
            queue
                .receive_with(Want::Any, Timeout::TRY, |_, data| {
                    room[..data.len()].copy_from_slice(data);
                    data.len()
                })
                .map_err(std::io::Error::from)
        };
        observe(mechanism, send, receive);
        // Kernel persistence, and the order.
        queue.send(1, b"first", Timeout::TRY).unwrap();
        queue.send(2, b"second", Timeout::TRY).unwrap();
        drop(queue);
        let again = MessageQueue::open(name).unwrap();
        assert_eq!(the(mechanism).persistence, Persistence::Kernel);
        let want =
            if the(mechanism).selection == Selection::Type { Want::from(2) } else { Want::Any };
        assert_eq!(again.receive(want, Timeout::TRY).unwrap().data, b"second");
        drop(again);
        MessageQueue::unlink(name).unwrap();
    }
}

#[test]
fn unix_sockets() {
    let pairs = [
        ("UNIX stream socket", Kind::Stream),
        ("UNIX datagram socket", Kind::Datagram),
        ("UNIX sequenced packet socket", Kind::SeqPacket),
    ];
    for (name, kind) in pairs {
        let (left, right) = Socket::pair(kind).unwrap();
        observe(
            name,
            |it| io(left.send_all(it, Timeout::TRY)),
            |it| Ok(right.recv(it, Timeout::TRY)?),
        );
    }
    // Without a connection.
    let name = Name::parse(format!("unix:@mechanism-{}", std::process::id())).unwrap();
    let receiver = Socket::bind(&name).unwrap();
    let sender = UnixDatagram::unbound().unwrap();
    let address =
        SocketAddr::from_abstract_name(format!("mechanism-{}", std::process::id())).unwrap();
    assert_eq!(sender.send_to_addr(b"x", &address).unwrap(), 1);
    assert_eq!(receiver.recv(&mut [0; 8], Timeout::TRY).unwrap(), 1);
    assert!(the("UNIX datagram socket").connectionless);
    // A stream refuses to send before it is connected.
    let unconnected = nix::sys::socket::socket(
        nix::sys::socket::AddressFamily::Unix,
        nix::sys::socket::SockType::Stream,
        nix::sys::socket::SockFlag::SOCK_CLOEXEC,
        None,
    )
    .unwrap();
    let mut stream = UnixStream::from(unconnected);
    assert_eq!(stream.write(b"x").unwrap_err().kind(), ErrorKind::NotConnected);
    assert!(!the("UNIX stream socket").connectionless);
}

#[test]
fn sockets_between_machines() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (mut server, _) = listener.accept().unwrap();
    // What is under way on the loop would-block for a moment only: records and flow control are enough.
    client.write_all(&[1; 10]).unwrap();
    client.write_all(&[2; 10]).unwrap();
    let mut room = [0; 64];
    server.read_exact(&mut room[..20]).unwrap();
    assert_eq!(the("TCP socket").records, Some(false));
    client.set_nonblocking(true).unwrap();
    let block = [7; 4096];
    assert_eq!(
        the("TCP socket").flow_control,
        Some(accepted(|| client.write(&block).map(drop)).is_some())
    );

    let receiver = UdpSocket::bind("127.0.0.1:0").unwrap();
    let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
    sender.set_nonblocking(true).unwrap();
    receiver.set_nonblocking(true).unwrap();
    let address = receiver.local_addr().unwrap();
    observe(
        "UDP socket",
        |it| sender.send_to(it, address).map(drop),
        |it| receiver.recv_from(it).map(|(length, _)| length),
    );
    assert!(the("UDP socket").connectionless);
}

#[test]
fn signals() {
    // A process of one thread: another one would take what this one blocks.
    let alone = Peer::run(|_| {
        let (low, high) = (Signal::realtime(1).unwrap(), Signal::realtime(2).unwrap());
        let me = std::process::id().cast_signed();
        let usual = Signal::new(libc::SIGUSR1).unwrap();
        let set: Set = [low, high, usual].into_iter().collect();
        let _blocked = signal::block(set).unwrap();
        for value in 0..3 {
            signal::queue(me, high, value).unwrap();
            signal::send(me, usual).unwrap();
        }
        signal::queue(me, low, 9).unwrap();
        let mut got = Vec::new();
        while let Ok(info) = signal::wait(set, Timeout::TRY) {
            got.push(info.signal.number());
        }
        let (low, high, usual) = (low.number(), high.number(), usual.number());
        assert_eq!(got, [usual, low, high, high, high], "repeats of a standard signal merge");
        assert_eq!(the("real-time signal").selection, Selection::Number);
        assert_eq!(the("real-time signal").reliable, Some(true));
        assert_eq!(the("standard signal").reliable, Some(false));
    });
    alone.ends();
}

#[test]
fn the_table_of_the_readme_is_this_one() {
    let readme =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md")).unwrap();
    let answer = |answer: Option<bool>| match answer {
        None => "–",
        Some(true) => "yes",
        Some(false) => "no",
    };
    for it in ALL {
        let row = format!(
            "| {} | {} | {} | {} | {} | {} | {} |",
            it.name,
            answer(Some(it.connectionless)),
            answer(it.reliable),
            answer(it.flow_control),
            answer(it.records),
            it.selection,
            it.persistence,
        );
        assert!(readme.contains(&row), "README.md lacks the row\n{row}");
    }
}
