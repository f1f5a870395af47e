// SPDX-License-Identifier: MIT OR Apache-2.0
//! Signals as numbers and as names.

use std::fmt;
use std::str::FromStr;

use super::Set;
use crate::error::{Error, ErrorKind, Result};

/// The highest number that the kernel knows.
pub(super) const HIGHEST: i32 = 64;

/// A signal: a number from 1 to 64.
///
/// Those below 32 have names; from `SIGRTMIN` to `SIGRTMAX` they are real-time signals, which queue and come lowest
/// number first. The few between belong to the C library.
///
/// ```
/// use unipc::signal::Signal;
/// assert_eq!("SIGTERM".parse(), Ok(Signal::TERM));
/// assert_eq!("RTMIN+3".parse::<Signal>()?.to_string(), "SIGRTMIN+3");
/// assert_eq!(Signal::INT.description(), "Interrupt");
/// # Ok::<(), unipc::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Signal(i32);

/// What a signal does to a process that has said nothing about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(i32)]
pub enum DefaultAction {
    /// It ends.
    Terminate = 1,
    /// It ends, and may leave a core file.
    Core = 2,
    /// Nothing.
    Ignore = 3,
    /// It stops.
    Stop = 4,
    /// It goes on, if it was stopped.
    Continue = 5,
}

macro_rules! standard {
    ($($name:ident $action:ident $description:literal;)*) => {
        impl Signal {
            $(
                #[doc = concat!("`SIG", stringify!($name), "`: ", $description, ".")]
                pub const $name: Self = Self(standard!(@ $name));
            )*
        }

        const STANDARD: &[(Signal, &str, DefaultAction, &str)] = &[
            $((
                Signal::$name,
                concat!("SIG", stringify!($name)),
                DefaultAction::$action,
                $description,
            )),*
        ];
    };
    (@ HUP) => { libc::SIGHUP };
    (@ INT) => { libc::SIGINT };
    (@ QUIT) => { libc::SIGQUIT };
    (@ ILL) => { libc::SIGILL };
    (@ TRAP) => { libc::SIGTRAP };
    (@ ABRT) => { libc::SIGABRT };
    (@ BUS) => { libc::SIGBUS };
    (@ FPE) => { libc::SIGFPE };
    (@ KILL) => { libc::SIGKILL };
    (@ USR1) => { libc::SIGUSR1 };
    (@ SEGV) => { libc::SIGSEGV };
    (@ USR2) => { libc::SIGUSR2 };
    (@ PIPE) => { libc::SIGPIPE };
    (@ ALRM) => { libc::SIGALRM };
    (@ TERM) => { libc::SIGTERM };
    (@ STKFLT) => { libc::SIGSTKFLT };
    (@ CHLD) => { libc::SIGCHLD };
    (@ CONT) => { libc::SIGCONT };
    (@ STOP) => { libc::SIGSTOP };
    (@ TSTP) => { libc::SIGTSTP };
    (@ TTIN) => { libc::SIGTTIN };
    (@ TTOU) => { libc::SIGTTOU };
    (@ URG) => { libc::SIGURG };
    (@ XCPU) => { libc::SIGXCPU };
    (@ XFSZ) => { libc::SIGXFSZ };
    (@ VTALRM) => { libc::SIGVTALRM };
    (@ PROF) => { libc::SIGPROF };
    (@ WINCH) => { libc::SIGWINCH };
    (@ IO) => { libc::SIGIO };
    (@ PWR) => { libc::SIGPWR };
    (@ SYS) => { libc::SIGSYS };
}

standard! {
    HUP Terminate "Hangup";
    INT Terminate "Interrupt";
    QUIT Core "Quit";
    ILL Core "Illegal instruction";
    TRAP Core "Trace/breakpoint trap";
    ABRT Core "Aborted";
    BUS Core "Bus error";
    FPE Core "Floating point exception";
    KILL Terminate "Killed";
    USR1 Terminate "User defined signal 1";
    SEGV Core "Segmentation fault";
    USR2 Terminate "User defined signal 2";
    PIPE Terminate "Broken pipe";
    ALRM Terminate "Alarm clock";
    TERM Terminate "Terminated";
    STKFLT Terminate "Stack fault";
    CHLD Ignore "Child exited";
    CONT Continue "Continued";
    STOP Stop "Stopped (signal)";
    TSTP Stop "Stopped";
    TTIN Stop "Stopped (tty input)";
    TTOU Stop "Stopped (tty output)";
    URG Ignore "Urgent I/O condition";
    XCPU Core "CPU time limit exceeded";
    XFSZ Core "File size limit exceeded";
    VTALRM Terminate "Virtual timer expired";
    PROF Terminate "Profiling timer expired";
    WINCH Ignore "Window changed";
    IO Terminate "I/O possible";
    PWR Terminate "Power failure";
    SYS Core "Bad system call";
}

