// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the constructors of all objects have in common.

/// Writes the setters that all options have.
macro_rules! common_setters {
    () => {
        /// Whose layout: this library's or the C library's.
        #[must_use]
        pub fn form(mut self, form: crate::sync::Form) -> Self {
            self.form = form;
            self
        }

        /// The permissions of a segment that is created for the object alone.
        #[must_use]
        pub fn mode(mut self, mode: crate::open::Mode) -> Self {
            self.mode = mode;
            self
        }
    };
}

/// Writes `create`, `open` and `open_or_create` of options, and of the object with default options.
macro_rules! constructors {
    ($object:ident, $options:ident $(, $argument:ident: $kind:ty, $absent:expr)?) => {
        impl $options {
            /// Creates it with these options.
            pub fn create<'a>(
                &self,
                place: impl TryInto<crate::sync::Place<'a>, Error: Into<crate::Error>>,
                $($argument: $kind,)?
            ) -> crate::Result<$object> {
                self.get(place, crate::open::Disposition::Create $(, $argument)?)
            }

            /// Opens it with these options, of which only the form counts.
            pub fn open<'a>(
                &self,
                place: impl TryInto<crate::sync::Place<'a>, Error: Into<crate::Error>>,
            ) -> crate::Result<$object> {
                self.get(place, crate::open::Disposition::Open $(, $absent)?)
            }

            /// Opens it, or creates it with these options when there is none.
            pub fn open_or_create<'a>(
                &self,
                place: impl TryInto<crate::sync::Place<'a>, Error: Into<crate::Error>>,
                $($argument: $kind,)?
            ) -> crate::Result<$object> {
                self.get(place, crate::open::Disposition::OpenOrCreate $(, $argument)?)
            }
        }

        impl $object {
            /// Creates it where there are zeros: at `(&shm, offset)`, a multiple of 64, or under a name of its own. Its `SIZE`, or
            /// `size`, tells how many bytes it takes from there: data go behind them.
            ///
            /// Errors: `EEXIST` when there is one; `EBUSY` when the bytes are not zero; `EINVAL` for an offset that is no
            /// multiple of 64 or a number out of range; `ERANGE` when it does not fit; `EACCES` in read-only memory; under a
            /// name, those of [`SharedMemory::create`](crate::SharedMemory::create).
            pub fn create<'a>(
                place: impl TryInto<crate::sync::Place<'a>, Error: Into<crate::Error>>,
                $($argument: $kind,)?
            ) -> crate::Result<Self> {
                $options::new().create(place $(, $argument)?)
            }

            /// Opens the one that is there. Where the bytes are zero it waits for up to a second for a creator.
            ///
            /// Errors: `EPROTO` when there is none, or another kind or version of object; `EINTR`; under a name, those of
            /// [`SharedMemory::open`](crate::SharedMemory::open).
            pub fn open<'a>(
                place: impl TryInto<crate::sync::Place<'a>, Error: Into<crate::Error>>,
            ) -> crate::Result<Self> {
                $options::new().open(place)
            }

            /// Opens it, or creates it when there is none. Errors: those of both.
            pub fn open_or_create<'a>(
                place: impl TryInto<crate::sync::Place<'a>, Error: Into<crate::Error>>,
                $($argument: $kind,)?
            ) -> crate::Result<Self> {
                $options::new().open_or_create(place $(, $argument)?)
            }

            /// How, if not by default.
            pub fn options() -> $options {
                $options::new()
            }
        }
    };
}

pub(super) use {common_setters, constructors};
