// SPDX-License-Identifier: MIT OR Apache-2.0
//! The wait itself.

use std::marker::PhantomData;
use std::os::fd::{AsFd, AsRawFd};
use std::sync::Arc;

use super::waitable::{Waitable, What};
use crate::error::{Error, ErrorKind, Result};
use crate::sys::poll::{Polled, ppoll};
use crate::time::{Deadline, Timeout};
use crate::watch::{Bell, Watch};

/// What the caller is waiting for, again and again.
///
/// ```
/// use unipc::poll::{Poller, Wait};
/// use unipc::{SharedMemory, Timeout, sync::{Event, Mutex}};
/// # fn main() -> unipc::Result<()> {
/// let shm = SharedMemory::create("anon:", 4096)?;
/// let (event, mutex) = (Event::create((&shm, 0))?, Mutex::create((&shm, 1024))?);
/// let mut poller = Poller::new();
/// poller.add(event.waitable()?, 1)?;
/// poller.add(mutex.waitable()?, 2)?;
/// assert_eq!(poller.wait(Timeout::Forever)?, [2]); // nobody holds it
/// event.set()?;
/// assert_eq!(poller.wait(Timeout::Forever)?, [1, 2]);
/// # Ok(())
/// # }
/// ```
///
/// Threads: one at a time. fork: see [`super`].
#[derive(Debug, Default)]
pub struct Poller<'a> {
    things: Vec<Thing>,
    /// Rung for all that have no descriptor; made when there is one of them.
    bell: Option<Arc<Bell>>,
    of: PhantomData<&'a ()>,
}

#[derive(Debug)]
struct Thing {
    key: u64,
    how: How,
}

#[derive(Debug)]
enum How {
    Descriptor { fd: i32, events: i16 },
    Watch(Watch),
}