/// Second names, which `kill -l` does not print but people write.
const ALIASES: [(&str, Signal); 3] =
    [("IOT", Signal::ABRT), ("CLD", Signal::CHLD), ("POLL", Signal::IO)];

#[cold]
fn no_signal(number: i32) -> Error {
    ErrorKind::invalid("signals have numbers from 1 to 64").during("signal", number)
}

impl Signal {
    /// The signal of this number.
    ///
    /// Errors: `EINVAL` below 1 and above 64.
    #[inline]
    pub fn new(number: i32) -> Result<Self> {
        if (1..=HIGHEST).contains(&number) { Ok(Self(number)) } else { Err(no_signal(number)) }
    }

    /// The real-time signal `SIGRTMIN + offset` of this C library.
    ///
    /// Errors: `EINVAL` beyond `SIGRTMAX`.
    ///
    /// ```
    /// use unipc::signal::Signal;
    /// assert_eq!(Signal::realtime(0)?, Signal::realtime_min());
    /// assert!(Signal::realtime(31).is_err());
    /// # Ok::<(), unipc::Error>(())
    /// ```
    #[doc(alias = "SIGRTMIN")]
    pub fn realtime(offset: u32) -> Result<Self> {
        let most = (libc::SIGRTMAX() - libc::SIGRTMIN()).cast_unsigned();
        if offset > most {
            let why = format!("real-time signals go from SIGRTMIN+0 to SIGRTMIN+{most}");
            return Err(ErrorKind::invalid(why).during("signal", format_args!("RTMIN+{offset}")));
        }
        Ok(Self(libc::SIGRTMIN() + offset.cast_signed()))
    }

    /// `SIGRTMIN`: the first real-time signal that this C library leaves to programs.
    pub fn realtime_min() -> Self {
        Self(libc::SIGRTMIN())
    }

    /// `SIGRTMAX`: the last real-time signal.
    #[doc(alias = "SIGRTMAX")]
    pub fn realtime_max() -> Self {
        Self(libc::SIGRTMAX())
    }

    /// The number.
    #[inline]
    pub fn number(self) -> i32 {
        self.0
    }

    /// Does it queue, one entry for each time it is sent? Then it is from `SIGRTMIN` to `SIGRTMAX`.
    pub fn is_realtime(self) -> bool {
        (libc::SIGRTMIN()..=libc::SIGRTMAX()).contains(&self.0)
    }

    /// Is it one of those that the C library keeps for itself (to cancel threads, to change their user)?
    pub fn is_reserved(self) -> bool {
        (32..libc::SIGRTMIN()).contains(&self.0)
    }

    /// What it does to a process that has said nothing about it. See
    /// [signal(7)](https://man7.org/linux/man-pages/man7/signal.7.html).
    pub fn default_action(self) -> DefaultAction {
        self.standard().map_or(DefaultAction::Terminate, |row| row.2)
    }

    /// In words: "Interrupt", "Real-time signal 3".
    #[doc(alias = "strsignal")]
    pub fn description(self) -> String {
        match self.standard() {
            Some(row) => row.3.to_owned(),
            None if self.is_reserved() => format!("Signal {} of the C library", self.0),
            None => format!("Real-time signal {}", self.0 - libc::SIGRTMIN()),
        }
    }

    /// Every signal that programs may use, in the order of the numbers.
    pub fn all() -> impl Iterator<Item = Self> {
        Set::full().iter()
    }

    /// From a number that is known to be one.
    #[inline]
    pub(super) fn known(number: i32) -> Self {
        Self(number)
    }

