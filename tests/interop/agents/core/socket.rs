// SPDX-License-Identifier: MIT OR Apache-2.0
//! The verbs of sockets.

use std::io::Read;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::time::Duration;

use unipc::socket::{self, DescriptorKind, Expect, Kind, Listener, Options, Shutdown, Socket};
use unipc::{Name, Result, SharedMemory, Timeout};

use super::{Answer, Request, hex, waiting};

const ROOM: usize = 1 << 17;
const BLOCK: [u8; 1000] = [0; 1000];

/// The one listener and the one socket that this process has, and what came through it.
#[derive(Default)]
pub(super) struct Room {
    listener: Option<Listener>,
    open: Option<Socket>,
    came: Vec<OwnedFd>,
}

impl super::Room for Room {
    fn perform(&mut self, request: &Request) -> Answer {
        let name = request.text("name").unwrap_or_default();
        let done = match request.verb {
            "listen" => options(request).and_then(|options| {
                let listener = self.listener.insert(options.listen(name)?);
                Ok(told(listener.local_name()?))
            }),
            "bind" => options(request).and_then(|options| self.keep(options.bind(name)?)),
            "connect" => options(request)
                .and_then(|options| self.keep(options.connect(name, Timeout::Forever)?)),
            "accept" => {
                let listener = self.listener.as_ref().ok_or("EBADF")?;
                listener.accept(limit(request)).and_then(|socket| self.keep(socket))
            }
            "close" => {
                if request.text("listener").is_some() {
                    self.listener = None;
                }
                self.open = None;
                Ok("closed".into())
            }
            "remove" => socket::unlink(name).map(|()| "removed".into()),
            "read_fds" => read_descriptors(std::mem::take(&mut self.came)),
            _ => perform(self.open.as_ref().ok_or("EBADF")?, request, &mut self.came)?,
        };
        done.map_err(|error| unipc::errname(error.errno()))
    }
}

impl Room {
    fn keep(&mut self, socket: Socket) -> Result<String> {
        Ok(told(self.open.insert(socket).local_name()?))
    }
}

fn told(name: Option<Name>) -> String {
    format!("name={}", name.map_or("-".into(), |name| name.to_string()))
}

fn options(request: &Request) -> Result<Options> {
    let options = match request.text("kind") {
        Some("datagram") => Options::new().kind(Kind::Datagram),
        Some("seqpacket") => Options::new().kind(Kind::SeqPacket),
        _ => Options::new(),
    };
    match request.text("local") {
        Some(name) => options.local(name),
        None => Ok(options),
    }
}

/// `timeout` is in milliseconds; without it the call waits for ever. All but a try say WAIT.
fn limit(request: &Request) -> Timeout {
    let timeout = request.number("timeout").map_or(Timeout::Forever, |milliseconds| {
        Timeout::After(Duration::from_millis(milliseconds))
    });
    if timeout != Timeout::TRY {
        waiting();
    }
    timeout
}

fn perform(
    socket: &Socket,
    request: &Request,
    came: &mut Vec<OwnedFd>,
) -> std::result::Result<Result<String>, String> {
    Ok(match request.verb {
        "send" => send(socket, request),
        "recv" => receive(socket, request),
        "fill" => fill(socket),
        "drain" => drain(socket),
        "shutdown" => {
            let send = request.text("how") == Some("send");
            let how = if send { Shutdown::Send } else { Shutdown::Receive };
            socket.shutdown(how).map(|()| "done".into())
        }
        "peer" => socket
            .peer_credentials()
            .map(|who| format!("pid={} uid={} gid={}", who.pid, who.uid, who.gid)),
        "credentials" => {
            socket.pass_credentials(request.number("on").unwrap_or(1) != 0).map(|()| "done".into())
        }
        "recv_message" => receive_message(socket, request, came),
        "send_fds" => send_descriptors(socket, &request.bytes("hex")),
        _ => return Err("ENOSYS".into()),
    })
}

fn send(socket: &Socket, request: &Request) -> Result<String> {
    let (bytes, timeout) = (request.bytes("hex"), limit(request));
    match request.text("name") {
        Some(name) => drop(socket.send_to(&bytes, &Name::parse(name)?, timeout)?),
        None => socket.send_all(&bytes, timeout)?,
    }
    Ok(format!("sent={}", bytes.len()))
}

