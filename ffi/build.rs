// SPDX-License-Identifier: MIT OR Apache-2.0
//! Sets the name under which programs look for the shared library when they start, and keeps it loaded.

fn main() {
    println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libunipc.so.0");
    // The SIGBUS handler is part of it, and stays in force after a dlclose().
    println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
    println!("cargo:rerun-if-changed=build.rs");
}
