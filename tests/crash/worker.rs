// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the processes do that get killed: everything that the library can do with one object, over and over.

use unipc::{Mode, SharedMemory};

use crate::object::{self, MODE, SIZES, SMALLEST, UMASK};
use crate::place::{Kind, Place};
use crate::process::umask;
use crate::random::Random;

/// Works on the object until it is killed; counts each step at `counter`.
pub(crate) fn work(place: &Place, counter: &SharedMemory, mut random: Random) {
    umask(UMASK);
    loop {
        let done = if place.kind.is_named() {
            step_named(place, &mut random)
        } else {
            step_nameless(place, &mut random)
        };
        // Nobody else is at work, so the name is there or not, and nothing else may happen.
        match done {
            Err(error) if !matches!(error.errno(), libc::ENOENT | libc::EEXIST) => {
                panic!("{error}")
            }
            _ => {}
        }
        counter.add_u64(0, 1).expect("the counter");
    }
}

fn step_named(place: &Place, random: &mut Random) -> unipc::Result<()> {
    let name = place.name.as_str();
    let options = options(random);
    let size = size(random);
    match random.below(8) {
        0 | 1 => object::write(&options.create(name, size)?, byte(random)),
        2 => options.open(name).map(drop),
        3 => options.open_or_create(name, SMALLEST).map(drop),
        4 => options.clone().replace(true).create(name, size).map(drop),
        5 if place.kind.has_file() => SharedMemory::open(name)?.resize(size),
        6 => SharedMemory::unlink(name),
        _ => SharedMemory::open(name)?.remove(),
    }
}

fn step_nameless(place: &Place, random: &mut Random) -> unipc::Result<()> {
    let mut shm = options(random).create(place.name.as_str(), size(random))?;
    object::write(&shm, byte(random))?;
    if place.kind == Kind::Anonymous {
        return Ok(());
    }
    // Sealed against shrinking, it can only grow.
    let larger = size(random).max(shm.len());
    shm.resize(larger)?;
    let reader = SharedMemory::options().read_only(true).from_fd(shm.read_only_fd()?)?;
    object::check(&reader).expect("what was written");
    Ok(())
}

/// The mode that the checker expects, and other things at random.
fn options(random: &mut Random) -> unipc::shm::Options {
    let mode = Mode::new(MODE).expect("nine bits");
    SharedMemory::options().mode(mode).populate(random.below(4) == 0)
}

/// Large objects take so long to fill that they would be all that is seen.
fn size(random: &mut Random) -> usize {
    let (largest, others) = SIZES.split_last().expect("there are sizes");
    if random.below(16) == 0 { *largest } else { *random.pick(others) }
}

/// Never zero, which would look like nothing.
fn byte(random: &mut Random) -> u8 {
    u8::try_from(random.below(255) + 1).unwrap_or(1)
}