    fn standard(self) -> Option<&'static (Self, &'static str, DefaultAction, &'static str)> {
        STANDARD.iter().find(|row| row.0 == self)
    }

    /// The signal of a name without its `SIG`, in capitals.
    fn named(name: &str) -> Option<Self> {
        let standard = STANDARD.iter().find(|row| &row.1[3..] == name).map(|row| row.0);
        let alias = || ALIASES.iter().find(|alias| alias.0 == name).map(|alias| alias.1);
        standard.or_else(alias).or_else(|| Self::real_time_named(name))
    }

    /// `RTMIN`, `RTMIN+3`, `RTMAX-3`, `RTMAX`.
    fn real_time_named(name: &str) -> Option<Self> {
        let offset = |digits: &str| {
            digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse::<i32>().ok())?
        };
        let number = match (name.strip_prefix("RTMIN"), name.strip_prefix("RTMAX")) {
            (Some(""), _) => libc::SIGRTMIN(),
            (Some(rest), _) => libc::SIGRTMIN().checked_add(offset(rest.strip_prefix('+')?)?)?,
            (_, Some("")) => libc::SIGRTMAX(),
            (_, Some(rest)) => libc::SIGRTMAX().checked_sub(offset(rest.strip_prefix('-')?)?)?,
            _ => return None,
        };
        Some(Self(number)).filter(|signal| signal.is_realtime())
    }
}

/// The name: `SIGINT`, `SIGRTMIN+3`.
impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.standard(), self.0 - libc::SIGRTMIN()) {
            (Some(row), _) => f.pad(row.1),
            (None, 0) => f.pad("SIGRTMIN"),
            (None, offset @ 1..) => f.pad(&format!("SIGRTMIN+{offset}")),
            (None, _) => f.pad(&format!("SIG{}", self.0)),
        }
    }
}

impl fmt::Debug for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// From `SIGINT`, `INT`, `int`, `SIGRTMIN+3`, `RTMAX-1` or the number, as kill(1) takes them.
///
/// Errors: `EINVAL`.
impl FromStr for Signal {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        if let Ok(number) = text.parse() {
            return Self::new(number);
        }
        let capitals = text.to_ascii_uppercase();
        let name = capitals.strip_prefix("SIG").unwrap_or(&capitals);
        Self::named(name).ok_or_else(|| {
            ErrorKind::invalid("no signal has this name").during("signal", text).with_advice(
                "names are like SIGINT, INT, SIGRTMIN+3, RTMAX-1; `kill -l` lists them",
            )
        })
    }
}

impl TryFrom<i32> for Signal {
    type Error = Error;

    fn try_from(number: i32) -> Result<Self> {
        Self::new(number)
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::CStr;

    use super::*;

    #[test]
    fn names_and_numbers_are_each_others() {
        for number in 1..=HIGHEST {
            let signal = Signal::new(number).unwrap();
            let name = signal.to_string();
            if signal.is_reserved() {
                assert_eq!(name, format!("SIG{number}"));
                continue;
            }
            for spelling in [name.clone(), name[3..].to_owned(), name.to_lowercase()] {
                assert_eq!(spelling.parse(), Ok(signal), "{spelling}");
            }
            assert_eq!(number.to_string().parse(), Ok(signal));
        }
        assert_eq!("SIGRTMAX".parse(), Ok(Signal::realtime_max()));
        assert_eq!("rtmax-1".parse(), Signal::new(libc::SIGRTMAX() - 1));
        for (name, signal) in ALIASES {
            assert_eq!(name.parse(), Ok(signal));
        }
    }

    #[test]
    fn what_is_no_signal_is_refused() {
        for text in [
            "",
            "SIG",
            "SIGX",
            "0",
            "65",
            "-1",
            "INT ",
            "RTMIN-1",
            "RTMIN+31",
            "RTMIN+",
            "RTMAX+1",
            "RTMIN++1",
            "RTMIN+-1",
            "RTMAX-31",
            "RTMIN+99999999999",
            "SIGSIGINT",
        ] {
            let error = text.parse::<Signal>().unwrap_err();
            assert_eq!(error.errno(), libc::EINVAL, "{text:?}");
        }
        for number in [0, -1, 65, i32::MAX, i32::MIN] {
            assert_eq!(Signal::new(number).unwrap_err().errno(), libc::EINVAL);
        }
    }

    #[test]
    #[allow(unsafe_code, reason = "strsignal is a call of C")]
    fn the_words_are_the_c_librarys() {
        for (signal, _, _, words) in STANDARD {
            // SAFETY: takes an integer.
            let theirs = unsafe { libc::strsignal(signal.number()) };
            // SAFETY: of a standard signal it is a static string.
            let theirs = unsafe { CStr::from_ptr(theirs) };
            assert_eq!(theirs.to_str().unwrap(), *words);
        }
        assert_eq!(STANDARD.len(), 31);
        assert_eq!(Signal::realtime(3).unwrap().description(), "Real-time signal 3");
    }
}
