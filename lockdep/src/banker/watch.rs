//! Reports grants to the engine, which then finds tasks that hold units while they ask for a lock outside of
//! the banker.
//!
//! To the order graph a resource is an event, like a channel. A thread that asks for units may wait for
//! them under the locks that it holds, and a thread that holds units gives them back only once it has got
//! the locks that it asks for meanwhile. Both ways together are `wait-while-holding`, found without a hang; as others
//! may have units enough to give back, it is never more than `potential`.
//!
//! Missed: grants of futures, and grants that another thread gives back; a request that waits for one
//! resource because of what others hold of another; locks that the thread asked for before it last
//! waited for another event. The wait itself is not seen by other threads.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::banker::units::Resource;
use crate::hooks::{EventKind, EventTag};
use crate::model::ids::ThreadId;
use crate::model::lock::Site;
use crate::slow_path::life;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Watch {
    /// By resource; none where nothing is to be watched.
    events: Vec<EventTag>,
    held: Mutex<HashMap<ThreadId, Vec<Hold>>>,
}

/// Grants of one resource that one thread holds.
#[derive(Clone, Copy, Debug)]
struct Hold {
    resource: Resource,
    grants: usize,
    /// Where the last one was granted.
    site: Site,
}

/// What a grant is to its thread, if that is watched.
#[derive(Debug, Default)]
pub(super) struct Holder {
    thread: Option<ThreadId>,
    resources: Vec<Resource>,
}

impl Watch {
    /// For so many resources, which are created where the caller is.
    #[track_caller]
    pub(super) fn new(resources: usize) -> Watch {
        if !cfg!(feature = "instrument") {
            return Watch::default();
        }
        let mut events = Vec::with_capacity(resources);
        // A closure would be the place itself.
        for _ in 0..resources {
            events.push(EventTag::new());
        }
        Watch { events, ..Watch::default() }
    }

    /// This thread is about to ask for `request`, and may have to wait for it.
    pub(super) fn ask(&self, request: &[(Resource, u64)], site: Site) {
        for event in request.iter().filter_map(|units| self.event(units.0)) {
            event.ask(EventKind::Units, site);
        }
    }

    /// This thread holds `units` from here on.
    pub(super) fn hold(&self, units: &[(Resource, u64)], site: Site) -> Holder {
        let Some(thread) = (!self.events.is_empty()).then(life::thread).flatten() else {
            return Holder::default();
        };
        self.passed();
        EventTag::begin_window();
        let resources: Vec<Resource> = units.iter().map(|units| units.0).collect();
        let mut all = self.held();
        let held = all.entry(thread).or_default();
        for &resource in &resources {
            match held.iter_mut().find(|hold| hold.resource == resource) {
                Some(hold) => *hold = Hold { grants: hold.grants + 1, site, ..*hold },
                None => held.push(Hold { resource, grants: 1, site }),
            }
        }
        Holder { thread: Some(thread), resources }
    }

    /// A grant is about to give back all that it holds but of the resources that it `keeps`.
    pub(super) fn release(&self, holder: &mut Holder, keeps: impl Fn(Resource) -> bool) {
        let Some(thread) = holder.thread else { return };
        if life::thread() == Some(thread) {
            self.passed();
        }
        let mut all = self.held();
        let Some(held) = all.get_mut(&thread) else { return };
        holder.resources.retain(|&resource| {
            let keeps = keeps(resource);
            let given_back = held.iter_mut().find(|hold| !keeps && hold.resource == resource);
            if let Some(hold) = given_back {
                hold.grants = hold.grants.saturating_sub(1);
            }
            keeps
        });
        held.retain(|hold| hold.grants > 0);
        if held.is_empty() {
            all.remove(&thread);
        }
    }

    /// What this thread holds comes back after the locks that it has asked for.
    fn passed(&self) {
        let Some(thread) = life::thread() else { return };
        let held = self.held().get(&thread).cloned().unwrap_or_default();
        for hold in held {
            if let Some(event) = self.event(hold.resource) {
                event.passed(EventKind::Units, hold.site);
            }
        }
    }

    fn event(&self, resource: Resource) -> Option<&EventTag> {
        self.events.get(resource.index())
    }

    fn held(&self) -> MutexGuard<'_, HashMap<ThreadId, Vec<Hold>>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
