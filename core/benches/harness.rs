// SPDX-License-Identifier: MIT OR Apache-2.0
//! A small harness: the sides of a comparison take turns in short batches, and what counts is the
//! median of the ratios of neighbours, in time of the processor. So a machine that is busy with
//! other things, or changes its clock, slows all sides alike.

use std::hint::black_box;
use std::time::{Duration, Instant};

use crate::plain::processor_time;

/// How long a batch takes: short beside a time slice, long beside reading the clock.
const BATCH: Duration = Duration::from_micros(200);
/// How long a comparison takes.
const BUDGET: Duration = Duration::from_millis(900);
/// How many rounds at least, and at most.
const ROUNDS: (u128, u128) = (25, 1001);

/// One of the things that are compared.
pub(crate) struct Side<'a> {
    what: &'a str,
    run: Box<dyn FnMut(u32) + 'a>,
    elapsed: bool,
    batch: u32,
    /// Nanoseconds a call, one for each round.
    times: Vec<f64>,
}

impl<'a> Side<'a> {
    pub(crate) fn new<R>(what: &'a str, mut call: impl FnMut() -> R + 'a) -> Self {
        let run = Box::new(move |count| {
            for _ in 0..count {
                black_box(call());
            }
        });
        Self { what, run, elapsed: false, batch: 1, times: Vec::new() }
    }

    /// As `new`, for a comparison in the time that passes, where others work for the sides.
    #[allow(dead_code, reason = "only programs are timed so")]
    pub(crate) fn elapsed<R>(what: &'a str, call: impl FnMut() -> R + 'a) -> Self {
        Self { elapsed: true, ..Self::new(what, call) }
    }

    fn time(&mut self) -> Duration {
        let (start, begun) = (processor_time(), Instant::now());
        (self.run)(self.batch);
        let ran = processor_time().saturating_sub(start);
        if self.elapsed { begun.elapsed() } else { ran }
    }

    /// Warms up, and finds how many calls make a batch. Gives the time of the last one.
    fn calibrate(&mut self) -> Duration {
        self.time();
        loop {
            let took = self.time();
            if took >= BATCH {
                return took;
            }
            self.batch *= 2;
        }
    }

    fn measure(&mut self) {
        let nanoseconds = self.time().as_secs_f64() * 1e9;
        self.times.push(nanoseconds / f64::from(self.batch));
    }
}

/// Times the sides, of which the first is ours, and prints how long each takes and how ours stands to the others.
pub(crate) fn compare(title: &str, mut sides: Vec<Side<'_>>) {
    let round: Duration = sides.iter_mut().map(Side::calibrate).sum();
    let (least, most) = ROUNDS;
    let pairs = (BUDGET.as_nanos() / round.as_nanos()).clamp(least, most) / 2;
    for _ in 0..2 * pairs {
        sides.iter_mut().for_each(Side::measure);
        // The next round goes the other way: nobody always finds the caches that the same other left behind.
        sides.reverse();
    }
    println!("\n{title}");
    let (ours, others) = sides.split_first().expect("a comparison has sides");
    println!("  {:<52}{}", ours.what, duration(quartile(2, ours.times.clone())));
    for other in others {
        let ratios: Vec<f64> = ours.times.iter().zip(&other.times).map(|(a, b)| a / b).collect();
        println!(
            "  {:<52}{}{:>9.2} x  ({:.2} .. {:.2})",
            other.what,
            duration(quartile(2, other.times.clone())),
            quartile(2, ratios.clone()),
            quartile(1, ratios.clone()),
            quartile(3, ratios),
        );
    }
}

/// The first quartile, the second, which is the median, or the third.
fn quartile(which: usize, mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() * which / 4]
}

fn duration(nanoseconds: f64) -> String {
    match nanoseconds {
        ..1e3 => format!("{nanoseconds:>8.1} ns"),
        ..1e6 => format!("{:>8.2} us", nanoseconds / 1e3),
        _ => format!("{:>8.2} ms", nanoseconds / 1e6),
    }
}
