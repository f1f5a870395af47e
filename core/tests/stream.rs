// SPDX-License-Identifier: MIT OR Apache-2.0
//! Byte streams over each kind of descriptor: time limits, ends, broken peers, signals; and frames on them.

#[path = "support/child.rs"]
mod child;
#[path = "support/fork.rs"]
mod fork;
#[path = "support/storm.rs"]
mod storm;
mod support;

use std::os::fd::OwnedFd;
use std::thread;
use std::time::{Duration, Instant};

use child::succeeds_alone;
use fork::{fork, succeeded};
use nix::fcntl::{FcntlArg, OFlag, SealFlag, fcntl};
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::stat::Mode;
use storm::{Storm, through};
use support::Directory;
use unipc::pipe::{Duplex, End, Options, PIPE_BUF, Reader, Writer, duplex, pipe};
use unipc::signal::{self, Signal};
use unipc::socket::{Kind, Shutdown, Socket};
use unipc::stream::{FRAME_ATOMIC, FRAME_LIMIT, FrameReader, FrameWriter};
use unipc::{ErrorKind, Timeout};

const SHORT: Timeout = Timeout::After(Duration::from_millis(20));

/// Two ends of each kind: what the second writes the first reads.
fn kinds() -> Vec<(&'static str, End, End)> {
    let directory = Directory::new("stream");
    let path = directory.path("fifo");
    nix::unistd::mkfifo(&path, Mode::S_IRUSR | Mode::S_IWUSR).unwrap();
    let open = |flags| nix::fcntl::open(&path, flags | OFlag::O_CLOEXEC, Mode::empty()).unwrap();
    // The reader's O_NONBLOCK stays set, as a descriptor that somebody else made may have it.
    let fifo_reader = open(OFlag::O_RDONLY | OFlag::O_NONBLOCK);
    let fifo_writer = open(OFlag::O_WRONLY);
    let (reader, writer) = pipe().unwrap();
    let (one, other) = duplex().unwrap();
    vec![
        ("pipe", reader.into(), writer.into()),
        ("fifo", End::from_fd(fifo_reader).unwrap(), End::from_fd(fifo_writer).unwrap()),
        ("socket", one.into(), other.into()),
    ]
}

/// Writes until nothing fits: not even one byte into a page that is partly full.
fn fill(writer: &End) -> usize {
    let mut filled = 0;
    for size in [1000, 1] {
        loop {
            match writer.write(&vec![b'.'; size], Timeout::TRY) {
                Ok(more) => filled += more,
                Err(error) => {
                    assert_eq!(error.errno(), libc::EAGAIN);
                    break;
                }
            }
        }
    }
    filled
}

#[test]
fn a_try_does_not_wait_and_a_limit_is_kept() {
    for (kind, reader, writer) in kinds() {
        let mut room = [0; 8];
        let error = reader.read(&mut room, Timeout::TRY).unwrap_err();
        assert_eq!(error.errno(), libc::EAGAIN, "{kind}: {error}");
        let started = Instant::now();
        let error = reader.read(&mut room, SHORT).unwrap_err();
        assert_eq!(error.errno(), libc::ETIMEDOUT, "{kind}: {error}");
        assert!(started.elapsed() >= Duration::from_millis(20), "{kind}");

        fill(&writer);
        let started = Instant::now();
        let error = writer.write(b"more", SHORT).unwrap_err();
        assert_eq!(error.errno(), libc::ETIMEDOUT, "{kind}: {error}");
        assert!(started.elapsed() >= Duration::from_millis(20), "{kind}");
        assert!(error.to_string().contains("timed out"), "{error}");
    }
}

#[test]
fn the_flags_of_the_open_file_stay() {
    for (kind, reader, writer) in kinds() {
        let flags = |end: &End| fcntl(end, FcntlArg::F_GETFL).unwrap();
        let before = (flags(&reader), flags(&writer));
        writer.write_all(b"12345", SHORT).unwrap();
        let mut room = [0; 5];
        reader.read_exact(&mut room, SHORT).unwrap();
        let _ = reader.read(&mut room, Timeout::TRY);
        assert_eq!((flags(&reader), flags(&writer)), before, "{kind}");
    }
}

