//! How long locks were waited for and held, where a run was asked to count.

use serde::{Deserialize, Serialize};

use super::place::Place;

/// The times of the locks of one class, of all processes together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockTimes {
    /// The name of the class.
    pub lock: String,
    /// Acquisitions whose hold has ended.
    pub acquisitions: u64,
    /// Acquisitions that had to wait.
    pub contended: u64,
    /// The times of those waits: at `i`, how many took from 2^`i` ns to twice that.
    pub wait: Vec<u64>,
    /// The times of the holds, counted in the manner of the waits.
    pub hold: Vec<u64>,
    /// The longest wait.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub longest_wait: Option<Longest>,
    /// The longest hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub longest_hold: Option<Longest>,
}

/// A time, and where it was spent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Longest {
    /// How long it was, in nanoseconds.
    pub ns: u64,
    /// Where the wait or the hold began.
    pub site: Place,
}
