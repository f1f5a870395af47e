// SPDX-License-Identifier: MIT OR Apache-2.0
//! Files of sockets: their mode, who may replace them, when they go.

use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt, symlink};
use std::os::unix::net::{UnixDatagram, UnixListener};
use std::path::Path;

use unipc::socket::{self, Kind, Listener, Options, Socket};
use unipc::{Mode, Name, Timeout};

use crate::child::{is_root, skip, succeeds_alone};
use crate::support::Directory;
use crate::{SHORT, SOON};

/// A short path: those of sockets have at most 107 bytes.
struct Place(std::path::PathBuf);

impl Place {
    fn new() -> Self {
        let path = std::env::temp_dir().join(format!("unipc-{:x}", crate::support::unique()));
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn path(&self, file: &str) -> std::path::PathBuf {
        self.0.join(file)
    }

    fn name(&self, file: &str) -> String {
        format!("unix:{}", self.path(file).display())
    }

    fn entries(&self) -> usize {
        fs::read_dir(&self.0).unwrap().count()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn inode(path: &Path) -> u64 {
    fs::symlink_metadata(path).unwrap().ino()
}

#[test]
fn the_mode_is_exact_whatever_the_umask() {
    succeeds_alone("files::the_mode_is_exact_whatever_the_umask", || {
        let place = Place::new();
        for umask in [0, 0o22, 0o777] {
            nix::sys::stat::umask(nix::sys::stat::Mode::from_bits_truncate(umask));
            for bits in [0o600, 0o666, 0o777, 0] {
                let options = Options::new().mode(Mode::new(bits).unwrap());
                let listener = options.listen(place.name("a")).unwrap();
                let datagrams = options.bind(place.name("b")).unwrap();
                for file in ["a", "b"] {
                    let status = fs::metadata(place.path(file)).unwrap();
                    assert!(status.file_type().is_socket());
                    assert_eq!(status.mode() & 0o7777, bits, "{file} with umask {umask:o}");
                }
                drop((listener, datagrams));
                socket::unlink(place.name("a")).unwrap();
                socket::unlink(place.name("b")).unwrap();
            }
        }
        let default = Listener::bind(place.name("a")).unwrap();
        assert_eq!(fs::metadata(place.path("a")).unwrap().mode() & 0o777, 0o600);
        drop(default);
        nix::sys::stat::umask(nix::sys::stat::Mode::from_bits_truncate(0o22));
    });
}

#[test]
fn closing_leaves_the_file_and_the_next_server_takes_it_over() {
    let place = Place::new();
    for kind in [Kind::Stream, Kind::SeqPacket] {
        let options = Options::new().kind(kind);
        drop(options.listen(place.name("s")).unwrap());
        assert!(place.path("s").exists(), "closing never removes");
        let error = options.connect(place.name("s"), SOON).unwrap_err();
        assert_eq!(error.errno(), libc::ECONNREFUSED);
        assert!(error.to_string().contains("its server has gone"), "{error}");
        let kept = options.clone().keep_stale(true).listen(place.name("s")).unwrap_err();
        assert_eq!(kept.errno(), libc::EADDRINUSE);
        let listener = options.listen(place.name("s")).unwrap();
        options.connect(place.name("s"), SOON).unwrap();
        listener.accept(SOON).unwrap();
    }
    // A dead server of another kind is as dead.
    drop(Socket::bind(place.name("s")).unwrap());
    drop(Listener::bind(place.name("s")).unwrap());
    assert_eq!(place.entries(), 1, "nothing was left aside");
}

#[test]
fn a_living_server_keeps_its_name_and_is_not_disturbed() {
    let place = Place::new();
    let path = place.path("s");
    let listener = Listener::bind(place.name("s")).unwrap();
    let before = inode(&path);
    for error in [
        Listener::bind(place.name("s")).unwrap_err(),
        Socket::bind(place.name("s")).unwrap_err(),
        Options::new().kind(Kind::SeqPacket).listen(place.name("s")).unwrap_err(),
    ] {
        assert_eq!(error.errno(), libc::EADDRINUSE);
        assert!(error.to_string().contains("a living socket has the name"), "{error}");
    }
    assert_eq!(listener.accept(Timeout::TRY).unwrap_err().errno(), libc::EAGAIN, "nobody came");
    assert_eq!(inode(&path), before);
    drop(listener);
    // Those of other programs, too: one that is bound and does not listen yet, and one for datagrams.
    fs::remove_file(&path).unwrap();
    let bound = nix::sys::socket::socket(
        nix::sys::socket::AddressFamily::Unix,
        nix::sys::socket::SockType::Stream,
        nix::sys::socket::SockFlag::SOCK_CLOEXEC,
        None,
    )
    .unwrap();
    let address = nix::sys::socket::UnixAddr::new(&path).unwrap();
    nix::sys::socket::bind(std::os::fd::AsRawFd::as_raw_fd(&bound), &address).unwrap();
    assert_eq!(Listener::bind(place.name("s")).unwrap_err().errno(), libc::EADDRINUSE);
    drop(bound);
    fs::remove_file(&path).unwrap();
    let datagrams = UnixDatagram::bind(&path).unwrap();
    assert_eq!(Listener::bind(place.name("s")).unwrap_err().errno(), libc::EADDRINUSE);
    drop(datagrams);
    fs::remove_file(&path).unwrap();
    let other = UnixListener::bind(&path).unwrap();
    assert_eq!(Listener::bind(place.name("s")).unwrap_err().errno(), libc::EADDRINUSE);
    drop(other);
    Listener::bind(place.name("s")).unwrap();
}

#[test]
fn a_server_of_another_kind_is_said() {
    let place = Place::new();
    let _listener = Listener::bind(place.name("s")).unwrap();
    let options = Options::new().kind(Kind::SeqPacket);
    let error = options.connect(place.name("s"), SOON).unwrap_err();
    assert_eq!(error.errno(), libc::EPROTOTYPE);
    assert!(error.to_string().contains("another kind"), "{error}");
    let client = Socket::bind("unix:@").unwrap();
    let name = Name::parse(place.name("s")).unwrap();
    let error = client.send_to(b"x", &name, SOON).unwrap_err();
    assert_eq!(error.errno(), libc::EPROTOTYPE, "{error}");
}

#[test]
fn what_is_no_socket_stays() {
    let place = Place::new();
    fs::write(place.path("file"), "precious").unwrap();
    fs::create_dir(place.path("directory")).unwrap();
    drop(Listener::bind(place.name("dead")).unwrap());
    symlink(place.path("dead"), place.path("link")).unwrap();
    symlink(place.path("nothing"), place.path("dangling")).unwrap();
    for file in ["file", "directory", "link", "dangling"] {
        let error = Listener::bind(place.name(file)).unwrap_err();
        assert_eq!(error.errno(), libc::EEXIST, "{error}");
        let error = socket::unlink(place.name(file)).unwrap_err();
        assert_eq!(error.errno(), libc::EINVAL, "{error}");
    }
    assert_eq!(fs::read(place.path("file")).unwrap(), b"precious");
    assert!(!place.path("nothing").exists());
    for name in ["unix:@x", "tcp:localhost:1"] {
        assert_eq!(socket::unlink(name).unwrap_err().errno(), libc::EOPNOTSUPP);
    }
    assert_eq!(socket::unlink("/demo").unwrap_err().errno(), libc::EINVAL);
    assert_eq!(socket::unlink(place.name("none")).unwrap_err().errno(), libc::ENOENT);
}

#[test]
fn of_many_that_take_over_one_wins() {
    let place = Place::new();
    for _ in 0..100 {
        drop(Listener::bind(place.name("s")).unwrap());
        let start = std::sync::Barrier::new(8);
        let winners: Vec<_> = std::thread::scope(|scope| {
            let racers: Vec<_> = (0..8)
                .map(|_| {
                    scope.spawn(|| {
                        start.wait();
                        Listener::bind(place.name("s"))
                    })
                })
                .collect();
            racers.into_iter().map(|racer| racer.join().unwrap()).collect()
        });
        let (won, lost): (Vec<_>, Vec<_>) = winners.into_iter().partition(Result::is_ok);
        assert_eq!(won.len(), 1);
        for error in lost {
            assert_eq!(error.unwrap_err().errno(), libc::EADDRINUSE);
        }
        let client = Socket::connect(place.name("s"), SOON).unwrap();
        won[0].as_ref().unwrap().accept(SOON).unwrap();
        drop(client);
    }
    assert_eq!(place.entries(), 1);
}

#[test]
fn a_directory_that_somebody_keeps_locked_is_said() {
    let place = Place::new();
    drop(Listener::bind(place.name("s")).unwrap());
    let directory = fs::File::open(&place.0).unwrap();
    let locked = nix::fcntl::Flock::lock(directory, nix::fcntl::FlockArg::LockShared).unwrap();
    let error = Listener::bind(place.name("s")).unwrap_err();
    assert_eq!(error.errno(), libc::EBUSY, "{error}");
    Listener::bind(place.name("new")).expect("a new name does not need the lock for itself");
    drop(locked);
    Listener::bind(place.name("s")).unwrap();
}

#[test]
fn files_are_removed_when_that_was_asked_for() {
    let place = Place::new();
    let options = Options::new().remove_on_drop(true);
    drop((options.listen(place.name("a")).unwrap(), options.bind(place.name("b")).unwrap()));
    assert_eq!(place.entries(), 0);
    let listener = Listener::bind(place.name("a")).unwrap();
    let datagrams = Socket::bind(place.name("b")).unwrap();
    listener.remove().unwrap();
    datagrams.remove().unwrap();
    assert_eq!(listener.remove().unwrap_err().errno(), libc::ENOENT);
    assert_eq!(place.entries(), 0);
    // Another has the name: it stays.
    let first = options.listen(place.name("a")).unwrap();
    fs::remove_file(place.path("a")).unwrap();
    let second = Listener::bind(place.name("a")).unwrap();
    assert_eq!(first.remove().unwrap_err().errno(), libc::ESTALE);
    drop(first);
    assert!(place.path("a").exists());
    drop(second);
    let nameless = Listener::bind("unix:@").unwrap();
    assert_eq!(nameless.remove().unwrap_err().errno(), libc::EOPNOTSUPP);
}

#[test]
fn a_child_of_fork_removes_nothing() {
    succeeds_alone("files::a_child_of_fork_removes_nothing", || {
        let place = Place::new();
        let listener = Options::new().remove_on_drop(true).listen(place.name("s")).unwrap();
        // SAFETY: the child only drops the listener and ends.
        match unsafe { nix::unistd::fork() }.unwrap() {
            nix::unistd::ForkResult::Child => {
                drop(listener);
                // SAFETY: it ends the child without the parent's handlers.
                unsafe { libc::_exit(0) };
            }
            nix::unistd::ForkResult::Parent { child } => {
                nix::sys::wait::waitpid(child, None).unwrap();
                assert!(place.path("s").exists());
                Socket::connect(place.name("s"), SOON).expect("the parent still listens");
                drop(listener);
                assert_eq!(place.entries(), 0);
            }
        }
    });
}

#[test]
fn the_longest_path_works_and_can_be_taken_over() {
    let place = Place::new();
    let directory = place.path(&"d".repeat(104 - place.0.as_os_str().len()));
    fs::create_dir(&directory).unwrap();
    let name = Name::parse(format!("unix:{}/s", directory.display())).unwrap();
    assert_eq!(name.to_string().len() - "unix:".len(), 107);
    drop(Listener::bind(&name).unwrap());
    let listener = Listener::bind(&name).unwrap();
    assert_eq!(listener.local_name().unwrap(), Some(name.clone()));
    Socket::connect(&name, SOON).unwrap();
    assert_eq!(fs::read_dir(&directory).unwrap().count(), 1);
    let error = Socket::connect(format!("{name}s"), SOON).unwrap_err();
    assert!(error.to_string().contains("at most 107 bytes"), "{error}");
}

#[test]
fn a_relative_path_is_kept_as_it_is() {
    succeeds_alone("files::a_relative_path_is_kept_as_it_is", || {
        let place = Place::new();
        std::env::set_current_dir(&place.0).unwrap();
        drop(Listener::bind("unix:s").unwrap());
        let listener = Listener::bind("unix:s").unwrap();
        assert_eq!(listener.local_name().unwrap().unwrap().to_string(), "unix:s");
        assert_eq!(place.entries(), 1);
        std::env::set_current_dir("/").unwrap();
    });
}

#[test]
fn places_where_nothing_can_be_made_are_said() {
    let place = Place::new();
    fs::write(place.path("file"), "").unwrap();
    for (name, errno) in [("none/s", libc::ENOENT), ("file/s", libc::ENOTDIR)] {
        let error = Listener::bind(place.name(name)).unwrap_err();
        assert_eq!(error.errno(), errno, "{error}");
    }
    let error = Socket::connect(place.name("none"), SHORT).unwrap_err();
    assert_eq!(error.errno(), libc::ENOENT);
    assert!(error.to_string().contains("no server has made it"), "{error}");
}

#[test]
fn what_belongs_to_somebody_else_is_not_trusted() {
    const TEST: &str = "files::what_belongs_to_somebody_else_is_not_trusted";
    if !is_root() {
        skip(TEST, "it needs two users, that is root");
        return;
    }
    succeeds_alone(TEST, || {
        let place = Place::new();
        let become_user = |uid: u32| nix::unistd::seteuid(uid.into()).unwrap();
        std::os::unix::fs::chown(&place.0, Some(65534), None).unwrap();
        // A server of another user: it is connected to unless that was forbidden.
        become_user(65534);
        let stranger = Listener::bind(place.name("s")).unwrap();
        become_user(0);
        Socket::connect(place.name("s"), SOON).unwrap();
        let error = Options::new().own_only(true).connect(place.name("s"), SOON).unwrap_err();
        assert_eq!(error.errno(), libc::EPERM);
        assert!(error.to_string().contains("runs as user 65534"), "{error}");
        drop(stranger);
        // A file that another user's dead server has left.
        drop(Listener::bind(place.name("root")).unwrap());
        become_user(65534);
        let error = Listener::bind(place.name("root")).unwrap_err();
        // The mode already keeps this user from asking whether it is dead.
        assert_eq!(error.errno(), libc::EACCES, "{error}");
        become_user(0);
        let wide = Options::new().mode(Mode::new(0o666).unwrap());
        drop(wide.listen(place.name("root")).unwrap());
        become_user(65534);
        let error = Listener::bind(place.name("root")).unwrap_err();
        assert_eq!(error.errno(), libc::EPERM);
        assert!(error.to_string().contains("a dead socket of user 0"), "{error}");
        let own = Options::new().own_only(true);
        become_user(0);
        let roots = wide.listen(place.name("root")).unwrap();
        become_user(65534);
        own.connect(place.name("root"), SOON).expect("root is trusted");
        drop(roots);
        become_user(0);
    });
}

#[test]
fn a_failure_leaves_no_file() {
    let place = Place::new();
    let options = Options::new().kind(Kind::Datagram).local(place.name("own")).unwrap();
    let error = options.connect(place.name("nobody"), SOON).unwrap_err();
    assert_eq!(error.errno(), libc::ENOENT, "{error}");
    assert_eq!(place.entries(), 0);
    // Its own name is a file like a server's: it stays, is taken over, and goes when that was asked for.
    let server = Socket::bind(place.name("server")).unwrap();
    drop(options.connect(place.name("server"), SOON).unwrap());
    assert_eq!(place.entries(), 2);
    let client = options.clone().remove_on_drop(true).connect(place.name("server"), SOON).unwrap();
    client.send(b"x", SOON).unwrap();
    let (_, sender) = server.recv_from(&mut [0; 8], SOON).unwrap();
    assert_eq!(sender.unwrap().to_string(), place.name("own"));
    drop(client);
    assert_eq!(place.entries(), 1);
}

#[test]
fn a_disk_file_system_has_sockets_too() {
    let directory = Directory::new("s");
    let path = directory.path("s");
    if path.as_os_str().len() > unipc::SOCKET_NAME_MAX {
        skip("a_disk_file_system_has_sockets_too", "the build directory's path is too long");
        return;
    }
    let name = format!("unix:{}", path.display());
    drop(Listener::bind(&name).unwrap());
    drop(Listener::bind(&name).unwrap());
}
