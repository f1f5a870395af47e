// SPDX-License-Identifier: MIT OR Apache-2.0
//! The facts of the machine without which a measurement means nothing.

use std::fs::read_to_string;

/// Size of the huge pages that the benchmarks use.
pub(crate) const HUGE_PAGE: usize = 2 << 20;

/// The head of a benchmark.
pub(crate) fn print_head(face: &str) {
    println!("unipc {}, the {face} face", env!("CARGO_PKG_VERSION"));
    println!(
        "Linux {}; {}; {} CPUs, load {}",
        file("/proc/sys/kernel/osrelease"),
        field("/proc/cpuinfo", "model name"),
        std::thread::available_parallelism().map_or(0, usize::from),
        file("/proc/loadavg").split(' ').next().unwrap_or_default(),
    );
    println!(
        "pages of {} bytes, huge pages free: {} of {} bytes; transparent ones: {}, for shared memory: {}",
        unipc::page_size(),
        free_huge_pages(),
        HUGE_PAGE,
        chosen("/sys/kernel/mm/transparent_hugepage/enabled"),
        chosen("/sys/kernel/mm/transparent_hugepage/shmem_enabled"),
    );
    println!(
        "Median processor times of one run; N x: what unipc takes as a multiple of what the line names (median and quartiles of paired ratios)."
    );
}

/// How many huge pages can be had.
pub(crate) fn free_huge_pages() -> usize {
    let pool = format!("/sys/kernel/mm/hugepages/hugepages-{}kB/free_hugepages", HUGE_PAGE >> 10);
    file(&pool).parse().unwrap_or(0)
}

fn file(path: &str) -> String {
    read_to_string(path).unwrap_or_default().trim_end().to_owned()
}

fn field(path: &str, name: &str) -> String {
    let text = file(path);
    let line =
        text.lines().find_map(|line| line.strip_prefix(name)?.trim_start().strip_prefix(':'));
    line.unwrap_or("unknown").trim().to_owned()
}

/// The word in brackets: what of `always [madvise] never` is in force.
fn chosen(path: &str) -> String {
    let text = file(path);
    let word = text.split_once('[').and_then(|(_, rest)| rest.split_once(']'));
    word.map_or("unknown", |(word, _)| word).to_owned()
}
