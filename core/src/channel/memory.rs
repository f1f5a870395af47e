// SPDX-License-Identifier: MIT OR Apache-2.0
//! A channel's memory: made complete before it has its name, checked when it is opened.

use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::declared;
use super::ground::{Ground, LATCH};
use super::layout::{
    CONTROL, Control, Direct, LAYOUT, PARTICIPANTS, Participant, SETTINGS, Settings, VERSION,
};
use crate::SharedMemory;
use crate::error::ErrorKind;
use crate::layout::{self, MAGIC, STAMP_SIZE};
use crate::map::lines::LINE;
use crate::map::mirror::{Mirror, Part};
use crate::record::Layout;

/// What is chosen when a channel is made.
#[derive(Debug, Clone)]
pub(super) struct Choice {
    pub(super) kind: [u8; 8],
    /// The least size of the ring in bytes.
    pub(super) capacity: usize,
    /// 0: messages of any size.
    pub(super) message_size: u32,
    pub(super) participants: u32,
    /// Of a topic: publishers wait for subscribers.
    pub(super) reliable: bool,
    /// Of a service: the size of a ring of answers, a power of two.
    pub(super) reply_size: usize,
    /// What every message consists of, if that was said.
    pub(super) layout: Option<Arc<Layout>>,
    /// The size of the pages that it is to lie in.
    pub(super) page: usize,
}

impl Choice {
    /// The size of the ring: a power of two, and whole pages.
    fn ring_size(&self) -> Result<usize, ErrorKind> {
        let least = self.capacity.max(self.page);
        let size = least.checked_next_multiple_of(2).and_then(usize::checked_next_power_of_two);
        size.filter(|&size| size <= 1 << 46).ok_or_else(|| {
            ErrorKind::invalid(format!("a ring of {} bytes is larger than can be", self.capacity))
        })
    }

    fn ring_offset(&self) -> usize {
        let line = if self.reply_size == 0 { 0 } else { size_of::<Direct>() };
        (self.lines_offset() + self.participants as usize * line).next_multiple_of(self.page)
    }

    /// Where a service has its direct lines.
    fn lines_offset(&self) -> usize {
        PARTICIPANTS + self.participants as usize * size_of::<Participant>()
    }

    /// The size of the whole object.
    pub(super) fn size(&self) -> Result<usize, ErrorKind> {
        let record = (self.message_size as usize + 8).next_multiple_of(8);
        let ring = self.ring_size()?;
        if record > ring {
            return Err(ErrorKind::invalid(format!(
                "a ring of {ring} bytes holds no message of {} bytes",
                self.message_size
            )));
        }
        if !(2..=4096).contains(&self.participants) {
            return Err(ErrorKind::invalid("a channel has places for 2 to 4096 participants"));
        }
        let replies = (self.participants as usize).checked_mul(self.reply_block());
        let whole = replies.and_then(|replies| (self.ring_offset() + ring).checked_add(replies));
        whole.ok_or(ErrorKind::Os(libc::EOVERFLOW))
    }

    /// What a service has for each participant: a page, and a ring of answers.
    fn reply_block(&self) -> usize {
        if self.reply_size == 0 { 0 } else { self.reply_size.saturating_add(self.page) }
    }

    /// What is zero in a new channel, as offsets and lengths: all but the rings, the stamp's magic, and the creator's latch.
    pub(super) fn blank(&self) -> impl Iterator<Item = (usize, usize)> {
        let first = self.ring_offset() + self.ring_size().unwrap_or(0);
        let (block, page) = (self.reply_block(), self.page);
        let replies = if block == 0 { 0 } else { self.participants as usize };
        let control =
            [(MAGIC.len(), LATCH * LINE - MAGIC.len()), (CONTROL, self.ring_offset() - CONTROL)];
        control.into_iter().chain((0..replies).map(move |slot| (first + slot * block, page)))
    }

    /// Writes what a new object begins with, but for its stamp; the rest is zeros.
    pub(super) fn write(
        &self,
        put: impl Fn(usize, &[u8]) -> Result<(), ErrorKind>,
    ) -> Result<(), ErrorKind> {
        let mut settings = [0_u8; 64];
        settings[..8].copy_from_slice(&(self.ring_offset() as u64).to_ne_bytes());
        settings[8..16].copy_from_slice(&(self.ring_size()? as u64).to_ne_bytes());
        settings[16..20].copy_from_slice(&self.message_size.to_ne_bytes());
        settings[20..24].copy_from_slice(&self.participants.to_ne_bytes());
        settings[28..32].copy_from_slice(&u32::from(self.reliable).to_ne_bytes());
        settings[32..40].copy_from_slice(&(self.reply_size as u64).to_ne_bytes());
        if let Some(layout) = &self.layout {
            put(LAYOUT, &declared::bytes_of(layout)?)?;
        }
        put(SETTINGS, &settings)
    }

    /// Makes a segment a channel that nobody else sees yet.
    ///
    /// Errors: `EINVAL` when its pages are not those that were counted on.
    pub(super) fn fill(&self, shm: &SharedMemory) -> Result<(), ErrorKind> {
        let page = shm.map().plan().page_size;
        if page != self.page {
            return Err(ErrorKind::invalid(format!(
                "it lies in pages of {page} bytes: ask for huge pages of that size"
            )));
        }
        let put =
            |at: usize, bytes: &[u8]| shm.write_at(at, bytes).map_err(|error| error.kind().clone());
        self.write(put)?;
        let size = self.size()? as u64;
        put(0, &layout::Layout { kind: self.kind, version: VERSION, size }.stamp())
    }
}

