// SPDX-License-Identifier: MIT OR Apache-2.0
//! Waiting for a notice, in the robust form: a gate, and a robust mutex that is let go meanwhile.

use crate::error::ErrorKind;
use crate::sync::Acquired;
use crate::sync::gate::Gate;
use crate::sync::hold::Sleep;
use crate::sync::mutex::Robust;
use crate::sync::object::Object;
use crate::time::Timeout;

/// Lets the mutex go, waits for a notice, and takes it again.
pub(super) fn wait(
    object: &Object,
    mutex: &Robust,
    timeout: Timeout,
    acquired: &mut Acquired,
) -> Result<(), ErrorKind> {
    if mutex.depth()? > 0 {
        return Err(ErrorKind::invalid("the mutex is locked more than once"));
    }
    let gate = Gate::of(&object.lines);
    let mut sleep = Sleep::new(timeout);
    sleep.check_try()?;
    sleep.start();
    // While the mutex is held: whoever changes something from here on comes after, and opens the gate.
    let prepared = gate.prepare();
    let mut waiting = None;
    mutex.unlock()?;
    let slept = loop {
        match gate.sleep(prepared, Vec::new(), &mut waiting, &mut sleep) {
            Ok(()) if !gate.was_opened(prepared) => {}
            other => break other,
        }
    };
    drop(waiting);
    loop {
        match mutex.lock(Timeout::Forever) {
            // The caller must find the mutex held, whatever else there is to say.
            Err(ErrorKind::Os(libc::EINTR)) => {}
            Err(kind) => return Err(kind),
            Ok(how) => {
                *acquired = how;
                return slept;
            }
        }
    }
}