#[test]
fn a_write_that_fits_in_part_tells_how_much_went() {
    for (kind, reader, writer) in kinds() {
        let all = vec![b'x'; 4 << 20];
        for limit in [Timeout::TRY, SHORT] {
            let started = Instant::now();
            let error = writer.write_all(&all, limit).unwrap_err();
            let done = error.kind().done();
            if limit == Timeout::TRY {
                assert_eq!(error.errno(), libc::EAGAIN, "{kind}: {error}");
                assert_eq!(reader.waiting().unwrap(), done, "{kind}: {error}");
                let words = format!("after {done} of {} bytes", all.len());
                assert!(error.to_string().contains(&words), "{error}");
            } else {
                assert_eq!((error.errno(), done), (libc::ETIMEDOUT, 0), "{kind}: {error}");
                assert!(started.elapsed() >= Duration::from_millis(20));
            }
        }
    }
}

#[test]
fn a_waiting_side_goes_on_when_the_other_acts() {
    for (kind, reader, writer) in kinds() {
        thread::scope(|scope| {
            let read = scope.spawn(|| {
                let mut room = [0; 5];
                reader.read_exact(&mut room, Timeout::After(Duration::from_secs(30))).map(|()| room)
            });
            writer.write_all(b"he", Timeout::Forever).unwrap();
            writer.write_all(b"llo", Timeout::Forever).unwrap();
            assert_eq!(&read.join().unwrap().unwrap(), b"hello", "{kind}");
        });
        let filled = fill(&writer);
        thread::scope(|scope| {
            let limit = Timeout::After(Duration::from_secs(30));
            let writer = &writer;
            let written = scope.spawn(move || writer.write_all(&vec![b'y'; 100_000], limit));
            let mut room = vec![0; filled + 100_000];
            reader.read_exact(&mut room, Timeout::Forever).unwrap();
            written.join().unwrap().unwrap();
            assert!(room[filled..].iter().all(|&byte| byte == b'y'), "{kind}");
        });
    }
}

#[test]
fn the_end_is_told_apart_from_a_stream_that_was_cut() {
    for (kind, reader, writer) in kinds() {
        writer.write_all(b"123", Timeout::Forever).unwrap();
        drop(writer);
        let mut room = [0; 5];
        let error = reader.read_exact(&mut room, Timeout::Forever).unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::Cut { done: 3, total: 5 }, "{kind}");
        assert_eq!((error.errno(), &room[..3]), (libc::EBADMSG, b"123".as_slice()));
        assert_eq!(reader.read(&mut room, Timeout::Forever).unwrap(), 0, "{kind}");
        assert_eq!(reader.read(&mut room, Timeout::TRY).unwrap(), 0, "{kind}");
        let error = reader.read_exact(&mut room, SHORT).unwrap_err();
        assert_eq!((error.kind(), error.errno()), (&ErrorKind::EndOfStream, libc::ENODATA));
        reader.read_exact(&mut [], Timeout::TRY).unwrap();
    }
}

/// Ends this process when SIGPIPE comes.
fn sigpipe_is_deadly() {
    use nix::sys::signal::{SigHandler, Signal, signal};
    #[allow(unsafe_code)]
    // SAFETY: no handler of ours.
    unsafe { signal(Signal::SIGPIPE, SigHandler::SigDfl) }.unwrap();
}

#[test]
fn a_write_that_nobody_can_read_is_an_error_and_no_signal() {
    sigpipe_is_deadly();
    for (kind, reader, writer) in kinds() {
        drop(reader);
        for limit in [Timeout::TRY, SHORT, Timeout::Forever] {
            let error = writer.write_all(b"x", limit).unwrap_err();
            assert_eq!(error.errno(), libc::EPIPE, "{kind} {limit:?}: {error}");
        }
    }
}

#[test]
fn a_writer_that_waits_hears_that_the_reader_has_gone() {
    sigpipe_is_deadly();
    for limit in [Timeout::Forever, Timeout::After(Duration::from_secs(30))] {
        for (kind, reader, writer) in kinds() {
            let total = 4 << 20;
            thread::scope(|scope| {
                let written = scope.spawn(|| writer.write_all(&vec![1; total], limit));
                let mut room = [0; 100];
                reader.read_exact(&mut room, Timeout::Forever).unwrap();
                drop(reader);
                let error = written.join().unwrap().unwrap_err();
                // A socket whose bytes were not read is reset.
                assert!(
                    [libc::EPIPE, libc::ECONNRESET].contains(&error.errno()),
                    "{kind}: {error}"
                );
                assert!(error.kind().done() < total, "{kind}: {error}");
            });
        }
    }
}

