// SPDX-License-Identifier: MIT OR Apache-2.0
//! The functions of `unipc.signal`, under the names `signal_...`.

use pyo3::prelude::*;
use pyo3::types::PySet;
use unipc::signal::{self, Action, ActionFlags, Disposition, Masked, Signal};

use super::argument::{SetArgument, SignalArgument, numbers, value};
use super::{SignalInfo, limit, take};
use crate::error::raise;
use crate::wait::TimeoutArgument;

/// number(signal): the number of a signal: of "SIGINT", "INT", "SIGRTMIN+3", "RTMAX-1", in small letters too.
#[pyfunction]
pub(crate) fn signal_number(signal: SignalArgument) -> i32 {
    signal.0.number()
}

/// name(signal): its name: "SIGINT", "SIGRTMIN+3".
#[pyfunction]
pub(crate) fn signal_name(signal: SignalArgument) -> String {
    signal.0.to_string()
}

/// description(signal): it in words: "Interrupt", "Real-time signal 3".
#[pyfunction]
pub(crate) fn signal_description(signal: SignalArgument) -> String {
    signal.0.description()
}

#[pyfunction]
pub(crate) fn signal_default_action(signal: SignalArgument) -> i32 {
    signal.0.default_action() as i32
}

/// realtime(offset): the number of the real-time signal SIGRTMIN + offset.
#[pyfunction]
pub(crate) fn signal_realtime(offset: u32) -> PyResult<i32> {
    Signal::realtime(offset).map(Signal::number).map_err(raise)
}

/// cause(signal, code): the name of the reason for which a signal came: "SI_USER", "CLD_EXITED"; "unknown".
#[pyfunction]
pub(crate) fn signal_cause(signal: SignalArgument, code: i32) -> &'static str {
    signal::cause(signal.0, code)
}

/// send(pid, signal): sends a signal to a process, kill(2).
///
/// A number may belong to another process by now; see PidFd. A standard signal that is pending already is not pending
/// twice. Raises ProcessLookupError, PermissionError; OSError with EINVAL for a pid that is not positive, which kill(2)
/// would take for whole groups.
#[pyfunction]
pub(crate) fn signal_send(pid: i32, signal: SignalArgument) -> PyResult<()> {
    signal::send(pid, signal.0).map_err(raise)
}

/// probe(pid): raises, as send would, unless the process exists and may be signalled.
#[pyfunction]
pub(crate) fn signal_probe(pid: i32) -> PyResult<()> {
    signal::probe(pid).map_err(raise)
}

/// send_group(group, signal): sends a signal to every process of a group, killpg(3); 0 is the caller's own.
#[pyfunction]
pub(crate) fn signal_send_group(group: i32, signal: SignalArgument) -> PyResult<()> {
    signal::send_group(group, signal.0).map_err(raise)
}

/// send_thread(pid, thread, signal): sends a signal to one thread, which alone can take it, tgkill(2).
///
/// `thread` is what threading.get_native_id() gives there. What the signal does is done to the whole process.
#[pyfunction]
pub(crate) fn signal_send_thread(pid: i32, thread: i32, signal: SignalArgument) -> PyResult<()> {
    signal::send_thread(pid, thread, signal.0).map_err(raise)
}

/// raise_signal(signal): sends a signal to the calling thread, raise(3). Unless it is blocked, it has acted when this
/// returns; a handler of Python's has run, in the main thread.
#[pyfunction]
pub(crate) fn signal_raise(py: Python<'_>, signal: SignalArgument) -> PyResult<()> {
    signal::raise(signal.0).map_err(raise)?;
    py.check_signals()
}

/// queue(pid, signal, value=0, *, pointer=None): sends a signal with an int, or with a pointer, sigqueue(3).
///
/// Real-time signals queue; a standard signal that is pending already swallows the next, value and all. Raises
/// BlockingIOError, which names the limit, when the receiver's RLIMIT_SIGPENDING allows no more; else as send.
#[pyfunction]
#[pyo3(signature = (pid, signal, value = 0, *, pointer = None))]
pub(crate) fn signal_queue(
    pid: i32,
    signal: SignalArgument,
    value: i32,
    pointer: Option<usize>,
) -> PyResult<()> {
    signal::queue(pid, signal.0, self::value(value, pointer)).map_err(raise)
}

/// queue_thread(pid, thread, signal, value=0, *, pointer=None): as queue, to one thread.
#[pyfunction]
#[pyo3(signature = (pid, thread, signal, value = 0, *, pointer = None))]
pub(crate) fn signal_queue_thread(
    pid: i32,
    thread: i32,
    signal: SignalArgument,
    value: i32,
    pointer: Option<usize>,
) -> PyResult<()> {
    signal::queue_thread(pid, thread, signal.0, self::value(value, pointer)).map_err(raise)
}

/// start_time(pid): when the process was started, in clock ticks since the machine was. With the number it names the
/// process for good.
#[pyfunction]
pub(crate) fn signal_start_time(pid: i32) -> PyResult<u64> {
    signal::start_time(pid).map_err(raise)
}

