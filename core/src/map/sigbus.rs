// SPDX-License-Identifier: MIT OR Apache-2.0
//! Turns SIGBUS on a guarded mapping into an error that is reported afterwards.
//!
//! A page that a file has lost is replaced by a page of zeros, the access goes on, and whoever ends
//! the access is told. The handler only looks into a table: each guarded mapping owns a slot, which
//! counts the accesses that are going on (of any thread) and remembers a fault. Every other SIGBUS
//! goes to the handler that was there before.
//!
//! The handler is installed at the first guarded access. A handler that somebody installs later
//! comes first; it must pass on what it does not know, as this one does.

use std::ffi::c_void;
use std::ops::Range;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicUsize, Ordering, fence};
use std::sync::{Once, OnceLock};

use nix::errno::Errno;

/// Set in [`Slot::state`] when a page was replaced; the other bits count accesses.
const FAULTED: u32 = 1 << 31;

const SLOTS_PER_BLOCK: usize = 64;

/// A guarded mapping, as the handler sees it.
#[derive(Debug)]
pub(super) struct Slot {
    taken: AtomicBool,
    /// Odd while the three numbers below change: a handler that runs meanwhile must not believe them.
    version: AtomicU32,
    start: AtomicUsize,
    end: AtomicUsize,
    page_size: AtomicUsize,
    state: AtomicU32,
}

/// Slots are never freed, since the handler may be reading them; a full block gets a successor.
struct Block {
    slots: [Slot; SLOTS_PER_BLOCK],
    next: AtomicPtr<Block>,
}

static FIRST: Block = Block::new();

/// What was in force before our handler.
static PREVIOUS: OnceLock<libc::sigaction> = OnceLock::new();

/// Takes a slot for the pages in `range`; installs the handler the first time.
pub(super) fn claim(range: Range<usize>, page_size: usize) -> &'static Slot {
    static INSTALL: Once = Once::new();
    INSTALL.call_once(install);
    let slot = take_slot();
    // SYNC: the version pairs with `pages_around`, and the slot's new owner alone changes it.
    let version = slot.version.load(Ordering::Relaxed);
    slot.version.store(version.wrapping_add(1), Ordering::Relaxed);
    fence(Ordering::Release);
    slot.start.store(range.start, Ordering::Relaxed);
    slot.end.store(range.end, Ordering::Relaxed);
    slot.page_size.store(page_size, Ordering::Relaxed);
    slot.version.store(version.wrapping_add(2), Ordering::Release);
    slot
}

fn take_slot() -> &'static Slot {
    let mut block = &FIRST;
    loop {
        if let Some(slot) = block.slots.iter().find(|slot| slot.take()) {
            return slot;
        }
        block = block.successor();
    }
}

impl Slot {
    const fn new() -> Self {
        Self {
            taken: AtomicBool::new(false),
            version: AtomicU32::new(0),
            start: AtomicUsize::new(0),
            end: AtomicUsize::new(0),
            page_size: AtomicUsize::new(0),
            state: AtomicU32::new(0),
        }
    }

    /// That of mappings which lose no pages.
    pub(super) fn whole() -> &'static Self {
        static WHOLE: Slot = Slot::new();
        &WHOLE
    }

    fn take(&self) -> bool {
        // SYNC: acquire pairs with `release`.
        !self.taken.load(Ordering::Relaxed) && !self.taken.swap(true, Ordering::Acquire)
    }

    /// Gives the slot back; no access may be going on.
    pub(super) fn release(&self) {
        // SYNC: release pairs with the acquire of the next `take`.
        self.state.store(0, Ordering::Relaxed);
        self.taken.store(false, Ordering::Release);
    }

    /// An access begins.
    pub(super) fn begin(&self) {
        // SYNC: release pairs with the handler's acquire of `state`.
        self.state.fetch_add(1, Ordering::AcqRel);
    }

    /// An access ends; true when a page was missing during any of the accesses that overlap with it.
    /// The last one out calls `repair`, which maps the file again; if that fails the fault stays remembered.
    /// `None` when no access is going on: C may end what it never began.
    pub(super) fn end(&self, repair: impl Fn() -> bool) -> Option<bool> {
        // SYNC: every change of `state` is AcqRel and pairs with the handler's and the other threads'.
        let mut state = self.state.load(Ordering::Acquire);
        while state & !FAULTED > 0 {
            let faulted = state & FAULTED != 0;
            let last = state & !FAULTED == 1;
            // An access that begins while this one repairs is told of the fault too, and repairs again.
            let next = if last && faulted && repair() { 0 } else { state - 1 };
            match self.state.compare_exchange(state, next, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return Some(faulted),
                Err(now) => state = now,
            }
        }
        None
    }

    /// Is a page missing that nobody could repair?
    #[inline]
    pub(super) fn has_fault(&self) -> bool {
        // SYNC: acquire pairs with the handler's change of `state`.
        self.state.load(Ordering::Acquire) & FAULTED != 0
    }

    /// The page that holds the address, if it belongs to this mapping and an access is going on.
    fn page_around(&self, address: usize) -> Option<Range<usize>> {
        // SYNC: acquire pairs with `begin`.
        if self.state.load(Ordering::Acquire) & !FAULTED == 0 {
            return None;
        }
        // SYNC: the version pairs with `claim`: equal and even before and after means that the three belong together.
        let version = self.version.load(Ordering::Acquire);
        let range = self.start.load(Ordering::Relaxed)..self.end.load(Ordering::Relaxed);
        let page_size = self.page_size.load(Ordering::Relaxed);
        fence(Ordering::Acquire);
        let stable = version.is_multiple_of(2) && self.version.load(Ordering::Relaxed) == version;
        let page = address - address.checked_rem(page_size)?;
        (stable && range.contains(&address)).then(|| page..page + page_size)
    }
}

