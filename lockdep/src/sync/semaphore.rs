//! [`Semaphore`], which `std` does not have.
//!
//! Permits belong to the guard that took them, so the engine knows who holds what. A semaphore of one
//! permit is a lock, and takes part in everything that locks do. Of one with more permits no single
//! holder keeps a thread waiting: a thread hangs when the holders that can still go on have too few
//! to give back, which is found at once. Orders between such semaphores are not recorded. That a thread
//! might close the semaphore does not count as a way out.

use std::collections::VecDeque;
use std::error::Error;
use std::fmt;
use std::marker::PhantomData;
use std::panic::Location;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::banker::semaphores::{self, Patience};
use crate::hooks::{EventKind, EventTag, LockKind, LockTag, LockType, Mode, Site};
use crate::slow_path::life;
use crate::sync::claims::{self, Count, PendingCount};

/// A number of permits that threads take, and give back by dropping a [`Permit`].
///
/// Requests are served in the order in which they came, so one for many permits is not starved by
/// those for few.
///
/// # Examples
///
/// ```
/// use lockdep::sync::Semaphore;
///
/// static CONNECTIONS: Semaphore = Semaphore::new(4);
///
/// let one = CONNECTIONS.acquire()?;
/// let mut three = CONNECTIONS.acquire_many(3)?;
/// assert!(CONNECTIONS.try_acquire().is_err());
/// three.release(2)?;
/// assert_eq!(CONNECTIONS.available(), 2);
/// assert!(three.release(2).is_err(), "it holds one permit only");
/// # drop(one);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Semaphore {
    lock: LockTag,
    event: EventTag,
    total: usize,
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    available: usize,
    closed: bool,
    /// Who waits, in the order in which they came.
    queue: VecDeque<u64>,
    tickets: u64,
}

/// Why there is no permit.
///
/// # Examples
/// ```
/// use lockdep::sync::{AcquireError, Semaphore};
///
/// let connections = Semaphore::new(4);
/// let refused = connections.acquire_many(5).unwrap_err();
/// assert_eq!(refused, AcquireError::TooMany { asked: 5, total: 4 });
/// assert_eq!(
///     refused.to_string(),
///     "5 permits were asked for, and there are 4 in all: ask for less"
/// );
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AcquireError {
    /// The semaphore is closed.
    Closed,
    /// There are not enough permits now, or there were none in time.
    NoPermits,
    /// There never will be that many.
    TooMany {
        /// How many were asked for.
        asked: usize,
        /// How many there are in all.
        total: usize,
    },
    /// More than the thread has claimed; see [`PermitClaim::enforce`](crate::sync::PermitClaim::enforce).
    ExceedsClaim {
        /// How many were asked for.
        asked: usize,
        /// How many more the claim allows.
        left: usize,
    },
    /// There are enough permits, but with them gone not every thread could be sure to get all that
    /// it has claimed; see [`PermitClaim::enforce`](crate::sync::PermitClaim::enforce).
    Unsafe,
}

impl fmt::Display for AcquireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AcquireError::Closed => f.write_str("the semaphore is closed: nobody gets a permit"),
            AcquireError::NoPermits => {
                f.write_str("other threads hold the permits: wait for them, or try again later")
            }
            AcquireError::TooMany { asked, total } => {
                write!(
                    f,
                    "{asked} permits were asked for, and there are {total} in all: ask for less"
                )
            }
            AcquireError::ExceedsClaim { asked, left } => write!(
                f,
                "{asked} permits were asked for, and the thread's claim leaves it {left}: claim the \
                 most that it ever holds at once"
            ),
            AcquireError::Unsafe => f.write_str(
                "the permits are there, but with them gone the threads could wait for each other \
                 for ever: try again later, or wait for them",
            ),
        }
    }
}

impl Error for AcquireError {}

/// More permits were to be given back than are held.
///
/// # Examples
/// ```
/// use lockdep::sync::Semaphore;
///
/// let connections = Semaphore::new(4);
/// let mut three = connections.acquire_many(3)?;
/// let refused = three.release(4).unwrap_err();
/// assert_eq!((refused.released, refused.held), (4, 3));
/// # Ok::<(), lockdep::sync::AcquireError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReleaseError {
    /// How many were to be given back.
    pub released: usize,
    /// How many are held.
    pub held: usize,
}

impl fmt::Display for ReleaseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ReleaseError { released, held } = self;
        write!(f, "{released} permits were to be released where {held} are held: none was")
    }
}

impl Error for ReleaseError {}

/// Permits that a thread holds, until this is dropped.
///
/// Like a lock's guard it stays on its thread.
///
/// # Examples
/// ```
/// use lockdep::sync::Semaphore;
///
/// let connections = Semaphore::new(4);
/// {
///     let _permit = connections.acquire()?;
///     assert_eq!(connections.available(), 3);
/// }
/// assert_eq!(connections.available(), 4);
/// # Ok::<(), lockdep::sync::AcquireError>(())
/// ```
#[must_use = "if unused the permits are released at once"]
pub struct Permit<'a> {
    semaphore: &'a Semaphore,
    count: usize,
    counted: Count,
    site: Site,
    stays: PhantomData<*const ()>,
}