#[test]
fn signals_a_thousand_times_a_second_lose_nothing() {
    for (kind, reader, writer) in kinds() {
        let bytes: Vec<u8> = (0..=250).cycle().take(2_000_000).collect();
        let received = thread::scope(|scope| {
            let reads = scope.spawn(|| {
                let _storm = Storm::new();
                let mut all: Vec<u8> = Vec::new();
                let mut room = [0; 777];
                loop {
                    // With and without a limit by turns.
                    let limit = if all.len().is_multiple_of(2) { Timeout::Forever } else { SHORT };
                    match reader.read(&mut room, limit) {
                        Ok(0) => return all,
                        Ok(more) => all.extend(&room[..more]),
                        Err(error) => {
                            assert!([libc::EINTR, libc::ETIMEDOUT].contains(&error.errno()));
                        }
                    }
                }
            });
            let storm = Storm::new();
            let mut sent = 0;
            while sent < bytes.len() {
                let limit = if sent.is_multiple_of(2) { Timeout::Forever } else { SHORT };
                let end = bytes.len().min(sent + 60_001);
                match writer.write_all(&bytes[sent..end], limit) {
                    Ok(()) => sent = end,
                    Err(error) => {
                        assert!([libc::EINTR, libc::ETIMEDOUT].contains(&error.errno()));
                        sent += error.kind().done();
                    }
                }
            }
            drop(storm);
            drop(writer);
            reads.join().unwrap()
        });
        assert!(received == bytes, "{kind}: {} bytes", received.len());
    }
}

#[test]
fn a_signal_ends_a_write_that_waits_even_after_some_bytes() {
    for limit in [Timeout::Forever, Timeout::After(Duration::from_secs(3600))] {
        for (kind, reader, writer) in kinds() {
            let all = vec![1; 8 << 20];
            let (mut done, mut calls) = (0, 0);
            let _storm = Storm::new();
            while done == 0 || calls < 5 {
                let error = writer.write_all(&all[done..], limit).unwrap_err();
                assert_eq!(error.errno(), libc::EINTR, "{kind}: {error}");
                done += error.kind().done();
                calls += 1;
            }
            assert_eq!(through(|| reader.waiting()).unwrap(), done, "{kind}");
        }
    }
}

#[test]
fn a_write_that_stops_short_without_a_signal_says_why() {
    let memory = memfd_create("full", MFdFlags::MFD_ALLOW_SEALING | MFdFlags::MFD_CLOEXEC).unwrap();
    nix::unistd::ftruncate(&memory, 65536).unwrap();
    fcntl(&memory, FcntlArg::F_ADD_SEALS(SealFlag::F_SEAL_GROW)).unwrap();
    let mut writer = FrameWriter::new(memory).unwrap();
    let error = writer.write(&vec![b'x'; 100_000], Timeout::Forever).unwrap_err();
    assert_eq!((error.errno(), error.kind().done()), (libc::EPERM, 65536), "{error}");
    // A peer that receives no more, but could still send.
    let (one, other) = Socket::pair(Kind::Stream).unwrap();
    let writing = thread::spawn(move || one.send_all(&vec![b'x'; 4 << 20], Timeout::Forever));
    other.recv_exact(&mut [0; 1000], Timeout::Forever).unwrap();
    thread::sleep(Duration::from_millis(50));
    other.shutdown(Shutdown::Receive).unwrap();
    let error = writing.join().unwrap().unwrap_err();
    assert_eq!(error.errno(), libc::EPIPE, "{error}");
}

#[test]
fn more_than_one_call_can_take_is_no_interruption() {
    // The kernel moves at most 2 GiB less a page at once. Untouched, the bytes are one page of zeros.
    let bytes = vec![0; (2 << 30) + 1];
    let (reader, writer) = Options::new().capacity(1 << 20).create().unwrap();
    let total = bytes.len();
    let reading = thread::spawn(move || {
        let mut room = vec![0; 1 << 20];
        let mut left = total;
        while left > 0 {
            left -= reader.read(&mut room, Timeout::Forever).unwrap();
        }
    });
    writer.write_all(&bytes, Timeout::Forever).unwrap();
    reading.join().unwrap();
}

