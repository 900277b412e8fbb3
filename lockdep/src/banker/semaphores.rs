//! The banker over semaphores: which permits threads have claimed and hold, and whether all of them
//! can still finish.
//!
//! A thread that has claimed is a task of one banker for the whole process, and each semaphore that
//! has been claimed is a resource. A thread either only has its permits counted, and is reported
//! when one of them makes the state unsafe, or waits for the banker before it waits for the semaphore.
//!
//! Promises: a report comes with the threads that have no order to finish in, going by their own
//! claims. Missed: what a thread without a claim may come to need; it counts as one that gives
//! back what it holds. A wait for the banker is no wait that others see, so that a hang behind it is
//! not found; with claims that are kept to there is none.

use std::collections::HashMap;
use std::error::Error;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Instant;

use crate::banker::error::BankerError;
use crate::banker::live::{self, Banker, Claim};
use crate::banker::queue::{BankerQueue, Policy};
use crate::banker::state::BankerState;
use crate::banker::units::Resource;
use crate::model::finding::{Finding, Rule, Tier};
use crate::model::ids::{LockId, ThreadId};
use crate::model::lock::Site;
use crate::observer::Observer;
use crate::observer::parts::list;
use crate::process;
use crate::slow_path::life;
use crate::thread_state::current::Busy;

/// How many threads a report lists.
const LISTED: usize = 8;

/// Why a thread's claim is refused.
///
/// # Examples
/// ```
/// use lockdep::sync::{ClaimError, PermitClaim, Semaphore};
///
/// # if cfg!(not(feature = "instrument")) { return }
/// let gates = Semaphore::new(2);
/// let refused = PermitClaim::observe(&[(&gates, 3)]).unwrap_err();
/// assert_eq!(refused, ClaimError::TooMany { asked: 3, total: 2 });
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClaimError {
    /// The semaphore never has that many permits.
    TooMany {
        /// How many were claimed.
        asked: usize,
        /// How many there are in all.
        total: usize,
    },
    /// The thread has a claim already.
    HasClaim,
    /// The claim does not name the semaphore.
    NotClaimed,
    /// The thread holds more permits than it would claim.
    ExceedsHeld {
        /// How many would be claimed.
        asked: usize,
        /// How many are held.
        held: usize,
    },
    /// With a larger claim not every thread could be sure to get all that it has claimed.
    Unsafe,
}

impl fmt::Display for ClaimError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ClaimError::TooMany { asked, total } => write!(
                f,
                "{asked} permits can never be had, as the semaphore has {total}: claim less"
            ),
            ClaimError::HasClaim => f.write_str(
                "the thread has a claim already: name all semaphores in one claim, or drop the \
                 first one before",
            ),
            ClaimError::NotClaimed => f.write_str(
                "the claim does not name this semaphore: name it when the claim is made, with 0 \
                 if need be",
            ),
            ClaimError::ExceedsHeld { asked, held } => write!(
                f,
                "the thread holds {held} permits and cannot claim only {asked}: release some first"
            ),
            ClaimError::Unsafe => f.write_str(
                "the threads could then wait for each other for ever: claim more before anything \
                 is held, or try again later",
            ),
        }
    }
}

impl Error for ClaimError {}

/// What threads have claimed of semaphores, once one has.
static CLAIMS: OnceLock<Claims> = OnceLock::new();

/// The claims of the process.
#[derive(Debug)]
pub(crate) struct Claims {
    banker: Banker,
    book: Mutex<Book>,
}

#[derive(Debug, Default)]
struct Book {
    parties: HashMap<ThreadId, Arc<Party>>,
    places: HashMap<LockId, Place>,
}

impl Book {
    /// The resource of a semaphore that one party more has claimed.
    fn place(&mut self, banker: &Banker, claimed: &Claimed) -> Resource {
        if let Some(place) = self.places.get_mut(&claimed.semaphore) {
            place.parties += 1;
            return place.resource;
        }
        let taken: Vec<Resource> = self.places.values().map(|place| place.resource).collect();
        let total = claimed.total as u64;
        let resource = banker.desk().queue.add_resource("semaphore", total, &taken);
        self.places.insert(claimed.semaphore, Place { resource, parties: 1 });
        resource
    }
}

