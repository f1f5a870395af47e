// SPDX-License-Identifier: MIT OR Apache-2.0
//! The verbs of records, declared by the derive.

use unipc::record::{Array, Cell, Chars, Layout, Record};
use unipc::{Result, SharedMemory, Timeout};

use super::{Answer, Request};

#[derive(Record, Clone, Copy)]
#[repr(C)]
struct People {
    name: Chars<4>,
    age: i32,
}

/// Whole when all words are the same.
#[derive(Record, Clone, Copy)]
#[repr(C)]
struct Wide {
    words: [u64; 8],
}

impl Wide {
    fn of(value: u64) -> Self {
        Self { words: [value; 8] }
    }

    fn is_whole(&self) -> bool {
        self.words.iter().all(|word| *word == self.words[0])
    }
}

/// What this process has open.
#[derive(Default)]
pub(super) struct Room {
    array: Option<Array>,
    cell: Option<Cell>,
}

impl super::Room for Room {
    fn perform(&mut self, request: &Request) -> Answer {
        let name = request.text("name").unwrap_or_default();
        let done = match request.verb {
            "array" => array(name, request).map(|array| {
                self.array = Some(array);
                "open".into()
            }),
            "over" => over(name).map(|array| {
                self.array = Some(array);
                "open".into()
            }),
            "cell" => cell(name, request).map(|cell| {
                self.cell = Some(cell);
                "open".into()
            }),
            "unlink" => Array::unlink(name).map(|()| "removed".into()),
            "write" | "storm" | "read" | "watch" => {
                on_cell(self.cell.as_ref().ok_or("EBADF")?, request)
            }
            _ => on_array(self.array.as_ref().ok_or("EBADF")?, request),
        };
        done.map_err(|error| unipc::errname(error.errno()))
    }
}

fn array(name: &str, request: &Request) -> Result<Array> {
    let declared = match request.text("layout") {
        None => Some(People::layout()?),
        Some("none") => None,
        Some(other) => Some(Layout::parse(other)?),
    };
    let count = request.number("count").unwrap_or_default();
    let layout = || declared.clone().map_or_else(People::layout, Ok);
    match request.text("how") {
        Some("create") => Array::create(name, &layout()?, count),
        Some("open") => Array::open(name, declared.as_ref()),
        _ => Array::open_or_create(name, &layout()?, count),
    }
}

fn over(name: &str) -> Result<Array> {
    Array::over(&SharedMemory::open(name)?, 0, &People::layout()?, None)
}

fn cell(name: &str, request: &Request) -> Result<Cell> {
    let layout = Wide::layout()?;
    match request.text("how") {
        Some("create") => Cell::create(name, &layout),
        Some("open") => Cell::open(name, Some(&layout)),
        _ => Cell::open_or_create(name, &layout),
    }
}

fn on_array(array: &Array, request: &Request) -> Result<String> {
    let index = request.number("index").unwrap_or_default();
    match request.verb {
        "layout" => Ok(format!("count={} {}", array.len(), array.layout())),
        "put" => {
            let name = Chars::from(request.text("name").unwrap_or_default());
            let age = request.number("age").unwrap_or_default();
            array.set(index, &People { name, age }).map(|()| "put".into())
        }
        "tell" => {
            let one: People = array.get(index)?;
            Ok(format!("name={} age={}", one.name, one.age))
        }
        "ages" => {
            for (index, age) in (0..array.len()).zip(0..) {
                array.set(index, &People { age, ..array.get(index)? })?;
            }
            Ok("written".into())
        }
        _ => {
            let ages = (0..array.len()).map(|index| array.get::<People>(index));
            let sum: Result<i64> = ages.map(|one| one.map(|one| i64::from(one.age))).sum();
            sum.map(|sum| sum.to_string())
        }
    }
}

fn on_cell(cell: &Cell, request: &Request) -> Result<String> {
    let set = |value| cell.set(&Wide::of(value), Timeout::Forever);
    match request.verb {
        "write" => {
            set(request.number("value").unwrap_or_default())?;
            Ok("written".into())
        }
        "storm" => {
            let count = request.number("count").unwrap_or_default();
            (1..=count).try_for_each(set)?;
            Ok("written".into())
        }
        "read" => {
            let wide: Wide = cell.get()?;
            let how = if wide.is_whole() { "whole" } else { "torn" };
            Ok(format!("value={} {how}", wide.words[0]))
        }
        _ => {
            let until: u64 = request.number("until").unwrap_or_default();
            let mut last = 0;
            loop {
                let wide: Wide = cell.get()?;
                if !wide.is_whole() {
                    return Ok("torn".into());
                }
                let version = cell.version()?;
                if version < last {
                    return Ok("back".into());
                }
                last = version;
                if wide.words[0] == until {
                    return Ok("whole".into());
                }
            }
        }
    }
}
