// SPDX-License-Identifier: MIT OR Apache-2.0
//! The verbs of channels.

use std::time::Duration;

use unipc::channel::{
    Call, Channel, Client, Options, Question, Queue, Service, Start, Subscriber, Topic,
};
use unipc::{Result, Timeout};

use super::{Answer, Request, hex, waiting};

/// One handle of each kind, and the questions that were not answered yet.
#[derive(Default)]
pub(super) struct Room {
    queue: Option<Queue>,
    topic: Option<Topic>,
    subscriber: Option<Subscriber>,
    service: Option<Service>,
    client: Option<Client>,
    questions: Vec<Question>,
    calls: Vec<Call>,
}

impl super::Room for Room {
    fn perform(&mut self, request: &Request) -> Answer {
        let done = match request.verb {
            "queue" => keep(&mut self.queue, request),
            "topic" => keep(&mut self.topic, request),
            "subscriber" => keep(&mut self.subscriber, request),
            "service" => keep(&mut self.service, request),
            "client" => keep(&mut self.client, request),
            "close" => {
                *self = Self::default();
                Ok("closed".into())
            }
            "unlink" => {
                Queue::unlink(request.text("name").unwrap_or_default()).map(|()| "removed".into())
            }
            "send" | "recv" | "flood" | "drain" => {
                queue(self.queue.as_mut().ok_or("EBADF")?, request)
            }
            "publish" => {
                let topic = self.topic.as_mut().ok_or("EBADF")?;
                topic.publish(&content(request), limit(request)).map(|()| "sent".into())
            }
            "read" => {
                let subscriber = self.subscriber.as_mut().ok_or("EBADF")?;
                let told = |(data, received): (Vec<u8>, unipc::channel::Received)| {
                    format!("{} lost={}", told(&data), received.lost)
                };
                subscriber.recv(limit(request)).map(told)
            }
            "call" | "begin" | "wait" => self.ask(request)?,
            _ => self.answer(request)?,
        };
        done.map_err(|error| unipc::errname(error.errno()))
    }
}

impl Room {
    fn answer(&mut self, request: &Request) -> std::result::Result<Result<String>, String> {
        let service = self.service.as_mut().ok_or("EBADF")?;
        if request.verb == "question" {
            let question = service.recv(limit(request));
            return Ok(question.map(|question| {
                let told = told(question.bytes());
                self.questions.push(question);
                told
            }));
        }
        let at: usize = request.number("at").unwrap_or(0);
        let question = self.questions.get(at).ok_or("EBADF")?;
        let done = match request.verb {
            "reply" => service.reply(question, &content(request), Timeout::Forever),
            "part" => service.reply_part(question, &content(request), Timeout::Forever),
            "fail" => {
                let errno = request.number("errno").unwrap_or(0);
                let why = request.text("why").unwrap_or_default();
                service.fail(question, errno, why, Timeout::Forever)
            }
            "expired" => return Ok(Ok(u8::from(question.has_expired()).to_string())),
            _ => return Err("ENOSYS".into()),
        };
        Ok(done.map(|()| "replied".into()))
    }

    fn ask(&mut self, request: &Request) -> std::result::Result<Result<String>, String> {
        let client = self.client.as_mut().ok_or("EBADF")?;
        Ok(match request.verb {
            "call" => client.call(&content(request), limit(request)).map(|data| told(&data)),
            "begin" => client.begin(&content(request), Timeout::Forever).map(|call| {
                self.calls.push(call);
                (self.calls.len() - 1).to_string()
            }),
            _ => {
                let call: usize = request.number("call").unwrap_or(0);
                let call = *self.calls.get(call).ok_or("EBADF")?;
                let answer = client.wait(call, limit(request));
                answer
                    .map(|answer| format!("{} more={}", told(&answer.bytes), u8::from(answer.more)))
            }
        })
    }
}

/// Makes what has a capacity, opens what has none.
fn keep<C: Channel>(place: &mut Option<C>, request: &Request) -> Result<String> {
    let mut options = Options::new()
        .message_size(request.number("message_size").unwrap_or(0))
        .reliable(request.number("reliable") == Some(1));
    if request.text("oldest").is_some() {
        options = options.start(Start::Oldest);
    }
    let name = request.text("name").unwrap_or_default();
    *place = Some(match request.number("capacity") {
        Some(capacity) => options.create(name, capacity)?,
        None => options.open(name)?,
    });
    Ok("open".into())
}

/// `hex`, repeated to `size` bytes if that is given.
fn content(request: &Request) -> Vec<u8> {
    let block = request.bytes("hex");
    match request.number("size") {
        Some(size) => block.iter().copied().cycle().take(size).collect(),
        None => block,
    }
}

/// `timeout` is in milliseconds; without it the call waits for ever. All but a try say WAIT.
fn limit(request: &Request) -> Timeout {
    let timeout = match request.number("timeout") {
        None => Timeout::Forever,
        Some(milliseconds) => Timeout::After(Duration::from_millis(milliseconds)),
    };
    if timeout != Timeout::TRY {
        waiting();
    }
    timeout
}

/// A message as the runner compares it: its length, its checksum (Adler-32), how it begins.
fn told(data: &[u8]) -> String {
    let add = |(a, b): (u32, u32), byte: &u8| {
        let a = (a + u32::from(*byte)) % 65521;
        (a, (b + a) % 65521)
    };
    let (a, b) = data.iter().fold((1, 0), add);
    format!("len={} sum={} hex={}", data.len(), b << 16 | a, hex(&data[..data.len().min(16)]))
}

fn queue(queue: &mut Queue, request: &Request) -> Result<String> {
    match request.verb {
        "send" => queue.send(&content(request), limit(request)).map(|()| "sent".into()),
        "recv" => queue.recv(limit(request)).map(|data| told(&data)),
        "flood" => flood(queue, request),
        _ => drain(queue),
    }
}

/// Messages that begin with who sent them and a number, of many sizes.
fn flood(queue: &mut Queue, request: &Request) -> Result<String> {
    let me: u8 = request.number("me").unwrap_or(0);
    for count in 0..request.number("count").unwrap_or(0_u32) {
        let mut message = vec![me];
        message.extend(count.to_le_bytes());
        message.resize(5 + count as usize % 100, me);
        queue.send(&message, Timeout::Forever)?;
    }
    Ok("sent".into())
}

/// Takes messages until an empty one: how many of each sender, and whether each sender's came in order and whole.
fn drain(queue: &mut Queue) -> Result<String> {
    let (mut seen, mut last, mut good) = ([0; 10], [None; 10], true);
    loop {
        let message = queue.recv(Timeout::Forever)?;
        let Some((&me, rest)) = message.split_first() else { break };
        let (sender, Some((number, rest))) = (usize::from(me) % 10, rest.split_first_chunk())
        else {
            good = false;
            continue;
        };
        let count = u32::from_le_bytes(*number);
        let whole = rest.len() == count as usize % 100 && rest.iter().all(|&byte| byte == me);
        good &= whole && last[sender].is_none_or(|last| last < count);
        last[sender] = Some(count);
        seen[sender] += 1;
    }
    let seen = seen.map(|count: u32| count.to_string()).join(",");
    Ok(format!("good={} seen={seen}", u8::from(good)))
}
