// SPDX-License-Identifier: MIT OR Apache-2.0
//! TCP and UDP.

use unipc::socket::{Expect, Listener, Options, Shutdown, Socket};
use unipc::{Name, SocketName, Timeout};

use crate::child::skip;
use crate::{SHORT, SOON, received};

/// The loopback hosts that this machine has.
fn hosts(test: &str) -> Vec<&'static str> {
    let has = |host: &&str| std::net::TcpListener::bind(format!("{host}:0")).is_ok();
    let found: Vec<_> = ["127.0.0.1", "[::1]", "localhost"].into_iter().filter(has).collect();
    if found.len() < 3 {
        skip(test, format_args!("not all of 127.0.0.1, [::1] and localhost: {found:?}"));
    }
    found
}

#[test]
fn tcp_connects_by_address_and_by_name() {
    for host in hosts("tcp_connects_by_address_and_by_name") {
        let listener = Listener::bind(format!("tcp:{host}:0")).unwrap();
        let name = listener.local_name().unwrap().unwrap();
        let Name::Socket(SocketName::Tcp(place)) = &name else { panic!("{name}") };
        assert_ne!(place.port(), 0, "the port that was free");
        let client = Socket::connect(format!("tcp:{host}:{}", place.port()), SOON).unwrap();
        let server = listener.accept(SOON).unwrap();
        assert_eq!(client.peer_name().unwrap().as_ref(), Some(&name));
        assert_eq!(server.peer_name().unwrap(), client.local_name().unwrap());
        client.send_all(b"there", SOON).unwrap();
        assert_eq!(received(&server), b"there");
        server.send_all(b"and back", SOON).unwrap();
        assert_eq!(received(&client), b"and back");
        client.shutdown(Shutdown::Send).unwrap();
        assert_eq!(received(&server), b"");
        server.send_all(b"half", SOON).unwrap();
        assert_eq!(received(&client), b"half");
        for end in [&client, &server] {
            assert!(!end.delay().unwrap(), "no request waits for company");
            end.set_delay(true).unwrap();
            assert!(end.delay().unwrap());
            assert!(!end.is_unix());
        }
    }
}

#[test]
fn tcp_with_delay_says_so() {
    let options = Options::new().delay(true);
    let listener = options.listen("tcp:127.0.0.1:0").unwrap();
    let client = options.connect(listener.local_name().unwrap().unwrap(), SOON).unwrap();
    assert!(client.delay().unwrap() && listener.accept(SOON).unwrap().delay().unwrap());
    let (unix, _peer) = Socket::pair(unipc::socket::Kind::Stream).unwrap();
    assert_eq!(unix.delay().unwrap_err().errno(), libc::EOPNOTSUPP);
}

#[test]
fn a_server_that_starts_again_gets_its_port_at_once() {
    let listener = Listener::bind("tcp:127.0.0.1:0").unwrap();
    let name = listener.local_name().unwrap().unwrap();
    let client = Socket::connect(&name, SOON).unwrap();
    let server = listener.accept(SOON).unwrap();
    // The side that closes first leaves a connection that the kernel remembers.
    drop((server, listener));
    assert_eq!(received(&client), b"");
    drop(client);
    let again = Listener::bind(&name).unwrap();
    let error = Listener::bind(&name).unwrap_err();
    assert_eq!(error.errno(), libc::EADDRINUSE, "{error}");
    drop(again);
}