/// Waits until one of several things is ready: its index, the lowest if there are several.
///
/// Errors: `EAGAIN` when it was a try and none is; `ETIMEDOUT`; `EINTR`; `EINVAL` when there is nothing to wait for, and in a child of
/// fork; `EBADF` when a descriptor is not open; `EMFILE`, `ENFILE`; `EBUSY` when no more threads may be started.
#[doc(alias = "poll")]
#[doc(alias = "select")]
pub fn wait_any(things: &[Waitable<'_>], timeout: Timeout) -> Result<usize> {
    let mut poller = Poller::new();
    for (thing, key) in things.iter().zip(0..) {
        poller.put(thing, key).map_err(|kind| kind.during("wait_any", key))?;
    }
    let first = poller.wait_for("wait_any", timeout)?.first().copied().unwrap_or(0);
    Ok(usize::try_from(first).unwrap_or(usize::MAX))
}

impl<'a> Poller<'a> {
    /// One that waits for nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Waits for this as well, and tells of it by `key`.
    ///
    /// Errors: `EEXIST` when there is something with this key; `EMFILE`, `ENFILE`.
    #[allow(clippy::needless_pass_by_value, reason = "it is a reference already")]
    pub fn add(&mut self, thing: Waitable<'a>, key: u64) -> Result<()> {
        if self.things.iter().any(|it| it.key == key) {
            return Err(ErrorKind::Os(libc::EEXIST).during("add", key));
        }
        self.put(&thing, key).map_err(|kind| kind.during("add", key))
    }

    fn put(&mut self, thing: &Waitable<'_>, key: u64) -> Result<(), ErrorKind> {
        let how = match &thing.what {
            What::Descriptor { fd, events } => How::Descriptor { fd: *fd, events: *events },
            What::Source(source) => {
                let bell = match &self.bell {
                    Some(bell) => Arc::clone(bell),
                    None => Arc::clone(self.bell.insert(Bell::new()?)),
                };
                How::Watch(Watch::new(bell, Arc::clone(source)))
            }
        };
        self.things.push(Thing { key, how });
        Ok(())
    }

    /// No longer waits for the thing with this key. Errors: `ENOENT` when there is none.
    pub fn remove(&mut self, key: u64) -> Result<()> {
        let at = self.things.iter().position(|it| it.key == key);
        let at = at.ok_or_else(|| ErrorKind::Os(libc::ENOENT).during("remove", key))?;
        self.things.remove(at);
        Ok(())
    }

    /// How many things it waits for.
    pub fn len(&self) -> usize {
        self.things.len()
    }

    /// Does it wait for nothing?
    pub fn is_empty(&self) -> bool {
        self.things.is_empty()
    }

    /// Waits until something is ready: the keys of all that are, at least one, in the order in which they were added.
    ///
    /// Errors: as [`wait_any`].
    pub fn wait(&mut self, timeout: Timeout) -> Result<Vec<u64>> {
        self.wait_for("wait", timeout)
    }

    fn wait_for(&self, operation: &'static str, timeout: Timeout) -> Result<Vec<u64>> {
        if self.is_empty() {
            let why = ErrorKind::invalid("there is nothing to wait for");
            return Err(why.during(operation, "nothing"));
        }
        let waited = self.wait_until(timeout, timeout.deadline());
        for watch in self.watches() {
            watch.disarm();
        }
        waited.map_err(|(kind, object)| {
            let is_over = matches!(kind, ErrorKind::TimedOut | ErrorKind::WouldBlock);
            let error = Error::new(operation, object, kind);
            if is_over { error.with_advice("nothing that was waited for is ready") } else { error }
        })
    }

    fn watches(&self) -> impl Iterator<Item = &Watch> {
        self.things.iter().filter_map(|thing| match &thing.how {
            How::Watch(watch) => Some(watch),
            How::Descriptor { .. } => None,
        })
    }

    /// Looks, arms, looks again, sleeps. What failed, and on what.
    fn wait_until(
        &self,
        timeout: Timeout,
        deadline: Deadline,
    ) -> Result<Vec<u64>, (ErrorKind, String)> {
        let many = if self.len() == 1 { "" } else { "s" };
        let whole = |kind: ErrorKind| (kind, format!("{} thing{many}", self.len()));
        loop {
            let there = self.watches().any(Watch::is_ready);
            let left = if there || timeout == Timeout::TRY {
                Timeout::TRY
            } else {
                self.arm().map_err(whole)?;
                deadline.remaining()
            };
            let mut polled = self.descriptors();
            ppoll(&mut polled, left).map_err(|errno| whole(errno.into()))?;
            let ready = self.ready(&polled)?;
            if !ready.is_empty() {
                return Ok(ready);
            }
            // Somebody may have been faster: that it was ready, or that the bell was rung, is not enough.
            if timeout == Timeout::TRY || deadline.has_passed() {
                return Err(whole(timeout.expired()));
            }
        }
    }

    /// Lets the bell ring for all that have no descriptor.
    fn arm(&self) -> Result<(), ErrorKind> {
        if let Some(bell) = &self.bell {
            bell.check()?;
            // What rings after this is seen by `ppoll`, what rang before by the look that follows in the helper.
            bell.clear();
            Watch::join(self.watches())?;
        }
        Ok(())
    }

    /// The descriptors in the order of the things, then the bell's.
    fn descriptors(&self) -> Vec<Polled> {
        let descriptors = self.things.iter().filter_map(|thing| match thing.how {
            How::Descriptor { fd, events } => Some(Polled { fd, events, revents: 0 }),
            How::Watch(_) => None,
        });
        let bell = self.bell.iter().map(|bell| {
            let fd = bell.as_fd().as_raw_fd();
            Polled { fd, events: libc::POLLIN, revents: 0 }
        });
        descriptors.chain(bell).collect()
    }

    /// The keys of what is ready. Errors: `EBADF`.
    fn ready(&self, polled: &[Polled]) -> Result<Vec<u64>, (ErrorKind, String)> {
        let mut polled = polled.iter();
        let mut ready = Vec::new();
        for thing in &self.things {
            let is_ready = match &thing.how {
                How::Watch(watch) => watch.is_ready(),
                How::Descriptor { fd, .. } => {
                    let told = polled.next().map_or(0, |polled| polled.revents);
                    if told & libc::POLLNVAL != 0 {
                        let bad = ErrorKind::Os(libc::EBADF);
                        return Err((bad, format!("descriptor {fd}")));
                    }
                    told != 0
                }
            };
            if is_ready {
                ready.push(thing.key);
            }
        }
        Ok(ready)
    }
}

impl Drop for Poller<'_> {
    fn drop(&mut self) {
        // All at once, so that the helper is asked once to let them go.
        for watch in self.watches() {
            watch.disarm();
        }
    }
}
