// SPDX-License-Identifier: MIT OR Apache-2.0
//! Pipes, FIFOs, turns and frames.

use std::time::Duration;

use unipc::pipe::{End, Fifo, Options, Side, Turnstile, duplex, pipe};
use unipc::stream::{FrameReader, FrameWriter};
use unipc::{Mode, Result, Timeout};

use super::{ANY, Act, Case, Room, Yard};

const SHORT: Timeout = Timeout::After(Duration::from_millis(2));
const LONG: Timeout = Timeout::After(Duration::from_secs(20));

/// A call that should not have had to wait is made again when there is something to do.
const WAITED: &[(i64, i32)] = &[
    (libc::SYS_read, libc::EAGAIN),
    (libc::SYS_preadv2, libc::EAGAIN),
    (libc::SYS_pwritev2, libc::EAGAIN),
    (libc::SYS_write, libc::EAGAIN),
    (libc::SYS_recvfrom, libc::EAGAIN),
    (libc::SYS_sendto, libc::EAGAIN),
];

/// As [`WAITED`], and where the kernel cannot be asked for one attempt there is the call with a timer.
const TIMED: &[(i64, i32)] = &[
    (libc::SYS_read, libc::EAGAIN),
    (libc::SYS_preadv2, libc::EAGAIN),
    (libc::SYS_pwritev2, libc::EAGAIN),
    (libc::SYS_recvfrom, libc::EAGAIN),
    (libc::SYS_sendto, libc::EAGAIN),
    (libc::SYS_preadv2, libc::EOPNOTSUPP),
    (libc::SYS_pwritev2, libc::EOPNOTSUPP),
];

/// What kernels before 6.18 lack.
const NO_FLAGS: &[(i64, i32)] =
    &[(libc::SYS_pwritev2, libc::EOPNOTSUPP), (libc::SYS_preadv2, libc::EOPNOTSUPP)];

/// What the kernel can do is asked on a pipe; without one it is not trusted to.
const OLDER: &[(i64, i32)] = &[
    (libc::SYS_pipe2, ANY),
    (libc::SYS_pwritev2, ANY),
    (libc::SYS_preadv2, libc::EAGAIN),
    (libc::SYS_preadv2, libc::EOPNOTSUPP),
    (libc::SYS_read, libc::EAGAIN),
    (libc::SYS_writev, libc::EAGAIN),
];

