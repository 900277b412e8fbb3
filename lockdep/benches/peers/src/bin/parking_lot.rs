//! What the locks of `lockdep::parking_lot` cost beside those of `parking_lot`, with the budgets of
//! those of the standard library.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use lockdep_peers::contender;
use lockdep_peers::contender::Contender;
use lockdep_peers::locks::{self, Orders};
use lockdep_peers::measure::{Batch, repeat};
use lockdep_peers::table::Table;

contender!(Real, parking_lot,);
contender!(Lockdep, lockdep::parking_lot,);

macro_rules! both {
    ($function:ident; $($arguments:expr),*) => {
        vec![
            locks::$function::<Real>($($arguments),*),
            locks::$function::<Lockdep>($($arguments),*),
        ]
    };
}

/// What only `parking_lot` has.
struct Others {
    write: Batch,
    upgradable: Batch,
    upgraded: Batch,
    fair: Batch,
    reentrant: Batch,
    reentered: Batch,
    notify: Batch,
    turns: Batch,
    once: Batch,
}

macro_rules! others {
    ($name:ident, $thread:path, $($library:ident)::+) => {
        fn $name() -> Others {
            use $($library)::+::RwLockUpgradableReadGuard as Upgradable;
            use $($library)::+::{Condvar, FairMutex, Mutex, Once, ReentrantMutex, RwLock};

            use $thread as thread;

            let rwlock = RwLock::new(0_u64);
            let write = repeat(move || *black_box(&rwlock).write() += 1);
            let rwlock = RwLock::new(0_u64);
            let upgradable = repeat(move || _ = black_box(*black_box(&rwlock).upgradable_read()));
            let rwlock = RwLock::new(0_u64);
            let upgraded =
                repeat(move || *Upgradable::upgrade(black_box(&rwlock).upgradable_read()) += 1);
            let mutex = FairMutex::new(0_u64);
            let fair = repeat(move || *black_box(&mutex).lock() += 1);
            let mutex = ReentrantMutex::new(0_u64);
            let reentrant = repeat(move || _ = black_box(*black_box(&mutex).lock()));
            let mutex = ReentrantMutex::new(0_u64);
            let reentered = repeat(move || {
                let _outer = black_box(&mutex).lock();
                _ = black_box(*black_box(&mutex).lock());
            });
            let condvar = Condvar::new();
            let notify = repeat(move || _ = black_box(condvar.notify_one()));
            // Even: the caller's turn.
            let turn = Arc::new((Mutex::new(0_u32), Condvar::new()));
            let turns = move |times: u32| {
                *turn.0.lock() = 0;
                let pass = |parity: u32, turn: &(Mutex<u32>, Condvar)| {
                    let mut now = turn.0.lock();
                    while *now % 2 != parity {
                        turn.1.wait(&mut now);
                    }
                    *now += 1;
                    drop(now);
                    turn.1.notify_one();
                };
                let other = Arc::clone(&turn);
                let start = Instant::now();
                let odd = thread::spawn(move || (0..times).for_each(|_| pass(1, &other)));
                (0..times).for_each(|_| pass(0, &turn));
                let _ = odd.join();
                start.elapsed()
            };
            let initialised = Once::new();
            let once = repeat(move || black_box(&initialised).call_once(|| ()));
            Others {
                write,
                upgradable,
                upgraded,
                fair,
                reentrant,
                reentered,
                notify,
                turns: Box::new(turns),
                once,
            }
        }
    };
}

others!(of_real, std::thread, parking_lot);
others!(of_lockdep, lockdep::thread, lockdep::parking_lot);

/// With a budget where the standard library's kind has one, or its own step is more than a load.
type Other = (&'static str, Option<f64>, fn(Others) -> Batch);

const OTHERS: [Other; 9] = [
    ("RwLock::write", Some(1.7), |others| others.write),
    ("upgradable_read", Some(1.7), |others| others.upgradable),
    ("upgradable_read, upgrade", None, |others| others.upgraded),
    ("FairMutex", Some(1.5), |others| others.fair),
    ("ReentrantMutex", None, |others| others.reentrant),
    ("ReentrantMutex, again", None, |others| others.reentered),
    ("Condvar notify", None, |others| others.notify),
    ("Condvar wait, notify", Some(1.3), |others| others.turns),
    ("Once that has run", Some(1.3), |others| others.once),
];

fn main() {
    let table = Table::of(&["parking_lot", "lockdep"]);
    table.row("one lock/unlock", Some(1.5), || both!(one;));
    table.row("three nested, known order", Some(1.7), || both!(three;));
    table.row("ten nested, two threads", Some(2.0), || both!(nested_on; 10, 2));
    table.row("pairs among 1,000", Some(3.0), || both!(pairs; 16_384));
    table.row("RwLock::read", Some(1.7), || both!(read;));
    table.row("create, lock, drop", Some(2.0), || both!(create;));
    for (name, budget, other) in OTHERS {
        table.row(name, budget, || vec![other(of_real()), other(of_lockdep())]);
    }
    let sizes =
        [size_of::<<Real as Contender>::Mutex>(), size_of::<<Lockdep as Contender>::Mutex>()];
    table.sizes("size_of::<Mutex<u64>>", &sizes, Some(32));
    for count in [10_000, 100_000] {
        let name = format!("a new order, {count}");
        let learn = locks::learn::<Lockdep>;
        table.learning(&name, (count, Orders::Chain), learn, &[], Some(1_000.0));
    }
}