impl Block {
    const fn new() -> Self {
        Self {
            slots: [const { Slot::new() }; SLOTS_PER_BLOCK],
            next: AtomicPtr::new(ptr::null_mut()),
        }
    }

    /// The next block, made if there is none.
    fn successor(&self) -> &'static Self {
        if let Some(next) = self.next() {
            return next;
        }
        let fresh = Box::into_raw(Box::new(Self::new()));
        // SYNC: release pairs with the acquire in `next`.
        let won =
            self.next.compare_exchange(ptr::null_mut(), fresh, Ordering::AcqRel, Ordering::Acquire);
        let block = won.map_or_else(
            |other| {
                // SAFETY: `fresh` came from a box just now and nobody else has seen it.
                drop(unsafe { Box::from_raw(fresh) });
                other
            },
            |_| fresh,
        );
        // SAFETY: a block that is linked lives for ever.
        unsafe { &*block }
    }

    fn next(&self) -> Option<&'static Self> {
        // SYNC: acquire pairs with the release in `successor`.
        let next = self.next.load(Ordering::Acquire);
        // SAFETY: null, or a block that was linked and lives for ever.
        unsafe { next.as_ref() }
    }
}

fn install() {
    // SAFETY: all zeros is a sigaction.
    let mut previous: libc::sigaction = unsafe { std::mem::zeroed() };
    // SAFETY: asking for the disposition changes nothing.
    unsafe { libc::sigaction(libc::SIGBUS, ptr::null(), &raw mut previous) };
    // Stored before the handler is in force, so that the handler always finds it.
    PREVIOUS.get_or_init(|| previous);
    let mut action = previous;
    action.sa_sigaction = on_sigbus as *const () as usize;
    // The mask stays: an earlier handler runs inside ours, with the signals blocked that it asked for.
    action.sa_flags = previous.sa_flags & libc::SA_NODEFER | libc::SA_SIGINFO | libc::SA_ONSTACK;
    // SAFETY: the handler is async-signal-safe: atomics, mmap and sigaction.
    unsafe { libc::sigaction(libc::SIGBUS, &raw const action, ptr::null_mut()) };
}

extern "C" fn on_sigbus(signal: i32, info: *mut libc::siginfo_t, context: *mut c_void) {
    let errno = Errno::last_raw();
    // SAFETY: with SA_SIGINFO the kernel passes a valid siginfo.
    let details = unsafe { &*info };
    let code = details.si_code;
    // SAFETY: SIGBUS from a fault carries an address; for other codes the value is not used.
    let address = unsafe { details.si_addr() }.addr();
    if code == libc::BUS_ADRERR && patch(address) {
        Errno::set_raw(errno);
        return;
    }
    forward(signal, info, context, code);
    Errno::set_raw(errno);
}

/// Puts a page of zeros under the address, if a guarded mapping owns it.
fn patch(address: usize) -> bool {
    let mut block = Some(&FIRST);
    while let Some(current) = block {
        for slot in &current.slots {
            if let Some(page) = slot.page_around(address) {
                return zero_page(page)
                    // SYNC: the bit pairs with the loads in `end`.
                    && slot.state.fetch_or(FAULTED, Ordering::AcqRel) > 0;
            }
        }
        block = current.next();
    }
    false
}

fn zero_page(page: Range<usize>) -> bool {
    let protection = libc::PROT_READ | libc::PROT_WRITE;
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED;
    let (start, length) = (ptr::without_provenance_mut::<c_void>(page.start), page.len());
    // SAFETY: the page belongs to a mapping that is being accessed through its owner, so it stays mapped,
    // and has no memory behind it, so nothing is lost.
    let page = unsafe { libc::mmap(start, length, protection, flags, -1, 0) };
    page == start
}

/// Does what would have happened without us.
fn forward(signal: i32, info: *mut libc::siginfo_t, context: *mut c_void, code: i32) {
    let handler = PREVIOUS.get().map_or(libc::SIG_DFL, |previous| previous.sa_sigaction);
    let sent_by_a_process = code <= 0;
    match handler {
        libc::SIG_IGN if sent_by_a_process => {}
        libc::SIG_DFL | libc::SIG_IGN => {
            // SAFETY: the default disposition needs nothing; the fault repeats and the kernel ends the process.
            unsafe { libc::signal(signal, libc::SIG_DFL) };
            if sent_by_a_process {
                // SAFETY: the signal is blocked here and arrives when the handler returns.
                unsafe { libc::raise(signal) };
            }
        }
        handler => {
            let with_info =
                PREVIOUS.get().is_some_and(|previous| previous.sa_flags & libc::SA_SIGINFO != 0);
            if with_info {
                // SAFETY: SA_SIGINFO says that the address is a function with this signature.
                let handler: extern "C" fn(i32, *mut libc::siginfo_t, *mut c_void) =
                    unsafe { std::mem::transmute(handler) };
                handler(signal, info, context);
            } else {
                // SAFETY: without SA_SIGINFO the address is a function that takes the number alone.
                let handler: extern "C" fn(i32) = unsafe { std::mem::transmute(handler) };
                handler(signal);
            }
        }
    }
}
