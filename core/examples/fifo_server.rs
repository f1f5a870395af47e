// SPDX-License-Identifier: MIT OR Apache-2.0
//! A FIFO as the place where clients find a server: answers COUNT requests, in capitals, and ends.
//!
//! A request is one line, `PID TEXT`, of at most `PIPE_BUF` bytes, so that those of several clients do not mix. The
//! reply goes into the client's own FIFO, `PATH.PID`. Run `fifo_server PATH COUNT`, then `fifo_client PATH TEXT` in any
//! language, or in a shell: `mkfifo P.$$; echo "$$ text" >P; cat P.$$; rm P.$$`

mod common;

use std::io::{BufRead, BufReader};
use std::process::ExitCode;
use std::time::Duration;

use common::Failure;
use unipc::pipe::Fifo;
use unipc::{Name, Timeout};

/// A client that does not read its reply in time gets none.
fn reply(path: &str, request: &str) {
    let Some((pid, text)) = request.split_once(' ') else {
        return;
    };
    if pid.is_empty() || pid.len() > 10 || !pid.bytes().all(|byte| byte.is_ascii_digit()) {
        return;
    }
    let limit = Timeout::After(Duration::from_secs(5));
    let written = Name::file(format!("{path}.{pid}"))
        .and_then(Fifo::open)
        .and_then(|fifo| fifo.writer(limit))
        .and_then(|writer| writer.write_all(text.to_uppercase().as_bytes(), limit));
    drop(written);
}

fn serve() -> Result<(), Failure> {
    let arguments = common::arguments("fifo_server PATH COUNT")?;
    let path = arguments[0].to_string_lossy().into_owned();
    let count = arguments.get(1).and_then(|count| count.to_str()?.parse().ok()).unwrap_or(1);
    let fifo = Fifo::create(Name::file(&path)?)?;
    let reader = fifo.reader(Timeout::TRY)?;
    reader.keep_open()?;
    for line in BufReader::new(reader).lines().take(count) {
        reply(&path, &line?);
    }
    Fifo::unlink(fifo.name())?;
    Ok(())
}

fn main() -> ExitCode {
    common::finish(serve())
}
