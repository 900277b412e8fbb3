//! Deadlock avoidance for resources that come in units: the banker's algorithm.
//!
//! Use [`Banker`] for threads and async tasks that share connections, buffers, devices or permits
//! and hold some while they ask for more. [`BankerQueue`] and [`BankerState`] are the same without
//! threads, for schedulers and simulations, and for detection.
//!
//! What it promises: tasks that keep to their claims, and release in the end what they hold,
//! always finish; nobody waits for ever. What it cannot prevent: that a holder waits for something
//! outside of the banker. If that is a lock that others hold while they ask the banker, it is
//! reported as `wait-while-holding`.

mod error;
mod units;

mod reduction;
mod state;
mod table;

mod live;
mod queue;
mod watch;

#[cfg(feature = "instrument")]
pub(crate) mod semaphores;

pub use error::BankerError;
pub use live::{Acquire, Banker, Claim, Grant};
#[cfg(feature = "instrument")]
pub(crate) use semaphores::Claims;

pub use queue::{BankerQueue, Policy, Submitted, Ticket};
pub use state::BankerState;
pub use units::{Resource, TaskId};
