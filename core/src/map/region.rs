// SPDX-License-Identifier: MIT OR Apache-2.0
//! A part of somebody's mapping, in which other rooms place their objects.

use std::any::Any;
use std::ops::Deref;
use std::ptr::NonNull;
use std::sync::Arc;

use super::Map;
use crate::error::ErrorKind;
use crate::name::Name;
use crate::sys::Shared;

/// Bytes of shared memory that stay mapped, at one address, as long as this value lives: room for an object, such as
/// a POSIX semaphore, that several processes use. Made by [`SharedMemory::region`](crate::SharedMemory::region).
///
/// Nothing stops two objects from being placed in the same bytes, as with plain C; who lays out the memory sees to
/// that. A file that others truncate under such an object is SIGBUS for whoever uses it, here as everywhere: place
/// objects in memory that only trusted users may write.
pub struct Region {
    address: NonNull<u8>,
    length: usize,
    name: Name,
    /// Keeps the mapping; nobody asks it anything.
    _keeper: Arc<dyn Any + Send + Sync>,
}

impl Clone for Region {
    /// The same bytes, which stay mapped until the last of them is dropped.
    fn clone(&self) -> Self {
        let Self { address, length, name, _keeper: keeper } = self;
        let (name, keeper) = (name.clone(), Arc::clone(keeper));
        Self { address: *address, length: *length, name, _keeper: keeper }
    }
}

// SAFETY: an address in memory that processes share belongs to no thread.
unsafe impl Send for Region {}
// SAFETY: as above; objects in it are changed by calls that any thread may make.
unsafe impl Sync for Region {}

/// A value whose bytes lie in one mapping, for as long as it is only borrowed.
pub(crate) trait Mapped: Send + Sync + 'static {
    /// The same map each time.
    fn map(&self) -> &Map;
}

impl Mapped for Map {
    fn map(&self) -> &Map {
        self
    }
}

impl Region {
    /// Bytes that the caller answers for; `keeper` is dropped with the region.
    ///
    /// # Safety
    ///
    /// The bytes must stay mapped at this address, readable and writable, until the keeper is dropped, and nobody in
    /// this process may have them as a Rust reference to anything but atomics.
    pub unsafe fn new(
        address: NonNull<u8>,
        length: usize,
        name: Name,
        keeper: Arc<dyn Any + Send + Sync>,
    ) -> Self {
        Self { address, length, name, _keeper: keeper }
    }

    /// A part of what `keeper` has mapped. Nobody can move the mapping meanwhile: that takes the only reference.
    pub(crate) fn of<T: Mapped>(
        keeper: Arc<T>,
        offset: usize,
        length: usize,
        name: Name,
    ) -> Result<Self, ErrorKind> {
        let map = keeper.map();
        if !map.is_writable() {
            return Err(ErrorKind::ReadOnly);
        }
        if map.plan().private {
            return Err(ErrorKind::unsupported("a copy-on-write mapping is shared with nobody"));
        }
        let address = NonNull::new(map.ptr_at(offset, length)?);
        let address = address.ok_or(ErrorKind::Os(libc::EFAULT))?;
        Ok(Self { address, length, name, _keeper: keeper })
    }

    /// The first byte.
    pub fn as_ptr(&self) -> *mut u8 {
        self.address.as_ptr()
    }

    /// How many bytes there are.
    #[allow(clippy::len_without_is_empty, reason = "room for an object is never empty")]
    pub fn len(&self) -> usize {
        self.length
    }

    /// The name of the memory.
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// The object at the region's beginning.
    ///
    /// Errors: `EINVAL` when the region is too small for it or its address no multiple of the alignment.
    pub(crate) fn object<T: Shared>(self) -> Result<Placed<T>, ErrorKind> {
        let object = self.address.cast::<T>();
        if self.length < size_of::<T>() {
            return Err(ErrorKind::invalid(format!(
                "{} bytes are too few: the object has {}",
                self.length,
                size_of::<T>()
            )));
        }
        if !object.is_aligned() {
            return Err(ErrorKind::invalid(format!(
                "the object must lie at a multiple of {} bytes",
                align_of::<T>()
            )));
        }
        Ok(Placed { object, region: self })
    }
}

impl std::fmt::Debug for Region {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Region")
            .field("address", &self.address)
            .field("length", &self.length)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// An object in shared memory; gives a reference to it.
#[derive(Debug)]
pub(crate) struct Placed<T> {
    object: NonNull<T>,
    region: Region,
}

impl<T> Clone for Placed<T> {
    fn clone(&self) -> Self {
        Self { object: self.object, region: self.region.clone() }
    }
}

// SAFETY: the object belongs to no thread, and `Shared` demands that any may use it.
unsafe impl<T: Shared> Send for Placed<T> {}
// SAFETY: as above.
unsafe impl<T: Shared> Sync for Placed<T> {}

impl<T: Shared> Deref for Placed<T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: large enough and aligned, mapped as long as the region lives; any bytes are a `Shared`.
        unsafe { self.object.as_ref() }
    }
}
