// SPDX-License-Identifier: MIT OR Apache-2.0
//! Descriptors that travel: what arrives, what is refused, and that nothing stays open by accident.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;

use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::resource::{Resource, setrlimit};
use unipc::shm::Seals;
use unipc::socket::{
    DESCRIPTORS_MAX, DescriptorKind, Expect, Kind, Listener, Options, Socket, recv_descriptors,
    send_descriptors,
};
use unipc::{SharedMemory, Timeout};

use crate::child::succeeds_alone;
use crate::{KINDS, SOON};

/// How many descriptors this process has.
fn open() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

fn null() -> File {
    File::open("/dev/null").unwrap()
}

fn memfd(bytes: &[u8]) -> OwnedFd {
    let flags = MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING;
    let fd = memfd_create(c"test", flags).unwrap();
    File::from(fd.try_clone().unwrap()).write_all(bytes).unwrap();
    fd
}

#[test]
fn a_pipe_and_memory_outlive_their_sender() {
    for kind in KINDS {
        let (one, other) = Socket::pair(kind).unwrap();
        let (reader, writer) = nix::unistd::pipe().unwrap();
        nix::unistd::write(&writer, b"in the pipe").unwrap();
        let memory = SharedMemory::create("memfd:test", 100).unwrap();
        memory.write_at(0, b"in memory").unwrap();
        let sent = one.send_message(b"two", &[reader.as_fd(), memory.fd().unwrap()], None, SOON);
        assert_eq!(sent.unwrap(), 3);
        drop((one, reader, writer, memory));
        let mut buffer = [0; 16];
        let message = other.recv_message(&mut buffer, &Expect::exactly(2), SOON).unwrap();
        assert_eq!(&buffer[..message.length], b"two");
        let [pipe, memory] = <[OwnedFd; 2]>::try_from(message.descriptors).unwrap();
        for fd in [&pipe, &memory] {
            let flags = FdFlag::from_bits_retain(fcntl(fd, FcntlArg::F_GETFD).unwrap());
            assert!(flags.contains(FdFlag::FD_CLOEXEC));
        }
        let mut text = String::new();
        File::from(pipe).read_to_string(&mut text).unwrap();
        assert_eq!(text, "in the pipe");
        let memory = SharedMemory::from_fd(memory).unwrap();
        let mut bytes = [0; 9];
        memory.read_at(0, &mut bytes).unwrap();
        assert_eq!(&bytes, b"in memory");
    }
}

#[test]
fn more_than_asked_for_are_an_error_and_closed() {
    succeeds_alone("descriptors::more_than_asked_for_are_an_error_and_closed", || {
        let file = null();
        for (sent, most) in [(1, 0), (2, 1), (3, 1), (5, 2), (5, 4), (6, 5), (253, 1), (253, 252)] {
            for kind in KINDS {
                let (one, other) = Socket::pair(kind).unwrap();
                let many = vec![file.as_fd(); sent];
                one.send_message(b"x", &many, None, SOON).unwrap();
                let before = open();
                let expect = Expect::up_to(most);
                let error = other.recv_message(&mut [0; 8], &expect, SOON).unwrap_err();
                assert_eq!(error.errno(), libc::EPERM, "{sent} for {most}: {error}");
                assert!(error.to_string().contains("asked for"), "{error}");
                assert_eq!(open(), before, "{sent} for {most}");
                send_descriptors(&one, &many, SOON).unwrap();
                let error = recv_descriptors(&other, &expect, SOON).unwrap_err();
                assert_eq!((error.errno(), open()), (libc::EPERM, before), "{error}");
                // The connection is fine.
                one.send(b"next", SOON).unwrap();
                assert_eq!(crate::received(&other), b"next");
            }
        }
    });
}

#[test]
fn as_many_as_the_kernel_carries() {
    let (one, other) = Socket::pair(Kind::Stream).unwrap();
    let file = null();
    let most = vec![file.as_fd(); DESCRIPTORS_MAX];
    send_descriptors(&one, &most, SOON).unwrap();
    let came = recv_descriptors(&other, &Expect::exactly(DESCRIPTORS_MAX), SOON).unwrap();
    assert_eq!(came.len(), 253);
    send_descriptors(&one, &most, SOON).unwrap();
    let came = recv_descriptors(&other, &Expect::up_to(usize::MAX), SOON).unwrap();
    assert_eq!(came.len(), 253);
    let more = vec![file.as_fd(); DESCRIPTORS_MAX + 1];
    for error in [
        send_descriptors(&one, &more, SOON).unwrap_err(),
        one.send_message(b"x", &more, None, SOON).unwrap_err(),
    ] {
        assert_eq!(error.errno(), libc::EINVAL);
        assert!(error.to_string().contains("at most 253"), "{error}");
    }
    assert_eq!(send_descriptors(&one, &[], SOON).unwrap_err().errno(), libc::EINVAL);
    let error = one.send_message(b"", &[file.as_fd()], None, SOON).unwrap_err();
    assert_eq!(error.errno(), libc::EINVAL, "{error}");
}

