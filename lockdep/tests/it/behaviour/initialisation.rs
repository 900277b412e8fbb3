//! `Once`, `OnceLock` and `LazyLock`.

use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};

use super::sync::atomic::{AtomicUsize, Ordering};
use super::sync::{Barrier, LazyLock, Once, OnceLock, mpsc};
use super::thread;

fn panics<R>(run: impl FnOnce() -> R) -> bool {
    catch_unwind(AssertUnwindSafe(run)).is_err()
}

/// Counts how many were dropped.
struct Count<'a>(&'a AtomicUsize);

impl Drop for Count<'_> {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn a_once_runs_once_and_all_see_it() {
    static ONCE: Once = Once::new();
    static RUNS: AtomicUsize = AtomicUsize::new(0);
    thread::scope(|s| {
        for _ in 0..8 {
            s.spawn(|| {
                ONCE.call_once(|| {
                    thread::yield_now();
                    RUNS.fetch_add(1, Ordering::Relaxed);
                });
                assert_eq!(RUNS.load(Ordering::Relaxed), 1);
            });
        }
    });
    assert!(ONCE.is_completed());
    ONCE.wait();
    ONCE.wait_force();
    ONCE.call_once(|| unreachable!("it has run"));
    ONCE.call_once_force(|_| unreachable!("it has run"));
}

#[test]
fn a_panic_poisons_a_once_until_it_is_forced() {
    let once = Once::new();
    assert!(panics(|| once.call_once(|| panic_any(()))));
    assert!(!once.is_completed());
    assert!(panics(|| once.call_once(|| ())));
    assert!(panics(|| once.wait()));
    thread::scope(|s| {
        s.spawn(|| once.wait_force());
        assert!(panics(|| once.call_once_force(|state| {
            assert!(state.is_poisoned());
            panic_any(());
        })));
        once.call_once_force(|state| assert!(state.is_poisoned()));
    });
    once.call_once(|| unreachable!("it has run"));
    once.wait();
}

#[test]
fn a_first_force_sees_no_poison() {
    Once::new().call_once_force(|state| assert!(!state.is_poisoned()));
}

#[test]
fn waiting_for_a_once_waits() {
    let (once, ran) = (Once::new(), AtomicUsize::new(0));
    thread::scope(|s| {
        s.spawn(|| {
            once.wait();
            assert_eq!(ran.load(Ordering::Relaxed), 1);
        });
        thread::yield_now();
        once.call_once(|| ran.store(1, Ordering::Relaxed));
    });
}

#[test]
fn a_cell_keeps_its_first_value() {
    let mut cell = OnceLock::new();
    assert_eq!(cell.get(), None);
    assert_eq!(cell.get_mut(), None);
    assert_eq!(cell.set(1), Ok(()));
    assert_eq!(cell.set(2), Err(2));
    assert_eq!(cell.get_or_init(|| unreachable!("there is a value")), &1);
    assert_eq!(cell.wait(), &1);
    *cell.get_mut().unwrap() = 3;
    assert_eq!(cell.clone(), OnceLock::from(3));
    assert_ne!(cell, OnceLock::new());
    assert_eq!(cell.take(), Some(3));
    assert_eq!(cell.take(), None);
    assert_eq!(cell, OnceLock::default());
    assert_eq!(cell.get_or_init(|| 4), &4);
    assert_eq!(cell.into_inner(), Some(4));
}

#[test]
fn one_of_many_initialisers_runs() {
    let (cell, runs, start) = (OnceLock::new(), AtomicUsize::new(0), Barrier::new(8));
    thread::scope(|s| {
        for _ in 0..4 {
            s.spawn(|| {
                start.wait();
                let value = cell.get_or_init(|| {
                    runs.fetch_add(1, Ordering::Relaxed);
                    "value".to_owned()
                });
                assert_eq!(value, "value");
            });
            s.spawn(|| {
                start.wait();
                assert_eq!(cell.wait(), "value");
            });
        }
    });
    assert_eq!(runs.into_inner(), 1);
}

#[test]
fn only_one_set_wins() {
    let (cell, wins) = (OnceLock::new(), AtomicUsize::new(0));
    thread::scope(|s| {
        for n in 0..4 {
            let (cell, wins) = (&cell, &wins);
            s.spawn(move || match cell.set(n) {
                Ok(()) => drop(wins.fetch_add(1, Ordering::Relaxed)),
                Err(back) => assert_eq!(back, n),
            });
        }
    });
    assert_eq!(wins.into_inner(), 1);
    assert!(cell.get().is_some());
}

