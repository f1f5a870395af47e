// SPDX-License-Identifier: MIT OR Apache-2.0
//! Messages that are records of a Rust type.

use std::mem::MaybeUninit;

use super::queue::{Queue, QueueReceiver, QueueSender};
use super::subscriber::Received;
use super::topic::{Subscriber, Topic};
use crate::error::Result;
use crate::record::{Buffer, Record};
use crate::time::Timeout;

/// The bytes of a value, padding as zeros, for as long as `work` takes.
#[inline]
fn with_bytes<T: Record, R>(value: &T, work: impl FnOnce(&[u8]) -> R) -> R {
    let mut bytes = Buffer::<T>::new();
    value.store(bytes.as_mut());
    work(bytes.as_mut())
}

/// The value whose bytes `work` receives into a row of one.
#[inline]
fn from_bytes<T: Record, R>(
    work: impl FnOnce(&mut [MaybeUninit<u8>], usize) -> Result<R>,
) -> Result<(T, R)> {
    let mut bytes = Buffer::<T>::new();
    let room = crate::map::copy::uninit(bytes.as_mut());
    let size = room.len();
    let result = work(room, size)?;
    Ok((T::load(bytes.as_mut()), result))
}

impl Queue {
    /// [`QueueSender::send_record`].
    pub fn send_record<T: Record>(&mut self, record: &T, timeout: Timeout) -> Result<()> {
        self.sender().send_record(record, timeout)
    }

    /// [`QueueReceiver::recv_record`].
    pub fn recv_record<T: Record>(&mut self, timeout: Timeout) -> Result<T> {
        self.receiver().recv_record(timeout)
    }
}

impl QueueSender {
    /// Sends a record. That its fields are those of the queue is checked where the queue is opened with a layout
    /// ([`Options::layout`](super::Options::layout)); here its size is.
    ///
    /// Errors: as [`QueueSender::send`].
    #[inline]
    pub fn send_record<T: Record>(&mut self, record: &T, timeout: Timeout) -> Result<()> {
        with_bytes(record, |bytes| self.send(bytes, timeout))
    }
}

impl QueueReceiver {
    /// Receives a record.
    ///
    /// Errors: as [`QueueReceiver::recv`]; `EMSGSIZE` when the message has another size: it stays in the queue.
    #[inline]
    pub fn recv_record<T: Record>(&mut self, timeout: Timeout) -> Result<T> {
        from_bytes(|room, size| self.recv_row(room, size, timeout)).map(|(record, _)| record)
    }
}

impl Topic {
    /// Publishes a record; see [`QueueSender::send_record`]. Errors: as [`Topic::publish`].
    #[inline]
    pub fn publish_record<T: Record>(&mut self, record: &T, timeout: Timeout) -> Result<()> {
        with_bytes(record, |bytes| self.publish(bytes, timeout))
    }
}

impl Subscriber {
    /// Receives a record.
    ///
    /// Errors: as [`Subscriber::recv`]; `EMSGSIZE` when the message has another size: it can be received again.
    #[inline]
    pub fn recv_record<T: Record>(&mut self, timeout: Timeout) -> Result<(T, Received)> {
        let received = from_bytes(|room, size| self.recv_row(room, size, timeout));
        received.map(|(record, (_, lost))| (record, Received { length: size_of::<T>(), lost }))
    }
}
