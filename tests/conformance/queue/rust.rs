// SPDX-License-Identifier: MIT OR Apache-2.0
//! The Rust face.

use std::os::fd::AsRawFd;

use unipc::mq::{self, Want};
use unipc::{MessageQueue, Mode, Timeout};

use super::face::{How, Limit, Options, Queue};
use crate::memory::{Errno, Result};

#[derive(Debug)]
pub(crate) struct Rust(MessageQueue);

#[allow(clippy::needless_pass_by_value, reason = "what map_err passes")]
fn errno(error: unipc::Error) -> Errno {
    error.errno()
}

fn options(options: Options) -> mq::Options {
    let mut given = MessageQueue::options()
        .send_only(options.send_only)
        .receive_only(options.receive_only)
        .replace(options.replace)
        .remove_on_drop(options.remove_on_close);
    if let Some(bits) = options.mode {
        given = given.mode(Mode::new(bits).unwrap());
    }
    if options.max_messages > 0 {
        given = given.max_messages(options.max_messages);
    }
    if options.max_size > 0 {
        given = given.max_size(options.max_size);
    }
    given
}

fn timeout(limit: Limit) -> Timeout {
    limit.map_or(Timeout::Forever, Timeout::After)
}

impl Queue for Rust {
    fn create(name: &str, given: Options) -> Result<Self> {
        options(given).create(name).map(Self).map_err(errno)
    }

    fn open(name: &str, given: Options) -> Result<Self> {
        options(given).open(name).map(Self).map_err(errno)
    }

    fn open_or_create(name: &str, given: Options) -> Result<Self> {
        options(given).open_or_create(name).map(Self).map_err(errno)
    }

    fn unlink(name: &str) -> Result<()> {
        MessageQueue::unlink(name).map_err(errno)
    }

    fn remove(&self) -> Result<()> {
        self.0.remove().map_err(errno)
    }

    fn name(&self) -> String {
        self.0.name().to_string()
    }

    fn fd(&self) -> Result<i32> {
        self.0.fd().map(|fd| fd.as_raw_fd()).ok_or(libc::EOPNOTSUPP)
    }

    fn id(&self) -> Result<i32> {
        self.0.id().ok_or(libc::EOPNOTSUPP)
    }

    fn max_size(&self) -> usize {
        self.0.max_size().unwrap()
    }

    fn messages(&self) -> Result<u64> {
        self.0.messages().map_err(errno)
    }

    fn notify_signal(&self, signal: i32) -> Result<()> {
        self.0.notify_signal(signal, 0).map_err(errno)?;
        self.0.cancel_notification().map_err(errno)
    }

    fn send(&self, tag: i64, data: &[u8], limit: Limit) -> Result<()> {
        self.0.send(tag, data, timeout(limit)).map_err(errno)
    }

    fn receive(&self, how: How, buffer: &mut [u8], limit: Limit) -> Result<(i64, usize)> {
        let want = if how.except { Want::Except(how.want) } else { Want::from(how.want) };
        let received = if how.truncate {
            self.0.receive_truncated(want, buffer, timeout(limit))
        } else {
            self.0.receive_into(want, buffer, timeout(limit))
        };
        received.map(|received| (received.tag, received.len)).map_err(errno)
    }

    fn peek(&self, index: usize) -> Result<Option<(i64, Vec<u8>)>> {
        let message = self.0.peek(index).map_err(errno)?;
        Ok(message.map(|message| (message.tag, message.data)))
    }
}
