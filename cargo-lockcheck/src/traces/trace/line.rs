//! The lines of a trace as they are written; `docs/trace.md` says what each means.
//!
//! Keys that are not known are passed over, and keys that may be left out have a default.

use serde::{Deserialize, Deserializer};

use super::{Counts, Header};
use crate::report::model::{Awaited, Mode, Place, StandingFor};
use crate::traces::symbols::Module;

#[derive(Deserialize)]
#[serde(tag = "t", rename_all = "kebab-case")]
pub(super) enum Line {
    Trace(Header),
    Site {
        id: u64,
        file: String,
        line: u32,
        column: u32,
    },
    Class {
        id: u64,
        kind: String,
        #[serde(default, rename = "type")]
        ty: String,
        site: u64,
        #[serde(default)]
        anonymous: bool,
        #[serde(default)]
        place: Option<String>,
    },
    Many {
        class: u64,
    },
    Thread {
        id: u64,
        #[serde(default)]
        name: Option<String>,
        #[serde(default)]
        site: Option<u64>,
        /// Whether it is a task of an executor.
        #[serde(default)]
        task: bool,
    },
    Order {
        thread: u64,
        lock: HoldLine,
        held: Vec<HoldLine>,
        #[serde(default)]
        stack: StackLine,
    },
    Module(Module),
    Symbol {
        address: u64,
        frames: Vec<String>,
    },
    Finding(Box<FindingLine>),
    Counts(Counts),
    Blocked {
        thread: u64,
        #[serde(rename = "for")]
        awaited: Awaited,
        #[serde(default)]
        class: Option<u64>,
        site: u64,
    },
    Look {},
    Standing(StandingLine),
    Times {
        class: u64,
        acquisitions: u64,
        contended: u64,
        #[serde(default)]
        wait: Vec<u64>,
        #[serde(default)]
        hold: Vec<u64>,
        #[serde(default)]
        longest_wait: Option<MostLine>,
        #[serde(default)]
        longest_hold: Option<MostLine>,
        #[serde(default)]
        most_bypassed: Option<MostLine>,
    },
    End,
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
pub(super) struct StandingLine {
    pub(super) thread: u64,
    #[serde(default)]
    pub(super) task: Option<Place>,
    #[serde(default, rename = "for")]
    pub(super) awaited: Option<StandingFor>,
    #[serde(default)]
    pub(super) ns: u64,
    #[serde(default)]
    pub(super) class: Option<u64>,
    #[serde(default)]
    pub(super) ends: Option<u64>,
    #[serde(default)]
    pub(super) at: Option<Place>,
    #[serde(default)]
    pub(super) held: Vec<StandingHoldLine>,
}

#[derive(Deserialize)]
pub(super) struct StandingHoldLine {
    pub(super) class: u64,
    #[serde(default = "write", deserialize_with = "mode")]
    pub(super) mode: Mode,
    pub(super) at: Place,
}

#[derive(Deserialize)]
pub(super) struct HoldLine {
    pub(super) class: u64,
    #[serde(default)]
    pub(super) instance: u64,
    #[serde(default = "write", deserialize_with = "mode")]
    pub(super) mode: Mode,
    pub(super) site: u64,
    #[serde(default)]
    pub(super) stack: StackLine,
}

#[derive(Clone, Copy, Deserialize)]
pub(super) struct MostLine {
    #[serde(alias = "ns", alias = "times")]
    pub(super) most: u64,
    pub(super) site: u64,
}

#[derive(Deserialize)]
pub(super) struct FindingLine {
    pub(super) rule: String,
    pub(super) tier: String,
    #[serde(default)]
    pub(super) message: String,
    #[serde(default)]
    pub(super) locks: Vec<LockLine>,
    #[serde(default)]
    pub(super) edges: Vec<EdgeLine>,
    #[serde(default)]
    pub(super) sites: Vec<SiteLine>,
    #[serde(default)]
    pub(super) waits: Vec<WaitLine>,
    #[serde(default)]
    pub(super) reason: Option<String>,
    #[serde(default)]
    pub(super) notes: Vec<String>,
    #[serde(default)]
    pub(super) apart: Vec<u64>,
}

#[derive(Deserialize)]
pub(super) struct LockLine {
    pub(super) class: u64,
    #[serde(default)]
    pub(super) instance: u64,
}

#[derive(Deserialize)]
pub(super) struct EdgeLine {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) thread: u64,
    #[serde(default = "write", deserialize_with = "mode")]
    pub(super) from_mode: Mode,
    #[serde(default = "write", deserialize_with = "mode")]
    pub(super) to_mode: Mode,
    pub(super) from_site: u64,
    pub(super) to_site: u64,
    #[serde(default)]
    pub(super) from_stack: StackLine,
    #[serde(default)]
    pub(super) stack: StackLine,
}

#[derive(Deserialize)]
pub(super) struct SiteLine {
    pub(super) site: u64,
    #[serde(default)]
    pub(super) label: String,
}

#[derive(Deserialize)]
pub(super) struct WaitLine {
    pub(super) thread: u64,
    #[serde(rename = "for")]
    pub(super) awaited: Awaited,
    #[serde(default)]
    pub(super) lock: Option<usize>,
    pub(super) site: u64,
    #[serde(default)]
    pub(super) held: Vec<HoldLine>,
}

/// A stack, innermost first.
#[derive(Clone, Deserialize)]
#[serde(untagged)]
pub(super) enum StackLine {
    /// The return addresses, since version 2.
    Addresses(Vec<u64>),
    /// The frames as text, in version 1.
    Frames(Vec<String>),
}

impl StackLine {
    /// The return addresses; none where the frames are text.
    pub(super) fn addresses(&self) -> &[u64] {
        match self {
            StackLine::Addresses(addresses) => addresses,
            StackLine::Frames(_) => &[],
        }
    }
}

impl Default for StackLine {
    fn default() -> StackLine {
        StackLine::Addresses(Vec::new())
    }
}

fn write() -> Mode {
    Mode::Write
}

/// A mode; one that is not known is taken as the one that excludes most.
fn mode<'de, D: Deserializer<'de>>(from: D) -> Result<Mode, D::Error> {
    Ok(match String::deserialize(from)?.as_str() {
        // It is held as a read is, and the report has no mode of its own for it.
        "read" | "recursive-read" => Mode::Read,
        "upgradable" => Mode::Upgradable,
        _ => Mode::Write,
    })
}

#[cfg(test)]
mod tests {
    use super::HoldLine;
    use crate::report::model::Mode;

    #[test]
    fn each_mode_of_the_runtime_is_known_and_any_other_excludes_most() {
        for (code, mode) in [
            ("write", Mode::Write),
            ("read", Mode::Read),
            ("recursive-read", Mode::Read),
            ("upgradable", Mode::Upgradable),
            ("of a later version", Mode::Write),
        ] {
            let line = format!(r#"{{"class":1,"mode":"{code}","site":1}}"#);
            let hold: HoldLine = serde_json::from_str(&line).expect("a hold");
            assert_eq!(hold.mode, mode, "{code}");
        }
    }
}
