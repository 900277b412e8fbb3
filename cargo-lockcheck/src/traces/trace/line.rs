//! The lines of a trace as they are written; `docs/trace.md` says what each means.
//!
//! Keys that are not known are passed over, and keys that may be left out have a default.

use std::borrow::Cow;
use std::str;

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::{Counts, Header};
use crate::report::model::{Awaited, Mode, Place, StandingFor};
use crate::traces::symbols::Module;

pub(super) enum Line {
    Trace(Header),
    Site(SiteLine),
    Class(ClassLine),
    Many(ManyLine),
    Thread(ThreadLine),
    Order(OrderLine),
    Module(Module),
    Symbol(SymbolLine),
    Finding(Box<FindingLine>),
    Counts(Counts),
    Blocked(BlockedLine),
    Look,
    Standing(StandingLine),
    Times(TimesLine),
    End,
    Other,
}

impl Line {
    /// Nearly all lines of a large trace are orders, so that the tag is looked for where it is written.
    pub(super) fn parse(text: &[u8]) -> serde_json::Result<Line> {
        let tag = match tag_in_front(text) {
            Some(tag) => Cow::Borrowed(tag),
            None => serde_json::from_slice::<Tag<'_>>(text)?.t,
        };
        Ok(match &*tag {
            "trace" => Line::Trace(serde_json::from_slice(text)?),
            "site" => Line::Site(serde_json::from_slice(text)?),
            "class" => Line::Class(serde_json::from_slice(text)?),
            "many" => Line::Many(serde_json::from_slice(text)?),
            "thread" => Line::Thread(serde_json::from_slice(text)?),
            "order" => Line::Order(serde_json::from_slice(text)?),
            "module" => Line::Module(serde_json::from_slice(text)?),
            "symbol" => Line::Symbol(serde_json::from_slice(text)?),
            "finding" => Line::Finding(serde_json::from_slice(text)?),
            "counts" => Line::Counts(serde_json::from_slice(text)?),
            "blocked" => Line::Blocked(serde_json::from_slice(text)?),
            "standing" => Line::Standing(serde_json::from_slice(text)?),
            "times" => Line::Times(serde_json::from_slice(text)?),
            without_more => {
                // It may be torn.
                serde_json::from_slice::<Tag<'_>>(text)?;
                match without_more {
                    "look" => Line::Look,
                    "end" => Line::End,
                    _ => Line::Other,
                }
            }
        })
    }
}

#[derive(Deserialize)]
struct Tag<'a> {
    #[serde(borrow)]
    t: Cow<'a, str>,
}

/// What `t` is, where it is the first key.
fn tag_in_front(text: &[u8]) -> Option<&str> {
    let rest = text.strip_prefix(br#"{"t":""#)?;
    let length = rest.iter().position(|byte| *byte == b'"')?;
    str::from_utf8(&rest[..length]).ok()
}

#[derive(Deserialize)]
pub(super) struct SiteLine {
    pub(super) id: u64,
    pub(super) file: String,
    pub(super) line: u32,
    pub(super) column: u32,
}

#[derive(Deserialize)]
pub(super) struct ClassLine {
    pub(super) id: u64,
    pub(super) kind: String,
    #[serde(default, rename = "type")]
    pub(super) ty: String,
    pub(super) site: u64,
    #[serde(default)]
    pub(super) anonymous: bool,
    #[serde(default)]
    pub(super) place: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct ManyLine {
    pub(super) class: u64,
}

#[derive(Deserialize)]
pub(super) struct ThreadLine {
    pub(super) id: u64,
    #[serde(default)]
    pub(super) name: Option<String>,
    #[serde(default)]
    pub(super) site: Option<u64>,
    /// Whether it is a task of an executor.
    #[serde(default)]
    pub(super) task: bool,
}

#[derive(Deserialize)]
pub(super) struct OrderLine {
    pub(super) thread: u64,
    pub(super) lock: HeldLine,
    pub(super) held: Vec<HeldLine>,
    #[serde(default)]
    pub(super) stack: Option<Box<RawValue>>,
}

/// A lock of an order. Its stack is read only where it is shown.
#[derive(Deserialize)]
pub(super) struct HeldLine {
    pub(super) class: u64,
    #[serde(default = "write", deserialize_with = "mode")]
    pub(super) mode: Mode,
    pub(super) site: u64,
    #[serde(default)]
    pub(super) stack: Option<Box<RawValue>>,
}

#[derive(Deserialize)]
pub(super) struct SymbolLine {
    pub(super) address: u64,
    pub(super) frames: Box<RawValue>,
}

#[derive(Deserialize)]
pub(super) struct BlockedLine {
    pub(super) thread: u64,
    #[serde(rename = "for")]
    pub(super) awaited: Awaited,
    #[serde(default)]
    pub(super) class: Option<u64>,
    pub(super) site: u64,
}

#[derive(Deserialize)]
pub(super) struct TimesLine {
    pub(super) class: u64,
    pub(super) acquisitions: u64,
    pub(super) contended: u64,
    #[serde(default)]
    pub(super) wait: Vec<u64>,
    #[serde(default)]
    pub(super) hold: Vec<u64>,
    #[serde(default)]
    pub(super) longest_wait: Option<MostLine>,
    #[serde(default)]
    pub(super) longest_hold: Option<MostLine>,
    #[serde(default)]
    pub(super) most_bypassed: Option<MostLine>,
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
    pub(super) sites: Vec<LabelledLine>,
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
pub(super) struct LabelledLine {
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
    #[derive(Deserialize)]
    #[serde(rename_all = "kebab-case")]
    enum Code {
        Read,
        RecursiveRead,
        Upgradable,
        #[serde(other)]
        Other,
    }
    Ok(match Code::deserialize(from)? {
        // It is held as a read is, and the report has no mode of its own for it.
        Code::Read | Code::RecursiveRead => Mode::Read,
        Code::Upgradable => Mode::Upgradable,
        Code::Other => Mode::Write,
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
