//! The banker among threads and async tasks: claims and grants that return what they hold when
//! they are dropped.
//!
//! One mutex guards the queue and is held for the time of a safety check. A thread that waits sleeps
//! on a condition variable of its own, and a task has left its waker. No code of the user runs under the mutex.

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use crate::banker::error::BankerError;
use crate::banker::queue::{BankerQueue, Policy, Submitted, Ticket};
use crate::banker::state::BankerState;
use crate::banker::units::{Resource, TaskId};
use crate::banker::watch::{Holder, Watch};
use crate::model::lock::Site;

/// Hands out units of several resources so that the tasks cannot deadlock over them.
///
/// Each task says first how much it may come to hold at once ([`Banker::claim`]); a request then
/// waits not only until the units are free, but until every task could still finish if it asked for
/// its whole claim. Cheap to clone; the clones are one banker.
///
/// The guarantee holds while a task that holds units does not wait for another task outside the
/// banker.
///
/// # Examples
/// ```
/// use lockdep::banker::{Banker, BankerError};
///
/// let (banker, [db, gpu]) = Banker::new([("db connection", 4), ("gpu", 1)]);
/// std::thread::scope(|scope| {
///     for _ in 0..8 {
///         scope.spawn(|| {
///             let claim = banker.claim(&[(db, 2), (gpu, 1)])?;
///             let first = claim.acquire(&[(db, 1)])?;
///             let more = claim.acquire(&[(db, 1), (gpu, 1)])?;
///             drop((first, more));
///             Ok::<(), BankerError>(())
///         });
///     }
/// });
/// assert_eq!(banker.state().available(db), 4);
/// ```
#[derive(Clone)]
pub struct Banker {
    desk: Arc<Mutex<Desk>>,
    watch: Arc<Watch>,
}

/// Invariant: exactly the tickets that wait in the queue have a sleeper, whenever the mutex is free.
pub(super) struct Desk {
    pub(super) queue: BankerQueue,
    sleepers: HashMap<Ticket, Sleeper>,
}

pub(super) enum Sleeper {
    Thread(Arc<Bell>),
    Task(Waker),
}

/// Wakes a thread. Both are used under the desk's mutex only.
#[derive(Default)]
pub(super) struct Bell {
    rung: Condvar,
    /// The thread is woken without a grant.
    in_vain: AtomicBool,
}

impl Desk {
    /// Takes out who is to be woken, since its request is granted.
    fn granted(&mut self, tickets: Vec<Ticket>) -> Vec<Sleeper> {
        tickets.iter().filter_map(|ticket| self.sleepers.remove(ticket)).collect()
    }

    /// Takes out who waits for `resource`, and who can go on without them.
    pub(super) fn turn_away(&mut self, resource: Resource) -> Vec<Sleeper> {
        let mut sleepers = Vec::new();
        let waits = |queue: &BankerQueue| {
            let mut tickets = queue.waiting().map(|waiter| waiter.0);
            tickets.find(|ticket| queue.requested(*ticket).iter().any(|(r, _)| *r == resource))
        };
        while let Some(ticket) = waits(&self.queue) {
            if let Some(sleeper) = self.sleepers.remove(&ticket) {
                if let Sleeper::Thread(bell) = &sleeper {
                    bell.in_vain.store(true, Relaxed);
                }
                sleepers.push(sleeper);
            }
            let granted = self.queue.cancel(ticket);
            sleepers.extend(self.granted(granted));
        }
        sleepers
    }

    fn withdraw(&mut self, ticket: Ticket) -> Vec<Sleeper> {
        self.sleepers.remove(&ticket);
        let granted = self.queue.cancel(ticket);
        self.granted(granted)
    }
}

/// Wakes; the desk must be free, since a waker may run anything.
pub(super) fn wake(sleepers: Vec<Sleeper>) {
    for sleeper in sleepers {
        match sleeper {
            Sleeper::Thread(bell) => bell.rung.notify_one(),
            Sleeper::Task(waker) => waker.wake(),
        }
    }
}

impl Banker {
    /// A banker for `resources`, given as name and total; returns their handles in the same order.
    #[track_caller]
    pub fn new<const M: usize>(resources: [(&str, u64); M]) -> (Banker, [Resource; M]) {
        let state = BankerState::new(resources);
        (BankerQueue::new(state, Policy::Avoid).into(), std::array::from_fn(Resource::at))
    }

    /// A banker that grants all that is free, and instead refuses the request that would complete
    /// a deadlock, with [`BankerError::Deadlock`]. Tasks come with [`Banker::join`].
    #[track_caller]
    pub fn detecting<const M: usize>(resources: [(&str, u64); M]) -> (Banker, [Resource; M]) {
        let state = BankerState::new(resources);
        (BankerQueue::new(state, Policy::Detect).into(), std::array::from_fn(Resource::at))
    }

