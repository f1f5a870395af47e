// SPDX-License-Identifier: MIT OR Apache-2.0
//! The verbs of message queues.

use std::os::fd::AsRawFd;
use std::time::Duration;

use unipc::mq::{Change, PosixStatus, Received, Status, SystemV, TYPE_SIZE, Want, limits};
use unipc::{MessageQueue, Mode, Result, Timeout};

use super::{Answer, Request, hex, waiting};

/// The one queue that this process has open.
#[derive(Default)]
pub(super) struct Room {
    open: Option<MessageQueue>,
}

impl super::Room for Room {
    fn perform(&mut self, request: &Request) -> Answer {
        let done = match request.verb {
            "create" => self.keep(create(request)),
            "open" => self.keep(MessageQueue::open(request.text("name").unwrap_or_default())),
            "close" => {
                self.open = None;
                Ok("closed".into())
            }
            "remove" => self.remove(request),
            "list" => {
                SystemV::list().map(|rows| rows.iter().map(describe).collect::<Vec<_>>().join(";"))
            }
            "limits" => told_limits(),
            _ => perform(self.open.as_ref().ok_or("EBADF")?, request)?,
        };
        done.map_err(|error| unipc::errname(error.errno()))
    }
}

impl Room {
    fn keep(&mut self, opened: Result<MessageQueue>) -> Result<String> {
        let queue = self.open.insert(opened?);
        let fd = queue.fd().map_or(-1, |fd| fd.as_raw_fd());
        Ok(format!("id={} fd={fd}", queue.id().unwrap_or(-1)))
    }

    fn remove(&self, request: &Request) -> Result<String> {
        match (request.text("name"), &self.open) {
            (Some(name), _) => MessageQueue::unlink(name)?,
            (None, Some(queue)) => queue.remove()?,
            (None, None) => {}
        }
        Ok("removed".into())
    }
}

fn create(request: &Request) -> Result<MessageQueue> {
    let mut options =
        MessageQueue::options().mode(Mode::new(request.number("mode").unwrap_or(0o600))?);
    if let Some(messages) = request.number("max_messages") {
        options = options.max_messages(messages);
    }
    if let Some(size) = request.number("max_size") {
        options = options.max_size(size);
    }
    options.create(request.text("name").unwrap_or_default())
}

/// The verbs of an open queue.
fn perform(queue: &MessageQueue, request: &Request) -> std::result::Result<Result<String>, String> {
    Ok(match request.verb {
        "send" => {
            let tag = request.number("tag").unwrap_or(1);
            queue.send(tag, &request.bytes("hex"), limit(request)).map(|()| "sent".into())
        }
        "send_msgbuf" => {
            let tag = request.number::<libc::c_long>("tag").unwrap_or(1);
            let msgbuf = [&tag.to_ne_bytes(), &request.bytes("hex")[..]].concat();
            queue.send_msgbuf(&msgbuf, limit(request)).map(|()| "sent".into())
        }
        "receive" => receive(queue, request),
        "receive_msgbuf" => receive_msgbuf(queue, request),
        "peek" => match queue.peek(request.number("index").unwrap_or(0)) {
            Ok(None) => return Err("ENOMSG".into()),
            Ok(Some(it)) => Ok(received(Received { tag: it.tag, len: it.data.len() }, &it.data)),
            Err(error) => Err(error),
        },
        "stat" => match queue.system_v() {
            Some(id) => id.stat().map(|status| describe(&status)),
            None => queue.posix_stat().map(|status| describe_posix(&status)),
        },
        "set" => {
            let mode = request.number("mode");
            let change =
                Change { mode, max_bytes: request.number("max_bytes"), ..Change::default() };
            let id = queue.system_v().unwrap_or(SystemV::from_id(-1));
            id.set(change).map(|()| "set".into())
        }
        "notify" => {
            let signal = request.number("signal").unwrap_or(0);
            queue.notify_signal(signal, 0).map(|()| "asked".into())
        }
        _ => return Err("ENOSYS".into()),
    })
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

fn receive(queue: &MessageQueue, request: &Request) -> Result<String> {
    let number = request.number("want").unwrap_or(0);
    let want =
        if request.text("except").is_some() { Want::Except(number) } else { Want::from(number) };
    let Some(cap) = request.number::<usize>("cap") else {
        let message = queue.receive(want, limit(request))?;
        let told = Received { tag: message.tag, len: message.data.len() };
        return Ok(received(told, &message.data));
    };
    let mut buffer = vec![0; cap];
    let told = if request.text("truncate").is_some() {
        queue.receive_truncated(want, &mut buffer, limit(request))?
    } else {
        queue.receive_into(want, &mut buffer, limit(request))?
    };
    Ok(received(told, &buffer[..told.len.min(cap)]))
}

fn receive_msgbuf(queue: &MessageQueue, request: &Request) -> Result<String> {
    let mut msgbuf = vec![0; TYPE_SIZE + request.number::<usize>("cap").unwrap_or(1 << 16)];
    let told = if request.text("truncate").is_some() {
        queue.receive_msgbuf_truncated(Want::Any, &mut msgbuf, limit(request))?
    } else {
        queue.receive_msgbuf(Want::Any, &mut msgbuf, limit(request))?
    };
    Ok(received(told, &msgbuf[TYPE_SIZE..][..told.len]))
}

fn received(told: Received, data: &[u8]) -> String {
    format!("tag={} len={} hex={}", told.tag, told.len, hex(data))
}

fn describe(status: &Status) -> String {
    let owner = status.permissions;
    format!(
        "key=0x{:08x} id={} mode={:o} uid={} gid={} cuid={} cgid={} bytes={} messages={} max_bytes={} lspid={} lrpid={} \
         stime={} rtime={} ctime={}",
        owner.key,
        status.id,
        owner.mode,
        owner.uid,
        owner.gid,
        owner.cuid,
        owner.cgid,
        status.bytes,
        status.messages,
        status.max_bytes,
        status.last_send_pid,
        status.last_receive_pid,
        status.send_time,
        status.receive_time,
        status.change_time
    )
}

fn describe_posix(status: &PosixStatus) -> String {
    let notified = status.notification;
    format!(
        "max_messages={} max_size={} messages={} bytes={} mode={:o} uid={} gid={} pid={} method={} signal={} atime={} \
         ctime={}",
        status.max_messages,
        status.max_size,
        status.messages,
        status.bytes.unwrap_or(u64::MAX),
        status.mode,
        status.uid,
        status.gid,
        notified.map_or(0, |notified| notified.pid),
        notified.map_or(0, |notified| notified.method),
        notified.map_or(0, |notified| notified.signal),
        status.access_time,
        status.change_time
    )
}

fn told_limits() -> Result<String> {
    let limits = limits()?;
    let told =
        format!("msgmax={} msgmnb={} msgmni={}", limits.msgmax, limits.msgmnb, limits.msgmni);
    Ok(match limits.posix {
        None => told,
        Some(posix) => format!(
            "{told} msg_max={} msgsize_max={} queues_max={} msg_default={} msgsize_default={}",
            posix.msg_max,
            posix.msgsize_max,
            posix.queues_max,
            posix.msg_default,
            posix.msgsize_default
        ),
    })
}
