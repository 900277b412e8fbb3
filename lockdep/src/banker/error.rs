//! Why the banker refuses, in words that say what to do next.

use std::fmt;
use std::sync::Arc;

use crate::banker::units::{Resource, TaskId};

/// Why the banker refuses.
///
/// # Examples
/// ```
/// use lockdep::banker::{Banker, BankerError};
///
/// let (banker, [disks]) = Banker::new([("disks", 4)]);
/// let refused = banker.claim(&[(disks, 5)]).unwrap_err();
/// assert!(matches!(refused, BankerError::ExceedsTotal { asked: 5, total: 4, .. }));
/// assert_eq!(
///     refused.to_string(),
///     "5 of `disks` can never be had, as there are 4: claim and ask for less, or give the banker more"
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BankerError {
    /// More units than the banker has in all.
    ExceedsTotal {
        /// The resource's name.
        resource: Arc<str>,
        /// The units asked for, or claimed.
        asked: u64,
        /// The units there are.
        total: u64,
    },
    /// More units than the task's claim leaves it.
    ExceedsClaim {
        /// The resource's name.
        resource: Arc<str>,
        /// The units asked for.
        asked: u64,
        /// The units of the claim that are neither held nor asked for already.
        left: u64,
    },
    /// More units given back than are held, or a claim lowered below what is held.
    ExceedsHeld {
        /// The resource's name.
        resource: Arc<str>,
        /// The units given back; for a claim, the units that it would have to be at least.
        asked: u64,
        /// The units held.
        held: u64,
    },
    /// Not enough free units now, or others have waited for too long to be passed again.
    Unavailable,
    /// The units are free, but with them given away not every task could be sure to finish.
    Unsafe,
    /// The units did not come in time.
    Timeout,
    /// Waiting for the units would never end: these tasks wait for each other.
    Deadlock {
        /// The names of the tasks.
        tasks: Vec<Arc<str>>,
    },
    /// A [`Resource`] that this banker does not have.
    UnknownResource(Resource),
    /// A [`TaskId`] that has no claim.
    UnknownTask(TaskId),
}

impl fmt::Display for BankerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BankerError::ExceedsTotal { resource, asked, total } => write!(
                f,
                "{asked} of `{resource}` can never be had, as there are {total}: claim and ask for \
                 less, or give the banker more"
            ),
            BankerError::ExceedsClaim { resource, asked, left } => write!(
                f,
                "{asked} of `{resource}` were asked for, and the task's claim leaves it {left}: claim \
                 the most it ever holds at once, or raise the claim first"
            ),
            BankerError::ExceedsHeld { resource, asked, held } => write!(
                f,
                "the task holds {held} of `{resource}`, which does not go with {asked}: give back only \
                 what is held, and release before lowering a claim"
            ),
            BankerError::Unavailable => {
                f.write_str("not enough units are free; try again later, or wait with `acquire`")
            }
            BankerError::Unsafe => f.write_str(
                "the units are free, but the tasks could then deadlock; try again later, or wait \
                 with `acquire`",
            ),
            BankerError::Timeout => f.write_str(
                "the units did not come in time; release what is held and try again, or wait longer",
            ),
            BankerError::Deadlock { tasks } => write!(
                f,
                "waiting would never end, these tasks wait for each other: {}; release what is \
                 held and try again",
                tasks.join(", ")
            ),
            BankerError::UnknownResource(resource) => write!(
                f,
                "this banker has no resource number {}; use the resources that it was made with",
                resource.index()
            ),
            BankerError::UnknownTask(task) => {
                write!(f, "task number {} has no claim; claim first", task.index())
            }
        }
    }
}

impl std::error::Error for BankerError {}