/// A semaphore that is claimed.
#[derive(Debug)]
struct Place {
    resource: Resource,
    /// How many have claimed it.
    parties: usize,
}

/// A thread that has claimed permits. It lives as long as its claim and its permits.
#[derive(Debug)]
pub(crate) struct Party {
    thread: ThreadId,
    site: Site,
    enforced: bool,
    claim: Claim,
    places: Vec<(LockId, Resource)>,
}

/// A semaphore, as far as a claim is concerned.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Claimed {
    pub(crate) semaphore: LockId,
    pub(crate) total: usize,
    pub(crate) most: usize,
}

/// Permits that the banker counts.
#[derive(Debug)]
pub(crate) struct Counted {
    party: Arc<Party>,
    resource: Resource,
}

impl Claims {
    fn new() -> Claims {
        let none: [(&str, u64); 0] = [];
        let queue = BankerQueue::new(BankerState::new(none), Policy::Avoid);
        Claims { banker: queue.into(), book: Mutex::default() }
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What `thread` has claimed, if `semaphore` is among it.
    fn claimed(&self, thread: ThreadId, semaphore: LockId) -> Option<Counted> {
        let party = Arc::clone(self.book().parties.get(&thread)?);
        let resource = party.place(semaphore)?;
        Some(Counted { party, resource })
    }
}

impl Party {
    fn place(&self, semaphore: LockId) -> Option<Resource> {
        self.places.iter().find(|place| place.0 == semaphore).map(|place| place.1)
    }

    /// Changes the most permits of `semaphore` that the thread may hold.
    pub(crate) fn set_maximum(&self, semaphore: LockId, most: usize) -> Result<(), ClaimError> {
        let _busy = Busy::new();
        let resource = self.place(semaphore).ok_or(ClaimError::NotClaimed)?;
        self.claim.set_maximum(resource, most as u64).map_err(|refused| match refused {
            BankerError::ExceedsTotal { total, .. } => {
                ClaimError::TooMany { asked: most, total: total as usize }
            }
            BankerError::ExceedsHeld { held, .. } => {
                ClaimError::ExceedsHeld { asked: most, held: held as usize }
            }
            _ => ClaimError::Unsafe,
        })
    }

    /// The thread claims no more than it holds.
    pub(crate) fn end(&self) {
        let _busy = Busy::new();
        let Some(claims) = CLAIMS.get() else { return };
        for (_, resource) in &self.places {
            let held = self.claim.held(*resource);
            let lowered = self.claim.set_maximum(*resource, held);
            debug_assert!(lowered.is_ok(), "a thread does not wait while it ends its claim");
        }
        let party = claims.book().parties.remove(&self.thread);
        // Its end takes the book.
        drop(party);
    }
}

impl Drop for Party {
    fn drop(&mut self) {
        let Some(claims) = CLAIMS.get() else { return };
        let mut book = claims.book();
        for (semaphore, _) in &self.places {
            if let Some(place) = book.places.get_mut(semaphore) {
                place.parties -= 1;
                if place.parties == 0 {
                    book.places.remove(semaphore);
                }
            }
        }
    }
}

/// This thread claims `all`; `None` where it is not watched.
///
/// # Errors
/// `TooMany`, `HasClaim`.
pub(crate) fn claim(
    all: &[Claimed],
    enforced: bool,
    site: Site,
) -> Result<Option<Arc<Party>>, ClaimError> {
    if let Some(&Claimed { most: asked, total, .. }) = all.iter().find(|c| c.most > c.total) {
        return Err(ClaimError::TooMany { asked, total });
    }
    let Some(thread) = life::thread() else { return Ok(None) };
    let _busy = Busy::new();
    let claims = CLAIMS.get_or_init(Claims::new);
    let mut book = claims.book();
    if book.parties.contains_key(&thread) {
        return Err(ClaimError::HasClaim);
    }
    let mut places: Vec<(LockId, Resource)> = Vec::with_capacity(all.len());
    let mut maximum: Vec<(Resource, u64)> = Vec::with_capacity(all.len());
    for claimed in all {
        let again = places.iter().any(|place| place.0 == claimed.semaphore);
        // One without a number is not watched.
        if again || claimed.semaphore == 0 {
            continue;
        }
        let resource = book.place(&claims.banker, claimed);
        places.push((claimed.semaphore, resource));
        let same = all.iter().filter(|other| other.semaphore == claimed.semaphore);
        maximum.push((resource, same.map(|other| other.most as u64).max().unwrap_or(0)));
    }
    let claim = claims.banker.claim_named("thread", &maximum).expect("no more than the totals");
    let party = Arc::new(Party { thread, site, enforced, claim, places });
    book.parties.insert(thread, Arc::clone(&party));
    Ok(Some(party))
}

/// How long to wait for the banker.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Patience {
    None,
    Until(Instant),
    Endless,
}

