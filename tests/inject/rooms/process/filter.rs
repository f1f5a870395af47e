// SPDX-License-Identifier: MIT OR Apache-2.0
//! Programs at the other end of one pipe or two.

use unipc::pipe::{Command, Coprocess, Shell};
use unipc::{Result, Timeout};

use super::super::Act;
use super::{Case, FOREVER, LONG, SHORT, cat, filter, in_vain, others_come_by, warm};

/// More than two pipes and a filter between them hold at once.
const MUCH: usize = 200_000;

pub(super) const CASES: &[Case] = &[
    Case::new("shell: start one to read", |yard| {
        others_come_by(yard);
        Box::new(|| Shell::reader(cat().null(0))?.close(FOREVER).map(drop))
    }),
    Case::new("shell: start one to write", |yard| {
        others_come_by(yard);
        Box::new(|| Shell::writer(cat())?.close(FOREVER).map(drop))
    }),
    Case::new("shell: read", |_| reads(FOREVER)),
    Case::new("shell: read in time", |_| reads(LONG)).forgives(MUST_WAIT),
    Case::new("shell: write", |_| writes(FOREVER)),
    Case::new("shell: write in time", |_| writes(LONG)).forgives(MUST_WAIT),
    Case::new("coprocess: start", |yard| {
        others_come_by(yard);
        Box::new(|| Coprocess::spawn(cat())?.close(FOREVER).map(drop))
    }),
    Case::new("coprocess: exchange", |_| exchanges(filter(false), FOREVER))
        .once()
        .forgives(MUST_WAIT),
    Case::new("coprocess: exchange in time", |_| exchanges(filter(false), LONG))
        .once()
        .forgives(MUST_WAIT),
    Case::new("coprocess: answer in vain", |_| {
        let filter = filter(false);
        Box::new(move || in_vain(filter.read_line(SHORT)))
    })
    .forgives(MUST_WAIT),
    Case::new("coprocess: write until it is full, read", |_| {
        let filter = filter(false);
        let bytes = vec![b'x'; MUCH];
        Box::new(move || {
            filter.write(&bytes, LONG)?;
            filter.end_input();
            let (mut came, mut room) = (0, vec![0; MUCH]);
            loop {
                match filter.read(&mut room[came..], LONG)? {
                    0 => break,
                    count => came += count,
                }
            }
            assert!(room == bytes, "{came} bytes came");
            Ok(())
        })
    })
    .once()
    .forgives(MUST_WAIT),
    Case::new("coprocess: communicate", |_| {
        let filter = filter(false);
        Box::new(move || {
            let came = filter.communicate(b"bytes", LONG)?;
            assert!(came == b"bytes" || came.is_empty(), "{came:?}");
            filter.wait(LONG).map(drop)
        })
    })
    .once()
    // A filter that stops reading early has got what it needs.
    .forgives(&[
        (libc::SYS_preadv2, libc::EOPNOTSUPP),
        (libc::SYS_pwritev2, libc::EOPNOTSUPP),
        (libc::SYS_pwritev2, libc::EPIPE),
    ]),
];

/// Where the kernel cannot be asked for one attempt there is the call with a timer.
pub(super) const MUST_WAIT: &[(i64, i32)] =
    &[(libc::SYS_preadv2, libc::EOPNOTSUPP), (libc::SYS_pwritev2, libc::EOPNOTSUPP)];

/// The line comes once, and then the end.
fn reads(timeout: Timeout) -> Act {
    let shell = Shell::reader(Command::new("/bin/echo").arg("line")).expect("room");
    let mut lines = 0;
    Box::new(move || {
        if lines == 0 {
            assert_eq!(shell.read_line(timeout)?.as_deref(), Some(&b"line"[..]));
            lines = 1;
        }
        if lines == 1 {
            assert_eq!(shell.read_line(timeout)?, None, "it has ended");
            lines = 2;
        }
        shell.wait(timeout).map(drop)
    })
}

fn writes(timeout: Timeout) -> Act {
    warm();
    let shell = Shell::writer(cat().null(1)).expect("room");
    let mut written = false;
    Box::new(move || {
        if !written {
            shell.write(b"line\n", timeout)?;
            written = true;
        }
        shell.wait(timeout).map(drop)
    })
}

pub(super) fn exchanges(filter: Coprocess, timeout: Timeout) -> Act {
    Box::new(move || {
        let answer: Result<Vec<u8>> = filter.exchange(b"line", timeout);
        assert_eq!(answer?, b"line");
        Ok(())
    })
}