    /// Registers a task that holds at most `maximum` at once. Never waits. The task is called by
    /// the name of the thread.
    ///
    /// # Errors
    /// `ExceedsTotal` for more than there is, `UnknownResource`.
    pub fn claim(&self, maximum: &[(Resource, u64)]) -> Result<Claim, BankerError> {
        let thread = std::thread::current();
        self.claim_named(thread.name().unwrap_or("unnamed task"), maximum)
    }

    /// Registers a task that is called `name` and holds at most `maximum` at once. Never waits.
    ///
    /// # Errors
    /// As [`Banker::claim`].
    pub fn claim_named(
        &self,
        name: &str,
        maximum: &[(Resource, u64)],
    ) -> Result<Claim, BankerError> {
        let task = self.desk().queue.claim(name, maximum)?;
        Ok(Claim { banker: self.clone(), task })
    }

    /// Registers a task that is called `name` and may hold everything at once: for a banker that
    /// detects, which needs no claims.
    pub fn join(&self, name: &str) -> Claim {
        let mut desk = self.desk();
        let state = desk.queue.state();
        let everything: Vec<_> = state.resources().map(|r| (r, state.total(r))).collect();
        let task = desk.queue.claim(name, &everything).expect("no more than the totals");
        drop(desk);
        Claim { banker: self.clone(), task }
    }

    /// The book as it is now. Its `Display` is a table.
    pub fn state(&self) -> BankerState {
        self.desk().queue.state().clone()
    }

    /// An order in which all tasks can finish; `None` only for a banker that detects.
    pub fn safe_sequence(&self) -> Option<Vec<TaskId>> {
        self.state().safe_sequence()
    }

    /// How many requests wait.
    pub fn waiting(&self) -> usize {
        self.desk().queue.waiting().count()
    }

    pub(super) fn desk(&self) -> MutexGuard<'_, Desk> {
        // The queue does not panic half-way, and nothing else runs under the mutex.
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl From<BankerQueue> for Banker {
    /// A banker over a queue in which no task waits yet: for resources that are not known when the
    /// program is written, or another bound.
    #[track_caller]
    fn from(queue: BankerQueue) -> Banker {
        let watch = Watch::new(queue.state().resources().count());
        let desk = Desk { queue, sleepers: HashMap::new() };
        Banker { desk: Arc::new(Mutex::new(desk)), watch: Arc::new(watch) }
    }
}

impl fmt::Debug for Banker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Banker").field("state", &self.state()).finish_non_exhaustive()
    }
}

/// A task's promise never to hold more than a maximum; dropping it ends the promise.
///
/// It belongs to the task, not to a thread: it can be sent, and shared by threads that work on the
/// same task.
///
/// # Examples
/// ```
/// use lockdep::banker::{Banker, BankerError};
///
/// let (banker, [buffers]) = Banker::new([("buffers", 8)]);
/// let claim = banker.claim_named("upload", &[(buffers, 2)])?;
/// let both = claim.acquire(&[(buffers, 2)])?;
/// // What was claimed can be raised, as long as all can then still finish.
/// assert!(claim.try_acquire(&[(buffers, 1)]).is_err());
/// claim.set_maximum(buffers, 3)?;
/// assert!(claim.try_acquire(&[(buffers, 1)]).is_ok());
/// # drop(both);
/// # Ok::<(), BankerError>(())
/// ```
pub struct Claim {
    banker: Banker,
    task: TaskId,
}

impl Claim {
    /// The task's number, as in [`BankerState`].
    pub fn task(&self) -> TaskId {
        self.task
    }

