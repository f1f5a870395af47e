// SPDX-License-Identifier: MIT OR Apache-2.0
//! The native half of the Python package `unipc`: casts, checks and errors around the core, nothing else.

#![allow(
    clippy::doc_link_with_quotes,
    reason = "brackets and quotes are Python's lists of strings"
)]

mod aio;
mod buffer;
mod channel;
mod error;
mod frame;
mod handle;
mod lock;
mod made;
mod mechanism;
mod mq;
mod name;
mod pipe;
mod poll;
mod process;
mod record;
mod sem;
mod shm;
mod signal;
mod socket;
mod sync;
mod system_v;
mod wait;

use pyo3::prelude::*;

/// The compiled half of the package `unipc`, which is what programs import.
#[pymodule(gil_used = false)]
mod _native {
    use pyo3::prelude::*;

    #[pymodule_export]
    use crate::aio::{Alarm, LoopBell, Waiter};
    #[pymodule_export]
    use crate::channel::{
        Batches, Call, ChannelEnd, Client, Loan, Question, Queue, Service, Subscriber, Topic,
    };
    #[pymodule_export]
    use crate::error::{LayoutError, NotRecoverableError, OwnerDiedError, RemovedError};
    #[pymodule_export]
    use crate::frame::{FrameReader, FrameWriter};
    #[pymodule_export]
    use crate::lock::{FileLock, LockGuard, LockHolder};
    #[pymodule_export]
    use crate::mechanism::mechanism_table;
    #[pymodule_export]
    use crate::mq::{
        MessageQueue, mq_limits, mq_usage, system_v_queue_list, system_v_queue_remove,
        system_v_queue_set, system_v_queue_stat,
    };
    #[pymodule_export]
    use crate::name::ftok;
    #[pymodule_export]
    use crate::pipe::{Fifo, PipeEnd, Turnstile, capacity_limit, duplex, pipe};
    #[pymodule_export]
    use crate::poll::{Doorbell, Poller, poll_descriptor};
    #[pymodule_export]
    use crate::process::{
        Coprocess, Process, Pty, RawMode, Shell, is_terminal, set_terminal_modes, set_window_size,
        spawn, terminal_modes, window_size,
    };
    #[pymodule_export]
    use crate::record::{Array, Cell, Layout, PlaceTable, kind_at};
    #[pymodule_export]
    use crate::sem::{
        Hold, OpenedSemaphore, OpenedSemaphoreSet, Semaphore, SemaphoreSet, sem_limits, sem_usage,
    };
    #[pymodule_export]
    use crate::shm::{Guard, Opened, SharedMemory};
    #[pymodule_export]
    use crate::signal::{PidFd, SignalCounter, SignalInfo, SignalStream};
    #[pymodule_export]
    use crate::signal::{
        signal_action, signal_block, signal_cause, signal_default_action, signal_description,
        signal_ensure_unhandled, signal_mask, signal_name, signal_number, signal_pending,
        signal_probe, signal_queue, signal_queue_thread, signal_raise, signal_realtime,
        signal_reserved, signal_send, signal_send_group, signal_send_thread, signal_set_action,
        signal_set_mask, signal_start_time, signal_stat, signal_timeout_signal, signal_unblock,
        signal_wait,
    };
    #[pymodule_export]
    use crate::socket::{Listener, Socket, recv_fds, send_fds};
    #[pymodule_export]
    use crate::sync::{
        Barrier, Condvar, Event, Mutex, MutexRepair, MutexStatus, Once, RwLock, RwLockSide,
        RwLockStatus, SyncSemaphore, ThreadId,
    };
    #[pymodule_export]
    use crate::system_v::{
        shm_limits, shm_usage, system_v_list, system_v_lock, system_v_remove, system_v_set,
        system_v_stat, system_v_unlock,
    };

    #[pymodule_export]
    #[allow(non_upper_case_globals, reason = "the name that Python gives it")]
    const __version__: &str = env!("CARGO_PKG_VERSION");

    #[pymodule_export]
    use crate::page_size;

    #[pymodule_init]
    #[allow(clippy::unnecessary_wraps, reason = "as PyO3 wants it")]
    fn init(_module: &Bound<'_, PyModule>) -> PyResult<()> {
        crate::handle::notice_forks();
        Ok(())
    }
}

/// The size of a page of memory in bytes: `sysconf(_SC_PAGESIZE)`.
///
/// >>> import unipc
/// >>> unipc.page_size() % 4096
/// 0
#[pyfunction]
fn page_size() -> usize {
    unipc::page_size()
}
