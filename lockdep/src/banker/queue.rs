//! Who waits for the banker, and who is next: a plain value on top of the banker's book.
//!
//! Promises, all of them model-checked over every interleaving of a few tasks:
//! - the state stays safe;
//! - after every step, no task waits for a request that could be granted;
//! - there is no head-of-line deadlock: the queue is served in the order of arrival, but a request
//!   that is not safe now is passed over, for the tasks behind it may be those that have to finish
//!   first;
//! - no task starves: when the longest waiter has been passed over as often as the bound allows,
//!   none begins before it. Only tasks that hold something already go on, and tasks whose claims
//!   cannot touch it; the holders all finish, and then its request can be granted.
//!
//! All that rests on the tasks' side of the bargain: a task that has all it claimed releases it in
//! the end, without waiting for something else.

use std::collections::VecDeque;

use crate::banker::error::BankerError;
use crate::banker::state::BankerState;
use crate::banker::units::{Resource, TaskId, Units};

/// The place of one request in the queue: later requests have later tickets.
///
/// # Examples
/// ```
/// use lockdep::banker::{BankerError, BankerQueue, BankerState, Policy, Resource, Submitted};
///
/// let gpu = Resource::at(0);
/// let mut queue = BankerQueue::new(BankerState::new([("gpu", 1)]), Policy::Avoid);
/// let (training, preview) =
///     (queue.claim("training", &[(gpu, 1)])?, queue.claim("preview", &[(gpu, 1)])?);
/// queue.submit(training, &[(gpu, 1)])?;
/// let Submitted::Waits(ticket) = queue.submit(preview, &[(gpu, 1)])? else { unreachable!() };
/// assert_eq!(queue.requested(ticket), [(gpu, 1)]);
/// queue.cancel(ticket);
/// assert_eq!(queue.waiting().count(), 0);
/// # Ok::<(), BankerError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ticket(u64);

/// What grants rest on.
///
/// # Examples
/// ```
/// use lockdep::banker::{BankerError, BankerQueue, BankerState, Policy, Resource};
///
/// let (disk, tape) = (Resource::at(0), Resource::at(1));
/// let everything = [(disk, 1), (tape, 1)];
/// let mut queue = BankerQueue::new(BankerState::new([("disk", 1), ("tape", 1)]), Policy::Detect);
/// let (copy, sort) = (queue.claim("copy", &everything)?, queue.claim("sort", &everything)?);
/// queue.submit(copy, &[(disk, 1)])?;
/// queue.submit(sort, &[(tape, 1)])?; // under `Avoid` this would wait
/// queue.submit(copy, &[(tape, 1)])?;
/// let refused = queue.submit(sort, &[(disk, 1)]).unwrap_err();
/// assert!(matches!(refused, BankerError::Deadlock { .. }));
/// # Ok::<(), BankerError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Policy {
    /// Grant what leaves the state safe: deadlock cannot happen.
    Avoid,
    /// Grant what is free, and refuse a request that would complete a deadlock. Needs no claims:
    /// let each task claim the totals.
    Detect,
}

/// What became of a request.
///
/// # Examples
/// ```
/// use lockdep::banker::{BankerError, BankerQueue, BankerState, Policy, Resource, Submitted};
///
/// let gpu = Resource::at(0);
/// let mut queue = BankerQueue::new(BankerState::new([("gpu", 1)]), Policy::Avoid);
/// let task = queue.claim("training", &[(gpu, 1)])?;
/// match queue.submit(task, &[(gpu, 1)])? {
///     Submitted::Granted => println!("runs"),
///     Submitted::Waits(ticket) => println!("runs once {ticket:?} is granted"),
/// }
/// # Ok::<(), BankerError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Submitted {
    /// It is granted.
    Granted,
    /// It waits.
    Waits(Ticket),
}

/// A request that waits.
#[derive(Clone, Debug)]
struct Waiter {
    ticket: Ticket,
    task: TaskId,
    units: Units,
    /// How many later requests have been granted before this one. Invariant: never less than that
    /// of a waiter behind.
    passed: u32,
}

/// The banker's book with its queue.
///
/// # Examples
/// ```
/// use lockdep::banker::{BankerError, BankerQueue, BankerState, Policy, Resource, Submitted};
///
/// let gpu = Resource::at(0);
/// let mut queue = BankerQueue::new(BankerState::new([("gpu", 2)]), Policy::Avoid);
/// let training = queue.claim("training", &[(gpu, 2)])?;
/// let preview = queue.claim("preview", &[(gpu, 1)])?;
/// assert_eq!(queue.submit(training, &[(gpu, 2)])?, Submitted::Granted);
/// let Submitted::Waits(ticket) = queue.submit(preview, &[(gpu, 1)])? else { unreachable!() };
/// // Whoever gives something back is told whose turn it is.
/// assert_eq!(queue.release(training, &[(gpu, 1)])?, [ticket]);
/// # Ok::<(), BankerError>(())
/// ```
#[derive(Clone, Debug)]
pub struct BankerQueue {
    state: BankerState,
    policy: Policy,
    waiting: VecDeque<Waiter>,
    next_ticket: u64,
    bound: u32,
}

