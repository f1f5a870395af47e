// SPDX-License-Identifier: MIT OR Apache-2.0
//! Questions and answers.

#[path = "support/fork.rs"]
mod fork;
mod support;

use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use support::posix_name;
use unipc::Timeout;
use unipc::channel::{Client, Question, Service};
use unipc::poll::{Wait, Waitable, wait_any};

struct Unlinked(String);

impl Drop for Unlinked {
    fn drop(&mut self) {
        let _ = Service::unlink(self.0.as_str());
    }
}

const SOON: Timeout = Timeout::After(Duration::from_secs(20));

#[test]
fn one_question_after_another_in_one_place() {
    let name = Unlinked(posix_name("service-into"));
    let mut service = Service::create(name.0.as_str(), 1 << 14).unwrap();
    let mut client = Client::open(name.0.as_str()).unwrap();
    let mut question = Question::default();
    assert_eq!((question.bytes(), question.has_expired()), (&b""[..], false));
    let nobody = service.reply(&question, b"", Timeout::TRY).unwrap_err();
    assert_eq!(nobody.errno(), libc::EPIPE);
    for length in [0, 1, 47, 64, 65, 5000, 3, 300] {
        let asked = vec![7; length];
        let call = client.begin(&asked, SOON).unwrap();
        service.recv_into(&mut question, SOON).unwrap();
        let nothing = service.recv_into(&mut question, Timeout::TRY).unwrap_err();
        assert_eq!(nothing.errno(), libc::EAGAIN);
        assert_eq!(question.bytes(), asked);
        service.reply(&question, &asked[length / 2..], SOON).unwrap();
        assert_eq!(client.wait(call, SOON).unwrap().bytes, asked[length / 2..]);
    }
}

#[test]
fn several_clients_and_servers_and_calls_in_flight() {
    let name = Unlinked(posix_name("service"));
    drop(Service::create(name.0.as_str(), 1 << 14).unwrap());
    let servers: Vec<_> = (0..2)
        .map(|_| {
            let mut service = Service::open(name.0.as_str()).unwrap();
            std::thread::spawn(move || {
                loop {
                    let question = service.recv(SOON).unwrap();
                    match question.bytes() {
                        b"end" => return service.reply(&question, b"", SOON).unwrap(),
                        b"fail" => {
                            service.fail(&question, libc::EDOM, "no such thing", SOON).unwrap();
                        }
                        b"count" => {
                            for part in 0..5_u8 {
                                service.reply_part(&question, &[part], SOON).unwrap();
                            }
                            service.reply(&question, b"done", SOON).unwrap();
                        }
                        other => {
                            let reversed: Vec<_> = other.iter().rev().copied().collect();
                            service.reply(&question, &reversed, SOON).unwrap();
                        }
                    }
                }
            })
        })
        .collect();
    let clients: Vec<_> = (0..3_u32)
        .map(|me| {
            let mut client = Client::open(name.0.as_str()).unwrap();
            std::thread::spawn(move || {
                for number in 0..2000_u32 {
                    let question = [me.to_le_bytes(), number.to_le_bytes()].concat();
                    let mut wanted = question.clone();
                    wanted.reverse();
                    assert_eq!(client.call(&question, SOON).unwrap(), wanted);
                }
                let calls: Vec<_> =
                    (0..8_u8).map(|it| client.begin(&[it, 255], SOON).unwrap()).collect();
                assert_eq!(client.begin(b"x", SOON).unwrap_err().errno(), libc::EBUSY);
                for (call, it) in
                    calls.into_iter().zip(0..8_u8).collect::<Vec<_>>().into_iter().rev()
                {
                    assert_eq!(client.wait(call, SOON).unwrap().bytes, [255, it]);
                }
                let error = client.call(b"fail", SOON).unwrap_err();
                assert_eq!(error.errno(), libc::EDOM);
                assert!(error.to_string().contains("no such thing"), "{error}");
                let call = client.begin(b"count", SOON).unwrap();
                let mut parts = Vec::new();
                loop {
                    let answer = client.wait(call, SOON).unwrap();
                    if !answer.more {
                        assert_eq!(answer.bytes, b"done");
                        break;
                    }
                    parts.extend(answer.bytes);
                }
                assert_eq!(parts, [0, 1, 2, 3, 4]);
                assert_eq!(client.wait(call, SOON).unwrap_err().errno(), libc::EINVAL);
            })
        })
        .collect();
    for client in clients {
        client.join().unwrap();
    }
    let mut last = Client::open(name.0.as_str()).unwrap();
    for _ in &servers {
        last.call(b"end", SOON).unwrap();
    }
    for server in servers {
        server.join().unwrap();
    }
    let short = Timeout::After(Duration::from_millis(30));
    assert_eq!(last.call(b"nobody", short).unwrap_err().errno(), libc::ETIMEDOUT);
}

