// SPDX-License-Identifier: MIT OR Apache-2.0
//! Any bytes: the parser refuses them with a reason, or prints back a name that parses to the same.
#![no_main]

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use libfuzzer_sys::fuzz_target;
use unipc::Name;

fuzz_target!(|text: &[u8]| {
    match Name::parse(OsStr::from_bytes(text)) {
        Ok(name) => {
            let printed = name.to_os_string();
            assert_eq!(Name::parse(&printed), Ok(name), "{printed:?}");
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
});