fn frames(reader: End, writer: End) -> (FrameReader<End>, FrameWriter<End>) {
    (FrameReader::new(reader).unwrap(), FrameWriter::new(writer).unwrap())
}

#[test]
fn frames_of_all_sizes_come_as_they_went_and_then_the_end() {
    for (kind, reader, writer) in kinds() {
        let (mut reader, mut writer) = frames(reader, writer);
        // 252 and less go together with their length.
        let sizes = [
            0,
            1,
            5,
            251,
            252,
            253,
            FRAME_ATOMIC,
            FRAME_ATOMIC + 1,
            65536,
            0,
            262_144,
            1_000_000,
            3,
        ];
        let payload = |size: usize| (0..=250_u8).cycle().take(size).collect::<Vec<_>>();
        thread::scope(|scope| {
            scope.spawn(move || {
                for size in sizes {
                    writer.write(&payload(size), Timeout::Forever).unwrap();
                }
            });
            for size in sizes {
                let frame = reader.read(Timeout::After(Duration::from_secs(30))).unwrap();
                assert!(frame == Some(&payload(size)[..]), "{kind} {size}");
            }
            assert_eq!(reader.read(Timeout::Forever).unwrap(), None, "{kind}");
            assert_eq!(reader.read(Timeout::TRY).unwrap(), None, "{kind}");
        });
    }
}

#[test]
fn the_wire_form_is_a_little_endian_length_and_the_bytes() {
    let (reader, writer) = pipe().unwrap();
    let mut frames = FrameWriter::new(writer).unwrap();
    frames.write(b"abc", Timeout::TRY).unwrap();
    frames.write(&[7; 300], Timeout::TRY).unwrap();
    let mut wire = [0; 4 + 3 + 4];
    reader.read_exact(&mut wire, Timeout::TRY).unwrap();
    assert_eq!(&wire, b"\x03\0\0\0abc\x2c\x01\0\0");
}

#[test]
fn a_frame_raises_sigpipe_only_where_it_is_allowed_and_has_no_limit() {
    let only: signal::Set = [Signal::PIPE].into_iter().collect();
    let _blocked = signal::block(only).unwrap();
    for (allowed, size) in [(false, 3), (false, 3000), (true, 3), (true, 3000)] {
        let (reader, writer) = pipe().unwrap();
        drop(reader);
        let frames = FrameWriter::new(writer).unwrap();
        let mut frames = if allowed { frames.sigpipe() } else { frames };
        for (timeout, raised) in
            [(Timeout::TRY, false), (SHORT, false), (Timeout::Forever, allowed)]
        {
            let written = frames.write(&vec![1; size], timeout);
            assert_eq!(written.unwrap_err().errno(), libc::EPIPE);
            assert_eq!(
                signal::wait(only, Timeout::TRY).is_ok(),
                raised,
                "{size} bytes, {timeout:?}"
            );
        }
    }
}

#[test]
fn a_hostile_length_is_refused_before_memory_is_taken() {
    let (reader, writer) = pipe().unwrap();
    writer.write_all(&u32::MAX.to_le_bytes(), Timeout::TRY).unwrap();
    let mut frames = FrameReader::new(reader).unwrap();
    for _ in 0..2 {
        let error = frames.read(Timeout::TRY).unwrap_err();
        let limit = FRAME_LIMIT.into();
        assert_eq!(error.kind(), &ErrorKind::TooLong { length: u32::MAX.into(), limit });
        assert_eq!(error.errno(), libc::EMSGSIZE);
    }
    // A length that is allowed takes memory as bytes come.
    let (reader, writer) = pipe().unwrap();
    writer.write_all(&FRAME_LIMIT.to_le_bytes(), Timeout::TRY).unwrap();
    let mut frames = FrameReader::new(reader).unwrap();
    assert_eq!(frames.read(Timeout::TRY).unwrap_err().errno(), libc::EAGAIN);
    let (_, writer) = pipe().unwrap();
    let mut small = FrameWriter::new(writer).unwrap().limit(3);
    let error = small.write(b"four", Timeout::TRY).unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::TooLong { length: 4, limit: 3 });
}