#[pyfunction]
pub(crate) fn signal_block(py: Python<'_>, signals: SetArgument) -> PyResult<Bound<'_, PySet>> {
    changed(py, signal::block(signals.0))
}

#[pyfunction]
pub(crate) fn signal_unblock(py: Python<'_>, signals: SetArgument) -> PyResult<Bound<'_, PySet>> {
    changed(py, signal::unblock(signals.0))
}

#[pyfunction]
pub(crate) fn signal_set_mask(py: Python<'_>, signals: SetArgument) -> PyResult<Bound<'_, PySet>> {
    changed(py, signal::set_mask(signals.0))
}

/// What is pending has acted, so a handler of Python's may have to run.
fn changed(py: Python<'_>, masked: unipc::Result<Masked>) -> PyResult<Bound<'_, PySet>> {
    let masked = masked.map_err(raise)?;
    let before = numbers(py, masked.before())?;
    masked.keep();
    py.check_signals()?;
    Ok(before)
}

#[pyfunction]
pub(crate) fn signal_mask(py: Python<'_>) -> PyResult<Bound<'_, PySet>> {
    numbers(py, signal::mask().map_err(raise)?)
}

#[pyfunction]
pub(crate) fn signal_pending(py: Python<'_>) -> PyResult<Bound<'_, PySet>> {
    numbers(py, signal::pending().map_err(raise)?)
}

/// wait(signals, timeout=None): takes one of these signals, waiting for it if need be, sigtimedwait(2).
///
/// The lowest number first, those of one real-time number in the order of sending. Block them before, in every thread.
/// `timeout` is in seconds; None is for ever, 0 a try. Raises TimeoutError, BlockingIOError for a try. Handlers of
/// other signals run meanwhile, so Ctrl-C ends the wait.
#[pyfunction]
#[pyo3(signature = (signals, timeout = None))]
pub(crate) fn signal_wait(
    py: Python<'_>,
    signals: SetArgument,
    timeout: Option<TimeoutArgument>,
) -> PyResult<SignalInfo> {
    take(py, limit(timeout), |left| signal::wait(signals.0, left)).map(SignalInfo::from)
}

#[pyfunction]
pub(crate) fn signal_reserved(py: Python<'_>) -> PyResult<Bound<'_, PySet>> {
    numbers(py, signal::reserved())
}

/// timeout_signal(): the real-time signal with which unipc ends system calls that know no time limit (msgsnd, flock ...);
/// None as long as none was needed.
///
/// At the first such limit it takes the highest one that has no disposition, and keeps it; if the program gives it a
/// handler later, it takes another. Its handler does nothing.
#[pyfunction]
pub(crate) fn signal_timeout_signal() -> Option<i32> {
    signal::timeout_signal().map(Signal::number)
}

/// The fields of `/proc/PID/status`, as a dictionary.
#[derive(IntoPyObject)]
pub(crate) struct Status<'py> {
    queued: u64,
    queue_limit: u64,
    pending: Bound<'py, PySet>,
    shared_pending: Bound<'py, PySet>,
    blocked: Bound<'py, PySet>,
    ignored: Bound<'py, PySet>,
    caught: Bound<'py, PySet>,
}

#[pyfunction]
pub(crate) fn signal_stat(py: Python<'_>, pid: i32) -> PyResult<Status<'_>> {
    let status = signal::stat(pid).map_err(raise)?;
    Ok(Status {
        queued: status.queued,
        queue_limit: status.queue_limit,
        pending: numbers(py, status.pending)?,
        shared_pending: numbers(py, status.shared_pending)?,
        blocked: numbers(py, status.blocked)?,
        ignored: numbers(py, status.ignored)?,
        caught: numbers(py, status.caught)?,
    })
}

/// Disposition, flags, mask and handler of an action.
type Parts<'py> = (i32, i32, Bound<'py, PySet>, usize);

fn parts(py: Python<'_>, action: Action) -> PyResult<Parts<'_>> {
    let disposition = action.disposition() as i32;
    Ok((disposition, action.flags().bits(), numbers(py, action.mask())?, action.handler()))
}

#[pyfunction]
pub(crate) fn signal_action(py: Python<'_>, signal: SignalArgument) -> PyResult<Parts<'_>> {
    parts(py, signal::action(signal.0).map_err(raise)?)
}

#[pyfunction]
pub(crate) fn signal_set_action(
    py: Python<'_>,
    signal: SignalArgument,
    action: (i32, i32, SetArgument, usize),
    replace: bool,
) -> PyResult<Parts<'_>> {
    let (disposition, flags, mask, handler) = action;
    if !replace {
        signal::ensure_unhandled(signal.0).map_err(raise)?;
    }
    let flags = ActionFlags::from_bits(flags)
        .ok_or_else(|| pyo3::exceptions::PyValueError::new_err("unknown flags"))?;
    let action = match disposition {
        it if it == Disposition::Default as i32 => Action::default().with_flags(flags),
        it if it == Disposition::Ignore as i32 => Action::ignore().with_flags(flags),
        #[allow(unsafe_code, reason = "an action that was in force before")]
        // SAFETY: `unipc.signal.Action` gives such an address only of an action that was in force in this process.
        _ => unsafe { Action::from_parts(handler, flags, mask.0) },
    };
    parts(py, signal::set_action(signal.0, action).map_err(raise)?)
}

/// ensure_unhandled(signal): raises OSError with EBUSY if another action would replace a handler, of Python's or of
/// anybody's.
#[pyfunction]
pub(crate) fn signal_ensure_unhandled(signal: SignalArgument) -> PyResult<()> {
    signal::ensure_unhandled(signal.0).map_err(raise)
}
