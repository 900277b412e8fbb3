//! Helpers that make parts of findings, and the numbers by which the engine knows sites.

use std::hash::{Hash, Hasher};

use crate::engine::{Dependency, Held};
use crate::hash::NumberHasher;
use crate::model::finding::{FoundHold, Rule, WaitFor};
use crate::model::held::HeldLock;
use crate::model::ids::SiteId;
use crate::model::lock::Site;
use crate::model::word::HoldWord;
use crate::observer::facts::Request;
use crate::thread_state::wait::Awaited;

/// How a report calls such a wait.
pub(super) fn kind_of(awaited: Awaited) -> WaitFor {
    match awaited {
        Awaited::Lock(_) | Awaited::Permits(_) => WaitFor::Lock,
        Awaited::End(_) => WaitFor::Join,
        Awaited::TaskEnd(_) => WaitFor::Task,
        Awaited::Event(_) | Awaited::Unpark { .. } | Awaited::Timed(_) => WaitFor::Event,
    }
}

pub(super) fn held_of(held: &HeldLock) -> Held {
    Held {
        lock: held.word.lock(),
        mode: held.word.mode(),
        tried: held.word.tried(),
        site: site_number(held.site),
    }
}

/// The request as the engine sees it, with `held` made of what is held at it.
pub(super) fn dependency<'a>(request: &Request<'a>, held: &'a [Held]) -> Dependency<'a> {
    Dependency {
        at: request.at,
        lock: request.word.lock(),
        mode: request.word.mode(),
        site: site_number(request.site),
        held,
    }
}

pub(super) fn found_hold(word: HoldWord, site: Site) -> FoundHold {
    FoundHold {
        class: word.class(),
        instance: word.lock(),
        mode: word.mode(),
        tried: word.tried(),
        site,
    }
}

/// A site as the engine numbers it.
pub(super) fn site_number(site: Site) -> SiteId {
    std::ptr::from_ref(site).addr() as u64
}

pub(super) fn signature(rule: Rule, parts: impl IntoIterator<Item = u64>) -> u64 {
    let mut hasher = NumberHasher::default();
    rule.hash(&mut hasher);
    for part in parts {
        part.hash(&mut hasher);
    }
    hasher.finish()
}

/// `a`, `a and b`, `a, b and c`.
pub(crate) fn list(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}
