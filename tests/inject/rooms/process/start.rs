// SPDX-License-Identifier: MIT OR Apache-2.0
//! Starting programs, waiting for them, signalling them, leaving them.

use std::os::fd::OwnedFd;

use unipc::pipe::{Command, pipe};

use super::{ANY, Case, FOREVER, LONG, SHORT, in_vain, others_come_by, running};

pub(super) const CASES: &[Case] = &[
    Case::new("spawn, wait", |yard| {
        others_come_by(yard);
        Box::new(|| Command::new("/bin/true").spawn()?.wait(FOREVER).map(drop))
    }),
    Case::new("spawn with all that can be said", |yard| {
        others_come_by(yard);
        Box::new(|| {
            let (reader, writer) = pipe()?;
            let command = Command::new("true").env("PATH", "/nowhere:/bin").directory("/");
            let command = command.null(0).descriptor(1, OwnedFd::from(writer)).same(2, 1);
            let command = command.descriptor(5, OwnedFd::from(reader)).new_group(true);
            command.spawn()?.wait(LONG).map(drop)
        })
    })
    // The first folder has no such program, for one reason or another; the second has.
    .forgives(&[(libc::SYS_execve, libc::ENOENT), (libc::SYS_execve, libc::EACCES)]),
    Case::new("spawn what is not there", |_| {
        Box::new(|| match Command::new("/nowhere/true").spawn() {
            Err(error) if error.errno() == libc::ENOENT => Ok(()),
            other => other.map(drop),
        })
    })
    .forgives(&[(libc::SYS_execve, libc::ENOENT)]),
    Case::new("wait in vain", |_| {
        let (process, writer) = running();
        Box::new(move || {
            let _keeps = &writer;
            in_vain(process.wait(SHORT))
        })
    }),
    Case::new("status, signal", |_| {
        let (process, writer) = running();
        Box::new(move || {
            let _keeps = &writer;
            assert_eq!(process.status()?, None, "it reads");
            process.signal(0)?;
            process.signal(libc::SIGURG)
        })
    }),
    Case::new("kill, wait", |_| {
        let (process, writer) = running();
        Box::new(move || {
            let _keeps = &writer;
            process.kill()?;
            process.wait(LONG).map(drop)
        })
    })
    .impossible(&[(libc::SYS_pidfd_send_signal, libc::ESRCH)]),
    Case::new("drop it while it runs", |yard| {
        let (process, writer) = running();
        others_come_by(yard);
        let mut both = Some((process, writer));
        Box::new(move || {
            drop(both.take());
            Ok(())
        })
    })
    .once()
    // Without a thread that waits for it the next one who starts a program does. And where it cannot be told whether it
    // runs, it is waited for.
    .forgives(&[
        (libc::SYS_waitid, ANY),
        (libc::SYS_clone3, ANY),
        (libc::SYS_clone, ANY),
        (libc::SYS_mmap, ANY),
    ]),
];