#[test]
fn an_answer_that_was_found_by_another_call_is_told() {
    let name = Unlinked(posix_name("aside"));
    let mut service = Service::create(name.0.as_str(), 1 << 14).unwrap();
    let mut client = Client::open(name.0.as_str()).unwrap();
    let first = client.begin(b"first", SOON).unwrap();
    let second = client.begin(b"second", SOON).unwrap();
    let question = service.recv(SOON).unwrap();
    service.reply(&question, b"1", SOON).unwrap();
    assert_eq!(client.wait(second, Timeout::TRY).unwrap_err().errno(), libc::EAGAIN);
    let ready = |client: &Client, call| wait_any(&[Waitable::answer(client, call)], Timeout::TRY);
    assert_eq!(ready(&client, first).unwrap(), 0);
    assert_eq!(ready(&client, second).unwrap_err().errno(), libc::EAGAIN);
    assert_eq!(wait_any(&[client.waitable().unwrap()], Timeout::TRY).unwrap(), 0);
    let mut polled = [PollFd::new(client.fd().unwrap(), PollFlags::POLLIN)];
    assert_eq!(poll(&mut polled, PollTimeout::ZERO).unwrap(), 1, "the descriptor tells of it");
    assert_eq!(client.wait(first, Timeout::TRY).unwrap().bytes, b"1");
    assert_eq!(
        wait_any(&[client.waitable().unwrap()], Timeout::TRY).unwrap_err().errno(),
        libc::EAGAIN
    );
    let question = service.recv(SOON).unwrap();
    service.reply_part(&question, b"2", SOON).unwrap();
    assert_eq!(ready(&client, second).unwrap(), 0);
    assert!(client.wait(second, SOON).unwrap().more);
    assert_eq!(ready(&client, second).unwrap_err().errno(), libc::EAGAIN);
    client.cancel(second);
    assert_eq!(ready(&client, second).unwrap(), 0, "it is over, and so not to be waited for");
    assert_eq!(client.wait(second, SOON).unwrap_err().errno(), libc::EINVAL);
}

#[test]
fn an_answer_in_parts_comes_whole_and_leaves_its_place() {
    let name = Unlinked(posix_name("parts"));
    let mut service = Service::create(name.0.as_str(), 1 << 14).unwrap();
    let mut client = Client::open(name.0.as_str()).unwrap();
    let server = std::thread::spawn(move || {
        for _ in 0..10 {
            let question = service.recv(SOON).unwrap();
            service.reply_part(&question, b"one ", SOON).unwrap();
            service.reply(&question, b"two", SOON).unwrap();
        }
    });
    for _ in 0..10 {
        assert_eq!(client.call(b"?", SOON).unwrap(), b"one two");
    }
    server.join().unwrap();
}

#[test]
fn whoever_asks_is_told_of_room() {
    let name = Unlinked(posix_name("ask"));
    let mut service = Service::create(name.0.as_str(), 1 << 12).unwrap();
    let mut client = Client::open(name.0.as_str()).unwrap();
    let ready = |client: &Client| wait_any(&[Waitable::to_ask(client)], Timeout::TRY);
    assert_eq!(ready(&client).unwrap(), 0);
    let error = loop {
        match client.begin(&[7; 1000], Timeout::TRY) {
            Ok(call) => client.cancel(call),
            Err(error) => break error,
        }
    };
    assert_eq!(error.errno(), libc::EAGAIN);
    assert_eq!(ready(&client).unwrap_err().errno(), libc::EAGAIN);
    service.recv(SOON).unwrap();
    assert_eq!(ready(&client).unwrap(), 0);
    client.begin(&[7; 1000], Timeout::TRY).unwrap();
}

/// A service, and clients.
fn with_clients<const N: usize>(name: &Unlinked) -> (Service, [Client; N]) {
    let service = Service::create(name.0.as_str(), 1 << 14).unwrap();
    (service, std::array::from_fn(|_| Client::open(name.0.as_str()).unwrap()))
}