fn receive(socket: &Socket, request: &Request) -> Result<String> {
    let mut data = vec![0; request.number("exact").or(request.number("cap")).unwrap_or(ROOM)];
    let timeout = limit(request);
    let (length, sender) = if request.text("exact").is_some() {
        socket.recv_exact(&mut data, timeout)?;
        (data.len(), None)
    } else {
        socket.recv_from(&mut data, timeout)?
    };
    let from = sender.map_or("-".into(), |name| name.to_string());
    Ok(format!("from={from} len={length} hex={}", hex(&data[..length])))
}

fn fill(socket: &Socket) -> Result<String> {
    let mut all = 0;
    loop {
        match socket.send(&BLOCK, Timeout::TRY) {
            Ok(sent) => all += sent,
            Err(error) if error.errno() == libc::EAGAIN => return Ok(format!("bytes={all}")),
            Err(error) => return Err(error),
        }
    }
}

fn drain(socket: &Socket) -> Result<String> {
    let (mut all, mut data) = (0, vec![0; ROOM]);
    loop {
        match socket.recv(&mut data, Timeout::TRY) {
            Ok(0) => return Ok(format!("bytes={all}")),
            Ok(got) => all += got,
            Err(error) if error.errno() == libc::EAGAIN => return Ok(format!("bytes={all}")),
            Err(error) => return Err(error),
        }
    }
}

fn receive_message(socket: &Socket, request: &Request, came: &mut Vec<OwnedFd>) -> Result<String> {
    let mut expect = Expect::up_to(request.number("max_fds").unwrap_or(8));
    if request.text("fd_kind").is_some() {
        expect = expect.kind(DescriptorKind::Memfd);
    }
    let message = socket.recv_message(&mut vec![0; ROOM], &expect, limit(request))?;
    let (pid, uid, gid) = message.credentials.map_or((0, 0, 0), |who| (who.pid, who.uid, who.gid));
    let (length, count) = (message.length, message.descriptors.len());
    *came = message.descriptors;
    Ok(format!("len={length} fds={count} pid={pid} uid={uid} gid={gid}"))
}

/// One end of a pipe with the bytes in it, and a memfd with the bytes in it.
fn send_descriptors(socket: &Socket, bytes: &[u8]) -> Result<String> {
    let memory = SharedMemory::create("memfd:interop", bytes.len())?;
    memory.write_at(0, bytes)?;
    let (reader, writer) = unipc::pipe::pipe()?;
    writer.write_all(bytes, Timeout::Forever)?;
    let fds = [reader.as_fd(), memory.fd().unwrap_or(reader.as_fd())];
    let sent = socket.send_message(b"!", &fds, None, Timeout::Forever)?;
    Ok(format!("sent={sent}"))
}

/// The bytes of the pipe, up to its end, and those of the memory; and whether both are close-on-exec.
fn read_descriptors(came: Vec<OwnedFd>) -> Result<String> {
    let closing = came.iter().all(is_close_on_exec);
    let mut came = came.into_iter();
    let (Some(pipe), Some(memory)) = (came.next(), came.next()) else {
        return Ok("none".into());
    };
    let mut bytes = Vec::new();
    // What cannot be read is missing in what is compared.
    let _ = std::fs::File::from(pipe).read_to_end(&mut bytes);
    let memory = SharedMemory::options().read_only(true).from_fd(memory)?;
    let mut copy = vec![0; memory.len()];
    memory.read_at(0, &mut copy)?;
    let same = copy == bytes;
    Ok(format!("cloexec={} same={} hex={}", u8::from(closing), u8::from(same), hex(&bytes)))
}

/// As the kernel shows it, octal: `O_CLOEXEC` is 02000000.
fn is_close_on_exec(fd: &OwnedFd) -> bool {
    let info = std::fs::read_to_string(format!("/proc/self/fdinfo/{}", fd.as_raw_fd()));
    let info = info.unwrap_or_default();
    let flags = info.lines().find_map(|line| line.strip_prefix("flags:\t"));
    let flags = flags.and_then(|octal| i32::from_str_radix(octal, 8).ok());
    flags.is_some_and(|flags| flags & 0o2_000_000 != 0)
}
