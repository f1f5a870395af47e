// SPDX-License-Identifier: MIT OR Apache-2.0
//! Sets the name under which programs look for the shared library when they start.

fn main() {
    println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libunipc.so.0");
    println!("cargo:rerun-if-changed=build.rs");
}