#[test]
fn a_process_that_may_have_no_more_gets_none() {
    succeeds_alone("descriptors::a_process_that_may_have_no_more_gets_none", || {
        let (one, other) = Socket::pair(Kind::Stream).unwrap();
        let file = null();
        one.send_message(b"x", &[file.as_fd(); 8], None, SOON).unwrap();
        let before = open();
        let (soft, hard) = nix::sys::resource::getrlimit(Resource::RLIMIT_NOFILE).unwrap();
        // `open` had one more for the directory.
        let room = u64::try_from(before - 1 + 3).unwrap();
        setrlimit(Resource::RLIMIT_NOFILE, room, hard).unwrap();
        let error = other.recv_message(&mut [0; 8], &Expect::exactly(8), SOON).unwrap_err();
        setrlimit(Resource::RLIMIT_NOFILE, soft, hard).unwrap();
        assert_eq!(error.errno(), libc::EMFILE, "{error}");
        assert_eq!(open(), before);
    });
}

#[test]
fn descriptors_that_nobody_asks_for_are_closed() {
    succeeds_alone("descriptors::descriptors_that_nobody_asks_for_are_closed", || {
        for kind in KINDS {
            let (one, other) = Socket::pair(kind).unwrap();
            let (reader, writer) = nix::unistd::pipe().unwrap();
            one.send_message(b"x", &[writer.as_fd()], None, SOON).unwrap();
            drop(writer);
            let before = open();
            assert_eq!(other.recv(&mut [0; 8], SOON).unwrap(), 1);
            assert_eq!(open(), before);
            // No writer is left, so that the pipe has ended.
            assert_eq!(nix::unistd::read(&reader, &mut [0]).unwrap(), 0);
        }
    });
}

#[test]
fn the_wrong_descriptors_are_refused_with_a_reason() {
    succeeds_alone("descriptors::the_wrong_descriptors_are_refused_with_a_reason", || {
        let path = std::env::temp_dir().join(format!("unipc-fd-{}", std::process::id()));
        let file = File::options().create(true).append(true).open(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        let (reader, writer) = nix::unistd::pipe().unwrap();
        let (socket, _peer) = UnixStream::pair().unwrap();
        let directory = File::open("/").unwrap();
        let (null, memory) = (null(), memfd(&[0; 100]));
        // SAFETY: the call takes numbers only.
        let event = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC) };
        // SAFETY: it was just made.
        let event: OwnedFd = unsafe { std::os::fd::FromRawFd::from_raw_fd(event) };
        let sealed = SharedMemory::create("memfd:test", 100).unwrap();
        let one = |kind| Expect::exactly(1).kind(kind);
        let seals = |seals| one(DescriptorKind::Memfd).seals(seals);
        let kinds = [
            (DescriptorKind::Memfd, memory.as_fd()),
            (DescriptorKind::Pipe, reader.as_fd()),
            (DescriptorKind::Socket, socket.as_fd()),
            (DescriptorKind::Directory, directory.as_fd()),
            (DescriptorKind::Device, null.as_fd()),
            (DescriptorKind::Event, event.as_fd()),
        ];
        let (from, to) = Socket::pair(Kind::SeqPacket).unwrap();
        let check = |expect: &Expect, descriptors: &[BorrowedFd<'_>], reason: Option<&str>| {
            from.send_message(b"x", descriptors, None, SOON).unwrap();
            let before = open();
            match (to.recv_message(&mut [0; 8], expect, SOON), reason) {
                (Ok(message), None) => assert_eq!(message.descriptors.len(), descriptors.len()),
                (Err(error), Some(reason)) => {
                    assert_eq!(error.errno(), libc::EPERM, "{error}");
                    assert!(error.to_string().contains(reason), "{error} lacks {reason}");
                }
                (got, _) => panic!("{got:?} for {expect:?}, {reason:?}"),
            }
            assert_eq!(open(), before);
        };
        for (kind, fd) in kinds {
            check(&one(DescriptorKind::Any), &[fd], None);
            for (wanted, _) in kinds {
                let words = format!("is {kind}, not {wanted}");
                check(&one(wanted), &[fd], (wanted != kind).then_some(words.as_str()));
            }
        }
        check(&one(DescriptorKind::File), &[file.as_fd()], None);
        check(&one(DescriptorKind::File), &[memory.as_fd()], None);
        check(&one(DescriptorKind::Memfd), &[null.as_fd()], Some("is a device, not a memfd"));
        check(&seals(Seals::SHRINK), &[memory.as_fd()], Some("lacks the seals"));
        check(&seals(Seals::SHRINK), &[sealed.fd().unwrap()], None);
        check(&seals(Seals::SHRINK | Seals::GROW), &[sealed.fd().unwrap()], Some("lacks"));
        let size = |bytes| one(DescriptorKind::File).size_at_least(bytes);
        check(&size(100), &[memory.as_fd()], None);
        check(&size(101), &[memory.as_fd()], Some("has 100 bytes, not 101"));
        let pipe = one(DescriptorKind::Pipe);
        check(&pipe.clone().readable(), &[reader.as_fd()], None);
        check(&pipe.clone().readable(), &[writer.as_fd()], Some("not open for reading"));
        check(&pipe.clone().writable(), &[writer.as_fd()], None);
        check(&pipe.writable(), &[reader.as_fd()], Some("not open for writing"));
        check(&Expect::exactly(2), &[null.as_fd()], Some("1 descriptors came, 2 were asked for"));
        check(&Expect::exactly(1), &[], Some("0 descriptors came, 1 were asked for"));
        let both = Expect::exactly(2).kind(DescriptorKind::Pipe);
        check(&both, &[reader.as_fd(), null.as_fd()], Some("descriptor 1 of 2 is a device"));
    });
}

