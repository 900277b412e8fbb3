//! The order as types, and functions with `#[locks]`; what does not compile is in `tests/ui`.

use std::sync::PoisonError;
use std::task::{Context, Poll, Waker};

use lockdep::order::{Level, LockOrder, Unlocked};
use lockdep::sync::{Condvar, Mutex, MutexGuard, RwLock};
use lockdep::{locks, thread};

use super::declared;

#[derive(Default, LockOrder)]
#[lock_order(accounts < audit < log)]
#[lock_levels(ledger_locks)]
struct Ledger {
    accounts: Mutex<Vec<u64>>,
    audit: RwLock<u64>,
    log: Mutex<Vec<String>>,
}

impl Ledger {
    #[locks(accounts, audit, log)]
    fn transfer(&self, amount: u64) -> Result<u64, PoisonError<MutexGuard<'_, Vec<u64>>>> {
        let mut accounts = self.accounts.lock()?;
        accounts.push(amount);
        let sum: u64 = { self.audit.read().unwrap().wrapping_add(accounts.iter().sum()) };
        drop(accounts);
        *self.audit.write().unwrap() = sum;
        // The guard above was a temporary.
        let accounts = self.accounts.lock()?;
        let log = if sum > 10 { Some(self.log.lock().unwrap()) } else { None };
        if let Some(mut log) = log {
            log.push(format!("{}", accounts.len()));
        }
        Ok(sum)
    }

    /// Whatever hands the guard on, or may have released it.
    #[locks(accounts, log)]
    fn let_go(&self, condvar: &Condvar, how: u8) -> usize {
        let log = self.log.lock().unwrap();
        match how {
            0 => drop(log),
            1 => std::mem::drop(log),
            _ => {
                let mut log = condvar.wait_while(log, |log| log.is_empty()).unwrap();
                log.clear();
            }
        }
        let other = || self.log.lock().unwrap().len();
        let held = self.accounts.lock().unwrap();
        held.len() + other()
    }

    #[locks(accounts, log)]
    fn at_another_time<'a>(&'a self, scope: &'a thread::Scope<'a, '_>) {
        let _log = self.log.lock().unwrap();
        scope.spawn(|| self.accounts.lock().unwrap().push(1));
    }

    /// Attempts that have failed hold nothing.
    #[locks(accounts, log)]
    fn if_it_is_free(&self) -> usize {
        let log = self.log.try_lock();
        if log.is_err() {
            return self.accounts.lock().unwrap().len();
        }
        drop(log);
        if let Ok(log) = self.log.try_lock() {
            drop(log);
        } else {
            drop(self.accounts.lock().unwrap());
        }
        match self.log.try_lock() {
            Ok(log) => log.len(),
            Err(_) => self.accounts.lock().unwrap().len(),
        }
    }

    #[locks(ledger_locks::log)]
    fn note<T: ToString + ?Sized>(&self, text: &T, level: &mut Level<'_, _>) -> usize {
        let mut log = level.take(ledger_locks::log, || self.log.lock().unwrap());
        log.push(text.to_string());
        log.len()
    }

    #[locks(ledger_locks::accounts, ledger_locks::log)]
    fn pay(&self, amount: u64, level: &mut Level<'_, _>) -> usize {
        let mut accounts = level.take(ledger_locks::accounts, || self.accounts.lock().unwrap());
        let (guard, level) = accounts.parts();
        guard.push(amount);
        self.note("paid", level)
    }
}

#[locks(a, x)]
async fn in_a_future(x: &[Mutex<u8>], a: &Mutex<u8>) -> u8 {
    let a = a.lock().unwrap();
    let x = x[0].lock().unwrap();
    *a + *x
}

#[test]
fn what_keeps_to_the_order_compiles_and_runs() {
    let ledger = Ledger::default().in_order();
    assert_eq!(ledger.transfer(11).unwrap(), 11);
    assert_eq!(*ledger.log.lock().unwrap(), ["1"]);
    assert_eq!(ledger.let_go(&Condvar::new(), 0), 2);
    assert_eq!(ledger.if_it_is_free(), 1);
    thread::scope(|scope| ledger.at_another_time(scope));
    let mut level: Level<'_, Unlocked> = Level::unlocked();
    assert_eq!(ledger.pay(1, &mut level), 2);
    assert_eq!(ledger.note(&7, &mut level), 3);
    let (a, x) = (Mutex::new(1), [Mutex::new(2)]);
    let future = std::pin::pin!(in_a_future(&x, &a));
    let polled = future.poll(&mut Context::from_waker(Waker::noop()));
    assert_eq!(polled, Poll::Ready(3));
    assert!(declared().is_empty(), "{:?}", declared());
}
