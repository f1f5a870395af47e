// SPDX-License-Identifier: MIT OR Apache-2.0
//! Any text: the parser refuses it with a reason, or prints back a layout that parses to the same and is no larger than it says.
#![no_main]

use libfuzzer_sys::fuzz_target;
use unipc::record::Layout;

fuzz_target!(|text: &str| {
    match Layout::parse(text) {
        Ok(layout) => {
            let printed = layout.to_string();
            assert_eq!(Layout::parse(&printed).as_ref(), Ok(&layout), "{printed:?}");
            assert!(layout.check(&layout).is_ok());
            let last = layout.fields().last();
            assert!(last.is_none_or(
                |field| field.offset() + field.layout().size() <= layout.element_size()
            ));
            let _ = layout.to_c("record");
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
});