#[test]
fn descriptors_alone_over_any_socket() {
    let (one, other) = UnixStream::pair().unwrap();
    let file = null();
    send_descriptors(&one, &[file.as_fd(); 2], SOON).unwrap();
    assert_eq!(recv_descriptors(&other, &Expect::up_to(8), SOON).unwrap().len(), 2);
    (&one).write_all(b"x").unwrap();
    let error = recv_descriptors(&other, &Expect::up_to(8), SOON).unwrap_err();
    assert_eq!(error.errno(), libc::EPERM);
    assert!(error.to_string().contains("no descriptor"), "{error}");
    drop(one);
    assert!(recv_descriptors(&other, &Expect::exactly(1), SOON).unwrap().is_empty(), "the end");
    // A message with more bytes belongs to another protocol.
    let (one, other) = Socket::pair(Kind::SeqPacket).unwrap();
    one.send_message(b"longer", &[file.as_fd()], None, SOON).unwrap();
    let error = recv_descriptors(&other, &Expect::exactly(1), SOON).unwrap_err();
    assert_eq!(error.errno(), libc::EMSGSIZE, "{error}");
    let error = send_descriptors(&file, &[file.as_fd()], SOON).unwrap_err();
    assert_eq!(error.errno(), libc::ENOTSOCK, "{error}");
    let listener = Listener::bind("unix:@").unwrap();
    let error = recv_descriptors(&listener, &Expect::exactly(1), SOON).unwrap_err();
    assert_eq!(error.errno(), libc::ENOTCONN, "{error}");
}

#[test]
fn descriptors_and_credentials_come_together() {
    let (one, other) = Options::new().pass_credentials(true).pair(Kind::Stream).unwrap();
    let file = null();
    one.send_message(b"x", &[file.as_fd(); 3], None, SOON).unwrap();
    let message = other.recv_message(&mut [0; 8], &Expect::exactly(3), SOON).unwrap();
    assert_eq!(message.descriptors.len(), 3);
    assert_eq!(message.credentials.unwrap().pid, std::process::id().cast_signed());
    // Room that is reserved for credentials does not let more through.
    one.send_message(b"x", &[file.as_fd(); 4], None, SOON).unwrap();
    let error = other.recv_message(&mut [0; 8], &Expect::exactly(3), SOON).unwrap_err();
    assert_eq!(error.errno(), libc::EPERM, "{error}");
}