/// Before this thread asks for permits: waits for the banker if the thread's claim is enforced.
/// `None` if there is nothing to count, or not yet.
///
/// # Errors
/// `ExceedsClaim`; without patience `Unsafe`, `Unavailable`, else `Timeout`.
pub(crate) fn before(
    semaphore: impl FnOnce() -> LockId,
    count: usize,
    patience: Patience,
) -> Result<Option<Counted>, BankerError> {
    let Some((claims, thread)) = CLAIMS.get().zip(life::thread()) else { return Ok(None) };
    let semaphore = semaphore();
    let _busy = Busy::new();
    let counted = claims.claimed(thread, semaphore).filter(|c| c.party.enforced && count > 0);
    let Some(counted) = counted else { return Ok(None) };
    let units = [(counted.resource, count as u64)];
    let granted = match patience {
        Patience::None => counted.party.claim.try_take(&units).map(|()| true),
        Patience::Until(deadline) => counted.party.claim.take(&units, Some(deadline)),
        Patience::Endless => counted.party.claim.take(&units, None),
    }?;
    Ok(granted.then_some(counted))
}

/// After this thread has taken permits that nothing was waited for: counts them, and reports if
/// that leaves no order in which all can finish.
pub(crate) fn after(
    semaphore: impl FnOnce() -> LockId,
    count: usize,
    site: Site,
) -> Option<Counted> {
    let (claims, thread) = CLAIMS.get().zip(life::thread())?;
    let semaphore = semaphore();
    let busy = Busy::new();
    let counted = claims.claimed(thread, semaphore).filter(|_| count > 0)?;
    let (task, resource) = (counted.party.claim.task(), counted.resource);
    let stuck = {
        let mut desk = claims.banker.desk();
        if !desk.queue.force(task, resource, count as u64) {
            // Promised to a thread that waits for the banker: it counts as held by that one.
            return None;
        }
        desk.queue.became_unsafe(task, resource, count as u64) && life::WATCHES
    };
    let stuck = stuck.then(|| Stuck::look(claims));
    drop(busy);
    if let Some(stuck) = stuck {
        process::observe(|o| stuck.report(o, (thread, semaphore, count), site));
    }
    Some(counted)
}

/// `semaphore` is closed: threads that wait for the banker to get permits of it wait no more.
pub(crate) fn closed(semaphore: impl FnOnce() -> LockId) {
    let Some(claims) = CLAIMS.get() else { return };
    let semaphore = semaphore();
    let _busy = Busy::new();
    let Some(resource) = claims.book().places.get(&semaphore).map(|place| place.resource) else {
        return;
    };
    let sleepers = claims.banker.desk().turn_away(resource);
    live::wake(sleepers);
}

impl Counted {
    /// `count` of the permits are about to be given back.
    pub(crate) fn release(&self, count: usize) {
        let _busy = Busy::new();
        let released = self.party.claim.release(&[(self.resource, count as u64)]);
        debug_assert!(released.is_ok(), "what is counted is held until it is released");
    }
}

/// What a thread that may never finish has and may need.
#[derive(Debug)]
struct StuckParty {
    thread: ThreadId,
    site: Site,
    /// The semaphore, the permits held, and those that may yet be asked for.
    lines: Vec<(LockId, u64, u64)>,
}

