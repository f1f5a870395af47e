// SPDX-License-Identifier: MIT OR Apache-2.0
//! Waits for a queue in shared memory, a System V queue and a pipe at once, and shows what comes from any of them.
//!
//! Run `wait_any QUEUE MQ` with a pipe as its standard input, and then `queue_sender QUEUE TEXT...`, `mq_sender MQ TEXT...`,
//! in any languages. It ends with the pipe, and removes both queues.
#![allow(clippy::print_stdout, reason = "this is a program")]

mod common;

use std::io::Read;
use std::process::ExitCode;

use common::Failure;
use unipc::channel::Queue;
use unipc::mq::Want;
use unipc::poll::{Poller, Wait, Waitable};
use unipc::{MessageQueue, Timeout};

fn show() -> Result<(), Failure> {
    let usage = "wait_any QUEUE MQ";
    let arguments = common::arguments(usage)?;
    let [name, orders] = arguments.as_slice() else {
        return Err(format!("usage: {usage}").into());
    };
    let mut jobs = Queue::open_or_create(name.as_os_str(), 1 << 20)?;
    let orders = MessageQueue::open_or_create(orders.as_os_str())?;
    let mut input = std::io::stdin();
    let mut poller = Poller::new();
    poller.add(jobs.waitable()?.detached(), 0)?;
    poller.add(orders.waitable()?, 1)?;
    poller.add(Waitable::readable(&input).detached(), 2)?;
    println!("ready");
    let mut is_open = true;
    while is_open {
        for key in poller.wait(Timeout::Forever)? {
            match key {
                0 => println!("queue: {}", String::from_utf8_lossy(&jobs.recv(Timeout::TRY)?)),
                1 => {
                    let message = orders.receive(Want::Any, Timeout::TRY)?;
                    println!("mq: {}", String::from_utf8_lossy(&message.data));
                }
                _ => {
                    let mut text = [0; 4096];
                    let length = input.read(&mut text)?;
                    is_open = length > 0;
                    if is_open {
                        println!("pipe: {}", String::from_utf8_lossy(text[..length].trim_ascii()));
                    }
                }
            }
        }
    }
    drop(poller);
    orders.remove()?;
    Ok(Queue::unlink(name.as_os_str())?)
}

fn main() -> ExitCode {
    common::finish(show())
}
