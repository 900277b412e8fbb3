//! A schedule that leads to a finding, step by step: the witness that it can happen.

use serde::{Deserialize, Serialize};

use super::place::Place;

/// A schedule of recorded steps at the end of which the threads wait for each other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Witness {
    /// How many steps come before those that are listed: all that leads to the first lock of the finding.
    pub earlier: u64,
    /// The steps from there on, without those that only ask for a lock and those on variables.
    pub steps: Vec<WitnessStep>,
}

/// One step of a schedule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WitnessStep {
    /// The thread, by its name.
    pub thread: String,
    /// What it does.
    pub does: Deed,
    /// To what: the name of a lock, a thread, or what is waited for.
    pub what: String,
    /// The same as an index of the finding's `locks`, where it is one of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lock: Option<usize>,
    /// Where.
    pub site: Place,
}

/// What a step of a schedule does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Deed {
    /// Acquires a lock that it then has alone.
    Locks,
    /// Acquires a lock to read.
    Reads,
    /// Gives a lock back.
    Releases,
    /// Spawns a thread.
    Spawns,
    /// Begins to wait for the end of a thread.
    Joins,
    /// Begins to wait for a notification.
    Awaits,
    /// Wakes who waits.
    Notifies,
    /// Sends a message.
    Sends,
    /// Receives a message.
    Receives,
    /// Comes to a barrier.
    Arrives,
    /// Waits for a lock or the end of a thread, and goes on no more.
    WaitsFor,
    /// Waits to read a lock, and goes on no more.
    WaitsToRead,
    /// Waits to write a lock, and goes on no more.
    WaitsToWrite,
}

impl Deed {
    /// What the step does to `what`, in words without a subject.
    pub fn words(self, what: &str) -> String {
        let verb = match self {
            Deed::Locks => "locks",
            Deed::Reads => "reads",
            Deed::Releases => "releases",
            Deed::Spawns => "spawns",
            Deed::Joins => "joins",
            Deed::Awaits => "awaits",
            Deed::Notifies => "notifies",
            Deed::Sends => "sends to",
            Deed::Receives => "receives from",
            Deed::Arrives => "comes to",
            Deed::WaitsFor => "waits for",
            Deed::WaitsToRead => "waits to read",
            Deed::WaitsToWrite => "waits to write",
        };
        format!("{verb} `{what}`")
    }
}