pub(super) const ROOM: Room = Room {
    name: "pipe",
    cases: &[
        Case::new("pipe", |_| Box::new(|| pipe().map(drop))),
        Case::new("pipe with a capacity", |_| {
            Box::new(|| Options::new().packets(true).capacity(8192).create().map(drop))
        }),
        Case::new("duplex", |_| Box::new(|| duplex().map(drop))),
        Case::new("from_fd", |_| {
            let (reader, _) = pipe().expect("a pipe");
            Box::new(move || {
                reader.try_clone().and_then(|copy| End::from_fd(copy.into())).map(drop)
            })
        }),
        Case::new("pipe: wait", |_| moves(pipes(), Timeout::Forever)).forgives(WAITED),
        Case::new("pipe: wait for a while", |_| moves(pipes(), LONG)).forgives(TIMED),
        Case::new("pipe: wait, an older kernel", |_| moves(cold(), Timeout::Forever))
            .without(NO_FLAGS)
            .forgives(OLDER),
        Case::new("pipe: wait for a while, an older kernel", |_| moves(cold(), LONG))
            .without(NO_FLAGS)
            .forgives(OLDER),
        Case::new("pipe: wait, SIGPIPE allowed", |_| {
            let (reader, writer) = pipes();
            writer.set_sigpipe(true);
            moves((reader, writer), Timeout::Forever)
        })
        .forgives(WAITED),
        Case::new("fifo: wait", |yard| moves(fifos(yard), Timeout::Forever)).forgives(WAITED),
        Case::new("fifo: wait for a while", |yard| moves(fifos(yard), LONG)).forgives(TIMED),
        Case::new("duplex: wait", |_| moves(pair(), Timeout::Forever)).forgives(WAITED),
        Case::new("duplex: wait for a while", |_| moves(pair(), LONG)).forgives(WAITED),
        Case::new("pipe: time over", |_| runs_out(pipes())).forgives(TIMED),
        Case::new("fifo: time over", |yard| runs_out(fifos(yard))).forgives(TIMED),
        Case::new("nobody reads", |_| {
            let (reader, writer) = pipes();
            drop(reader);
            Box::new(move || match writer.write_all(b"x", Timeout::Forever) {
                Err(error) if error.errno() == libc::EPIPE => Ok(()),
                other => other,
            })
        })
        .forgives(&[(libc::SYS_pwritev2, libc::EPIPE), (libc::SYS_pwritev2, libc::EAGAIN)]),
        Case::new("keep_open", |_| {
            Box::new(|| {
                let (reader, _) = pipe()?;
                reader.keep_open()
            })
        }),
        Case::new("capacity, waiting, inheritance", |_| {
            let (reader, _writer) = pipe().expect("a pipe");
            Box::new(move || {
                reader.set_capacity(8192)?;
                reader.capacity()?;
                reader.waiting()?;
                reader.set_inheritable(true)?;
                reader.set_inheritable(false)
            })
        }),
        Case::new("fifo: create", |yard| creates(yard, |name| Fifo::create(name))).forgives(MADE),
        Case::new("fifo: open_or_create", |yard| {
            creates(yard, |name| Fifo::open_or_create(name, Mode::PRIVATE))
        })
        .forgives(MADE_OR_THERE),
        Case::new("fifo: create for all", |yard| {
            // The umask takes bits away, which are given back.
            nix::sys::stat::umask(nix::sys::stat::Mode::from_bits_truncate(0o077));
            let all = Mode::new(0o666).expect("nine bits");
            let (name, path) = (yard.file("new"), yard.path("new"));
            yard.at_end(move || {
                let _ = std::fs::remove_file(path);
            });
            Box::new(move || Fifo::create_with(name.as_str(), all).map(drop))
        })
        .forgives(MADE)
        // The C library goes through /proc, and says so when there is none.
        .translates(&[(libc::SYS_chmod, libc::ENOENT, libc::EOPNOTSUPP)]),
        Case::new("fifo: open and unlink", |yard| {
            let (name, path) = (yard.file("fifo"), yard.path("fifo"));
            Fifo::create(&name).expect("the name is free");
            yard.at_end(move || {
                let _ = std::fs::remove_file(path);
            });
            Box::new(move || {
                Fifo::open(&name)?;
                Fifo::unlink(&name)
            })
        }),
        Case::new("fifo: reader and writer", |yard| {
            let fifo = fifo(yard);
            Box::new(move || {
                let _reader = fifo.reader(Timeout::TRY)?;
                fifo.writer(LONG).map(drop)
            })
        }),
        Case::new("fifo: nobody comes", |yard| {
            let fifo = fifo(yard);
            Box::new(move || match fifo.writer(SHORT) {
                Err(error) if error.errno() == libc::ETIMEDOUT => Ok(()),
                other => other.map(drop),
            })
        }),
        Case::new("turnstile", |_| {
            drop(pipes());
            Box::new(|| {
                let mut parent = Turnstile::new()?;
                let mut child = {
                    let (hear, tell) = parent.fds(Side::Child).expect("before it chooses");
                    let copy = |fd: std::os::fd::BorrowedFd<'_>| {
                        fd.try_clone_to_owned().map_err(|error| {
                            let errno = error.raw_os_error().unwrap_or(libc::EIO);
                            unipc::Error::new("dup", "an end", unipc::ErrorKind::Os(errno))
                        })
                    };
                    Turnstile::from_fds(Side::Child, copy(hear)?, copy(tell)?)?
                };
                parent.tell_child()?;
                child.wait_parent(Timeout::Forever)?;
                child.tell_parent()?;
                parent.wait_child(LONG)
            })
        })
        .forgives(TIMED),
        Case::new("frames", |_| frames(false, Timeout::Forever)).forgives(WAITED),
        Case::new("frames within a time", |_| frames(false, LONG)).forgives(TIMED),
        Case::new("frames of an exclusive writer", |_| frames(true, LONG)).forgives(
            // Not to be had at once, it seems, so it is waited for; and what was locked is unlocked in any case.
            &[
                (libc::SYS_preadv2, libc::EAGAIN),
                (libc::SYS_pwritev2, libc::EAGAIN),
                (libc::SYS_preadv2, libc::EOPNOTSUPP),
                (libc::SYS_pwritev2, libc::EOPNOTSUPP),
                (libc::SYS_read, libc::EAGAIN),
                (libc::SYS_fcntl, ANY),
            ],
        ),
    ],
    forgives: &[],
    translates: &[],
    impossible: &[],
};

