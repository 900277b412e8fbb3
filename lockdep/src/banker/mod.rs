//! Deadlock avoidance for resources that come in units: the banker's algorithm.
//!
//! Use [`Banker`] for threads and async tasks that share connections, buffers, devices or permits
//! and hold some while they ask for more. [`BankerQueue`] and [`BankerState`] are the same without
//! threads, for schedulers and simulations, and for detection.
//!
//! What it promises: tasks that keep to their claims, and release in the end what they hold,
//! always finish; no task waits for ever. What it cannot prevent: that a holder waits for something
//! outside of the banker. If that is a lock that others hold while they ask the banker, it is
//! reported as `wait-while-holding`.
//!
//! # Cost
//! A request is safe at once if its task could then finish with what is free: a step for each resource.
//! Otherwise the others are let finish, up to the point where the task can: a step for each resource
//! that each holder needs, O(m n) for n tasks and m resources. `cargo bench --bench banker` measures
//! both on chains, where each task can finish only after the one before. On an AMD EPYC of 2.5 GHz, for
//! a request and its release:
//!
//! | tasks | resources | the first task | the last task | [`BankerState::is_safe`] |
//! |---|---|---|---|---|
//! | 10 | 8 | 0.15 µs | 0.7 µs | 0.5 µs |
//! | 100 | 8 | 0.2 µs | 4.9 µs | 3.8 µs |
//! | 1,000 | 1 | 0.5 µs | 11 µs | 12 µs |
//! | 1,000 | 8 | 0.5 µs | 47 µs | 38 µs |
//! | 1,000 | 64 | 0.6 µs | 0.4 ms | 0.4 ms |
//! | 10,000 | 8 | 3.8 µs | 0.5 ms | 0.4 ms |
//! | 10,000 | 64 | 4 µs | 5.1 ms | 4.5 ms |
//!
//! # Examples
//! ```
//! use lockdep::banker::{Banker, BankerError};
//!
//! let (banker, [connections]) = Banker::new([("connections", 3)]);
//! let import = banker.claim_named("import", &[(connections, 3)])?;
//! let export = banker.claim_named("export", &[(connections, 2)])?;
//!
//! let two = import.acquire(&[(connections, 2)])?;
//! // One is free. If `export` had it, neither could be sure to get all that it may need.
//! assert_eq!(export.try_acquire(&[(connections, 1)]).unwrap_err(), BankerError::Unsafe);
//! drop(two);
//! assert!(export.try_acquire(&[(connections, 1)]).is_ok());
//! # Ok::<(), BankerError>(())
//! ```

mod error;
mod units;

mod reduction;
mod state;
mod table;

mod live;
mod queue;
mod watch;

pub(crate) mod semaphores;

pub use error::BankerError;
pub use live::{Acquire, Banker, Claim, Grant};
pub use queue::{BankerQueue, Policy, Submitted, Ticket};
pub use state::BankerState;
pub use units::{Resource, TaskId};
