// SPDX-License-Identifier: MIT OR Apache-2.0
//! Questions and answers.

mod support;

use std::time::Duration;

use support::posix_name;
use unipc::Timeout;
use unipc::channel::{Client, Service};

struct Unlinked(String);

impl Drop for Unlinked {
    fn drop(&mut self) {
        let _ = Service::unlink(self.0.as_str());
    }
}

const SOON: Timeout = Timeout::After(Duration::from_secs(20));

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