impl BankerQueue {
    /// How often a waiter is passed over before it holds up others, unless set otherwise.
    pub const DEFAULT_BOUND: u32 = 64;

    /// An empty queue before `state`.
    pub fn new(state: BankerState, policy: Policy) -> BankerQueue {
        let bound = BankerQueue::DEFAULT_BOUND;
        BankerQueue { state, policy, waiting: VecDeque::new(), next_ticket: 0, bound }
    }

    /// Sets how often a waiter is passed over before it holds up others.
    pub fn with_bound(mut self, bound: u32) -> BankerQueue {
        self.bound = bound;
        self
    }

    /// The book.
    pub fn state(&self) -> &BankerState {
        &self.state
    }

    /// One resource more; see [`BankerState::add_resource`].
    pub(super) fn add_resource(&mut self, name: &str, total: u64, taken: &[Resource]) -> Resource {
        self.state.add_resource(name.into(), total, taken)
    }

    /// Units that the task has taken already; see [`BankerState::force`].
    pub(super) fn force(&mut self, task: TaskId, resource: Resource, units: u64) -> bool {
        self.state.force(task, resource, units)
    }

    /// See [`BankerState::became_unsafe`].
    pub(super) fn became_unsafe(&mut self, task: TaskId, resource: Resource, units: u64) -> bool {
        self.state.became_unsafe(task, resource, units)
    }

    /// What grants rest on.
    pub fn policy(&self) -> Policy {
        self.policy
    }

    /// The requests that wait, in the order of arrival: ticket, task, and how many later requests
    /// have been granted before it.
    pub fn waiting(&self) -> impl Iterator<Item = (Ticket, TaskId, u32)> {
        self.waiting.iter().map(|waiter| (waiter.ticket, waiter.task, waiter.passed))
    }

    /// The units that `ticket` waits for; none if it does not wait.
    pub fn requested(&self, ticket: Ticket) -> Vec<(Resource, u64)> {
        self.position(ticket).map_or_else(Vec::new, |at| self.waiting[at].units.iter().collect())
    }

    /// A new task; see [`BankerState::claim`].
    ///
    /// # Errors
    /// `ExceedsTotal`, `UnknownResource`.
    pub fn claim(
        &mut self,
        name: &str,
        maximum: &[(Resource, u64)],
    ) -> Result<TaskId, BankerError> {
        self.state.claim(name, maximum)
    }

    /// Ends the task's claim and its requests; all it holds is free again. Returns the requests
    /// that are granted now.
    ///
    /// # Errors
    /// `UnknownTask`.
    pub fn leave(&mut self, task: TaskId) -> Result<Vec<Ticket>, BankerError> {
        self.state.leave(task)?;
        self.waiting.retain(|waiter| waiter.task != task);
        Ok(self.serve())
    }

    /// Asks for `request`, to be granted as a whole, now or later.
    ///
    /// # Errors
    /// `ExceedsTotal`; `ExceedsClaim` for more than the task's claim leaves beside what it holds and
    /// already waits for; `Deadlock` (under [`Policy::Detect`]) if the wait would never end;
    /// `UnknownTask`, `UnknownResource`. The queue is then as it was.
    pub fn submit(
        &mut self,
        task: TaskId,
        request: &[(Resource, u64)],
    ) -> Result<Submitted, BankerError> {
        let units = self.admissible(task, request)?;
        if self.grantable(task, &units).is_ok() {
            self.grant_newcomer(task, &units);
            return Ok(Submitted::Granted);
        }
        let ticket = Ticket(self.next_ticket);
        self.waiting.push_back(Waiter { ticket, task, units, passed: 0 });
        if self.policy == Policy::Detect {
            let deadlocked = self.deadlocked();
            if !deadlocked.is_empty() {
                self.waiting.pop_back();
                let names = deadlocked.iter().filter_map(|task| self.state.task_name(*task));
                return Err(BankerError::Deadlock { tasks: names.cloned().collect() });
            }
        }
        self.next_ticket += 1;
        Ok(Submitted::Waits(ticket))
    }

    /// Asks for `request`, to be granted as a whole now or not at all.
    ///
    /// # Errors
    /// As [`BankerQueue::submit`], and `Unavailable`, `Unsafe`.
    pub fn try_submit(
        &mut self,
        task: TaskId,
        request: &[(Resource, u64)],
    ) -> Result<(), BankerError> {
        let units = self.admissible(task, request)?;
        self.grantable(task, &units)?;
        self.grant_newcomer(task, &units);
        Ok(())
    }

    /// Withdraws a request. Returns the requests that are granted now: others may have been held
    /// up by this one.
    pub fn cancel(&mut self, ticket: Ticket) -> Vec<Ticket> {
        let Some(at) = self.position(ticket) else { return Vec::new() };
        self.waiting.remove(at);
        self.serve()
    }

