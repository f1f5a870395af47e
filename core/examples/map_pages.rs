// SPDX-License-Identifier: MIT OR Apache-2.0
//! How far a mapped file may be touched: to the end of its last page, and not a byte further.
//!
//! Run `map_pages FILE` (maps the file from its beginning) or `map_pages FILE 2` (from its second
//! page on). The file is 99 bytes short of two pages. The last line tells of the first page that it
//! does not reach, where a plain store would be SIGBUS: the third page of the mapping, in version 2
//! the second.
#![allow(clippy::print_stdout, reason = "this is a program")]

mod common;

use std::process::ExitCode;

use common::{Failure, PEOPLE};
use unipc::{Name, SharedMemory};

fn experiment() -> Result<(), Failure> {
    let page = unipc::page_size();
    println!("pagesize is {page}");
    let arguments = common::arguments("map_pages FILE [1|2]")?;
    let offset = if arguments.get(1).is_some_and(|version| version == "2") { page } else { 0 };
    let name = Name::file(&arguments[0])?;
    SharedMemory::options().replace(true).create(&name, 2 * page - 99)?;
    let options = SharedMemory::options().size(3 * page).offset(offset as u64).slack(true);
    let shm = options.open(&name)?;
    // The age is the second half of a record.
    let set_age = |record: usize| shm.write(record * PEOPLE + 4, &100_i32);
    for i in 1..10 {
        let next = page / PEOPLE * i;
        set_age(next - 2)?;
        println!("access page {i} over");
        set_age(next - 1)?;
        println!("access page {i} edge over, now begin to access page {}", i + 1);
        set_age(next)?;
        println!("access page {} over", i + 1);
    }
    Ok(())
}

fn main() -> ExitCode {
    common::finish(experiment())
}