    /// Waits until all of `request` can be granted at once, and safely. Nothing of it is taken
    /// before.
    ///
    /// # Errors
    /// `ExceedsClaim` for more than the claim leaves; `Deadlock` from a banker that detects;
    /// `UnknownResource`.
    #[track_caller]
    pub fn acquire(&self, request: &[(Resource, u64)]) -> Result<Grant<'_>, BankerError> {
        self.banker.watch.ask(request, Location::caller());
        self.wait(request, None, Location::caller())
    }

    /// Takes all of `request` if it can be granted now, and safely.
    ///
    /// # Errors
    /// As [`Claim::acquire`]; `Unavailable` if not all of it is free, or others have been passed
    /// over too often; `Unsafe` if it is free but the tasks could then deadlock.
    #[track_caller]
    pub fn try_acquire(&self, request: &[(Resource, u64)]) -> Result<Grant<'_>, BankerError> {
        self.try_take(request)?;
        Ok(self.grant(request, self.banker.watch.hold(request, Location::caller())))
    }

    /// Takes `request` if that is possible now. The caller gives it back.
    pub(super) fn try_take(&self, request: &[(Resource, u64)]) -> Result<(), BankerError> {
        self.banker.desk().queue.try_submit(self.task, request)
    }

    /// How many units of `resource` the task holds.
    pub(super) fn held(&self, resource: Resource) -> u64 {
        self.banker.desk().queue.state().held(self.task, resource)
    }

    /// Waits for `request` as [`Claim::acquire`] does, but not longer than `timeout`.
    ///
    /// # Errors
    /// As [`Claim::acquire`]; `Timeout`, and nothing is taken.
    #[track_caller]
    pub fn acquire_timeout(
        &self,
        request: &[(Resource, u64)],
        timeout: Duration,
    ) -> Result<Grant<'_>, BankerError> {
        // A time too far away to be represented is no limit.
        self.wait(request, Instant::now().checked_add(timeout), Location::caller())
    }

    /// Waits for `request` as [`Claim::acquire`] does, without blocking the thread. Nothing is
    /// asked for until the first poll; dropping the future withdraws the request.
    pub fn acquire_async(&self, request: &[(Resource, u64)]) -> Acquire<'_> {
        Acquire { claim: self, request: request.to_vec(), ticket: None }
    }

    /// Changes the most units of `resource` that the task may hold. Lowering may let others go on;
    /// raising is possible only if that is safe now.
    ///
    /// # Errors
    /// `ExceedsTotal`; `ExceedsHeld` for less than the task holds and waits for; `Unsafe`;
    /// `UnknownResource`. The claim is then as it was.
    pub fn set_maximum(&self, resource: Resource, units: u64) -> Result<(), BankerError> {
        let mut desk = self.banker.desk();
        let granted = desk.queue.set_claim(self.task, resource, units)?;
        let sleepers = desk.granted(granted);
        drop(desk);
        wake(sleepers);
        Ok(())
    }

    fn wait(
        &self,
        request: &[(Resource, u64)],
        deadline: Option<Instant>,
        site: Site,
    ) -> Result<Grant<'_>, BankerError> {
        let granted = self.take(request, deadline)?;
        debug_assert!(granted, "only the claims of semaphores wake somebody in vain");
        Ok(self.grant(request, self.banker.watch.hold(request, site)))
    }

    /// Waits for `request`; whether it is granted. If so, the caller gives it back.
    pub(super) fn take(
        &self,
        request: &[(Resource, u64)],
        deadline: Option<Instant>,
    ) -> Result<bool, BankerError> {
        let mut desk = self.banker.desk();
        let Submitted::Waits(ticket) = desk.queue.submit(self.task, request)? else {
            return Ok(true);
        };
        let bell = Arc::<Bell>::default();
        desk.sleepers.insert(ticket, Sleeper::Thread(Arc::clone(&bell)));
        while desk.sleepers.contains_key(&ticket) {
            let Some(deadline) = deadline else {
                desk = bell.rung.wait(desk).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                let sleepers = desk.withdraw(ticket);
                drop(desk);
                wake(sleepers);
                return Err(BankerError::Timeout);
            }
            desk = bell.rung.wait_timeout(desk, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        Ok(!bell.in_vain.load(Relaxed))
    }

    fn grant(&self, request: &[(Resource, u64)], holder: Holder) -> Grant<'_> {
        Grant { claim: self, holder, units: request.to_vec() }
    }

    pub(super) fn release(&self, units: &[(Resource, u64)]) -> Result<(), BankerError> {
        let mut desk = self.banker.desk();
        let granted = desk.queue.release(self.task, units)?;
        let sleepers = desk.granted(granted);
        drop(desk);
        wake(sleepers);
        Ok(())
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let mut desk = self.banker.desk();
        // Only a future that was leaked can still wait.
        let own = desk.queue.waiting().filter(|waiter| waiter.1 == self.task);
        let own: Vec<Ticket> = own.map(|waiter| waiter.0).collect();
        let leaked: Vec<Sleeper> = desk.granted(own);
        let granted = desk.queue.leave(self.task).unwrap_or_default();
        let sleepers = desk.granted(granted);
        drop(desk);
        drop(leaked);
        wake(sleepers);
    }
}

/// Units that a task holds; dropping it gives them back, in a panic too.
///
/// # Examples
/// ```
/// use lockdep::banker::{Banker, BankerError};
///
/// let (banker, [disks]) = Banker::new([("disks", 4)]);
/// let claim = banker.claim_named("writer", &[(disks, 3)])?;
/// let mut grant = claim.acquire(&[(disks, 3)])?;
/// grant.release_part(&[(disks, 1)])?;
/// assert_eq!(format!("{grant:?}"), "Grant { task: writer, units: { disks: 2 } }");
/// drop(grant);
/// assert_eq!(banker.state().available(disks), 4);
/// # Ok::<(), BankerError>(())
/// ```
#[must_use = "the units are given back at once if the grant is not kept"]
pub struct Grant<'claim> {
    claim: &'claim Claim,
    holder: Holder,
    units: Vec<(Resource, u64)>,
}

