// SPDX-License-Identifier: MIT OR Apache-2.0
//! Death of one who only waits: what came meanwhile is there, once and in order, and the next one is told of it.
//!
//! The victim waits for a System V queue, which its helper looks at, and for a queue in shared memory, by a poller and by descriptors
//! that are armed. It never takes anything. Half of the victims die when they are armed for certain, the others at any moment.

use std::time::{Duration, Instant};

use unipc::channel::{Options, Queue};
use unipc::mq::Want;
use unipc::poll::{Doorbell, Poller, Wait, Waitable, wait_any};
use unipc::{MessageQueue, SharedMemory, Timeout};

use crate::process::{Child, Status};
use crate::random::Random;

const LIMIT: Timeout = Timeout::After(Duration::from_secs(20));
const LOOK: Timeout = Timeout::After(Duration::from_millis(20));
const CAPACITY: usize = 4096;
/// The parent, a victim, and one or the other of the dead.
const PARTICIPANTS: u32 = 4;
/// A victim lives at most for so many microseconds: longer than the helper sleeps between two looks.
const LIFE: u64 = 15_000;
/// Every so many rounds somebody else is to be told.
const OTHERS: u64 = 8;
/// How often something was sent while the victim lived.
const SENT: u64 = 3;

struct Scene {
    orders: MessageQueue,
    jobs: Queue,
    name: String,
    /// How often a victim has armed everything, in its first eight bytes.
    armed: SharedMemory,
}

impl Drop for Scene {
    fn drop(&mut self) {
        let _ = Queue::unlink(self.name.as_str());
    }
}

/// So many kills; what went wrong.
pub(crate) fn run(kills: u64, seed: u64) -> Vec<String> {
    let name = format!("/unipc-crash-watcher-{:x}", std::process::id());
    let options = MessageQueue::options().remove_on_drop(true);
    let mut scene = Scene {
        orders: options.create("sysv:private").expect("room for a queue"),
        jobs: Options::new()
            .participants(PARTICIPANTS)
            .create(name.as_str(), CAPACITY)
            .expect("the name is free"),
        name,
        armed: SharedMemory::create("anon:", CAPACITY).expect("memory"),
    };
    let mut random = Random::new(seed);
    let mut failures = Vec::new();
    for round in 0..kills {
        if let Err(why) = one(&mut scene, round, &mut random) {
            failures.push(format!("round {round}: {why}"));
            while scene.orders.receive(Want::Any, Timeout::TRY).is_ok() {}
            while scene.jobs.recv(Timeout::TRY).is_ok() {}
        }
        if failures.len() > 20 {
            break;
        }
    }
    failures
}

/// One victim, and what is there after it.
fn one(scene: &mut Scene, round: u64, random: &mut Random) -> Result<(), String> {
    scene.armed.write(0, &0_u64).expect("a number");
    let victim = watcher(scene);
    if round.is_multiple_of(2) {
        is_armed(scene)?;
    }
    for number in 0..SENT {
        std::thread::sleep(Duration::from_micros(random.below(LIFE / SENT)));
        let text = message(round, number);
        scene.orders.send(1, &text, LIMIT).map_err(|error| format!("an order: {error}"))?;
        scene.jobs.send(&text, LIMIT).map_err(|error| format!("a job: {error}"))?;
    }
    victim.kill();
    drop(victim);
    let mut next = 0;
    if round.is_multiple_of(OTHERS) {
        takes_the_first(scene, round)?;
        next = 1;
    }
    for number in 0..SENT {
        let wanted = message(round, number);
        if number >= next {
            let order = scene.orders.receive(Want::Any, Timeout::TRY);
            let order = order.map_err(|error| format!("order {number} is lost: {error}"))?;
            (order.data == wanted).then_some(()).ok_or(format!("order {number} is another"))?;
        }
        let job = scene.jobs.recv(Timeout::TRY);
        let job = job.map_err(|error| format!("job {number} is lost: {error}"))?;
        (job == wanted).then_some(()).ok_or(format!("job {number} is another"))?;
    }
    let more = scene.orders.receive(Want::Any, Timeout::TRY).is_ok()
        || scene.jobs.recv(Timeout::TRY).is_ok();
    if more { Err("one more than was sent".into()) } else { Ok(()) }
}

fn message(round: u64, number: u64) -> [u8; 8] {
    (round * SENT + number).to_ne_bytes()
}

/// Until the victim says so.
fn is_armed(scene: &Scene) -> Result<(), String> {
    let since = Instant::now();
    while scene.armed.read::<u64>(0).expect("a number") == 0 {
        if since.elapsed() > Duration::from_secs(20) {
            return Err("the victim does not wait".into());
        }
        std::thread::yield_now();
    }
    Ok(())
}

/// Waits again and again for what it does not take.
fn watcher(scene: &Scene) -> Child {
    Child::run(|| {
        let orders = again(scene);
        let jobs = Queue::open(scene.name.as_str()).expect("a place, though others have died");
        let bell = Doorbell::new(&orders.waitable().expect("a queue")).expect("a descriptor");
        let end = jobs.fd().expect("a descriptor");
        for round in 1_u64.. {
            let mut poller = Poller::new();
            poller.add(Waitable::readable(&bell), 1).expect("a descriptor");
            poller.add(Waitable::readable(&end), 2).expect("a descriptor");
            poller.add(orders.waitable().expect("a queue"), 3).expect("a descriptor");
            scene.armed.write(0, &round).expect("a number");
            if let Err(error) = poller.wait(LOOK) {
                assert_eq!(error.errno(), libc::ETIMEDOUT, "{error}");
            }
            bell.arm().expect("the helper is there");
        }
    })
}

/// Another one is told of the first order, and takes it.
fn takes_the_first(scene: &Scene, round: u64) -> Result<(), String> {
    let mut other = Child::run(|| {
        let orders = again(scene);
        wait_any(&[orders.waitable().expect("a queue")], LIMIT).expect("to be told");
        let order = orders.receive(Want::Any, Timeout::TRY).expect("nobody else takes");
        assert_eq!(order.data, message(round, 0));
    });
    match other.wait() {
        Status::Exited(0) => Ok(()),
        status => Err(format!("another one was not told: {status:?}")),
    }
}

fn again(scene: &Scene) -> MessageQueue {
    let name = format!("sysv:id={}", scene.orders.id().expect("a System V queue"));
    MessageQueue::open(name).expect("it is there")
}
