// SPDX-License-Identifier: MIT OR Apache-2.0
//! How a channel is made and opened, where the defaults do not do.

use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::declared;
use super::ground::{self, Ground};
use super::memory::{Choice, Memory};
use super::seat::Label;
use super::subscriber::Start;
use crate::error::{Error, ErrorKind, Result};
use crate::map::Map;
use crate::name::Name;
use crate::open::{Disposition, Mode};
use crate::record::Layout;
use crate::sync::Place;
use crate::{SharedMemory, shm, sys};

/// How often `open_or_create` looks again, when others create and unlink the name meanwhile.
const ATTEMPTS: u32 = 100;

/// Memory with a channel in it.
enum Got {
    Made(SharedMemory),
    Found(SharedMemory),
}

/// What a channel can be: [`super::Queue`], [`super::Topic`].
#[allow(private_interfaces, private_bounds, reason = "nobody else makes channels")]
pub trait Channel: Sealed {}

pub(super) trait Sealed: Sized + Send + 'static {
    const KIND: [u8; 8];
    /// Its messages can be records.
    const RECORDS: bool = true;

    fn attach(memory: Arc<Memory>, label: Label, options: &Options) -> Result<Self, ErrorKind>;

    /// The size of the rings of answers, where there are any: at least so many bytes, and a page.
    fn reply_size(_: usize, _: usize) -> Result<usize, ErrorKind> {
        Ok(0)
    }
}

/// The options of channels; one set serves any number of calls.
///
/// ```
/// use unipc::channel::{Options, Queue};
/// # fn main() -> unipc::Result<()> {
/// # let name = format!("/doc-options-{}", std::process::id());
/// let frames: Queue = Options::new().message_size(64).create(name.as_str(), 1 << 20)?;
/// # Queue::unlink(name.as_str())?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Options {
    mode: Mode,
    message_size: u32,
    participants: u32,
    reliable: bool,
    reply_capacity: usize,
    layout: Option<Arc<Layout>>,
    huge_page_size: Option<usize>,
    pub(super) spin: bool,
    pub(super) start: Start,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            mode: Mode::PRIVATE,
            message_size: 0,
            participants: 64,
            reliable: false,
            reply_capacity: 16 << 10,
            layout: None,
            huge_page_size: None,
            spin: false,
            start: Start::Newest,
        }
    }
}

impl Options {
    /// The defaults: mode 0600, messages of any size, places for 64 participants; a topic keeps the latest messages, and
    /// a new subscriber begins with the next one.
    pub fn new() -> Self {
        Self::default()
    }

    /// When creating: the permission bits, exact whatever the umask.
    #[must_use]
    pub fn mode(mut self, mode: Mode) -> Self {
        self.mode = mode;
        self
    }

    /// When creating: every message has this size in bytes, which saves the lengths; 0 for messages of any size.
    #[must_use]
    pub fn message_size(mut self, size: u32) -> Self {
        self.message_size = size;
        self
    }

    /// When creating: how many handles there can be at a time, in all processes together.
    #[must_use]
    pub fn participants(mut self, count: u32) -> Self {
        self.participants = count;
        self
    }

    /// When creating a topic: publishers wait for the slowest living subscriber, so that nobody loses a message. Otherwise
    /// they never wait, and a subscriber that is too slow is told how many it lost.
    #[must_use]
    pub fn reliable(mut self, reliable: bool) -> Self {
        self.reliable = reliable;
        self
    }

    /// When creating a service: the least size in bytes of the ring of answers that each participant has. 16 KiB by default.
    #[must_use]
    pub fn reply_capacity(mut self, capacity: usize) -> Self {
        self.reply_capacity = capacity;
        self
    }