#[test]
fn a_frame_that_the_end_cut_is_told() {
    for (sent, done, total) in
        [(b"\x05\0".as_slice(), 2, 4), (b"\x05\0\0\0abc", 3, 5), (b"\x05\0\0\0", 0, 5)]
    {
        let (reader, writer) = pipe().unwrap();
        writer.write_all(sent, Timeout::TRY).unwrap();
        drop(writer);
        let error = FrameReader::new(reader).unwrap().read(Timeout::Forever).unwrap_err();
        assert_eq!((error.kind(), error.errno()), (&ErrorKind::Cut { done, total }, libc::EBADMSG));
    }
}

#[test]
fn a_reader_whose_time_is_over_inside_a_frame_goes_on_later() {
    for (kind, reader, writer) in kinds() {
        let mut frames = FrameReader::new(reader).unwrap();
        let wire = b"\x05\0\0\0abcde\x01\0\0\0f";
        let mut whole = Vec::new();
        for byte in wire {
            writer.write_all(&[*byte], Timeout::TRY).unwrap();
            match frames.read(Timeout::TRY) {
                Ok(frame) => whole.push(frame.unwrap().to_vec()),
                Err(error) => assert_eq!(error.errno(), libc::EAGAIN, "{kind}: {error}"),
            }
        }
        assert_eq!(whole, [b"abcde".to_vec(), b"f".to_vec()], "{kind}");
    }
}

#[test]
fn a_frame_that_has_begun_is_finished_by_the_next_call() {
    for (kind, reader, writer) in kinds() {
        let (mut reader, mut writer) = frames(reader, writer);
        let long = vec![b'l'; 3 << 20];
        let error = writer.write(&long, Timeout::TRY).unwrap_err();
        assert_eq!(error.errno(), libc::EAGAIN, "{kind}: {error}");
        assert!(error.kind().done() > 0 && writer.is_unfinished(), "{kind}");
        // Nothing of this one goes, and it says so.
        let error = writer.write(b"next", Timeout::TRY).unwrap_err();
        assert_eq!((error.errno(), error.kind().done()), (libc::EAGAIN, 0), "{kind}: {error}");
        thread::scope(|scope| {
            scope.spawn(move || {
                writer.finish(Timeout::Forever).unwrap();
                assert!(!writer.is_unfinished());
                writer.write(b"next", Timeout::Forever).unwrap();
            });
            assert!(reader.read(Timeout::Forever).unwrap() == Some(&long[..]), "{kind}");
            assert_eq!(reader.read(Timeout::Forever).unwrap(), Some(b"next".as_slice()));
            assert_eq!(reader.read(Timeout::Forever).unwrap(), None);
        });
    }
}

#[test]
fn short_frames_of_several_writers_do_not_mix() {
    let (reader, writer) = pipe().unwrap();
    let mut frames = FrameReader::new(reader).unwrap();
    thread::scope(|scope| {
        for number in 0..4_u8 {
            let mut writer = FrameWriter::new(writer.try_clone().unwrap()).unwrap();
            scope.spawn(move || {
                for _ in 0..200 {
                    writer.write(&[number; FRAME_ATOMIC], Timeout::Forever).unwrap();
                }
            });
        }
        drop(writer);
        let mut counts = [0; 4];
        while let Some(frame) = frames.read(Timeout::Forever).unwrap() {
            assert!(frame.len() == FRAME_ATOMIC && frame.iter().all(|&byte| byte == frame[0]));
            counts[usize::from(frame[0])] += 1;
        }
        assert_eq!(counts, [200; 4]);
    });
}

#[test]
fn long_frames_of_exclusive_writers_in_eight_processes_do_not_mix() {
    // Alone: no other test's ends shall live on in the children of this one.
    succeeds_alone("long_frames_of_exclusive_writers_in_eight_processes_do_not_mix", || {
        let (reader, writer) = pipe().unwrap();
        let children: Vec<_> = (0..8_u8)
            .map(|number| {
                fork(|| {
                    let mut writer = FrameWriter::new(&*writer).unwrap().exclusive();
                    for round in 0..20 {
                        let limit = if round % 2 == 0 {
                            Timeout::Forever
                        } else {
                            Timeout::After(Duration::from_secs(30))
                        };
                        writer.write(&vec![number; 65536], limit).unwrap();
                    }
                })
            })
            .collect();
        drop(writer);
        let mut frames = FrameReader::new(reader).unwrap();
        let mut counts = [0; 8];
        while let Some(frame) = frames.read(Timeout::Forever).unwrap() {
            assert!(frame.len() == 65536 && frame.iter().all(|&byte| byte == frame[0]));
            counts[usize::from(frame[0])] += 1;
        }
        assert_eq!(counts, [20; 8]);
        children.into_iter().for_each(succeeded);
    });
}