#[test]
fn udp_keeps_boundaries_and_tells_the_sender() {
    let server = Socket::bind("udp:127.0.0.1:0").unwrap();
    let name = server.local_name().unwrap().unwrap();
    let client = Socket::connect(&name, SOON).unwrap();
    client.send(b"one", SOON).unwrap();
    client.send(b"", SOON).unwrap();
    client.send(b"three", SOON).unwrap();
    let mut buffer = [0; 4];
    let (length, sender) = server.recv_from(&mut buffer, SOON).unwrap();
    assert_eq!(&buffer[..length], b"one");
    assert_eq!(sender, client.local_name().unwrap());
    let empty = server.recv_message(&mut buffer, &Expect::NONE, SOON).unwrap();
    assert_eq!((empty.length, empty.ended, empty.sender), (0, false, sender.clone()));
    assert_eq!(server.next_size(SOON).unwrap(), 5);
    assert_eq!(server.recv(&mut buffer, SOON).unwrap_err().errno(), libc::EMSGSIZE);
    server.send_to(b"back", &sender.unwrap(), SOON).unwrap();
    assert_eq!(received(&client), b"back");
    let error = client.send(&vec![0; 70_000], SOON).unwrap_err();
    assert_eq!(error.errno(), libc::EMSGSIZE);
    assert!(error.to_string().contains("65507"), "{error}");
}

#[test]
fn nobody_there_is_said() {
    let gone = Listener::bind("tcp:127.0.0.1:0").unwrap().local_name().unwrap().unwrap();
    for timeout in [SOON, Timeout::Forever] {
        let error = Socket::connect(&gone, timeout).unwrap_err();
        assert_eq!(error.errno(), libc::ECONNREFUSED);
        assert!(error.to_string().contains("nobody listens"), "{error}");
    }
    let mut connecting = Options::new().start(&gone).unwrap();
    assert_eq!(connecting.finish(SOON).unwrap_err().errno(), libc::ECONNREFUSED);
    assert!(connecting.finish(SOON).is_err(), "what was refused is no connection when asked again");
    let gone = Socket::bind("udp:127.0.0.1:0").unwrap().local_name().unwrap().unwrap();
    let client = Socket::connect(gone, SOON).unwrap();
    client.send(b"x", SOON).unwrap();
    assert_eq!(client.recv(&mut [0], SOON).unwrap_err().errno(), libc::ECONNREFUSED);
    let error = Socket::connect("tcp:no-such-host.invalid:1", SOON).unwrap_err();
    assert_eq!(error.errno(), libc::EHOSTUNREACH, "{error}");
    assert!(error.advice().is_some(), "what the resolver says");
    let error = Listener::bind("tcp:192.0.2.1:0").unwrap_err();
    assert_eq!(error.errno(), libc::EADDRNOTAVAIL, "{error}");
}

#[test]
fn a_tcp_listener_whose_queue_is_full_makes_clients_wait() {
    let listener = Options::new().backlog(0).listen("tcp:127.0.0.1:0").unwrap();
    let name = listener.local_name().unwrap().unwrap();
    let mut clients = Vec::new();
    let error = loop {
        match Socket::connect(&name, SHORT) {
            Ok(client) => clients.push(client),
            Err(error) => break error,
        }
        assert!(clients.len() < 100, "the queue has an end");
    };
    assert_eq!(error.errno(), libc::ETIMEDOUT, "{error}");
    assert!(!clients.is_empty());
}

#[test]
fn only_unix_sockets_carry_more_than_bytes() {
    use std::os::fd::AsFd;
    let udp = Socket::bind("udp:127.0.0.1:0").unwrap();
    let sent = udp.send_message(b"x", &[udp.as_fd()], None, SOON).unwrap_err();
    assert_eq!(sent.errno(), libc::EOPNOTSUPP, "{sent}");
    assert_eq!(udp.peer_credentials().unwrap_err().errno(), libc::EOPNOTSUPP);
    assert_eq!(udp.pass_credentials(true).unwrap_err().errno(), libc::EOPNOTSUPP);
    let sent = unipc::socket::send_descriptors(&udp, &[udp.as_fd()], SOON).unwrap_err();
    assert_eq!(sent.errno(), libc::EOPNOTSUPP, "{sent}");
    let options = Options::new().pass_credentials(true);
    let error = options.listen("tcp:127.0.0.1:0").unwrap_err();
    assert_eq!(error.errno(), libc::EOPNOTSUPP, "{error}");
    let options = Options::new().own_only(true);
    let error = options.connect("tcp:127.0.0.1:1", SOON).unwrap_err();
    assert_eq!(error.errno(), libc::EOPNOTSUPP, "{error}");
}
