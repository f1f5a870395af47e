// SPDX-License-Identifier: MIT OR Apache-2.0
//! The kernel's robust list, in which a thread keeps what it holds: at its death, however it comes, the kernel marks
//! each word that still has the thread's number with `FUTEX_OWNER_DIED` and wakes one who waits for it.
//!
//! [get_robust_list(2)](https://man7.org/linux/man-pages/man2/get_robust_list.2.html), and the kernel's
//! `Documentation/locking/robust-futexes.rst`. A thread has one list, and the C library has registered it for its own robust
//! mutexes. Two entries of ours, in private memory, stand in it side by side for as long as the thread lives; what
//! the thread holds of ours is linked between them. So the C library's code, which follows the pointers of its
//! neighbours, never reads one that lies in shared memory; nor does this code, which keeps the order of its
//! entries in private memory and only ever writes the links for the kernel. Whoever scribbles on them spoils the mark at the
//! death of those that hold them, and nothing else.
//!
//! The kernel follows at most 2048 links. What is held beyond [`CAPACITY`](super::held::CAPACITY) is not linked.
//!
//! A thread's state lies in pages that a child of fork finds zeroed (`MADV_WIPEONFORK`): it holds nothing.
#![allow(
    clippy::trivially_copy_pass_by_ref,
    reason = "what is lent of the state is lent by the handle"
)]

use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering, compiler_fence};

use nix::errno::Errno;
use nix::sys::mman::{MapFlags, ProtFlags, mmap_anonymous, munmap};

use super::held::{Head, Held, State};
use super::identity::{self, Identity};
use super::{seldom, slot};

/// Where the word stands before the link, in bytes: in the C library's mutexes, and so everywhere.
pub(crate) const WORD_BEFORE_LINK: usize = 32;

thread_local! {
    static END: End = const { End };
}

/// The calling thread. Not for other threads.
#[derive(Clone, Copy)]
pub(crate) struct Current {
    state: NonNull<State>,
    tid: u32,
    head: *const Head,
}

/// Names a link: the address of its 8 bytes in shared memory.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Link(usize);

impl Link {
    pub(crate) fn of(link: &AtomicU64) -> Self {
        Self(link.as_ptr().addr())
    }

    #[inline]
    pub(crate) fn address(self) -> usize {
        self.0
    }
}

impl std::fmt::Debug for Current {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Current").field(&self.tid()).finish()
    }
}

impl Current {
    /// Errors: `ENOSYS` where the C library has registered no list, or one of another form.
    #[inline]
    pub(crate) fn get() -> nix::Result<Self> {
        Self::known().map_or_else(begin, Ok)
    }

    /// As [`Current::get`], unless there is something to do first: this thread's first time, and after a fork.
    #[inline]
    pub(crate) fn known() -> Option<Self> {
        let current = Self::of(slot::get());
        // Zero before the first time, and in a child of fork.
        (current.tid != 0).then_some(current)
    }

    /// The thread to which the state belongs, which must be the calling one.
    #[inline]
    fn of(state: NonNull<State>) -> Self {
        let mut current = Self { state, tid: 0, head: ptr::null() };
        current.tid = current.state().tid.load(Ordering::Relaxed);
        current.head = ptr::with_exposed_provenance(current.state().head.load(Ordering::Relaxed));
        current
    }

    #[inline]
    fn state(&self) -> &State {
        // SAFETY: the pages live until the thread ends, and a `Current` stays in its thread.
        unsafe { self.state.as_ref() }
    }

    /// The thread's number in its own PID namespace, by which the kernel knows it.
    #[inline]
    pub(crate) fn tid(&self) -> u32 {
        self.tid
    }

    /// The process, and the namespaces in which its numbers mean something.
    #[inline]
    pub(crate) fn who(&self) -> u64 {
        self.state().who.load(Ordering::Relaxed)
    }

    /// When the thread began, and the boot in which.
    #[inline]
    pub(crate) fn since(&self) -> u64 {
        self.state().since.load(Ordering::Relaxed)
    }

    fn head(&self) -> &Head {
        // SAFETY: the C library's head of this thread's list, which lives as long as the thread.
        unsafe { &*self.head }
    }

    /// From here on the kernel also looks at this word when the thread dies; and if the word is 0 then, it wakes one
    /// who waits for it.
    #[inline]
    pub(crate) fn pend(&self, link: Link) {
        // The kernel reads what the thread wrote, in its order: what the compiler leaves in order is enough.
        self.head().pending.store(link.0, Ordering::Relaxed);
        compiler_fence(Ordering::SeqCst);
    }

