// SPDX-License-Identifier: MIT OR Apache-2.0
//! What has neither a descriptor nor a word to sleep on: it is looked at.

use crate::error::Result;
use crate::watch::Source;

/// Something that a look tells of.
struct Looked<F>(F);

impl<F: Fn() -> Result<bool> + Send + Sync> Source for Looked<F> {
    fn is_ready(&self) -> bool {
        // What it says when it was removed, it shall say to whoever takes.
        (self.0)().unwrap_or(true)
    }
}

/// Errors: those of the first look.
pub(super) fn at(
    is_there: impl Fn() -> Result<bool> + Send + Sync + 'static,
) -> Result<std::sync::Arc<dyn Source>> {
    is_there()?;
    Ok(std::sync::Arc::new(Looked(is_there)))
}
