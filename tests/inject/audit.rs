// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a process holds: to be the same after everything is dropped, whatever failed.

use std::fs;

/// Descriptors and shared or inaccessible mappings.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Holdings {
    descriptors: Vec<String>,
    mappings: Vec<String>,
}

impl Holdings {
    pub(super) fn now() -> Self {
        let links = fs::read_dir("/proc/self/fd").into_iter().flatten().flatten();
        let mut descriptors: Vec<_> = links
            .filter_map(|link| Some((link.file_name(), fs::read_link(link.path()).ok()?)))
            // The directory that is being read is one of them.
            .filter(|(_, target)| !target.starts_with("/proc"))
            .map(|(number, target)| format!("{}: {}", number.display(), target.display()))
            .collect();
        descriptors.sort_unstable();
        let maps = fs::read_to_string("/proc/self/maps").unwrap_or_default();
        // The allocator's memory comes and goes; what the library maps is shared, or a guard page.
        let counts = |line: &&str| {
            line.split_whitespace().nth(1).is_some_and(|mode| mode.ends_with('s') || mode == "---p")
        };
        let mappings = maps.lines().filter(counts).map(str::to_owned).collect();
        Self { descriptors, mappings }
    }

    /// What is held now and was not then.
    pub(super) fn more_than(&self, before: &Self) -> Vec<String> {
        let now = self.descriptors.iter().chain(&self.mappings);
        now.filter(|held| !before.descriptors.contains(held) && !before.mappings.contains(held))
            .map(|held| format!("still held: {held}"))
            .collect()
    }
}