/// Asks so often that servers look at the client's line.
fn become_regular(service: &mut Service, client: &mut Client) {
    for _ in 0..40 {
        let call = client.begin(b"again", Timeout::TRY).unwrap();
        let question = service.recv(Timeout::TRY).unwrap();
        service.reply(&question, b"and again", Timeout::TRY).unwrap();
        client.wait(call, Timeout::TRY).unwrap();
    }
}

#[test]
fn short_and_long_ones_by_whatever_way() {
    let name = Unlinked(posix_name("lengths"));
    let (mut service, [mut client]) = with_clients(&name);
    become_regular(&mut service, &mut client);
    let bytes: Vec<_> = (0..80).collect();
    for (asked, answered) in (0..80).flat_map(|it| [(it, 79 - it), (it, it)]) {
        for until in [Timeout::Forever, SOON, Timeout::After(Duration::from_nanos(1))] {
            let call = client.begin_until(&bytes[..asked], SOON, until).unwrap();
            let question = service.recv(Timeout::TRY).unwrap();
            assert_eq!(question.bytes(), &bytes[..asked]);
            let is_late = until != Timeout::Forever && until != SOON;
            assert_eq!(question.has_expired(), is_late);
            service.reply(&question, &bytes[..answered], Timeout::TRY).unwrap();
            let again = service.reply(&question, b"once more", Timeout::TRY);
            assert_eq!(client.wait(call, Timeout::TRY).unwrap().bytes, &bytes[..answered]);
            assert!(again.is_ok(), "it is thrown away, whichever way it goes");
        }
    }
    for why in ["", "no such thing", &"very long ".repeat(8)] {
        let call = client.begin(b"fail", SOON).unwrap();
        let question = service.recv(Timeout::TRY).unwrap();
        service.fail(&question, libc::EDOM, why, SOON).unwrap();
        let error = client.wait(call, Timeout::TRY).unwrap_err();
        assert_eq!(error.errno(), libc::EDOM);
        assert!(error.to_string().contains(why), "{error}");
    }
    let call = client.begin(b"in parts", SOON).unwrap();
    let question = service.recv(Timeout::TRY).unwrap();
    service.reply_part(&question, b"one", SOON).unwrap();
    service.reply(&question, b"two", SOON).unwrap();
    let parts = [(); 2].map(|()| client.wait(call, Timeout::TRY).unwrap());
    assert!(parts[0].bytes == b"one" && parts[0].more && parts[1].bytes == b"two");
}

#[test]
fn neither_way_is_starved_and_each_client_keeps_its_order() {
    let name = Unlinked(posix_name("turns"));
    let (mut service, [mut one, mut other]) = with_clients(&name);
    become_regular(&mut service, &mut one);
    let waiting: Vec<_> = (0..4).map(|_| other.begin(b"other", SOON).unwrap()).collect();
    let mut served = Vec::new();
    while served.iter().filter(|it| *it == b"other").count() < waiting.len() {
        let call = one.begin(b"one", SOON).unwrap();
        loop {
            let question = service.recv(Timeout::TRY).unwrap();
            service.reply(&question, b"", SOON).unwrap();
            served.push(question.bytes().to_vec());
            if question.bytes() == b"one" {
                break;
            }
        }
        one.wait(call, Timeout::TRY).unwrap();
        assert!(served.len() < 20, "what waits in the ring is passed by: {served:?}");
    }
    for call in waiting {
        other.wait(call, Timeout::TRY).unwrap();
    }
    let calls: Vec<_> = (0..8_u8).map(|it| one.begin(&[it], SOON).unwrap()).collect();
    for it in 0..8 {
        let question = service.recv(Timeout::TRY).unwrap();
        assert_eq!(question.bytes(), [it], "in the order in which they were asked");
        service.reply(&question, &[it], SOON).unwrap();
    }
    let late = one.begin(b"no place", SOON).unwrap_err();
    assert_eq!(late.errno(), libc::EBUSY);
    // What was asked in the line comes first, and is set aside.
    for (call, it) in calls.into_iter().zip(0..8).rev() {
        assert_eq!(one.wait(call, Timeout::TRY).unwrap().bytes, [it]);
    }
}