/// The state that a report describes.
#[derive(Debug)]
struct Stuck {
    parties: Vec<StuckParty>,
    /// The semaphore, its permits, and how many of them no thread with a claim holds.
    free: HashMap<LockId, (u64, u64)>,
}

impl Stuck {
    fn look(claims: &Claims) -> Stuck {
        let book = claims.book();
        let state = claims.banker.state();
        let unfinished = state.unfinished();
        let mut parties: Vec<StuckParty> = book
            .parties
            .values()
            .filter(|party| unfinished.contains(&party.claim.task()))
            .map(|party| {
                let line = |&(semaphore, resource): &(LockId, Resource)| {
                    let held = state.held(party.claim.task(), resource);
                    (semaphore, held, state.claimed(party.claim.task(), resource) - held)
                };
                let lines = party.places.iter().map(line).collect();
                StuckParty { thread: party.thread, site: party.site, lines }
            })
            .collect();
        parties.sort_unstable_by_key(|party| party.thread);
        let free = |(semaphore, place): (&LockId, &Place)| {
            (*semaphore, (state.total(place.resource), state.available(place.resource)))
        };
        Stuck { parties, free: book.places.iter().map(free).collect() }
    }

    fn report(
        &self,
        o: &mut Observer,
        (thread, semaphore, count): (ThreadId, LockId, usize),
        site: Site,
    ) {
        let mut locks = vec![semaphore];
        let mut at = |lock: LockId| {
            locks.iter().position(|known| *known == lock).unwrap_or_else(|| {
                locks.push(lock);
                locks.len() - 1
            })
        };
        let names: Vec<String> =
            self.parties.iter().map(|party| o.thread(party.thread).to_string()).collect();
        let mut short: Vec<LockId> = Vec::new();
        let mut notes: Vec<String> = Vec::new();
        for (party, name) in self.parties.iter().zip(&names).take(LISTED) {
            let (mut holds, mut needs) = (Vec::new(), Vec::new());
            for &(semaphore, held, need) in &party.lines {
                if held > 0 {
                    holds.push(format!("{} of {{{}}}", permits(held), at(semaphore)));
                }
                if need > self.free.get(&semaphore).map_or(0, |free| free.1) {
                    needs.push(format!("{} of {{{}}}", more(need, held), at(semaphore)));
                    if !short.contains(&semaphore) {
                        short.push(semaphore);
                    }
                }
            }
            let holds = if holds.is_empty() { "nothing".to_owned() } else { list(&holds) };
            notes.push(format!("{name} holds {holds}, and by its claim may need {}", list(&needs)));
        }
        if self.parties.len() > LISTED {
            notes.push(format!("{} more threads are like them", self.parties.len() - LISTED));
        }
        for semaphore in short {
            let (total, free) = self.free.get(&semaphore).copied().unwrap_or_default();
            let free = if free == 0 { "none".to_owned() } else { free.to_string() };
            notes.push(format!(
                "{{{}}} has {}, of which {free} is left",
                at(semaphore),
                permits(total)
            ));
        }
        let mut finding = Finding::new(
            Rule::UnsafeState,
            Tier::Happened,
            format!(
                "once {} has taken {} of {{0}}, there is no order in which {} can be sure to get \
                 all the permits that they have claimed",
                o.thread(thread),
                permits(count as u64),
                list(&names[..names.len().min(LISTED)]),
            ),
        );
        finding.locks = locks.iter().map(|lock| o.lock(*lock)).collect();
        finding.notes = notes;
        finding.sites.push((site, "taken here, which makes it possible"));
        for party in &self.parties {
            if !finding.sites.iter().any(|known| std::ptr::eq(known.0, party.site)) {
                finding.sites.push((party.site, "claimed here"));
            }
        }
        let threads: Vec<ThreadId> = self.parties.iter().map(|party| party.thread).collect();
        o.keep(&threads, [site], finding);
    }
}

fn permits(count: u64) -> String {
    if count == 1 { "1 permit".to_owned() } else { format!("{count} permits") }
}

/// So many more than are held.
fn more(count: u64, held: u64) -> String {
    if held == 0 { permits(count) } else { format!("{count} more") }
}