impl Grant<'_> {
    /// The units that are held.
    pub fn units(&self) -> &[(Resource, u64)] {
        &self.units
    }

    /// Gives some of the units back, and keeps the rest.
    ///
    /// # Errors
    /// `ExceedsHeld` for more than this grant holds; nothing is then given back.
    pub fn release_part(&mut self, part: &[(Resource, u64)]) -> Result<(), BankerError> {
        let (held, part) = {
            let desk = self.claim.banker.desk();
            let state = desk.queue.state();
            let (mut held, part) = (state.units(&self.units)?, state.units(part)?);
            for (resource, asked) in part.iter() {
                if asked > held.of(resource) {
                    let (name, held) = (state.resource_name(resource), held.of(resource));
                    return Err(BankerError::ExceedsHeld { resource: name.clone(), asked, held });
                }
            }
            held.subtract(&part);
            (held, part)
        };
        self.claim.banker.watch.release(&mut self.holder, |resource| held.of(resource) > 0);
        self.units = held.iter().collect();
        self.claim.release(&part.iter().collect::<Vec<_>>())
    }
}

impl fmt::Debug for Grant<'_> {
    /// `Grant { task: writer, units: { disks: 2 } }`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.claim.banker.state();
        let task = state.task_name(self.claim.task).map_or("?", |name| name);
        write!(f, "Grant {{ task: {task}, units: {{")?;
        for (at, (resource, count)) in self.units.iter().enumerate() {
            let separator = if at == 0 { "" } else { "," };
            write!(f, "{separator} {}: {count}", state.resource_name(*resource))?;
        }
        f.write_str(" } }")
    }
}

impl fmt::Debug for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.banker.state();
        let task = state.task_name(self.task).map_or("?", |name| name);
        write!(f, "Claim {{ task: {task} }}")
    }
}

impl Drop for Grant<'_> {
    fn drop(&mut self) {
        self.claim.banker.watch.release(&mut self.holder, |_| false);
        let released = self.claim.release(&self.units);
        debug_assert!(released.is_ok(), "a grant's units are held until it is dropped");
    }
}

/// A wait for units without blocking the thread; made by [`Claim::acquire_async`].
///
/// # Examples
/// ```
/// use std::pin::pin;
/// use std::task::{Context, Waker};
///
/// use lockdep::banker::{Banker, BankerError};
///
/// let (banker, [gpu]) = Banker::new([("gpu", 1)]);
/// let (training, preview) = (banker.claim(&[(gpu, 1)])?, banker.claim(&[(gpu, 1)])?);
/// let held = training.acquire(&[(gpu, 1)])?;
///
/// // In an async function: `preview.acquire_async(&[(gpu, 1)]).await`.
/// let mut asked = pin!(preview.acquire_async(&[(gpu, 1)]));
/// let mut context = Context::from_waker(Waker::noop());
/// assert!(asked.as_mut().poll(&mut context).is_pending());
/// drop(held);
/// assert!(asked.as_mut().poll(&mut context).is_ready());
/// # Ok::<(), BankerError>(())
/// ```
#[must_use = "nothing is asked for until the future is polled"]
#[derive(Debug)]
pub struct Acquire<'claim> {
    claim: &'claim Claim,
    request: Vec<(Resource, u64)>,
    ticket: Option<Ticket>,
}

impl<'claim> Future for Acquire<'claim> {
    type Output = Result<Grant<'claim>, BankerError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let waker = context.waker().clone();
        let mut desk = self.claim.banker.desk();
        let ticket = match self.ticket {
            Some(ticket) if desk.sleepers.contains_key(&ticket) => ticket,
            Some(_) => {
                drop(desk);
                self.ticket = None;
                return Poll::Ready(Ok(self.claim.grant(&self.request, Holder::default())));
            }
            None => match desk.queue.submit(self.claim.task, &self.request) {
                Ok(Submitted::Waits(ticket)) => ticket,
                Ok(Submitted::Granted) => {
                    return Poll::Ready(Ok(self.claim.grant(&self.request, Holder::default())));
                }
                Err(refused) => return Poll::Ready(Err(refused)),
            },
        };
        let old = desk.sleepers.insert(ticket, Sleeper::Task(waker));
        drop(desk);
        drop(old);
        self.ticket = Some(ticket);
        Poll::Pending
    }
}

impl Drop for Acquire<'_> {
    fn drop(&mut self) {
        let Some(ticket) = self.ticket else { return };
        let mut desk = self.claim.banker.desk();
        if desk.sleepers.contains_key(&ticket) {
            let sleepers = desk.withdraw(ticket);
            drop(desk);
            wake(sleepers);
        } else {
            // It was granted, but never fetched.
            drop(desk);
            drop(self.claim.grant(&self.request, Holder::default()));
        }
    }
}
