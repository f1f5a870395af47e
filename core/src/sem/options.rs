// SPDX-License-Identifier: MIT OR Apache-2.0
//! How to create or open semaphores, where the defaults do not do.

use std::sync::atomic::AtomicU32;
use std::time::Duration;

use nix::unistd::geteuid;

use super::{Kind, Semaphore, SemaphoreSet, get, limits, posix};
use crate::error::{Error, ErrorKind, Result};
use crate::map::Region;
use crate::name::Name;
use crate::open::Mode;
use crate::sys::pid::process_id;
use crate::sys::sem::Sem;
use crate::time::Timeout;

/// How long an opener waits for a creator that is at work, unless told otherwise.
const CREATOR_TIMEOUT: Timeout = Timeout::After(Duration::from_secs(5));

/// The options of [`Semaphore`] and [`SemaphoreSet`]; one set of them serves any number of calls.
///
/// ```
/// use unipc::{Mode, Semaphore, Timeout};
/// # fn main() -> unipc::Result<()> {
/// # let name = format!("/sem-options-{}", std::process::id());
/// let semaphore = Semaphore::options()
///     .mode(Mode::new(0o660)?)
///     .remove_on_drop(true)
///     .create(name.as_str(), 3)?;
/// assert_eq!(semaphore.value()?, 3);
/// # Ok(())
/// # }
/// ```
#[allow(clippy::struct_excessive_bools, reason = "each is an independent switch")]
#[derive(Debug, Clone)]
pub struct Options {
    pub(super) mode: Mode,
    pub(super) replace: bool,
    remove_on_drop: bool,
    own_only: bool,
    binary: bool,
    index: u16,
    undo: Option<bool>,
    pub(super) creator_timeout: Timeout,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            mode: Mode::PRIVATE,
            replace: false,
            remove_on_drop: false,
            own_only: false,
            binary: false,
            index: 0,
            undo: None,
            creator_timeout: CREATOR_TIMEOUT,
        }
    }
}

