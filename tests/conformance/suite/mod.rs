// SPDX-License-Identifier: MIT OR Apache-2.0
//! The facts that hold for every backing in every face.

mod bytes;
mod life;
mod size;

pub(crate) use bytes::*;
pub(crate) use life::*;
pub(crate) use size::*;

use crate::memory::{Memory, Options};
use crate::object::{Kind, Object};

const PAGE: usize = 4096;

fn made<M: Memory>(kind: Kind, size: usize) -> (Object, M) {
    let object = Object::new(kind);
    let memory = object.create(size, Options::default()).unwrap();
    (object, memory)
}

fn bytes<M: Memory>(memory: &M, offset: usize, length: usize) -> Vec<u8> {
    let mut buffer = vec![0xee; length];
    memory.read_at(offset, &mut buffer).unwrap();
    buffer
}
