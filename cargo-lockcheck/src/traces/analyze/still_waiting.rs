//! The threads that still waited when their process ended, in one sentence.
//!
//! A thread that serves others may well wait for ever, so this is no finding.

use std::collections::{BTreeMap, BTreeSet};

use crate::report::wording;
use crate::traces::lock_names::Names;
use crate::traces::merge::Process;
use crate::traces::trace::{Blocked, ProcessKey};

/// As many are named.
const NAMED: usize = 4;

pub(super) fn note(processes: &BTreeMap<ProcessKey, Process>, names: &Names) -> Option<String> {
    let all = processes.values().map(|process| process.blocked.len()).sum::<usize>();
    let distinct: BTreeSet<&Blocked> = processes.values().flat_map(|p| &p.blocked).collect();
    let described: Vec<String> =
        distinct.iter().take(NAMED).map(|blocked| describe(blocked, names)).collect();
    let more = match distinct.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(", and {more} more"),
    };
    let threads = if all == 1 { "1 thread".to_owned() } else { format!("{all} threads") };
    (all > 0).then(|| {
        format!("{threads} still waited when the process ended: {}{more}", described.join(", "))
    })
}

fn describe(blocked: &Blocked, names: &Names) -> String {
    let Blocked { thread, class, site, .. } = blocked;
    let lock = class.as_ref().map(|class| format!(" for `{}`", names.get(class).unique));
    format!("{}{} at {site}", wording::subject(thread), lock.unwrap_or_default())
}
