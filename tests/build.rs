// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where the C library lies that the conformance suite calls: `make lib` puts it there.

use std::path::Path;

fn main() {
    println!("cargo:rerun-if-env-changed=UNIPC_LIB_DIR");
    let directory = std::env::var("UNIPC_LIB_DIR").unwrap_or_else(|_| {
        let house = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/release");
        house.to_string_lossy().into_owned()
    });
    println!("cargo:rustc-link-search=native={directory}");
    println!("cargo:rustc-link-arg-tests=-Wl,-rpath,{directory}");
}