    /// The address of the link of [`Current::pend`]; 0 behind [`Current::settle`].
    pub(crate) fn pending(&self) -> usize {
        self.head().pending.load(Ordering::Relaxed)
    }

    /// Ends [`Current::pend`].
    #[inline]
    pub(crate) fn settle(&self) {
        compiler_fence(Ordering::SeqCst);
        self.head().pending.store(0, Ordering::Relaxed);
    }

    /// Puts a word that the thread holds now into its list, unless that is full. `top` is that of this moment, from before
    /// the word was taken: a load behind an atomic exchange waits for it.
    ///
    /// # Safety
    ///
    /// The link stays mapped until it is unlinked or the thread ends.
    #[inline]
    pub(crate) unsafe fn link(&self, link: Link, top: usize) {
        let state = self.state();
        if top != self.bottom() {
            seldom();
            // Something is held already, which lies under this one from here on.
            let under = state.under.load(Ordering::Relaxed);
            let Some(place) = state.held.get(under) else { return };
            place.set(top);
            state.under.store(under + 1, Ordering::Relaxed);
        }
        write(link.0, top);
        compiler_fence(Ordering::SeqCst);
        state.before.next.store(link.0, Ordering::Relaxed);
    }

    /// A number that few threads of a process share.
    #[inline]
    pub(crate) fn spread(&self) -> usize {
        // The pages of a state are its thread's alone.
        self.state.addr().get() >> 12
    }

    /// Takes a word out of the list. False when it was not in it.
    #[inline]
    pub(crate) fn unlink(&self, link: Link) -> bool {
        // What was taken last is mostly given back first.
        if self.top() == link.0 {
            self.pop();
            return true;
        }
        self.unlink_inside(link)
    }

    /// Takes the word out of the list that was put there last; there must be one.
    #[inline]
    pub(crate) fn pop(&self) {
        let state = self.state();
        let under = state.under.load(Ordering::Relaxed);
        if under == 0 {
            state.before.next.store(self.bottom(), Ordering::Relaxed);
            compiler_fence(Ordering::SeqCst);
            return;
        }
        seldom();
        if let Some(link) = state.held.get(under - 1) {
            state.before.next.store(link.get(), Ordering::Relaxed);
            compiler_fence(Ordering::SeqCst);
            state.under.store(under - 1, Ordering::Relaxed);
        }
    }

    /// The address of the link that was put into the list last; [`Current::bottom`] when the list is empty.
    #[inline]
    pub(crate) fn top(&self) -> usize {
        self.state().before.next.load(Ordering::Relaxed)
    }

    /// What [`Current::top`] is when the thread holds nothing: the address of the second sentinel's link.
    #[inline]
    fn bottom(&self) -> usize {
        self.state().bottom.load(Ordering::Relaxed)
    }

    /// As [`Current::unlink`], where others were linked later.
    #[cold]
    fn unlink_inside(&self, link: Link) -> bool {
        let under = self.under();
        let Some(at) = under.iter().rposition(|entry| entry.get() == link.0) else { return false };
        let above = under.get(at + 1).map_or_else(|| self.top(), Held::get);
        write(above, if at == 0 { self.bottom() } else { under[at - 1].get() });
        compiler_fence(Ordering::SeqCst);
        for moved in at + 1..under.len() {
            under[moved - 1].set(under[moved].get());
        }
        self.state().under.store(under.len() - 1, Ordering::Relaxed);
        true
    }

    /// Is the word in the list?
    pub(crate) fn has(&self, link: Link) -> bool {
        self.latest(|address| address == link.0).is_some()
    }

    /// The latest link in the list of which `wanted` is true of its address.
    pub(crate) fn latest(&self, wanted: impl Fn(usize) -> bool) -> Option<usize> {
        let last = Some(self.top()).filter(|&top| top != self.bottom());
        let held = last.into_iter().chain(self.under().iter().rev().map(Held::get));
        held.into_iter().find(|&address| wanted(address))
    }

    /// What lies under the last one, the latest last.
    fn under(&self) -> &[Held] {
        let state = self.state();
        let under = state.under.load(Ordering::Relaxed).min(state.held.len());
        &state.held[..under]
    }

    /// What the 8 bytes before the link and the 8 behind it are, for a link of [`Current::latest`].
    pub(crate) fn find_by_mark(&self, mark: u64) -> Option<Link> {
        self.latest(|address| {
            let behind = ptr::with_exposed_provenance::<AtomicU64>(address + 8);
            // SAFETY: a link that is in the list is mapped, in a line of 64 bytes of which it is the fifth eighth.
            unsafe { &*behind }.load(Ordering::Relaxed) == mark
        })
        .map(Link)
    }
}