#[test]
fn memory_of_a_killed_sender_is_readable() {
    succeeds_alone("descriptors::memory_of_a_killed_sender_is_readable", || {
        let (one, other) = Socket::pair(Kind::SeqPacket).unwrap();
        // SAFETY: the child only sends and waits.
        let child = match unsafe { nix::unistd::fork() }.unwrap() {
            nix::unistd::ForkResult::Child => {
                let memory = memfd(b"of the dead");
                send_descriptors(&one, &[memory.as_fd()], SOON).unwrap();
                loop {
                    nix::unistd::pause();
                }
            }
            nix::unistd::ForkResult::Parent { child } => child,
        };
        assert_eq!(other.next_size(SOON).unwrap(), 1);
        nix::sys::signal::kill(child, nix::sys::signal::SIGKILL).unwrap();
        nix::sys::wait::waitpid(child, None).unwrap();
        let wanted = Expect::exactly(1).kind(DescriptorKind::Memfd).size_at_least(11);
        let came = recv_descriptors(&other, &wanted, SOON).unwrap();
        let memory =
            SharedMemory::options().read_only(true).from_fd(came.into_iter().next().unwrap());
        let mut bytes = [0; 11];
        memory.unwrap().read_at(0, &mut bytes).unwrap();
        assert_eq!(&bytes, b"of the dead");
    });
}

#[test]
fn whatever_is_made_is_close_on_exec() {
    let (one, other) = Socket::pair(Kind::Stream).unwrap();
    let listener = Listener::bind("unix:@").unwrap();
    let name = listener.local_name().unwrap().unwrap();
    let client = Socket::connect(&name, Timeout::TRY).unwrap();
    let server = listener.accept(SOON).unwrap();
    let datagrams = Socket::bind("unix:@").unwrap();
    let tcp = Listener::bind("tcp:127.0.0.1:0").unwrap();
    let remote = Socket::connect(tcp.local_name().unwrap().unwrap(), SOON).unwrap();
    // SAFETY: the call takes numbers only.
    let raw = unsafe { libc::socket(libc::AF_UNIX, libc::SOCK_STREAM, 0) };
    // SAFETY: it was just made.
    let raw: OwnedFd = unsafe { std::os::fd::FromRawFd::from_raw_fd(raw) };
    let foreign = Socket::from_fd(raw).unwrap();
    for fd in [
        one.as_fd(),
        other.as_fd(),
        listener.as_fd(),
        client.as_fd(),
        server.as_fd(),
        datagrams.as_fd(),
        tcp.as_fd(),
        remote.as_fd(),
        foreign.as_fd(),
    ] {
        let flags = FdFlag::from_bits_retain(fcntl(fd, FcntlArg::F_GETFD).unwrap());
        assert!(flags.contains(FdFlag::FD_CLOEXEC), "fd {}", fd.as_raw_fd());
    }
}

#[test]
fn a_pidfd_that_somebody_has_asked_the_kernel_for_is_closed() {
    const SO_PASSPIDFD: i32 = 76;
    succeeds_alone("descriptors::a_pidfd_that_somebody_has_asked_the_kernel_for_is_closed", || {
        let (one, other) = Options::new().pass_credentials(true).pair(Kind::SeqPacket).unwrap();
        let on = 1_i32;
        // SAFETY: the pointer is to an integer of that length.
        let set = unsafe {
            let place = (&raw const on).cast();
            libc::setsockopt(other.as_raw_fd(), libc::SOL_SOCKET, SO_PASSPIDFD, place, 4)
        };
        if set != 0 {
            return crate::child::skip("a_pidfd", "the kernel has no SO_PASSPIDFD");
        }
        let file = null();
        let before = open();
        for _ in 0..10 {
            one.send(b"x", SOON).unwrap();
            let message = other.recv_message(&mut [0; 8], &Expect::NONE, SOON).unwrap();
            assert!(message.descriptors.is_empty() && message.credentials.is_some());
            one.send_message(b"x", &[file.as_fd()], None, SOON).unwrap();
            let message = other.recv_message(&mut [0; 8], &Expect::exactly(1), SOON).unwrap();
            assert_eq!(message.descriptors.len(), 1);
            one.send_message(b"x", &[file.as_fd()], None, SOON).unwrap();
            assert_eq!(recv_descriptors(&other, &Expect::exactly(1), SOON).unwrap().len(), 1);
        }
        assert_eq!(open(), before);
    });
}
