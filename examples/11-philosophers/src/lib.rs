//! Five philosophers, five forks, and each needs the two beside the plate (Dijkstra, EWD 310).

use std::sync::Mutex;

/// How many sit at the table.
pub const SEATS: usize = 5;

/// The forks; the number is how often it was used.
pub type Table = [Mutex<u32>; SEATS];

/// A table that is laid.
pub fn table() -> Table {
    std::array::from_fn(|_| Mutex::new(0))
}

/// The forks of the philosopher at `seat`: the left one, then the right one.
pub fn forks(table: &Table, seat: usize) -> (&Mutex<u32>, &Mutex<u32>) {
    (&table[seat], &table[(seat + 1) % SEATS])
}

/// Left, then right: when all have the left fork, all wait for the right one.
pub mod broken {
    use crate::{Table, forks};

    /// A meal.
    pub fn eat(table: &Table, seat: usize) {
        let (left, right) = forks(table, seat);
        let mut left = left.lock().unwrap();
        let mut right = right.lock().unwrap();
        *left += 1;
        *right += 1;
    }
}

/// Both at once, in the one order that `lock_all!` keeps.
pub mod ordered {
    use lockdep::lock_all;

    use crate::{Table, forks};

    /// A meal.
    pub fn eat(table: &Table, seat: usize) {
        let (left, right) = forks(table, seat);
        let (mut left, mut right) = lock_all!(left.lock().unwrap(), right.lock().unwrap());
        *left += 1;
        *right += 1;
    }
}

/// A waiter lets one philosopher reach for forks at a time.
pub mod waiter {
    use std::sync::Mutex;

    use crate::{Table, forks};

    static WAITER: Mutex<()> = Mutex::new(());

    /// A meal.
    pub fn eat(table: &Table, seat: usize) {
        let (left, right) = forks(table, seat);
        let reaching = WAITER.lock().unwrap();
        let mut left = left.lock().unwrap();
        let mut right = right.lock().unwrap();
        drop(reaching);
        *left += 1;
        *right += 1;
    }
}

/// Waits for one fork while it holds none; puts it back when the other is in use.
pub mod backoff {
    use lockdep::lock_all_backoff;

    use crate::{Table, forks};

    /// A meal.
    pub fn eat(table: &Table, seat: usize) {
        let (left, right) = forks(table, seat);
        let (mut left, mut right) = lock_all_backoff!(left.lock().unwrap(), right.lock().unwrap());
        *left += 1;
        *right += 1;
    }
}

/// The banker gives out forks one by one, but none that could leave all with one fork each.
pub mod banker {
    use lockdep::banker::{Banker, BankerError, Claim, Resource};

    use crate::SEATS;

    /// A banker who owns the forks.
    pub fn banker() -> (Banker, [Resource; SEATS]) {
        Banker::new([("fork 0", 1), ("fork 1", 1), ("fork 2", 1), ("fork 3", 1), ("fork 4", 1)])
    }

    /// What the philosopher at `seat` will ever hold.
    pub fn sit_down(
        banker: &Banker,
        forks: &[Resource; SEATS],
        seat: usize,
    ) -> Result<Claim, BankerError> {
        let both = [(forks[seat], 1), (forks[(seat + 1) % SEATS], 1)];
        banker.claim_named(&format!("philosopher {seat}"), &both)
    }

    /// A meal: left, then right, as in the broken one.
    pub fn eat(claim: &Claim, forks: &[Resource; SEATS], seat: usize) -> Result<(), BankerError> {
        let _left = claim.acquire(&[(forks[seat], 1)])?;
        let _right = claim.acquire(&[(forks[(seat + 1) % SEATS], 1)])?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::thread;
    use std::time::Duration;

    use super::{SEATS, Table, table};

    const MEALS: u32 = 1_000;

    fn dine(eat: fn(&Table, usize)) {
        let table = table();
        thread::scope(|scope| {
            for seat in 0..SEATS {
                let table = &table;
                let name = format!("philosopher {seat}");
                let dinner = move || (0..MEALS).for_each(|_| eat(table, seat));
                thread::Builder::new().name(name).spawn_scoped(scope, dinner).unwrap();
            }
        });
        assert!(table.iter().all(|fork| *fork.lock().unwrap() == 2 * MEALS));
    }

    #[test]
    fn broken() {
        let table = &table();
        thread::scope(|scope| {
            for seat in 0..SEATS {
                let name = format!("philosopher {seat}");
                let meal = move || {
                    // One is done before the next is hungry, as good as always.
                    thread::sleep(Duration::from_millis(50) * seat as u32);
                    super::broken::eat(table, seat);
                };
                thread::Builder::new().name(name).spawn_scoped(scope, meal).unwrap();
            }
        });
    }

    #[test]
    fn ordered() {
        dine(super::ordered::eat);
    }

    #[test]
    fn waiter() {
        dine(super::waiter::eat);
    }

    #[test]
    fn backoff() {
        dine(super::backoff::eat);
    }

    #[test]
    fn banker() {
        let (banker, forks) = super::banker::banker();
        thread::scope(|scope| {
            for seat in 0..SEATS {
                let (banker, forks) = (&banker, &forks);
                scope.spawn(move || {
                    let claim = super::banker::sit_down(banker, forks, seat).unwrap();
                    for _ in 0..MEALS {
                        super::banker::eat(&claim, forks, seat).unwrap();
                    }
                });
            }
        });
        assert!(forks.iter().all(|fork| banker.state().available(*fork) == 1));
    }

    /// Four have their left fork: the fifth does not get the last one.
    #[test]
    fn the_banker_keeps_one_fork_back() {
        use lockdep::banker::BankerError;

        let (banker, forks) = super::banker::banker();
        let claims: Vec<_> = (0..SEATS)
            .map(|seat| super::banker::sit_down(&banker, &forks, seat).unwrap())
            .collect();
        let held: Vec<_> = claims[..4]
            .iter()
            .zip(&forks)
            .map(|(claim, left)| claim.acquire(&[(*left, 1)]).unwrap())
            .collect();
        println!("{}", banker.state());
        let refused = claims[4].try_acquire(&[(forks[4], 1)]).map(drop);
        println!("philosopher 4: {}", refused.as_ref().unwrap_err());
        assert_eq!(refused, Err(BankerError::Unsafe));
        assert!(claims[3].try_acquire(&[(forks[4], 1)]).is_ok());
        drop(held);
    }
}