/// A FIFO is made under a temporary name; where the file system cannot rename without replacing, by a link.
const MADE: &[(i64, i32)] = &[
    (libc::SYS_renameat2, libc::EINVAL),
    (libc::SYS_mknod, libc::EEXIST),
    (libc::SYS_mknodat, libc::EEXIST),
];

/// Somebody else was first, it seems: it is looked for, and made again.
const MADE_OR_THERE: &[(i64, i32)] = &[
    (libc::SYS_renameat2, libc::EINVAL),
    (libc::SYS_renameat2, libc::EEXIST),
    (libc::SYS_mknod, libc::EEXIST),
    (libc::SYS_mknodat, libc::EEXIST),
];

type Ends = (End, End);

/// What is found out once is found out before the failures begin.
fn warm((reader, writer): Ends) -> Ends {
    writer.write_all(b"warm", Timeout::Forever).expect("there is room");
    reader.read_exact(&mut [0; 4], Timeout::Forever).expect("it is there");
    (reader, writer)
}

fn cold() -> Ends {
    let (reader, writer) = pipe().expect("a pipe");
    (reader.into(), writer.into())
}

fn pipes() -> Ends {
    warm(cold())
}

fn pair() -> Ends {
    let (one, other) = duplex().expect("a pair");
    warm((one.into(), other.into()))
}

fn fifo(yard: &mut Yard) -> Fifo {
    let (name, path) = (yard.file("fifo"), yard.path("fifo"));
    yard.at_end(move || std::fs::remove_file(path).expect("it is there"));
    Fifo::create(&name).expect("the name is free")
}

fn fifos(yard: &mut Yard) -> Ends {
    let fifo = fifo(yard);
    let reader = fifo.reader(Timeout::TRY).expect("it needs nobody");
    let writer = fifo.writer(Timeout::TRY).expect("the reader is there");
    warm((reader.into(), writer.into()))
}

/// Each byte that is written is read, and no other.
fn moves((reader, writer): Ends, timeout: Timeout) -> Act {
    let mut waiting = 0;
    Box::new(move || {
        if waiting == 0 {
            writer.write_all(b"bytes", timeout)?;
            waiting = 5;
        }
        while waiting > 0 {
            let mut room = [0; 5];
            let count = reader.read(&mut room, timeout)?;
            assert_eq!(room[..count], b"bytes"[5 - waiting..][..count], "what was written");
            waiting -= count;
        }
        Ok(())
    })
}

/// A wait that ends with its time, and leaves neither timer nor signal mask behind.
fn runs_out((reader, writer): Ends) -> Act {
    Box::new(move || {
        let _keeps = &writer;
        match reader.read(&mut [0], SHORT) {
            Err(error) if error.errno() == libc::ETIMEDOUT => Ok(()),
            other => other.map(drop),
        }
    })
}

fn creates(yard: &mut Yard, create: fn(&str) -> Result<Fifo>) -> Act {
    let (name, path) = (yard.file("new"), yard.path("new"));
    let there = path.clone();
    yard.check(move |result| {
        let mode = std::fs::metadata(&there)
            .map(|status| std::os::unix::fs::PermissionsExt::mode(&status.permissions()) & 0o777);
        let expected = result.is_ok().then_some(Mode::PRIVATE.bits());
        (mode.as_ref().ok() != expected.as_ref()).then(|| format!("the FIFO has the mode {mode:?}"))
    });
    yard.at_end(move || {
        let _ = std::fs::remove_file(path);
    });
    Box::new(move || create(&name).map(drop))
}

fn frames(exclusive: bool, timeout: Timeout) -> Act {
    let (reader, writer) = pipes();
    let mut reader = FrameReader::new(reader).expect("a pipe");
    let mut writer = FrameWriter::new(writer).expect("a pipe");
    if exclusive {
        writer = writer.exclusive();
    }
    let long = vec![7; 10_000];
    Box::new(move || {
        if writer.is_unfinished() {
            writer.finish(timeout)?;
        } else {
            writer.write(&long, timeout)?;
        }
        let frame = reader.read(timeout)?;
        assert!(frame == Some(&long[..]), "the frame is another one");
        Ok(())
    })
}