#[test]
fn a_late_answer_is_nobodys_whichever_way_it_comes() {
    let name = Unlinked(posix_name("late"));
    let (mut service, [mut client]) = with_clients(&name);
    become_regular(&mut service, &mut client);
    for _ in 0..10 {
        let given_up = client.begin(b"given up", SOON).unwrap();
        let late = service.recv(Timeout::TRY).unwrap();
        client.cancel(given_up);
        let call = client.begin(b"asked again", SOON).unwrap();
        service.reply(&late, b"late", SOON).unwrap();
        assert_eq!(client.wait(call, Timeout::TRY).unwrap_err().errno(), libc::EAGAIN);
        let question = service.recv(Timeout::TRY).unwrap();
        assert_eq!(question.bytes(), b"asked again");
        service.reply(&question, b"in time", SOON).unwrap();
        assert_eq!(client.wait(call, Timeout::TRY).unwrap().bytes, b"in time");
    }
    // What somebody has asked who is gone is for a server still, and its place is another's.
    client.begin(b"the last one", SOON).unwrap();
    drop(client);
    let mut next = Client::open(name.0.as_str()).unwrap();
    let question = service.recv(Timeout::TRY).unwrap();
    assert_eq!(question.bytes(), b"the last one");
    let call = next.begin(b"the next one", SOON).unwrap();
    let gone = service.reply(&question, b"", SOON).unwrap_err();
    assert_eq!(gone.errno(), libc::EPIPE);
    assert!(gone.to_string().contains("the client that asked is gone"), "{gone}");
    let question = service.recv(Timeout::TRY).unwrap();
    service.reply(&question, b"hers", SOON).unwrap();
    assert_eq!(next.wait(call, Timeout::TRY).unwrap().bytes, b"hers");
}

#[test]
fn a_late_answer_is_nobodys_when_its_number_comes_round() {
    let name = Unlinked(posix_name("service-round"));
    let mut service = Service::create(name.0.as_str(), 1 << 14).unwrap();
    let mut client = Client::open(name.0.as_str()).unwrap();
    // By either way, and a part of one was answered.
    for (length, has_part) in [(8, false), (500, false), (8, true)] {
        let given_up = client.begin(&vec![1; length], SOON).unwrap();
        let late = service.recv(SOON).unwrap();
        if has_part {
            service.reply_part(&late, b"part", SOON).unwrap();
            assert!(client.wait(given_up, SOON).unwrap().more);
        }
        client.cancel(given_up);
        for round in 0..1 << 16_u32 {
            let call = client.begin(b"new", SOON).unwrap();
            let question = service.recv(SOON).unwrap();
            if round >= (1 << 16) - 9 {
                service.reply_part(&late, b"late", SOON).unwrap();
            }
            service.reply(&question, b"answer", SOON).unwrap();
            assert_eq!(client.wait(call, SOON).unwrap().bytes, b"answer");
        }
        // It is the last one: then the number is free.
        service.reply(&late, b"late", SOON).unwrap();
        assert_eq!(
            client.call(b"", Timeout::After(Duration::ZERO)).unwrap_err().errno(),
            libc::EAGAIN
        );
        service.recv(SOON).unwrap();
    }
    // Places of those that are never answered are used again.
    for _ in 0..3 {
        let calls: Vec<_> = (0..8).map(|_| client.begin(b"", SOON).unwrap()).collect();
        assert_eq!(client.begin(b"", SOON).unwrap_err().errno(), libc::EBUSY);
        for call in calls {
            service.recv(SOON).unwrap();
            client.cancel(call);
        }
    }
    let call = client.begin(b"end", SOON).unwrap();
    let question = service.recv(SOON).unwrap();
    service.reply(&question, b"answer", SOON).unwrap();
    assert_eq!(client.wait(call, SOON).unwrap().bytes, b"answer");
}

#[test]
fn a_child_of_fork_has_no_line() {
    let name = Unlinked(posix_name("line-fork"));
    let (mut service, [mut client]) = with_clients(&name);
    become_regular(&mut service, &mut client);
    let call = client.begin(b"the parent's", SOON).unwrap();
    let question = service.recv(Timeout::TRY).unwrap();
    let child = fork::fork(|| {
        let error = service.reply(&question, b"the child's", SOON).unwrap_err();
        assert_eq!(error.errno(), libc::EINVAL);
        client.cancel(call);
        let error = client.begin(b"the child's", SOON).unwrap_err();
        assert_eq!(error.errno(), libc::EINVAL);
    });
    fork::succeeded(child);
    service.reply(&question, b"answered", SOON).unwrap();
    assert_eq!(client.wait(call, Timeout::TRY).unwrap().bytes, b"answered");
}