#[test]
fn an_exclusive_writer_waits_for_its_turn_no_longer_than_told() {
    // Alone: no other test's ends shall live on in the children of this one.
    succeeds_alone("an_exclusive_writer_waits_for_its_turn_no_longer_than_told", || {
        let (_reader, writer) = pipe().unwrap();
        let (told, tell) = pipe().unwrap();
        let release = pipe().unwrap();
        let child = fork(|| {
            let lock = libc::flock {
                l_type: i16::try_from(libc::F_WRLCK).unwrap(),
                l_whence: 0,
                l_start: 0,
                l_len: 0,
                l_pid: 0,
            };
            fcntl(&writer, FcntlArg::F_SETLK(&lock)).unwrap();
            tell.write_all(b"l", Timeout::Forever).unwrap();
            // Until the parent has seen that it waits.
            release.0.read_exact(&mut [0], Timeout::Forever).unwrap();
        });
        told.read_exact(&mut [0], Timeout::Forever).unwrap();
        let mut frames = FrameWriter::new(&*writer).unwrap().exclusive();
        assert_eq!(frames.write(b"x", Timeout::TRY).unwrap_err().errno(), libc::EAGAIN);
        let error = frames.write(b"x", SHORT).unwrap_err();
        assert_eq!((error.errno(), frames.is_unfinished()), (libc::ETIMEDOUT, false));
        release.1.write_all(b"r", Timeout::Forever).unwrap();
        succeeded(child);
        frames.write(b"x", Timeout::TRY).unwrap();
    });
}

#[test]
fn packets_keep_their_boundaries() {
    let (reader, writer) = Options::new().packets(true).create().unwrap();
    for packet in [b"one".as_slice(), b"three", b"2"] {
        writer.write_all(packet, Timeout::TRY).unwrap();
    }
    let mut room = [0; PIPE_BUF];
    assert_eq!(reader.read(&mut room, SHORT).unwrap(), 3);
    assert_eq!(reader.read(&mut room[..2], SHORT).unwrap(), 2, "the rest of a packet is lost");
    assert_eq!(reader.read(&mut room, SHORT).unwrap(), 1);
}

#[test]
fn a_direction_is_checked() {
    let (reader, writer) = pipe().unwrap();
    let (reader, writer): (OwnedFd, OwnedFd) = (reader.into(), writer.into());
    let error = Writer::from_fd(reader).unwrap_err();
    assert_eq!(error.errno(), libc::EBADF);
    assert!(error.to_string().contains("for reading only"), "{error}");
    let writer = Writer::from_fd(writer).unwrap();
    assert_eq!(Reader::try_from(End::from(writer)).unwrap_err().errno(), libc::EBADF);
    let (reader, _writer) = pipe().unwrap();
    assert_eq!(Duplex::from_fd(reader.into()).unwrap_err().errno(), libc::EBADF);
    let file = std::fs::File::open("/proc/self/status").unwrap();
    assert_eq!(Reader::from_fd(file.into()).unwrap_err().errno(), libc::EOPNOTSUPP);
}

#[test]
fn an_interrupted_call_goes_on_when_called_again() {
    let (reader, writer) = pipe().unwrap();
    let _storm = Storm::new();
    let before = Storm::signals();
    let mut interrupted = 0;
    while Storm::signals() < before + 20 {
        match reader.read(&mut [0], SHORT) {
            Err(error) if error.errno() == libc::EINTR => interrupted += 1,
            Err(error) => assert_eq!(error.errno(), libc::ETIMEDOUT),
            Ok(_) => panic!("nothing was written"),
        }
    }
    assert!(interrupted > 0);
    through(|| writer.write_all(b"x", Timeout::Forever)).unwrap();
    through(|| reader.read_exact(&mut [0], Timeout::Forever)).unwrap();
}
