// SPDX-License-Identifier: MIT OR Apache-2.0
//! The Rust face.

use std::os::fd::BorrowedFd;

use unipc::socket::{self, DescriptorKind, Expect, Kind, Listener, Options, Shutdown};
use unipc::{Mode, Timeout};

use super::face::{Came, Limit, Socket};
use crate::memory::{Errno, Result};

#[derive(Debug)]
pub(crate) struct Rust(socket::Socket);

#[allow(clippy::needless_pass_by_value, reason = "what map_err passes")]
fn errno(error: unipc::Error) -> Errno {
    error.errno()
}

fn timeout(limit: Limit) -> Timeout {
    limit.map_or(Timeout::Forever, Timeout::After)
}

impl Socket for Rust {
    type Listener = Listener;

    fn pair(kind: Kind) -> Result<(Self, Self)> {
        socket::Socket::pair(kind).map(|(one, other)| (Self(one), Self(other))).map_err(errno)
    }

    fn connect(name: &str, kind: Kind, limit: Limit) -> Result<Self> {
        Options::new().kind(kind).connect(name, timeout(limit)).map(Self).map_err(errno)
    }

    fn listen(name: &str, kind: Kind, mode: Option<u32>) -> Result<Listener> {
        let mut options = Options::new().kind(kind);
        if let Some(bits) = mode {
            options = options.mode(Mode::new(bits).unwrap());
        }
        options.listen(name).map_err(errno)
    }

    fn accept(listener: &Listener, limit: Limit) -> Result<Self> {
        listener.accept(timeout(limit)).map(Self).map_err(errno)
    }

    fn unlink(name: &str) -> Result<()> {
        socket::unlink(name).map_err(errno)
    }

    fn send(&self, bytes: &[u8], limit: Limit) -> Result<usize> {
        self.0.send(bytes, timeout(limit)).map_err(errno)
    }

    fn recv(&self, room: usize, limit: Limit) -> Result<Vec<u8>> {
        let mut bytes = vec![0; room];
        let length = self.0.recv(&mut bytes, timeout(limit)).map_err(errno)?;
        bytes.truncate(length);
        Ok(bytes)
    }

    fn send_message(&self, bytes: &[u8], fds: &[BorrowedFd<'_>], limit: Limit) -> Result<usize> {
        self.0.send_message(bytes, fds, None, timeout(limit)).map_err(errno)
    }

    fn recv_message(
        &self,
        room: usize,
        (least, most): (usize, usize),
        kind: DescriptorKind,
        limit: Limit,
    ) -> Result<Came> {
        let mut bytes = vec![0; room];
        let expect = Expect::between(least, most).kind(kind);
        let came = self.0.recv_message(&mut bytes, &expect, timeout(limit)).map_err(errno)?;
        bytes.truncate(came.length);
        Ok(Came { bytes, descriptors: came.descriptors, ended: came.ended })
    }

    fn finish(&self) -> Result<()> {
        self.0.shutdown(Shutdown::Send).map_err(errno)
    }
}