macro_rules! setters {
    ($($(#[$doc:meta])* $name:ident: $kind:ty;)*) => {$(
        $(#[$doc])*
        #[must_use]
        pub fn $name(mut self, $name: $kind) -> Self {
            self.$name = $name;
            self
        }
    )*};
}

impl Options {
    /// The defaults: mode 0600, counting, undone at a holder's death where the kernel can.
    pub fn new() -> Self {
        Self::default()
    }

    setters! {
        /// When creating: the permission bits, exact whatever the umask. Using a semaphore needs read and write. Not 0611,
        /// which marks a System V set that is being made.
        mode: Mode;
        /// When creating: remove an object that has the name. Others keep an old POSIX semaphore; who waits for an old
        /// System V set is told `EIDRM`.
        replace: bool;
        /// Remove the object when the handle is dropped (not in a child of fork).
        remove_on_drop: bool;
        /// Refuse an existing object that belongs to neither this user nor root: `EPERM`.
        own_only: bool;
        /// A binary semaphore: [`Semaphore::release`] fails with `EOVERFLOW` when the value is 1 or more already. Each
        /// handle for itself: others who open it say so too. `EINVAL` for initial values above 1.
        binary: bool;
        /// When opening a System V name as a [`Semaphore`]: which semaphore of its set, 0 unless said otherwise.
        index: u16;
        /// How long opening may wait for the creator of a System V set that is at work: 5 seconds unless said otherwise.
        /// A dead creator is noticed at once. Of sets that other programs make it waits for new, untouched ones, a second at
        /// most; [`Timeout::TRY`] waits for nobody.
        creator_timeout: Timeout;
    }

    /// System V: whether the kernel undoes, at this process's end, what was acquired and released through the handle
    /// (`SEM_UNDO`).
    ///
    /// Unless said otherwise, what [`Semaphore::hold`] holds is undone, and what [`Semaphore::acquire`] and
    /// [`Semaphore::release`] do is not, since one process may well release what another acquires. `true` is for both,
    /// `false` for neither. POSIX semaphores keep no record of who holds them: `true` is `EOPNOTSUPP` there.
    #[doc(alias = "SEM_UNDO")]
    #[must_use]
    pub fn undo(mut self, undo: bool) -> Self {
        self.undo = Some(undo);
        self
    }

    /// Creates a semaphore with this value. It appears under its name only when it is complete.
    ///
    /// Errors: `EEXIST` when the name is taken; `EINVAL` for a value above `SEM_VALUE_MAX` (2147483647; System V: `SEMVMX`,
    /// 32767), a name that cannot be created (`sysv:id=42`); `ENOSPC` when `SEMMNI`, `SEMMNS` or the room in `/dev/shm` is
    /// used up; `EACCES`; `ENAMETOOLONG` for more than 251 bytes; `EOPNOTSUPP` for names that are neither POSIX nor
    /// System V.
    #[doc(alias = "sem_open")]
    pub fn create(
        &self,
        name: impl TryInto<Name, Error: Into<Error>>,
        value: u32,
    ) -> Result<Semaphore> {
        self.semaphore("create", name.try_into().map_err(Into::into)?, |name| {
            self.check(name, Some(value))?;
            if let Name::Posix(file) = name {
                return posix::create(self, name, &posix::path(file)?, value);
            }
            Ok(Kind::SystemV { set: get::create(self, name, &[one_value(value)?])?, index: 0 })
        })
    }

    /// Opens a semaphore that exists.
    ///
    /// Errors: `ENOENT`; `EACCES` (a System V set tells that only to who operates on it); `EPROTO` when the file under the
    /// name is too short for a semaphore; `EINVAL` when the set has no semaphore of this index; `ETIMEDOUT` when the set's
    /// creator does not finish ([`creator_timeout`](Self::creator_timeout)); `EINTR`; `EOPNOTSUPP` as [`Options::create`].
    #[doc(alias = "sem_open")]
    pub fn open(&self, name: impl TryInto<Name, Error: Into<Error>>) -> Result<Semaphore> {
        self.semaphore("open", name.try_into().map_err(Into::into)?, |name| {
            self.check(name, None)?;
            if let Name::Posix(file) = name {
                return posix::open(self, name, &posix::path(file)?);
            }
            let set = get::open(self, name)?;
            if usize::from(self.index) >= set.len() {
                return Err(set.no_such(self.index));
            }
            Ok(Kind::SystemV { set, index: self.index })
        })
    }

    /// Opens the semaphore, or creates it with this value when there is none.
    ///
    /// Errors: those of both.
    #[doc(alias = "sem_open")]
    pub fn open_or_create(
        &self,
        name: impl TryInto<Name, Error: Into<Error>>,
        value: u32,
    ) -> Result<Semaphore> {
        self.semaphore("open_or_create", name.try_into().map_err(Into::into)?, |name| {
            self.check(name, Some(value))?;
            if let Name::Posix(file) = name {
                return posix::open_or_create(self, name, &posix::path(file)?, value);
            }
            let set = get::open_or_create(self, name, &[one_value(value)?])?;
            Ok(Kind::SystemV { set, index: 0 })
        })
    }

    /// Makes a semaphore in shared memory, as `sem_init(3)` does: 32 bytes at a multiple of 8, of glibc's layout.
    ///
    /// Once, before anybody uses it, who must find out about that by other means; nothing keeps a second call from
    /// resetting it while others wait.
    ///
    /// Errors: `EINVAL` when the region is too small or not aligned, or for a value above `SEM_VALUE_MAX`.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use unipc::{Semaphore, SharedMemory};
    ///
    /// # fn main() -> unipc::Result<()> {
    /// let memory = Arc::new(SharedMemory::create("anon:", 4096)?);
    /// let semaphore = Semaphore::create_in(memory.region(64, Semaphore::SIZE)?, 1)?;
    /// assert!(semaphore.try_acquire()?);
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "sem_init")]
    pub fn create_in(&self, region: Region, value: u32) -> Result<Semaphore> {
        self.semaphore("create_in", region.name().clone(), |_| {
            self.check_in(Some(value))?;
            let placed = region.object::<Sem>()?;
            placed.init(value)?;
            Ok(Kind::Memory(placed))
        })
    }

    /// Uses a semaphore that somebody made in shared memory, with `sem_init(3)` of the same C library or
    /// [`Options::create_in`].
    ///
    /// Errors: `EINVAL` when the region is too small or not aligned.
    pub fn open_in(&self, region: Region) -> Result<Semaphore> {
        self.semaphore("open_in", region.name().clone(), |_| {
            self.check_in(None)?;
            Ok(Kind::Memory(region.object()?))
        })
    }

    /// Creates a System V set with these values. Nobody gets to see it before it has them.
    ///
    /// Errors: `EEXIST` when the key is taken; `EINVAL` for no value, for more than `SEMMSL`, for a name that cannot be
    /// created; `ERANGE` for a value above `SEMVMX`, 32767; `ENOSPC` when `SEMMNI` or `SEMMNS` is used up; `EINTR`;
    /// `EOPNOTSUPP` for a name that is not System V's.
    #[doc(alias = "semget")]
    pub fn create_set(
        &self,
        name: impl TryInto<Name, Error: Into<Error>>,
        values: &[u16],
    ) -> Result<SemaphoreSet> {
        let name = name.try_into().map_err(Into::into)?;
        told("create", &name, values.len(), get::create(self, &name, values))
            .map(|set| set.removed_on_drop(self.remove_on_drop))
    }

    /// Opens a System V set that exists.
    ///
    /// Errors: `ENOENT`; `EINVAL` when no set has this identifier; `ETIMEDOUT` when its creator does not finish
    /// ([`creator_timeout`](Self::creator_timeout)); `EINTR`.
    #[doc(alias = "semget")]
    pub fn open_set(&self, name: impl TryInto<Name, Error: Into<Error>>) -> Result<SemaphoreSet> {
        let name = name.try_into().map_err(Into::into)?;
        told("open", &name, 0, get::open(self, &name))
            .map(|set| set.removed_on_drop(self.remove_on_drop))
    }

    /// Opens the set, or creates it with these values when there is none.
    ///
    /// Errors: those of both; `EINVAL` when the set exists and has fewer semaphores.
    #[doc(alias = "semget")]
    pub fn open_or_create_set(
        &self,
        name: impl TryInto<Name, Error: Into<Error>>,
        values: &[u16],
    ) -> Result<SemaphoreSet> {
        let name = name.try_into().map_err(Into::into)?;
        told("open_or_create", &name, values.len(), get::open_or_create(self, &name, values))
            .map(|set| set.removed_on_drop(self.remove_on_drop))
    }

    /// Refuses what belongs to neither this user nor root, where that was asked for.
    pub(super) fn check_owner(&self, owner: u32) -> Result<(), ErrorKind> {
        let me = geteuid().as_raw();
        if self.own_only && owner != 0 && owner != me {
            let why = format!("it belongs to user {owner}, this process is user {me}");
            return Err(ErrorKind::Untrusted(why.into()));
        }
        Ok(())
    }

    fn semaphore(
        &self,
        operation: &'static str,
        name: Name,
        get: impl FnOnce(&Name) -> Result<Kind, ErrorKind>,
    ) -> Result<Semaphore> {
        let kind = told(operation, &name, 1, get(&name))?;
        let name = match &kind {
            // A private set has been given an identifier.
            Kind::SystemV { set, .. } => set.name().clone(),
            Kind::Posix { .. } | Kind::Memory(_) => name,
        };
        Ok(Semaphore {
            remover: AtomicU32::new(if self.remove_on_drop { process_id() } else { 0 }),
            kind,
            name,
            undo: self.undo,
            binary: self.binary,
        })
    }

    /// What makes no sense for a semaphore that lies in somebody's memory.
    fn check_in(&self, value: Option<u32>) -> Result<(), ErrorKind> {
        if self.remove_on_drop || self.replace {
            return Err(ErrorKind::unsupported(
                "a semaphore in shared memory goes with its memory",
            ));
        }
        value.map_or(Ok(()), posix::check_value)?;
        self.check(&Name::Anonymous, value)
    }

    /// What contradicts itself whatever is there under the name.
    fn check(&self, name: &Name, value: Option<u32>) -> Result<(), ErrorKind> {
        let system_v = matches!(name, Name::SystemV(_));
        if self.undo == Some(true) && !system_v {
            return Err(ErrorKind::unsupported(
                "a POSIX semaphore does not know who holds it, so nothing is undone: use a System V name",
            ));
        }
        let Some(value) = value else {
            return Ok(());
        };
        if self.binary && value > 1 {
            return Err(ErrorKind::invalid("a binary semaphore begins with 0 or 1"));
        }
        if system_v && self.index != 0 {
            return Err(ErrorKind::invalid(
                "a semaphore with an index is created with its set: SemaphoreSet",
            ));
        }
        Ok(())
    }
}

/// The initial value of a System V semaphore.
fn one_value(value: u32) -> Result<u16, ErrorKind> {
    // The kernel's constant; it cannot be changed.
    match u16::try_from(value) {
        Ok(value) if value <= 32767 => Ok(value),
        _ => Err(ErrorKind::invalid("SEMVMX is 32767, the highest value of a System V semaphore")),
    }
}

fn told<T>(
    operation: &'static str,
    name: &Name,
    count: usize,
    result: Result<T, ErrorKind>,
) -> Result<T> {
    result.map_err(|kind| limits::explain(kind.during(operation, name), name, count))
}
