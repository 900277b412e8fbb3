//! The banker among live threads and futures.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

use lockdep::banker::{Banker, BankerError, BankerQueue, BankerState, Claim, Policy, Resource};

/// Returns once `banker` has `count` requests waiting.
fn until_waiting(banker: &Banker, count: usize) {
    while banker.waiting() != count {
        thread::yield_now();
    }
}

#[derive(Default)]
struct Counter(AtomicUsize);

impl Wake for Counter {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn a_request_waits_until_it_is_safe() {
    let (banker, [tape]) = Banker::new([("tape", 2)]);
    let one = banker.claim_named("one", &[(tape, 2)]).expect("fits");
    let two = banker.claim_named("two", &[(tape, 2)]).expect("fits");
    let grant = one.acquire(&[(tape, 1)]).expect("granted");
    assert_eq!(two.try_acquire(&[(tape, 1)]).expect_err("unsafe"), BankerError::Unsafe);
    assert_eq!(two.try_acquire(&[(tape, 2)]).expect_err("held"), BankerError::Unavailable);
    thread::scope(|scope| {
        let waiter = scope.spawn(|| two.acquire(&[(tape, 1)]).map(|grant| grant.units().len()));
        until_waiting(&banker, 1);
        drop(grant);
        assert_eq!(waiter.join().expect("no panic"), Ok(1));
    });
    assert_eq!(banker.state().available(tape), 2);
    assert_eq!(banker.safe_sequence().map(|order| order.len()), Some(2));
}

#[test]
fn claims_and_grants_are_a_line_for_debugging() {
    let (banker, [tape, disk]) = Banker::new([("tape", 2), ("disk", 4)]);
    let claim = banker.claim_named("writer", &[(tape, 2), (disk, 4)]).expect("fits");
    let grant = claim.acquire(&[(tape, 1), (disk, 3)]).expect("granted");
    assert_eq!(format!("{grant:?}"), "Grant { task: writer, units: { tape: 1, disk: 3 } }");
    assert_eq!(format!("{claim:#?}"), "Claim { task: writer }");
}

#[test]
fn bk11_a_timeout_leaves_the_state_as_it_was() {
    let (banker, [tape]) = Banker::new([("tape", 1)]);
    let one = banker.claim(&[(tape, 1)]).expect("fits");
    let two = banker.claim(&[(tape, 1)]).expect("fits");
    let grant = one.acquire(&[(tape, 1)]).expect("granted");
    let timeout = Duration::from_millis(5);
    let refused = two.acquire_timeout(&[(tape, 1)], timeout).expect_err("held");
    assert_eq!(refused, BankerError::Timeout);
    assert_eq!(banker.waiting(), 0);
    assert_eq!(banker.state().held(two.task(), tape), 0);
    drop(grant);
    let grant = two.acquire_timeout(&[(tape, 1)], Duration::MAX).expect("free");
    assert_eq!(grant.units(), [(tape, 1)]);
}

#[test]
fn bk12_a_panic_returns_the_units_to_the_first_that_can_have_them() {
    let (banker, [tape]) = Banker::new([("tape", 2)]);
    let claim = |units| banker.claim(&[(tape, units)]).expect("fits");
    let (holder, first, second) = (claim(2), claim(2), claim(1));
    let (order, granted) = mpsc::channel();
    thread::scope(|scope| {
        let ask = |claim, units, name| {
            let (order, claim): (mpsc::Sender<_>, &Claim) = (order.clone(), claim);
            scope.spawn(move || {
                let _grant = claim.acquire(&[(tape, units)]).expect("granted");
                order.send(name).expect("the receiver lives");
            });
        };
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            let _grant = holder.acquire(&[(tape, 2)]).expect("granted");
            ask(&first, 2, "first");
            until_waiting(&banker, 1);
            ask(&second, 1, "second");
            until_waiting(&banker, 2);
            panic!("the holder fails");
        }));
        assert!(panicked.is_err());
    });
    assert_eq!(granted.try_iter().collect::<Vec<_>>(), ["first", "second"]);
    assert_eq!(banker.state().available(tape), 2);
}

