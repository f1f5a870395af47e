// SPDX-License-Identifier: MIT OR Apache-2.0
//! One pointer for each thread, for what is asked for in every lock and unlock. It is null until it is set.
//!
//! In a shared library Rust's `thread_local!` asks the dynamic linker for the address (`__tls_get_addr`), which takes
//! a third of a lock's whole time. This one lies in the memory that the C library sets up at a thread's start (the
//! *initial-exec* model), at a distance from the thread pointer that the linker finds once. Where that is not known to
//! work (other processors, other C libraries), it is a `thread_local!`.

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
        ".pushsection .tbss,\"awT\",@nobits",
        ".balign 8",
        with_symbol!(".globl ", ""),
        with_symbol!(".hidden ", ""),
        with_symbol!(".type ", ", @object"),
        with_symbol!(".size ", ", 8"),
        with_symbol!("", ": .zero 8"),
        ".popsection",
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
        static SLOT: Cell<usize> = const { Cell::new(0) };
    }

    #[inline]
    pub(super) fn get() -> usize {
        SLOT.with(Cell::get)
    }

    pub(super) fn set(value: usize) {
        SLOT.with(|slot| slot.set(value));
    }
}

/// What the calling thread has set.
#[inline]
pub(crate) fn get<T>() -> *const T {
    std::ptr::with_exposed_provenance(place::get())
}

/// Sets it, for the calling thread alone.
pub(crate) fn set<T>(value: *const T) {
    place::set(value.expose_provenance());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_thread_begins_with_nothing_and_has_its_own() {
        // Not this thread's, in which other tests may have run.
        let of_one = std::thread::spawn(|| {
            let before = get::<u8>();
            let value = 7_u8;
            set(&raw const value);
            let other = std::thread::spawn(|| get::<u8>().is_null()).join().unwrap();
            let same = get::<u8>() == &raw const value;
            set::<u8>(std::ptr::null());
            (before.is_null(), other, same, get::<u8>().is_null())
        });
        assert_eq!(of_one.join().unwrap(), (true, true, true, true));
    }
}
