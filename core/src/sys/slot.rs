// SPDX-License-Identifier: MIT OR Apache-2.0
//! A thread's state, which is asked for in every lock and unlock: one pointer for each thread. It leads to [`nobody`] until
//! it is set, so that there is one question fewer.
//!
//! In a shared library Rust's `thread_local!` asks the dynamic linker for the address (`__tls_get_addr`), which takes
//! a third of a lock's whole time. This one lies in the memory that the C library sets up at a thread's start (the
//! *initial-exec* model), at a distance from the thread pointer that the linker finds once. Where that is not known to
//! work (other processors, other C libraries), it is a `thread_local!`.

use std::ptr::NonNull;

use super::held::State;

/// The state of a thread that has none: the number in it is 0.
// SAFETY: a state consists of integers and of atomics of them, of which zero is a value.
static NOBODY: State = unsafe { std::mem::zeroed() };

#[cfg(all(target_arch = "x86_64", target_env = "gnu"))]
mod place {
    use std::arch::{asm, global_asm};

    /// The version is in the name: two versions of this crate in one program have a variable each.
    macro_rules! with_symbol {
        ($before:literal, $after:literal) => {
            concat!(
                $before,
                "unipc_thread_slot_",
                env!("CARGO_PKG_VERSION_MAJOR"),
                "_",
                env!("CARGO_PKG_VERSION_MINOR"),
                "_",
                env!("CARGO_PKG_VERSION_PATCH"),
                $after
            )
        };
    }

    global_asm!(
        ".pushsection .tdata,\"awT\",@progbits",
        ".balign 8",
        with_symbol!(".globl ", ""),
        with_symbol!(".hidden ", ""),
        with_symbol!(".type ", ", @object"),
        with_symbol!(".size ", ", 8"),
        with_symbol!("", ": .quad {nobody}"),
        ".popsection",
        nobody = sym super::NOBODY,
    );

    #[inline]
    pub(super) fn get() -> usize {
        let value: usize;
        // SAFETY: reads the variable above, which every thread has from its start, at the thread pointer's distance to it.
        unsafe {
            asm!(
                with_symbol!("mov {value}, qword ptr [rip + ", "@GOTTPOFF]"),
                "mov {value}, qword ptr fs:[{value}]",
                value = out(reg) value,
                options(pure, readonly, nostack, preserves_flags),
            );
        }
        value
    }

    pub(super) fn set(value: usize) {
        // SAFETY: as in `get`; it is the calling thread's own variable, and nobody holds a reference to it.
        unsafe {
            asm!(
                with_symbol!("mov {distance}, qword ptr [rip + ", "@GOTTPOFF]"),
                "mov qword ptr fs:[{distance}], {value}",
                value = in(reg) value,
                distance = out(reg) _,
                options(nostack, preserves_flags),
            );
        }
    }
}

#[cfg(not(all(target_arch = "x86_64", target_env = "gnu")))]
mod place {
    use std::cell::Cell;

    thread_local! {
        static SLOT: Cell<usize> = Cell::new(super::nobody().as_ptr().expose_provenance());
    }

    #[inline]
    pub(super) fn get() -> usize {
        SLOT.with(Cell::get)
    }

    pub(super) fn set(value: usize) {
        SLOT.with(|slot| slot.set(value));
    }
}

/// What every thread begins with.
pub(super) fn nobody() -> NonNull<State> {
    NonNull::from(&NOBODY)
}

/// What the calling thread has set.
#[inline]
pub(super) fn get() -> NonNull<State> {
    let state = std::ptr::with_exposed_provenance_mut(place::get());
    // SAFETY: it begins with the address of a static, and what is set is no null pointer either.
    unsafe { NonNull::new_unchecked(state) }
}

/// Sets it, for the calling thread alone.
pub(super) fn set(state: NonNull<State>) {
    place::set(state.as_ptr().expose_provenance());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_thread_begins_with_nothing_and_has_its_own() {
        // Not this thread's, in which other tests may have run.
        let of_one = std::thread::spawn(|| {
            let before = get();
            // Nobody follows it.
            let value = NonNull::dangling();
            set(value);
            let other = std::thread::spawn(|| get() == nobody()).join().unwrap();
            let same = get() == value;
            set(nobody());
            (before == nobody(), other, same, get() == nobody())
        });
        assert_eq!(of_one.join().unwrap(), (true, true, true, true));
    }
}