    /// `task` gives `units` back. Returns the requests that are granted now.
    ///
    /// # Errors
    /// `ExceedsHeld`, `UnknownTask`, `UnknownResource`; the queue is then as it was.
    pub fn release(
        &mut self,
        task: TaskId,
        units: &[(Resource, u64)],
    ) -> Result<Vec<Ticket>, BankerError> {
        self.state.release(task, units)?;
        Ok(self.serve())
    }

    /// Changes a claim; see [`BankerState::set_claim`]. Returns the requests that are granted now.
    ///
    /// # Errors
    /// As [`BankerState::set_claim`], and `ExceedsHeld` for less than the task holds and waits for.
    pub fn set_claim(
        &mut self,
        task: TaskId,
        resource: Resource,
        claim: u64,
    ) -> Result<Vec<Ticket>, BankerError> {
        let held = self.state.held(task, resource) + self.pending(task, resource);
        if claim < held {
            let resource = self.state.resource_name(resource).clone();
            return Err(BankerError::ExceedsHeld { resource, asked: claim, held });
        }
        self.state.set_claim(task, resource, claim)?;
        Ok(self.serve())
    }

    /// The tasks that wait for each other now; always none but for what the tasks wait for outside.
    pub fn deadlocked(&self) -> Vec<TaskId> {
        let requests: Vec<(TaskId, Vec<(Resource, u64)>)> =
            self.waiting.iter().map(|w| (w.task, w.units.iter().collect())).collect();
        let requests: Vec<(TaskId, &[(Resource, u64)])> =
            requests.iter().map(|(task, units)| (*task, &units[..])).collect();
        self.state.deadlocked(&requests).expect("waiters have claims, and ask for known resources")
    }

    fn admissible(&self, task: TaskId, request: &[(Resource, u64)]) -> Result<Units, BankerError> {
        let units = self.state.units(request)?;
        self.state.check_claim(task, &units, |resource| self.pending(task, resource))?;
        Ok(units)
    }

    /// Whether a request of a newcomer can be granted.
    fn grantable(&self, task: TaskId, units: &Units) -> Result<(), BankerError> {
        if units.is_empty() {
            return Ok(());
        }
        self.fits(task, units)?;
        let passes = self.lets_pass(self.gate().as_deref(), task);
        if passes { Ok(()) } else { Err(BankerError::Unavailable) }
    }

    /// Whether `units` are free and, if that is asked for, safe to give.
    fn fits(&self, task: TaskId, units: &Units) -> Result<(), BankerError> {
        self.state.check_free(units)?;
        match self.policy {
            Policy::Avoid => self.state.check_safe(task, units),
            Policy::Detect => Ok(()),
        }
    }

    fn grant_newcomer(&mut self, task: TaskId, units: &Units) {
        self.state.take(task, units);
        if !units.is_empty() {
            for waiter in &mut self.waiting {
                waiter.passed = waiter.passed.saturating_add(1);
            }
        }
    }

    /// Grants what can be granted, in the order of arrival.
    ///
    /// A grant makes no other request grantable: it takes free units, a request that is safe after
    /// it was so before, and it changes neither who holds something nor what that touches, as far
    /// as the gate asks. So one pass is enough, but for the grant to the first waiter, which lifts
    /// the gate and leaves the pass at the new first.
    fn serve(&mut self) -> Vec<Ticket> {
        let mut granted = Vec::new();
        let mut gate = self.gate();
        let mut at = 0;
        while let Some(waiter) = self.waiting.get(at) {
            let (task, units) = (waiter.task, &waiter.units);
            if !self.lets_pass(gate.as_deref(), task) || self.fits(task, units).is_err() {
                at += 1;
                continue;
            }
            let waiter = self.waiting.remove(at).expect("the waiter was just looked at");
            self.state.take(task, &waiter.units);
            for earlier in self.waiting.iter_mut().take(at) {
                earlier.passed = earlier.passed.saturating_add(1);
            }
            granted.push(waiter.ticket);
            gate = self.gate();
        }
        granted
    }

    /// The gate, closed while the first waiter has been passed as often as it may be: the
    /// resources that what this waiter does can come to depend on.
    fn gate(&self) -> Option<Vec<bool>> {
        let first = self.waiting.front().filter(|waiter| waiter.passed >= self.bound)?;
        Some(self.state.component(first.task))
    }

    fn lets_pass(&self, gate: Option<&[bool]>, task: TaskId) -> bool {
        let Some(resources) = gate else { return true };
        let is_first = self.waiting.front().is_some_and(|first| first.task == task);
        is_first || self.state.is_holder(task) || !self.state.claims_any(task, resources)
    }

    fn pending(&self, task: TaskId, resource: Resource) -> u64 {
        let own = self.waiting.iter().filter(|waiter| waiter.task == task);
        own.map(|waiter| waiter.units.of(resource)).sum()
    }

    fn position(&self, ticket: Ticket) -> Option<usize> {
        self.waiting.binary_search_by_key(&ticket, |waiter| waiter.ticket).ok()
    }
}
