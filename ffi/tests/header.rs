// SPDX-License-Identifier: MIT OR Apache-2.0
//! The headers in include/ are those that the sources give. `BLESS=1` writes them anew.

use std::fs;
use std::path::{Path, PathBuf};

use cbindgen::{Builder, Config};

/// A header, made of the functions of some sources and of text that cbindgen cannot write.
struct Header {
    /// Path below include/.
    path: &'static str,
    /// Sources below ffi/src.
    sources: &'static [&'static str],
    /// What comes first: an introduction, other headers, macros.
    preamble: &'static str,
}

const HEADERS: &[Header] = &[
    Header { path: "unipc/base.h", sources: &["base.rs"], preamble: include_str!("header/base.h") },
    Header {
        path: "unipc/channel.h",
        sources: &[
            "channel.rs",
            "channel/queue.rs",
            "channel/queue/transfer.rs",
            "channel/topic.rs",
            "channel/each.rs",
            "channel/subscriber.rs",
            "channel/service.rs",
            "channel/client.rs",
        ],
        preamble: include_str!("header/channel.h"),
    },
    Header {
        path: "unipc/error.h",
        sources: &["error.rs"],
        preamble: include_str!("header/error.h"),
    },
    Header {
        path: "unipc/frame.h",
        sources: &["frame.rs"],
        preamble: include_str!("header/frame.h"),
    },
    Header {
        path: "unipc/lock.h",
        sources: &["lock.rs", "lock/open.rs", "lock/acquire.rs"],
        preamble: include_str!("header/lock.h"),
    },
    Header { path: "unipc/name.h", sources: &["name.rs"], preamble: include_str!("header/name.h") },
    Header {
        path: "unipc/mechanism.h",
        sources: &["mechanism.rs"],
        preamble: include_str!("header/mechanism.h"),
    },
    Header {
        path: "unipc/mq.h",
        sources: &[
            "mq.rs",
            "mq/open.rs",
            "mq/transfer.rs",
            "mq/msgbuf.rs",
            "mq/manage.rs",
            "mq/system_v.rs",
        ],
        preamble: include_str!("header/mq.h"),
    },
    Header {
        path: "unipc/poll.h",
        sources: &[
            "poll.rs",
            "poll/thing.rs",
            "poll/poller.rs",
            "poll/doorbell.rs",
            "poll/loop_bell.rs",
        ],
        preamble: include_str!("header/poll.h"),
    },
    Header {
        path: "unipc/pipe.h",
        sources: &[
            "pipe.rs",
            "pipe/end.rs",
            "pipe/transfer.rs",
            "pipe/fifo.rs",
            "pipe/turnstile.rs",
            "pipe/process.rs",
            "pipe/shell.rs",
            "pipe/coprocess.rs",
            "pipe/terminal.rs",
            "pipe/pty.rs",
        ],
        preamble: include_str!("header/pipe.h"),
    },
    Header {
        path: "unipc/sem.h",
        sources: &[
            "sem.rs",
            "sem/open.rs",
            "sem/wait.rs",
            "sem/manage.rs",
            "sem/set.rs",
            "sem/system_v.rs",
        ],
        preamble: include_str!("header/sem.h"),
    },
    Header {
        path: "unipc/shm.h",
        sources: &[
            "shm.rs",
            "shm/open.rs",
            "shm/access.rs",
            "shm/atomic.rs",
            "shm/manage.rs",
            "shm/system_v.rs",
        ],
        preamble: include_str!("header/shm.h"),
    },
    Header {
        path: "unipc/record.h",
        sources: &[
            "record.rs",
            "record/layout.rs",
            "record/array.rs",
            "record/cell.rs",
            "record/directory.rs",
        ],
        preamble: include_str!("header/record.h"),
    },
    Header {
        path: "unipc/signal.h",
        sources: &[
            "signal.rs",
            "signal/number.rs",
            "signal/send.rs",
            "signal/pidfd.rs",
            "signal/mask.rs",
            "signal/stream.rs",
            "signal/counter.rs",
            "signal/action.rs",
        ],
        preamble: include_str!("header/signal.h"),
    },
    Header {
        path: "unipc/socket.h",
        sources: &[
            "socket.rs",
            "socket/open.rs",
            "socket/listener.rs",
            "socket/transfer.rs",
            "socket/descriptors.rs",
            "socket/state.rs",
        ],
        preamble: include_str!("header/socket.h"),
    },
    Header {
        path: "unipc/sync.h",
        sources: &[
            "sync.rs",
            "sync/mutex.rs",
            "sync/condvar.rs",
            "sync/rwlock.rs",
            "sync/barrier.rs",
            "sync/semaphore.rs",
            "sync/event.rs",
            "sync/once.rs",
        ],
        preamble: include_str!("header/sync.h"),
    },
];

fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn include() -> PathBuf {
    project().join("../include")
}

impl Header {
    fn generate(&self) -> String {
        let mut config = Config::from_file(project().join("cbindgen.toml")).unwrap();
        let guard = self.path.to_uppercase().replace(['/', '.'], "_");
        config.include_guard = Some(guard);
        config.after_includes = Some(with_version(self.preamble));
        let builder = Builder::new().with_config(config);
        let sources = self.sources.iter().map(|source| project().join("src").join(source));
        let bindings = sources.fold(builder, Builder::with_src).generate().unwrap();
        let mut text = Vec::new();
        bindings.write(&mut text);
        tidy(&String::from_utf8(text).unwrap())
    }
}

/// As one would write it by hand: a comment of one line on one line, and types by the names that typedefs give.
fn tidy(text: &str) -> String {
    let lines: Vec<&str> = text.trim_end().lines().collect();
    let mut rest = lines.as_slice();
    let mut tidied = Vec::new();
    // The parameters below a function's name stay there when "struct " before it goes.
    let mut below = 0;
    while let [line, after @ ..] = rest {
        rest = after;
        tidied.push(match after {
            [words, end, after @ ..] if line.trim() == "/**" && end.trim() == "*/" => {
                rest = after;
                format!("{line} {} */", words.trim_start().trim_start_matches("* "))
            }
            // Where the typedef itself is, or comes later.
            _ if line.starts_with("typedef") || line.starts_with("static") => (*line).to_owned(),
            _ => {
                let parameters = line.get(below..).filter(|_| line.starts_with("        "));
                below = match line.ends_with(';') {
                    true => 0,
                    false if line.starts_with("struct unipc_") => "struct ".len(),
                    false => below,
                };
                parameters.unwrap_or(line).replace("struct unipc_", "unipc_")
            }
        });
    }
    tidied.join("\n") + "\n"
}

/// The template without its licence line, which each header has at its top, with the version that Cargo.toml has.
fn with_version(template: &str) -> String {
    let (_, text) = template.split_once('\n').unwrap();
    text.trim()
        .replace("@MAJOR@", env!("CARGO_PKG_VERSION_MAJOR"))
        .replace("@MINOR@", env!("CARGO_PKG_VERSION_MINOR"))
        .replace("@PATCH@", env!("CARGO_PKG_VERSION_PATCH"))
        .replace("@VERSION@", env!("CARGO_PKG_VERSION"))
}

fn expected() -> Vec<(PathBuf, String)> {
    let umbrella = include_str!("header/unipc.h").to_owned();
    let rooms = HEADERS.iter().map(|header| (include().join(header.path), header.generate()));
    rooms.chain([(include().join("unipc.h"), umbrella)]).collect()
}

#[test]
fn the_checked_in_headers_are_those_of_the_sources() {
    for (path, text) in expected() {
        if std::env::var_os("BLESS").is_some() {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, &text).unwrap();
        }
        let there = fs::read_to_string(&path).unwrap_or_default();
        assert!(
            there == text,
            "{} is not what the sources give; `make bless` (or BLESS=1 cargo test -p unipc-ffi --test header) writes it",
            path.display()
        );
    }
}
