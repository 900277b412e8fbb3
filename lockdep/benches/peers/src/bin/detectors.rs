//! What a lock costs under `lockdep`, beside the standard library and the other detectors, with the
//! budget of each case and whether it holds.
//!
//! The first line is a bare atomic load, to compare machines by. A ratio is to the standard library;
//! recording the places of acquisitions is part of every figure of `lockdep`.

use std::sync::{Mutex, RwLock};

use lockdep_peers::contender;
use lockdep_peers::contender::Contender;
use lockdep_peers::events::{self, Events};
use lockdep_peers::locks::{self, Learn, Orders};
use lockdep_peers::measure::Batch;
use lockdep_peers::table::Table;

contender!(Std, std::sync, unwrap);
contender!(Lockdep, lockdep::sync, unwrap);
contender!(ParkingLot, detecting,);
contender!(TracingMutex, tracing_mutex::stdsync::tracing, unwrap);
contender!(Deloxide, deloxide,);

/// The batch of every contender: std first, then the one that has the budget.
macro_rules! all {
    ($function:ident; $($arguments:expr),*) => {
        vec![
            locks::$function::<Std>($($arguments),*),
            locks::$function::<Lockdep>($($arguments),*),
            locks::$function::<ParkingLot>($($arguments),*),
            locks::$function::<TracingMutex>($($arguments),*),
            locks::$function::<Deloxide>($($arguments),*),
        ]
    };
}

/// The standard library and this one.
macro_rules! two {
    ($function:ident; $($arguments:expr),*) => {
        vec![
            locks::$function::<Std>($($arguments),*),
            locks::$function::<Lockdep>($($arguments),*),
        ]
    };
}

fn main() {
    // Its own report of what it is configured to do goes first.
    deloxide::Deloxide::new()
        .with_lock_order_checking()
        .callback(|_| {})
        .start()
        .expect("deloxide starts");
    let table = Table::of(&["std", "lockdep", "parking_lot+dd", "tracing-mutex", "deloxide"]);
    table.row("one lock/unlock", Some(1.35), || all!(one;));
    table.row("one lock in a plain loop", Some(1.35), || all!(one_in_a_loop;));
    table.row("three nested, known order", Some(1.4), || all!(three;));
    table.row("three nested in a plain loop", Some(1.4), || all!(three_in_a_loop;));
    table.row("ten nested, two threads", Some(2.0), || all!(nested_on; 10, 2));
    table.row("pairs among 1,000", Some(3.0), || all!(pairs; 16_384));
    table.row("RwLock::read", Some(1.7), || all!(read;));
    table.row("create, lock, drop", Some(2.0), || all!(create;));
    for (name, event) in EVENTS {
        table.row(name, Some(1.3), || vec![event(events::of_std()), event(events::of_lockdep())]);
    }
    let mutexes = [
        size_of::<Mutex<u64>>(),
        size_of::<<Lockdep as Contender>::Mutex>(),
        size_of::<<ParkingLot as Contender>::Mutex>(),
        size_of::<<TracingMutex as Contender>::Mutex>(),
        size_of::<<Deloxide as Contender>::Mutex>(),
    ];
    table.sizes("size_of::<Mutex<u64>>", &mutexes, Some(32));
    let rwlocks = [size_of::<RwLock<u64>>(), size_of::<<Lockdep as Contender>::RwLock>()];
    table.sizes("size_of::<RwLock<u64>>", &rwlocks, None);
    let ours: Learn = locks::learn::<Lockdep>;
    // On the larger graph the others take minutes, or overflow their stack.
    let others: [Option<Learn>; 3] =
        [None, Some(locks::learn::<TracingMutex>), Some(locks::learn::<Deloxide>)];
    let budget = Some(1_000.0);
    table.learning("a new order, 10,000", (10_000, Orders::Chain), ours, &others, budget);
    table.learning("a new order, 100,000", (100_000, Orders::Chain), ours, &[], budget);

    println!("\nHow the cost grows");
    table.row("depth 1", None, || two!(nested; 1));
    table.row("depth 4", None, || two!(nested; 4));
    table.row("depth 16", None, || two!(nested; 16));
    table.row("depth 64", None, || two!(nested; 64));
    for threads in [1, 2, 4, 8] {
        table.row(&format!("one lock on {threads} threads"), None, || two!(nested_on; 1, threads));
    }
    for count in [10, 1_000, 100_000] {
        table.row(&format!("one of {count} locks"), None, || two!(round_robin; count));
    }
    table.learning("a new order, by age", (100_000, Orders::ByAge), ours, &[], None);
    table.learning("a new order, shuffled", (100_000, Orders::Shuffled), ours, &[], None);
    for edges in [1_000, 10_000, 100_000, 400_000] {
        table.row(&format!("one of {edges} edges"), None, || two!(pairs; edges));
    }
}

type Event = (&'static str, fn(Events) -> Batch);

const EVENTS: [Event; 10] = [
    ("channel send, recv", |events| events.channel),
    ("bounded send, recv", |events| events.bounded),
    ("channel ping-pong", |events| events.ping_pong),
    ("spawn, join", |events| events.join),
    ("spawn, nest, join", |events| events.nest_join),
    ("after 16000 threads", |events| (events.late_nest_join)()),
    ("condvar notify", |events| events.notify),
    ("condvar wait, notify", |events| events.condvar),
    ("barrier of one", |events| events.barrier),
    ("barrier of two", |events| events.meeting),
];