#[test]
fn a_grant_can_be_returned_in_parts() {
    let (banker, [tape, disk]) = Banker::new([("tape", 3), ("disk", 1)]);
    let claim = banker.claim(&[(tape, 3), (disk, 1)]).expect("fits");
    let mut grant = claim.acquire(&[(tape, 2), (disk, 1), (tape, 1)]).expect("granted");
    assert_eq!(grant.release_part(&[(tape, 2)]), Ok(()));
    assert_eq!(grant.units(), [(tape, 1), (disk, 1)]);
    let refused = grant.release_part(&[(disk, 1), (tape, 2)]).expect_err("one is left");
    assert_eq!(refused, BankerError::ExceedsHeld { resource: "tape".into(), asked: 2, held: 1 });
    assert_eq!(banker.state().available(tape), 2);
    drop(grant);
    assert_eq!(banker.state().available(tape), 3);
    assert_eq!(banker.state().available(disk), 1);
}

#[test]
fn a_leaked_grant_ends_with_the_claim() {
    let (banker, [tape]) = Banker::new([("tape", 1)]);
    let claim = banker.claim(&[(tape, 1)]).expect("fits");
    std::mem::forget(claim.acquire(&[(tape, 1)]).expect("granted"));
    assert_eq!(banker.state().available(tape), 0);
    drop(claim);
    assert_eq!(banker.state().available(tape), 1);
}

#[test]
fn lowering_a_claim_lets_others_go_on() {
    let (banker, [tape]) = Banker::new([("tape", 2)]);
    let one = banker.claim(&[(tape, 2)]).expect("fits");
    let two = banker.claim(&[(tape, 2)]).expect("fits");
    let _grant = one.acquire(&[(tape, 1)]).expect("granted");
    thread::scope(|scope| {
        let waiter = scope.spawn(|| two.acquire(&[(tape, 1)]).is_ok());
        until_waiting(&banker, 1);
        one.set_maximum(tape, 1).expect("it holds one");
        assert!(waiter.join().expect("no panic"));
    });
    assert!(matches!(one.set_maximum(tape, 3), Err(BankerError::ExceedsTotal { .. })));
    assert!(matches!(one.set_maximum(tape, 0), Err(BankerError::ExceedsHeld { .. })));
}

#[test]
fn a_future_is_woken_when_its_request_is_granted() {
    let (banker, [tape]) = Banker::new([("tape", 1)]);
    let one = banker.claim(&[(tape, 1)]).expect("fits");
    let two = banker.claim(&[(tape, 1)]).expect("fits");
    let counter = Arc::new(Counter::default());
    let waker = Waker::from(Arc::clone(&counter));
    let mut context = Context::from_waker(&waker);

    let grant = one.acquire(&[(tape, 1)]).expect("granted");
    let mut future = pin!(two.acquire_async(&[(tape, 1)]));
    assert!(future.as_mut().poll(&mut context).is_pending());
    assert!(future.as_mut().poll(&mut context).is_pending());
    assert_eq!(banker.waiting(), 1, "a second poll is no second request");
    drop(grant);
    assert_eq!(counter.0.load(Ordering::SeqCst), 1);
    let Poll::Ready(Ok(grant)) = future.as_mut().poll(&mut context) else { panic!("granted") };
    assert_eq!(grant.units(), [(tape, 1)]);
}

#[test]
fn a_dropped_future_gives_up_its_request_or_its_grant() {
    let (banker, [tape]) = Banker::new([("tape", 1)]);
    let one = banker.claim(&[(tape, 1)]).expect("fits");
    let two = banker.claim(&[(tape, 1)]).expect("fits");
    let mut context = Context::from_waker(Waker::noop());
    let grant = one.acquire(&[(tape, 1)]).expect("granted");
    {
        let mut future = pin!(two.acquire_async(&[(tape, 1)]));
        assert!(future.as_mut().poll(&mut context).is_pending());
    }
    assert_eq!(banker.waiting(), 0);
    {
        let mut future = pin!(two.acquire_async(&[(tape, 1)]));
        assert!(future.as_mut().poll(&mut context).is_pending());
        drop(grant);
        assert_eq!(banker.state().held(two.task(), tape), 1, "granted before it is fetched");
    }
    assert_eq!(banker.state().available(tape), 1);
    let mut future = pin!(two.acquire_async(&[(tape, 2)]));
    let polled = future.as_mut().poll(&mut context);
    assert!(matches!(polled, Poll::Ready(Err(BankerError::ExceedsTotal { .. }))), "{polled:?}");
}

