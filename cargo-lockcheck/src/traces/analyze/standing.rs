//! Processes that did not end by themselves, as they were when they were looked at last.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::report::model::{Place, Standing, StandingHold, StandingWait, Standstill};
use crate::traces::lock_names::Names;
use crate::traces::merge::Process;
use crate::traces::trace::{self, Class, ProcessKey};

pub(super) fn standstills(
    processes: &BTreeMap<ProcessKey, Process>,
    names: &Names,
) -> Vec<Standstill> {
    let standing =
        processes.values().filter(|process| !process.ended && !process.standing.is_empty());
    let described = standing.map(|process| Standstill {
        program: process.program.clone(),
        threads: process.standing.iter().map(|standing| describe(standing, names)).collect(),
    });
    let mut all: Vec<Standstill> = described.collect();
    all.sort_by(|a, b| a.program.cmp(&b.program));
    all
}

fn describe(standing: &trace::Standing, names: &Names) -> Standing {
    let name = |class: &Arc<Class>| names.get(class).unique;
    let held = standing.held.iter().map(|hold| StandingHold {
        lock: name(&hold.class),
        mode: hold.mode,
        site: Place::clone(&hold.site),
    });
    let wait = standing.wait.as_ref().map(|wait| StandingWait {
        awaited: wait.awaited,
        name: wait.thread.clone().or_else(|| wait.class.as_ref().map(name)),
        site: Place::clone(&wait.site),
        ns: wait.nanos,
    });
    Standing { thread: standing.thread.clone(), wait, held: held.collect() }
}
