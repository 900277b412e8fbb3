//! [`PermitClaim`]: what a thread may come to hold of several semaphores.
//!
//! The rule over claims is the banker's, in `banker::semaphores`; here are the types only.

use std::fmt;
use std::marker::PhantomData;
use std::panic::Location;
use std::sync::Arc;
use std::time::Instant;

use crate::banker::BankerError;
pub use crate::banker::semaphores::ClaimError;
use crate::banker::semaphores::{self, Claimed, Counted, Party, Patience};
use crate::hooks::Site;
use crate::sync::semaphore::{AcquireError, Semaphore};

/// A thread's promise never to hold more than so many permits of some semaphores at once; dropping
/// it ends the promise.
///
/// Going by the claims of all threads, each permit that a thread with a claim takes is checked: with
/// it gone, is there still an order in which every thread gets all that it has claimed? If there is
/// none, the threads can come to wait for each other for ever, though it may go well this time.
///
/// A thread without a claim counts as one that needs nothing more. A thread that takes more than it
/// has claimed has claimed that much from then on. Permits that were taken before are not counted.
///
/// # Examples
///
/// ```
/// use lockdep::config::{Config, Print};
/// use lockdep::finding::Rule;
/// use lockdep::sync::{AcquireError, PermitClaim, Semaphore};
///
/// # lockdep::configure(Config::from_env().print(Print::None));
/// static RUNWAYS: Semaphore = Semaphore::new(2);
/// static GATES: Semaphore = Semaphore::new(2);
///
/// std::thread::scope(|scope| {
///     let claim = PermitClaim::enforce(&[(&RUNWAYS, 1), (&GATES, 2)])?;
///     let gate = GATES.acquire()?;
///     let other = scope.spawn(|| {
///         let claim = PermitClaim::enforce(&[(&RUNWAYS, 1), (&GATES, 2)])?;
///         // A gate is free, but with one each neither could get its second.
///         assert_eq!(GATES.try_acquire().unwrap_err(), AcquireError::Unsafe);
///         drop(claim);
///         Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
///     });
///     assert!(other.join().is_ok_and(|checked| checked.is_ok()));
///     drop((gate, claim));
///     Ok::<(), Box<dyn std::error::Error>>(())
/// })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "if unused the claim ends at once"]
pub struct PermitClaim<'a> {
    /// `None` for a thread that is not watched.
    party: Option<Arc<Party>>,
    semaphores: PhantomData<&'a Semaphore>,
    stays: PhantomData<*const ()>,
}

impl<'a> PermitClaim<'a> {
    /// This thread claims so many permits of each semaphore. Nothing is held up: what makes the
    /// state unsafe is reported, as `unsafe-state`.
    ///
    /// # Errors
    /// `TooMany` for more permits than there are, `HasClaim` if the thread has a claim already.
    ///
    /// # Cost
    /// Each permit that the thread then takes or releases takes one lock of the process, and a step
    /// for each other thread that holds permits, where the thread could not finish at once.
    #[track_caller]
    pub fn observe(maximum: &[(&'a Semaphore, usize)]) -> Result<PermitClaim<'a>, ClaimError> {
        PermitClaim::new(maximum, false, Location::caller())
    }

    /// This thread claims so many permits of each semaphore, and gets none that would make the state
    /// unsafe: [`Semaphore::acquire`] waits, [`Semaphore::try_acquire`] refuses. More than the claim
    /// is refused. Threads that only [observe](PermitClaim::observe) are not held up by it.
    ///
    /// # Errors
    /// As [`PermitClaim::observe`].
    #[track_caller]
    pub fn enforce(maximum: &[(&'a Semaphore, usize)]) -> Result<PermitClaim<'a>, ClaimError> {
        PermitClaim::new(maximum, true, Location::caller())
    }

    fn new(
        maximum: &[(&'a Semaphore, usize)],
        enforced: bool,
        site: Site,
    ) -> Result<PermitClaim<'a>, ClaimError> {
        let claimed = |&(semaphore, most): &(&Semaphore, usize)| Claimed {
            semaphore: semaphore.number(site),
            total: semaphore.total(),
            most,
        };
        let all: Vec<Claimed> = maximum.iter().map(claimed).collect();
        let party = semaphores::claim(&all, enforced, site)?;
        Ok(PermitClaim { party, semaphores: PhantomData, stays: PhantomData })
    }

    /// Changes how many permits of `semaphore`, which the claim names, the thread may hold. Lowering
    /// may let others go on; raising is possible only if that is safe now.
    ///
    /// # Errors
    /// `NotClaimed`, `TooMany`, `ExceedsHeld`, `Unsafe`; the claim is then as it was.
    #[track_caller]
    pub fn set_maximum(&self, semaphore: &'a Semaphore, most: usize) -> Result<(), ClaimError> {
        let Some(party) = &self.party else { return Ok(()) };
        party.set_maximum(semaphore.number(Location::caller()), most)
    }
}

impl Drop for PermitClaim<'_> {
    fn drop(&mut self) {
        if let Some(party) = &self.party {
            party.end();
        }
    }
}

impl fmt::Debug for PermitClaim<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PermitClaim").finish_non_exhaustive()
    }
}

/// Permits that are counted against a claim, if any are.
#[derive(Debug, Default)]
pub(super) struct Count(Option<Counted>);

impl Count {
    /// Before permits are asked for: waits for the banker where the claim says so.
    pub(super) fn before(
        semaphore: &Semaphore,
        count: usize,
        patience: Patience,
        site: Site,
    ) -> Result<PendingCount, AcquireError> {
        let counted = semaphores::before(|| semaphore.number(site), count, patience);
        counted.map(|counted| PendingCount { counted, count }).map_err(|refused| match refused {
            BankerError::ExceedsClaim { asked, left, .. } => {
                AcquireError::ExceedsClaim { asked: asked as usize, left: left as usize }
            }
            BankerError::Unsafe => AcquireError::Unsafe,
            _ => AcquireError::NoPermits,
        })
    }

    /// `count` of the permits are about to be given back.
    pub(super) fn release(&self, count: usize) {
        if let Some(counted) = &self.0 {
            counted.release(count);
        }
    }
}

/// What the banker has promised for permits that are not there yet; taken back when dropped.
#[derive(Debug)]
pub(super) struct PendingCount {
    counted: Option<Counted>,
    count: usize,
}

impl PendingCount {
    /// The permits are there.
    pub(super) fn taken(mut self, semaphore: &Semaphore, site: Site) -> Count {
        let promised = self.counted.take();
        Count(promised.or_else(|| semaphores::after(|| semaphore.number(site), self.count, site)))
    }
}

impl Drop for PendingCount {
    fn drop(&mut self) {
        if let Some(counted) = &self.counted {
            counted.release(self.count);
        }
    }
}

/// Waits until `until`; a time too far away to be represented is no limit.
pub(super) fn patience(until: Option<Instant>) -> Patience {
    until.map_or(Patience::Endless, Patience::Until)
}