// SAFETY: a shared permit only tells its count.
unsafe impl Sync for Permit<'_> {}

const TYPE: &LockType = &LockType::of::<()>(LockKind::Semaphore);

impl Semaphore {
    /// A semaphore with so many permits, of the class of the place that calls this.
    #[track_caller]
    pub const fn new(permits: usize) -> Semaphore {
        Semaphore {
            lock: LockTag::new(TYPE),
            event: EventTag::new(),
            total: permits,
            state: Mutex::new(State {
                available: permits,
                closed: false,
                queue: VecDeque::new(),
                tickets: 0,
            }),
            changed: Condvar::new(),
        }
    }

    /// Takes one permit, and blocks until there is one.
    ///
    /// # Errors
    /// The semaphore is closed, or has no permits at all.
    ///
    /// # Panics
    /// The thread would wait for ever, and the engine is configured to panic then.
    #[track_caller]
    pub fn acquire(&self) -> Result<Permit<'_>, AcquireError> {
        self.acquire_many(1)
    }

    /// Takes so many permits at once, and blocks until there are as many.
    ///
    /// # Errors
    /// The semaphore is closed, or has fewer permits in all.
    ///
    /// # Panics
    /// The thread would wait for ever, and the engine is configured to panic then.
    #[track_caller]
    pub fn acquire_many(&self, count: usize) -> Result<Permit<'_>, AcquireError> {
        let site = Location::caller();
        self.check(count)?;
        let counted = Count::before(self, count, Patience::Endless, site)?;
        let attempt = || self.attempt(count);
        let block = || self.block(count, None);
        let result = if self.is_lock() && count > 0 {
            let result = self.lock.acquire(TYPE, Mode::Write, site, attempt, block);
            if result.is_err() {
                self.lock.release(Mode::Write);
            }
            result
        } else {
            self.event.wait_for_permits((count, self.total), site, attempt, block)
        };
        result.map(|()| self.permit(count, counted, site))
    }

    /// Takes one permit if there is one.
    ///
    /// # Errors
    /// There is none now, or the semaphore is closed.
    #[track_caller]
    pub fn try_acquire(&self) -> Result<Permit<'_>, AcquireError> {
        self.try_acquire_many(1)
    }

    /// Takes so many permits if there are as many and no thread waits for some.
    ///
    /// # Errors
    /// There are not as many now, or in all, or the semaphore is closed.
    #[track_caller]
    pub fn try_acquire_many(&self, count: usize) -> Result<Permit<'_>, AcquireError> {
        let site = Location::caller();
        self.check(count)?;
        let counted = Count::before(self, count, Patience::None, site)?;
        self.without_order(count, counted, site, || self.attempt(count).unwrap_or(NO_PERMITS))
    }

    /// Takes so many permits, and blocks for `timeout` at most.
    ///
    /// # Errors
    /// There were not as many in time, or are not in all, or the semaphore is closed.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use lockdep::sync::{AcquireError, Semaphore};
    ///
    /// let workers = Semaphore::new(3);
    /// let two = workers.acquire_many(2)?;
    /// let in_time = workers.acquire_many_timeout(2, Duration::from_millis(1));
    /// assert_eq!(in_time.unwrap_err(), AcquireError::NoPermits);
    /// drop(two);
    /// assert!(workers.acquire_many_timeout(2, Duration::from_millis(1)).is_ok());
    /// # Ok::<(), AcquireError>(())
    /// ```
    #[track_caller]
    pub fn acquire_many_timeout(
        &self,
        count: usize,
        timeout: Duration,
    ) -> Result<Permit<'_>, AcquireError> {
        let site = Location::caller();
        self.check(count)?;
        // A time too far away to be represented is no limit.
        let until = Instant::now().checked_add(timeout);
        let counted = Count::before(self, count, claims::patience(until), site)?;
        let attempt = || self.attempt(count);
        let block = || self.block(count, until);
        if self.is_lock() {
            return self.without_order(count, counted, site, || attempt().unwrap_or_else(block));
        }
        let result = self.event.wait(EventKind::Permit, true, site, attempt, block);
        result.map(|()| self.permit(count, counted, site))
    }

    /// Takes one permit, and blocks for `timeout` at most.
    ///
    /// # Errors
    /// There was none in time, or the semaphore is closed.
    #[track_caller]
    pub fn acquire_timeout(&self, timeout: Duration) -> Result<Permit<'_>, AcquireError> {
        self.acquire_many_timeout(1, timeout)
    }

    /// Closes the semaphore: from here on no thread gets a permit, not even one that waits already.
    /// Permits that are held can still be released.
    ///
    /// # Examples
    ///
    /// ```
    /// use lockdep::sync::{AcquireError, Semaphore};
    /// use lockdep::thread;
    ///
    /// let work = Semaphore::new(1);
    /// let taken = work.acquire()?;
    /// thread::scope(|s| {
    ///     let waits = s.spawn(|| work.acquire().map(drop));
    ///     work.close();
    ///     assert_eq!(waits.join().unwrap(), Err(AcquireError::Closed));
    /// });
    /// drop(taken);
    /// assert_eq!(work.available(), 1);
    /// # Ok::<(), AcquireError>(())
    /// ```
    #[track_caller]
    pub fn close(&self) {
        if !self.is_lock() {
            self.event.signal_all(EventKind::Permit, Location::caller());
        }
        self.state().closed = true;
        self.changed.notify_all();
        let site = Location::caller();
        semaphores::closed(|| self.number(site));
    }

    /// Whether the semaphore is closed.
    pub fn is_closed(&self) -> bool {
        self.state().closed
    }

    /// How many permits there are now; by the time that the caller looks there may be others.
    pub fn available(&self) -> usize {
        self.state().available
    }

    /// How many permits there are in all.
    pub const fn total(&self) -> usize {
        self.total
    }

    /// What the engine knows the semaphore by, if it is a lock.
    pub(crate) fn tag(&self) -> Option<(&LockTag, &'static LockType)> {
        self.is_lock().then_some((&self.lock, TYPE))
    }

    /// A holder of the only permit excludes all others, as the holder of a lock does.
    fn is_lock(&self) -> bool {
        self.total == 1
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn permit(&self, count: usize, counted: PendingCount, site: Site) -> Permit<'_> {
        if !self.is_lock() && count > 0 {
            self.event.hold_permits(count, site);
        }
        let none = Count::default();
        let mut permit = Permit { semaphore: self, count, counted: none, site, stays: PhantomData };
        permit.counted = counted.taken(self, site);
        permit
    }

    /// The number that tells this semaphore from all others; 0 if it is not watched.
    pub(super) fn number(&self, site: Site) -> u64 {
        if life::WATCHES && self.is_lock() {
            self.lock.id(TYPE)
        } else {
            self.event.number(EventKind::Permit, site)
        }
    }

    fn check(&self, asked: usize) -> Result<(), AcquireError> {
        let total = self.total;
        if asked <= total { Ok(()) } else { Err(AcquireError::TooMany { asked, total }) }
    }

    /// An acquisition that ends by itself.
    #[track_caller]
    fn without_order(
        &self,
        count: usize,
        counted: PendingCount,
        site: Site,
        acquire: impl FnOnce() -> Result<(), AcquireError>,
    ) -> Result<Permit<'_>, AcquireError> {
        let mut result = Ok(());
        if self.is_lock() && count > 0 {
            let _ = self.lock.try_acquire(TYPE, Mode::Write, site, || {
                result = acquire();
                result.is_ok().then_some(())
            });
        } else {
            result = acquire();
        }
        result.map(|()| self.permit(count, counted, site))
    }

    /// What can be said at once; `None` where the thread would have to wait.
    fn attempt(&self, count: usize) -> Option<Result<(), AcquireError>> {
        let mut state = self.state();
        if state.closed {
            return Some(Err(AcquireError::Closed));
        }
        (state.queue.is_empty() && state.available >= count).then(|| {
            state.available -= count;
            Ok(())
        })
    }

    fn block(&self, count: usize, until: Option<Instant>) -> Result<(), AcquireError> {
        let mut state = self.state();
        let ticket = state.tickets;
        state.tickets += 1;
        state.queue.push_back(ticket);
        let result = loop {
            if state.closed {
                break Err(AcquireError::Closed);
            }
            if state.queue.front() == Some(&ticket) && state.available >= count {
                state.available -= count;
                break Ok(());
            }
            state = match until.map(|until| until.saturating_duration_since(Instant::now())) {
                None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(Duration::ZERO) => break NO_PERMITS,
                Some(left) => {
                    self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0
                }
            };
        };
        state.queue.retain(|&t| t != ticket);
        drop(state);
        // There may be enough for the next one.
        self.changed.notify_all();
        result
    }
}

const NO_PERMITS: Result<(), AcquireError> = Err(AcquireError::NoPermits);

impl Permit<'_> {
    /// How many permits these are.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Gives so many of them back.
    ///
    /// # Errors
    /// There are not as many; then none is given back.
    pub fn release(&mut self, count: usize) -> Result<(), ReleaseError> {
        if count > self.count {
            return Err(ReleaseError { released: count, held: self.count });
        }
        self.give_back(count);
        Ok(())
    }

    fn give_back(&mut self, count: usize) {
        if count == 0 {
            return;
        }
        let semaphore = self.semaphore;
        self.counted.release(count);
        if semaphore.is_lock() {
            semaphore.lock.release(Mode::Write);
        } else {
            semaphore.event.release_permits(count, self.site);
        }
        self.count -= count;
        semaphore.state().available += count;
        semaphore.changed.notify_all();
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        self.give_back(self.count);
    }
}

impl fmt::Debug for Permit<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit").field("count", &self.count).finish_non_exhaustive()
    }
}

impl fmt::Debug for Semaphore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let State { available, closed, .. } = *self.state();
        f.debug_struct("Semaphore")
            .field("available", &available)
            .field("total", &self.total)
            .field("closed", &closed)
            .finish_non_exhaustive()
    }
}