    /// Every message of the queue or topic is a record of this layout. When creating, it is stored in the channel, where whoever
    /// opens it without saying anything learns it ([`super::Queue::layout`]). When opening, a channel with another layout, or
    /// with none, is refused with `EPROTO`: the first field that differs is named, with both offsets and both types.
    ///
    /// ```
    /// use unipc::{Timeout, channel::{Options, Queue}, record::Record};
    ///
    /// #[derive(Record, Clone, Copy)]
    /// #[repr(C)]
    /// struct Sample { t_ns: u64, volts: [f32; 4] }
    ///
    /// # fn main() -> unipc::Result<()> {
    /// # let name = format!("/doc-channel-layout-{}", std::process::id());
    /// let options = Options::new().layout(&Sample::layout()?);
    /// let mut samples: Queue = options.create(name.as_str(), 1 << 20)?;
    /// samples.send_record(&Sample { t_ns: 7, volts: [0.5; 4] }, Timeout::Forever)?;
    ///
    /// let mut reader: Queue = options.open(name.as_str())?; // in any process and language
    /// assert_eq!(reader.recv_record::<Sample>(Timeout::Forever)?.volts[3], 0.5);
    /// # Queue::unlink(name.as_str())?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn layout(mut self, layout: &Layout) -> Self {
        self.layout = Some(Arc::new(layout.clone()));
        self
    }

    /// When creating: the channel lies in pages of this size in bytes, a power of two that the system has
    /// (`/sys/kernel/mm/hugepages`), so a large ring takes fewer entries of the processor's table of pages. It is rounded up to
    /// whole pages, of which it takes two at least. Where: a memfd (`memfd:LABEL`), or a file on hugetlbfs (`file:PATH`).
    /// Nothing else is used instead where there are none.
    ///
    /// Errors of creating: `ENOSPC` when so many huge pages are not free (`/proc/sys/vm/nr_hugepages`), `EOPNOTSUPP` for POSIX
    /// objects, `EINVAL` for a size that is none, for a file in other pages, and in a place, whose memory has its pages already.
    #[doc(alias = "MFD_HUGETLB")]
    #[must_use]
    pub fn huge_pages(mut self, size: usize) -> Self {
        self.huge_page_size = Some(size);
        self
    }

    /// Never sleep: waiting takes a processor, and the least time. By default a wait spins for a while and then sleeps.
    #[must_use]
    pub fn spin(mut self, spin: bool) -> Self {
        self.spin = spin;
        self
    }

    /// Of a topic: where a new subscriber begins.
    #[must_use]
    pub fn start(mut self, start: Start) -> Self {
        self.start = start;
        self
    }

    /// Creates the channel, with a ring of at least `capacity` bytes: under a name, or in a [`Place`] of memory that holds other
    /// things as well: `(&shm, offset)`, or what [`Directory::place_on_page`](crate::record::Directory::place_on_page) gives.
    ///
    /// Errors: `EEXIST` when there is one, `ENOSPC`, `ENOMEM`, `EINVAL`; `EOPNOTSUPP` for System V and anonymous memory. In a place
    /// also `EINVAL` when it does not begin on a page of the memory, `ERANGE` when it is too small
    /// ([`Options::size_for`]), `EBUSY` when the bytes of its first page are not zero, `EACCES` in read-only memory.
    pub fn create<'a, C: Channel>(
        &self,
        place: impl TryInto<Place<'a>, Error: Into<Error>>,
        capacity: usize,
    ) -> Result<C> {
        self.get(&place.try_into().map_err(Into::into)?, Disposition::Create, capacity)
    }

    /// Opens the channel, or creates it when there is none. Errors: those of both.
    pub fn open_or_create<'a, C: Channel>(
        &self,
        place: impl TryInto<Place<'a>, Error: Into<Error>>,
        capacity: usize,
    ) -> Result<C> {
        self.get(&place.try_into().map_err(Into::into)?, Disposition::OpenOrCreate, capacity)
    }

    /// Opens the channel.
    ///
    /// Errors: `ENOENT`, `EACCES`; `EPROTO` when it is none of this kind, one of another version, or its layout differs from the one
    /// that was stated; `EBUSY` when all places for participants are taken.
    pub fn open<'a, C: Channel>(
        &self,
        place: impl TryInto<Place<'a>, Error: Into<Error>>,
    ) -> Result<C> {
        self.get(&place.try_into().map_err(Into::into)?, Disposition::Open, 0)
    }

    /// How many bytes a place for a channel with such a ring needs. It must begin on a page.
    ///
    /// Errors: `EINVAL` for what cannot be created.
    pub fn size_for<C: Channel>(&self, capacity: usize) -> Result<usize> {
        let page = self.huge_page_size.unwrap_or_else(sys::page_size);
        let size = self.choice::<C>(capacity, page).and_then(|choice| choice.size());
        size.map_err(|kind| kind.during("size_for", format_args!("{capacity} bytes")))
    }

    /// Opens the channel that a descriptor refers to: a memfd that was inherited or received.
    pub fn from_fd<C: Channel>(&self, fd: impl Into<OwnedFd>) -> Result<C> {
        let shm = SharedMemory::from_fd(fd)?;
        let name = shm.name();
        self.attach(shm.map(), 0, name.clone().into()).map_err(|kind| kind.during("from_fd", name))
    }

    fn get<C: Channel>(
        &self,
        place: &Place<'_>,
        disposition: Disposition,
        capacity: usize,
    ) -> Result<C> {
        let operation = ["open", "create", "open_or_create"][disposition as usize];
        let failed = |kind: ErrorKind| place.failed(operation, kind);
        match (place.name(), disposition) {
            (None, _) => self.at(place, disposition, capacity).map_err(failed),
            (Some(name), Disposition::Open) => {
                let shm = shm::Options::new().open(name)?;
                self.attach(shm.map(), 0, name.clone().into()).map_err(failed)
            }
            (Some(name), _) => self.make(name, capacity, operation, disposition),
        }
    }

    /// In memory that holds other things as well.
    fn at<C: Channel>(
        &self,
        place: &Place<'_>,
        disposition: Disposition,
        capacity: usize,
    ) -> Result<C, ErrorKind> {
        let site = place.site()?;
        let map = &site.map;
        if disposition == Disposition::Open {
            ground::await_creator(&site)?;
        } else {
            if self.huge_page_size.is_some() {
                return Err(ErrorKind::invalid("the memory has its pages already"));
            }
            let choice = self.choice::<C>(capacity, map.plan().page_size)?;
            let made = ground::create(&site, &choice)?;
            if !made && disposition == Disposition::Create {
                return Err(ErrorKind::Os(libc::EEXIST));
            }
        }
        let name = place.memory_name().cloned();
        let name = name.unwrap_or_else(|| map.file().map_or(Name::Anonymous, shm::name_of));
        self.attach(map, site.offset, Label { name, text: place.to_string() })
    }

    /// What is chosen for a new channel in such pages.
    fn choice<C: Channel>(&self, capacity: usize, page: usize) -> Result<Choice, ErrorKind> {
        if !page.is_power_of_two() || page < sys::page_size() {
            return Err(ErrorKind::invalid(format!(
                "pages of {page} bytes do not exist; /sys/kernel/mm/hugepages lists the sizes"
            )));
        }
        Ok(Choice {
            kind: C::KIND,
            capacity,
            message_size: self.size_of_messages()?,
            participants: self.participants,
            reliable: self.reliable,
            reply_size: C::reply_size(self.reply_capacity, page)?,
            layout: self.layout.clone(),
            page,
        })
    }

    /// Under a name, unless it is to be opened and is there.
    fn make<C: Channel>(
        &self,
        name: &Name,
        capacity: usize,
        operation: &'static str,
        disposition: Disposition,
    ) -> Result<C> {
        let failed = |kind: ErrorKind| kind.during(operation, name);
        let page = self.huge_page_size.unwrap_or_else(sys::page_size);
        let choice = self.choice::<C>(capacity, page).map_err(failed)?;
        let size = choice.size().map_err(failed)?;
        // It is attached before it has its name, so that a failure leaves none.
        let ours = Arc::new(Mutex::new(None));
        let (given, this, its_name) = (Arc::clone(&ours), self.clone(), name.clone());
        let mut options = shm::Options::new().mode(self.mode).fill(move |shm| {
            choice.fill(shm)?;
            let channel: C = this.attach(shm.map(), 0, its_name.clone().into())?;
            *lock(&given) = Some(channel);
            Ok(())
        });
        // The pages of a file are its file system's.
        if let (Some(page), false) = (self.huge_page_size, matches!(name, Name::File(_))) {
            options = options.huge_pages(page);
        }
        let got = match disposition {
            Disposition::OpenOrCreate => open_or_create(&options, name, size),
            _ => options.create(name, size).map(Got::Made),
        };
        let (shm, ours) = match got? {
            Got::Made(shm) => (shm, lock(&ours).take()),
            Got::Found(shm) => (shm, None),
        };
        match ours {
            Some(channel) => Ok(channel),
            None => self.attach(shm.map(), 0, name.clone().into()).map_err(failed),
        }
    }

    /// Of a new channel, by its layout if it has one.
    fn size_of_messages(&self) -> Result<u32, ErrorKind> {
        let Some(layout) = &self.layout else { return Ok(self.message_size) };
        let size = layout.size();
        if self.message_size != 0 && self.message_size as usize != size {
            return Err(ErrorKind::invalid(format!(
                "a record has {size} bytes, and a message is to have {}",
                self.message_size
            )));
        }
        // One that is larger is refused where the layout is written.
        Ok(u32::try_from(size).unwrap_or(u32::MAX))
    }

    fn attach<C: Channel>(&self, map: &Map, offset: usize, label: Label) -> Result<C, ErrorKind> {
        self.check_records::<C>()?;
        let memory = Arc::new(Memory::new(Ground::of(map, offset)?, C::KIND)?);
        self.seat(memory, label)
    }

    /// One more handle for what is mapped.
    pub(super) fn seat<C: Channel>(
        &self,
        memory: Arc<Memory>,
        label: Label,
    ) -> Result<C, ErrorKind> {
        declared::check(self.layout.as_deref(), memory.layout())?;
        C::attach(memory, label, self)
    }

    fn check_records<C: Channel>(&self) -> Result<(), ErrorKind> {
        if self.layout.is_some() && !C::RECORDS {
            return Err(ErrorKind::invalid("questions and answers have no record layout"));
        }
        Ok(())
    }
}

fn open_or_create(options: &shm::Options, name: &Name, size: usize) -> Result<Got> {
    let mut left = ATTEMPTS;
    loop {
        left -= 1;
        // Whoever opens takes the pages as they are.
        match shm::Options::new().open(name) {
            Err(error) if error.errno() == libc::ENOENT => {}
            other => return other.map(Got::Found),
        }
        match options.create(name, size) {
            // Somebody else was faster.
            Err(error) if error.errno() == libc::EEXIST && left > 0 => {}
            other => return other.map(Got::Made),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Whole whatever panics: it is set at once.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