#[test]
fn a_set_waits_for_the_initialiser() {
    let (cell, (begun, begins)) = (OnceLock::new(), mpsc::channel());
    thread::scope(|s| {
        s.spawn(|| {
            cell.get_or_init(|| {
                begun.send(()).unwrap();
                thread::yield_now();
                1
            });
        });
        begins.recv().unwrap();
        assert_eq!(cell.set(2), Err(2));
    });
    assert_eq!(cell.get(), Some(&1));
}

#[test]
fn a_panic_leaves_a_cell_empty() {
    let cell = OnceLock::new();
    assert!(panics(|| *cell.get_or_init(|| -> u8 { panic_any(()) })));
    assert_eq!(cell.get(), None);
    assert_eq!(cell.get_or_init(|| 1), &1);
}

#[test]
fn a_cell_drops_its_value_once() {
    let drops = AtomicUsize::new(0);
    let cell = OnceLock::new();
    assert!(cell.set(Count(&drops)).is_ok());
    assert!(cell.set(Count(&drops)).is_err());
    assert_eq!(drops.load(Ordering::Relaxed), 1);
    drop(cell);
    assert_eq!(drops.load(Ordering::Relaxed), 2);
    drop(OnceLock::<Count<'_>>::new());
    assert_eq!(drops.load(Ordering::Relaxed), 2);
}

#[test]
fn a_lazy_value_is_made_on_first_use() {
    let runs = AtomicUsize::new(0);
    let lazy = LazyLock::new(|| runs.fetch_add(1, Ordering::Relaxed) + 5);
    assert_eq!(LazyLock::get(&lazy), None);
    assert_eq!(runs.load(Ordering::Relaxed), 0);
    thread::scope(|s| {
        for _ in 0..4 {
            s.spawn(|| assert_eq!(*lazy, 5));
        }
    });
    assert_eq!(LazyLock::get(&lazy), Some(&5));
    assert_eq!(LazyLock::force(&lazy), &5);
    assert_eq!(runs.load(Ordering::Relaxed), 1);
}

#[test]
fn a_lazy_value_is_changed_in_place() {
    let mut lazy = LazyLock::new(|| vec![1]);
    assert_eq!(LazyLock::get_mut(&mut lazy), None);
    lazy.push(2);
    LazyLock::force_mut(&mut lazy).push(3);
    LazyLock::get_mut(&mut lazy).unwrap().push(4);
    assert_eq!(*lazy, [1, 2, 3, 4]);
}

#[test]
fn a_panic_poisons_a_lazy_value() {
    let lazy = LazyLock::<u8>::new(|| panic_any(()));
    assert!(panics(|| *lazy));
    assert!(panics(|| *lazy));
    assert_eq!(LazyLock::get(&lazy), None);
    let mut lazy = LazyLock::<u8>::new(|| panic_any(()));
    assert!(panics(|| *LazyLock::force_mut(&mut lazy)));
    assert!(panics(|| *LazyLock::force_mut(&mut lazy)));
    assert!(panics(|| *lazy));
    assert_eq!(LazyLock::get_mut(&mut lazy), None);
}

#[test]
fn a_lazy_value_drops_what_it_has() {
    let drops = AtomicUsize::new(0);
    let dropped = || drops.swap(0, Ordering::Relaxed);
    // Not used: the initialiser, with what it captured.
    let captured = Count(&drops);
    drop(LazyLock::new(move || {
        let _captured = &captured;
    }));
    assert_eq!(dropped(), 1);
    // Used: the initialiser when it ran, the value at the end.
    let captured = Count(&drops);
    let lazy = LazyLock::new(|| {
        let _captured = captured;
        Count(&drops)
    });
    LazyLock::force(&lazy);
    assert_eq!(dropped(), 1);
    drop(lazy);
    assert_eq!(dropped(), 1);
    // Poisoned: nothing is left.
    let captured = Count(&drops);
    let lazy = LazyLock::<u8, _>::new(move || {
        let _captured = captured;
        panic_any(())
    });
    assert!(panics(|| *lazy));
    assert_eq!(dropped(), 1);
    drop(lazy);
    assert_eq!(dropped(), 0);
}
