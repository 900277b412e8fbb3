//! The tasks of an executor, and the locks that they wait for without blocking a thread.
//!
//! To the engine a task is a thread of its own: with a number, a record of what it holds and waits for, and
//! a place in the order of spawns and joins. Threads take turns to *poll* it. A task whose poll has left it
//! unfinished *rests* until it is woken. `cargo lockcheck` gives these hooks to `tokio`, through the crate by
//! which `tokio` tells what it does (`build/facade/tracing.rs` of the command).
//!
//! Which record a lock is added to: an asynchronous lock to the task's, and a lock of `std` to that of the
//! thread until the task has asked for its first asynchronous lock in this poll, or still holds one.
//! A future that a thread runs by `block_on` is the thread's own: it has the thread's number and clock.
//!
//! A wait of a task can be for ever only if nothing but the release of one lock can wake it. That is so if
//! it rests with one request for a lock that has not been granted, and the only clone of its waker is that
//! of this request (`waker`). A time-out, a `select!` or a join over other futures has a clone too, so
//! such waits are never reported.
//!
//! The same holds for a wait for another task, which is in circles of waits as a join of a thread is, and for one
//! for an event (`event`). Who could complete an event is not known, so that is for ever only where no thread of the
//! process runs; threads that have nothing to poll count as such (`executor`).
//!
//! What it misses: circles of tasks of which each holds some of a semaphore's several permits. Orders that a task shows while it has other
//! futures that wait: it may release the first lock in one of those while the other waits for the second; so is it in
//! a set of futures with wakers of their own. Polls of futures outside of tasks, by an executor that is not known.

mod event;
mod executor;
mod leaf;
mod lock;
mod poll;
mod state;
mod task;
mod waker;

pub use crate::hooks::EventKind;
pub use event::{Around, AsyncEvent, leaf_has_moved};
pub use executor::{Driver, Source, idle};
pub use leaf::PolledBy;
pub use lock::{Acquisition, AsyncLock, AsyncLockKind, Within, called_at, within};
pub use state::Runs;
pub use task::Task;