/// A channel's memory in this process.
#[derive(Debug)]
pub(super) struct Memory {
    pub(super) mirror: Arc<Mirror>,
    pub(super) settings: Part<Settings>,
    pub(super) control: Part<Control>,
    pub(super) slots: Arc<[Part<Participant>]>,
    /// Of a service, one for each slot.
    pub(super) lines: Arc<[Part<Direct>]>,
    pub(super) message_size: u32,
    pub(super) reliable: bool,
    can_shrink: bool,
    choice: Choice,
    file: OwnedFd,
    /// Where it begins in the file.
    start: usize,
}

impl Memory {
    /// Maps the channel that begins there.
    ///
    /// Errors: `EPROTO` when it is none of this kind and version, or damaged.
    pub(super) fn new(ground: Ground, kind: [u8; 8]) -> Result<Self, ErrorKind> {
        let size = check(&ground, kind)?;
        let number = |at: usize, bytes: usize| read_number(&ground, SETTINGS + at, bytes);
        let (ring, ring_size) = (number(0, 8)?, number(8, 8)?);
        let (message_size, participants) = (number(16, 4)?, number(20, 4)?);
        let mut choice = Choice {
            kind,
            reliable: number(28, 4)? != 0,
            reply_size: usize::try_from(number(32, 8)?).unwrap_or(usize::MAX),
            capacity: usize::try_from(ring_size).unwrap_or(0),
            message_size: u32::try_from(message_size).unwrap_or(u32::MAX),
            participants: u32::try_from(participants).unwrap_or(u32::MAX),
            layout: None,
            page: ground.page,
        };
        let agrees = choice.size().is_ok_and(|whole| whole == size)
            && choice.ring_offset() as u64 == ring
            && choice.ring_size() == Ok(choice.capacity)
            && (choice.reply_size == 0 || choice.reply_size.is_power_of_two());
        if !agrees {
            return Err(ErrorKind::Layout("the channel's settings contradict its size".into()));
        }
        let read = |buffer: &mut [u8], at: usize| read(&ground, buffer, at);
        choice.layout = declared::find(choice.message_size, read)?.map(Arc::new);
        let control = choice.ring_offset();
        let Ground { file, start, page, can_shrink, .. } = ground;
        let mirror = Arc::new(Mirror::new(
            file.try_clone()?,
            start,
            control,
            choice.capacity,
            can_shrink,
            page,
        )?);
        let slot = |index| mirror.part(PARTICIPANTS + index * size_of::<Participant>());
        let slots: Result<Vec<_>, _> = (0..choice.participants as usize).map(slot).collect();
        let line = |index| mirror.part(choice.lines_offset() + index * size_of::<Direct>());
        let lines = if choice.reply_size == 0 { 0 } else { choice.participants as usize };
        let lines: Result<Vec<_>, _> = (0..lines).map(line).collect();
        Ok(Self {
            settings: mirror.part(SETTINGS)?,
            control: mirror.part(CONTROL)?,
            slots: slots?.into(),
            lines: lines?.into(),
            message_size: choice.message_size,
            reliable: choice.reliable,
            can_shrink,
            choice,
            mirror,
            file,
            start,
        })
    }

    /// Maps the queue of answers for the participant in this slot.
    pub(super) fn replies(&self, slot: usize) -> Result<(Arc<Mirror>, Part<Control>), ErrorKind> {
        let choice = &self.choice;
        let first = choice.ring_offset() + choice.capacity;
        let mirror = Arc::new(Mirror::new(
            self.file.try_clone()?,
            self.start + first + slot * choice.reply_block(),
            choice.page,
            choice.reply_size,
            self.can_shrink,
            choice.page,
        )?);
        let control = mirror.part(0)?;
        Ok((mirror, control))
    }

    /// What every message consists of, if its maker said so.
    pub(super) fn layout(&self) -> Option<&Layout> {
        self.choice.layout.as_deref()
    }

    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }

    /// Must everybody use full fences? See [`super::wait`].
    pub(super) fn fences(&self) -> bool {
        self.settings.fences.load(Ordering::Relaxed) != 0
    }
}

/// Is it a finished object of this kind, as large as its stamp says?
fn check(ground: &Ground, kind: [u8; 8]) -> Result<usize, ErrorKind> {
    let mut stamp = [0; STAMP_SIZE];
    read(ground, &mut stamp, 0)?;
    let size = u64::from_ne_bytes(std::array::from_fn(|index| stamp[32 + index]));
    layout::Layout { kind, version: VERSION, size }.check(&stamp)?;
    match usize::try_from(size) {
        Ok(size) if size <= ground.length => Ok(size),
        _ => {
            let length = ground.length;
            let why = format!("it says that it has {size} bytes, and has {length}");
            Err(ErrorKind::Layout(why.into()))
        }
    }
}

fn read_number(ground: &Ground, at: usize, bytes: usize) -> Result<u64, ErrorKind> {
    let mut number = [0; 8];
    read(ground, &mut number[..bytes], at)?;
    Ok(u64::from_ne_bytes(number))
}

/// Through the descriptor, where a file that is too short is no signal.
fn read(ground: &Ground, buffer: &mut [u8], at: usize) -> Result<(), ErrorKind> {
    let file = File::from(ground.file.try_clone()?);
    let at = ground.start.saturating_add(at) as u64;
    file.read_exact_at(buffer, at).map_err(|error| match error.raw_os_error() {
        Some(errno) => ErrorKind::Os(errno),
        None => ErrorKind::Layout("it is too small to be a channel".into()),
    })
}