fn address(link: &AtomicUsize) -> usize {
    link.as_ptr().expose_provenance()
}

/// Writes a link for the kernel.
#[inline]
fn write(link: usize, target: usize) {
    let link = ptr::with_exposed_provenance::<AtomicUsize>(link);
    // SAFETY: by the contract of `Current::link` it is mapped as long as it is in the list, and others may only use it as an atomic.
    unsafe { &*link }.store(target, Ordering::Relaxed);
}

/// Gives the thread its state, the first time and in a child of fork.
#[cold]
fn begin() -> nix::Result<Current> {
    let (head, length) = registered()?;
    // SAFETY: the kernel told that the head is there; it belongs to this thread.
    let fits = !head.is_null()
        && length == size_of::<Head>()
        && unsafe { (*head).offset }
            == libc::c_long::try_from(WORD_BEFORE_LINK).map_or(0, |before| -before);
    if !fits {
        return Err(Errno::ENOSYS);
    }
    let state = match slot::get() {
        nobody if nobody == slot::nobody() => pages()?,
        // A child of fork: the pages are zero, and the C library has begun an empty list.
        state => state,
    };
    let Identity { tid, who, since } = identity::of_this_thread();
    let current = Current { state, tid, head };
    let it = current.state();
    it.who.store(who, Ordering::Relaxed);
    it.since.store(since, Ordering::Relaxed);
    it.head.store(head.expose_provenance(), Ordering::Relaxed);
    // What a parent was at in the middle of is not its child's.
    current.settle();
    insert(it, current.head());
    it.tid.store(tid, Ordering::Relaxed);
    slot::set(state);
    // Now that there is something to end. A thread that is ending already leaves its pages behind.
    let _ = END.try_with(|_| ());
    Ok(current)
}

/// The list that the C library has registered for this thread.
fn registered() -> nix::Result<(*const Head, usize)> {
    let mut head: *const Head = ptr::null();
    let mut length = 0_usize;
    // SAFETY: the kernel writes an address and a size to the two locals.
    let result =
        unsafe { libc::syscall(libc::SYS_get_robust_list, 0, &raw mut head, &raw mut length) };
    Errno::result(result)?;
    Ok((head, length))
}

/// Zeroed pages for a state, which are zero in a child of fork as well.
fn pages() -> nix::Result<NonNull<State>> {
    let size = std::num::NonZeroUsize::new(size_of::<State>()).ok_or(Errno::EINVAL)?;
    let protection = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
    // SAFETY: the kernel chooses the address of a new mapping.
    let start = unsafe { mmap_anonymous(None, size, protection, MapFlags::MAP_PRIVATE) }?;
    // SAFETY: the range is this function's own.
    unsafe { super::madvise(start.as_ptr().cast(), size.get(), libc::MADV_WIPEONFORK) }?;
    Ok(start.cast())
}

/// Puts the two sentinels first in the list, as the C library puts a mutex there.
fn insert(state: &State, head: &Head) {
    let first = head.first.load(Ordering::Relaxed);
    state.bottom.store(address(&state.after.next), Ordering::Relaxed);
    state.before.previous.store(address(&head.first), Ordering::Relaxed);
    state.before.next.store(address(&state.after.next), Ordering::Relaxed);
    state.after.previous.store(address(&state.before.next), Ordering::Relaxed);
    state.after.next.store(first, Ordering::Relaxed);
    set_previous(first, address(&state.after.next));
    compiler_fence(Ordering::SeqCst);
    head.first.store(address(&state.before.next), Ordering::Relaxed);
}

/// Takes the two sentinels out.
fn remove(state: &State) {
    let previous = state.before.previous.load(Ordering::Relaxed);
    let next = state.after.next.load(Ordering::Relaxed);
    write(previous, next);
    set_previous(next, previous);
}

/// The link of a member to the one before it stands before its link to the next one. In the head, too, there is room.
fn set_previous(member: usize, previous: usize) {
    // The lowest bit marks the C library's mutexes with priority inheritance.
    write((member & !1) - size_of::<usize>(), previous);
}

/// Ends a thread's state, unless it holds something: then the kernel still needs it.
struct End;

impl Drop for End {
    fn drop(&mut self) {
        let state = slot::get();
        slot::set(slot::nobody());
        let it = Current::of(state);
        if it.tid() == 0 || it.top() != it.bottom() {
            return;
        }
        remove(it.state());
        // SAFETY: nothing points to the pages any more: neither the list nor the thread's own variable.
        let _ = unsafe { munmap(state.cast(), size_of::<State>()) };
    }
}