#[test]
fn a_detecting_banker_breaks_the_deadlock() {
    let (banker, [a, b]) = Banker::detecting([("a", 1), ("b", 1)]);
    let (one, two) = (banker.join("one"), banker.join("two"));
    let _first = one.acquire(&[(a, 1)]).expect("free");
    let second = two.acquire(&[(b, 1)]).expect("free");
    thread::scope(|scope| {
        let waiter = scope.spawn(|| one.acquire(&[(b, 1)]).is_ok());
        until_waiting(&banker, 1);
        let refused = two.acquire(&[(a, 1)]).expect_err("each would wait for the other");
        assert_eq!(refused, BankerError::Deadlock { tasks: vec!["one".into(), "two".into()] });
        drop(second);
        assert!(waiter.join().expect("no panic"));
    });
}

#[test]
fn refusals_say_what_to_do() {
    let (banker, [db]) = Banker::new([("db", 4)]);
    let (one, other) = (banker.claim(&[(db, 4)]).unwrap(), banker.claim(&[(db, 4)]).unwrap());
    let grant = one.acquire(&[(db, 1)]).unwrap();
    let refused = |claim: &Claim, units| {
        claim.try_acquire(&[(db, units)]).map(drop).expect_err("too much").to_string()
    };
    let said = [
        refused(&one, 5),
        refused(&one, 4),
        refused(&other, 4),
        refused(&other, 1),
        one.set_maximum(db, 0).expect_err("it holds one").to_string(),
    ];
    assert_eq!(
        said,
        [
            "5 of `db` can never be had, as there are 4: claim and ask for less, or give the banker \
             more",
            "4 of `db` were asked for, and the task's claim leaves it 3: claim the most it ever holds \
             at once, or raise the claim first",
            "not enough units are free; try again later, or wait with `acquire`",
            "the units are free, but the tasks could then deadlock; try again later, or wait with \
             `acquire`",
            "the task holds 1 of `db`, which does not go with 0: give back only what is held, and \
             release before lowering a claim",
        ]
    );
    drop(grant);
}

/// Each task takes what it claims in small steps, in an order of its own, and gives it all back, again
/// and again until all others have had their turn.
#[test]
fn a_thousand_threads_that_keep_to_their_claims_finish() {
    const THREADS: u64 = 1_000;
    const ROUNDS: u64 = 10 * THREADS;
    let totals = [("a", 7), ("b", 5), ("c", 11), ("d", 3)];
    let banker = Banker::from(BankerQueue::new(BankerState::new(totals), Policy::Avoid));
    let (rounds, idle) = (AtomicU64::new(0), AtomicU64::new(THREADS));
    thread::scope(|scope| {
        for seed in 0..THREADS {
            let (banker, rounds, idle) = (&banker, &rounds, &idle);
            let work = move || {
                let mut rng = fastrand::Rng::with_seed(seed);
                let mut own = 0;
                while idle.load(Ordering::Relaxed) > 0 || rounds.load(Ordering::Relaxed) < ROUNDS {
                    let maximum: Vec<(Resource, u64)> = (0..totals.len())
                        .map(|r| (Resource::at(r), rng.u64(0..=totals[r].1 / 2 + 1)))
                        .collect();
                    let claim = banker.claim(&maximum).expect("below the totals");
                    let mut steps: Vec<Resource> = maximum
                        .iter()
                        .flat_map(|(resource, units)| vec![*resource; *units as usize])
                        .collect();
                    rng.shuffle(&mut steps);
                    let grants: Vec<_> = steps
                        .iter()
                        .map(|resource| claim.acquire(&[(*resource, 1)]).expect("claimed"))
                        .collect();
                    drop(grants);
                    own += 1;
                    rounds.fetch_add(1, Ordering::Relaxed);
                    idle.fetch_sub(u64::from(own == 1), Ordering::Relaxed);
                }
            };
            thread::Builder::new()
                .stack_size(128 * 1024)
                .spawn_scoped(scope, work)
                .expect("a thread");
        }
    });
    let state = banker.state();
    assert!(state.resources().all(|r| state.available(r) == state.total(r)), "{state}");
    assert_eq!(state.tasks().count(), 0);
}
