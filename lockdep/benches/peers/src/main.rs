//! What a lock costs under `lockdep`, beside the standard library and the other detectors, with the
//! budget of each case and whether it holds.
//!
//! Words on the command line choose the rows whose names contain one of them. The first line is a
//! bare atomic load, to compare machines by. A ratio is to the standard library;
//! recording the places of acquisitions is part of every figure of `lockdep`.

mod contender;
mod events;
mod locks;
mod measure;

use std::env;
use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, RwLock};

use crate::contender::{Contender, Deloxide, Lockdep, ParkingLot, Std, TracingMutex};
use crate::locks::Orders;
use crate::measure::{Batch, Figure, compare, repeat};

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
    let table = Table { chosen: env::args().skip(1).collect() };
    table.head();
    table.row("atomic load", None, || {
        let atomic = AtomicU64::new(0);
        vec![repeat(move || _ = black_box(black_box(&atomic).load(Ordering::Relaxed)))]
    });
    table.row("one lock/unlock", Some(1.5), || all!(one;));
    table.row("three nested, known order", Some(1.7), || all!(three;));
    table.row("ten nested, two threads", Some(2.0), || all!(nested_on; 10, 2));
    table.row("pairs among 1,000", Some(3.0), || all!(pairs; 16_384));
    table.row("RwLock::read", Some(1.7), || all!(read;));
    table.row("create, lock, drop", Some(2.0), || all!(create;));
    for (name, event) in EVENTS {
        table.row(name, Some(1.3), || vec![event(events::of_std()), event(events::of_lockdep())]);
    }
    table.sizes();
    table.learning("a new order, 10,000", 10_000, Orders::Chain, Some(1_000.0));
    table.learning("a new order, 100,000", 100_000, Orders::Chain, Some(1_000.0));

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
    table.learning("a new order, by age", 100_000, Orders::ByAge, None);
    table.learning("a new order, shuffled", 100_000, Orders::Shuffled, None);
    for edges in [1_000, 10_000, 100_000, 400_000] {
        table.row(&format!("one of {edges} edges"), None, || two!(pairs; edges));
    }
}

type Event = (&'static str, fn(events::Events) -> Batch);

const EVENTS: [Event; 8] = [
    ("channel send, recv", |events| events.channel),
    ("bounded send, recv", |events| events.bounded),
    ("channel ping-pong", |events| events.ping_pong),
    ("spawn, join", |events| events.join),
    ("condvar notify", |events| events.notify),
    ("condvar wait, notify", |events| events.condvar),
    ("barrier of one", |events| events.barrier),
    ("barrier of two", |events| events.meeting),
];

/// The table that is printed, line by line.
struct Table {
    chosen: Vec<String>,
}

impl Table {
    fn shows(&self, name: &str) -> bool {
        self.chosen.is_empty() || self.chosen.iter().any(|word| name.contains(word.as_str()))
    }

    fn head(&self) {
        println!(
            "{:<26}{:>9} {:>16}{:>16}{:>16}{:>16}   {:>6}",
            "ns (ratio to std)",
            "std",
            "lockdep",
            "parking_lot+dd",
            "tracing-mutex",
            "deloxide",
            "budget"
        );
    }

    fn row(&self, name: &str, budget: Option<f64>, batches: impl FnOnce() -> Vec<Batch>) {
        if !self.shows(name) {
            return;
        }
        let figures = compare(batches());
        print!("{name:<26}{:>9.1} ", figures[0].ns);
        for at in 1..5 {
            match figures.get(at) {
                Some(Figure { ns, ratio }) => print!("{ns:>8.1} {:>7}", format!("({ratio:.2})")),
                None => print!("{:>16}", "–"),
            }
        }
        match budget.zip(figures.get(1)) {
            Some((budget, ours)) => println!("   {budget:>6.1} {}", verdict(ours.ratio <= budget)),
            None => println!(),
        }
    }

    fn sizes(&self) {
        let name = "size_of::<Mutex<u64>>";
        if !self.shows(name) {
            return;
        }
        print!("{name:<26}{:>7} B ", size_of::<Mutex<u64>>());
        for size in [
            size_of::<<Lockdep as Contender>::Mutex>(),
            size_of::<<ParkingLot as Contender>::Mutex>(),
            size_of::<<TracingMutex as Contender>::Mutex>(),
            size_of::<<Deloxide as Contender>::Mutex>(),
        ] {
            print!("{:>8}", format!("{size} B"));
            print!("{:>8}", "");
        }
        println!("   {:>6} {}", "32 B", verdict(size_of::<<Lockdep as Contender>::Mutex>() <= 32));
        println!(
            "{:<26}{:>7} B {:>6} B",
            "size_of::<RwLock<u64>>",
            size_of::<RwLock<u64>>(),
            size_of::<<Lockdep as Contender>::RwLock>()
        );
    }

    /// What an order costs that was never seen, the best of several times. The others are measured
    /// on the smaller graph alone: on the larger one they take minutes, or overflow their stack.
    fn learning(&self, name: &str, count: usize, orders: Orders, budget: Option<f64>) {
        if !self.shows(name) {
            return;
        }
        let best = |learn: fn(usize, Orders) -> f64, times: usize| {
            (0..times).map(|_| learn(count, orders)).fold(f64::MAX, f64::min)
        };
        let ours = best(locks::learn::<Lockdep>, 500_000 / count);
        print!("{name:<26}{:>9} {ours:>8.0}{:>8}{:>16}", "–", "", "–");
        if count <= 10_000 {
            print!("{:>8.0}{:>8}", best(locks::learn::<TracingMutex>, 1), "");
            print!("{:>8.0}{:>8}", best(locks::learn::<Deloxide>, 1), "");
        } else {
            print!("{:>16}{:>16}", "–", "–");
        }
        match budget {
            Some(budget) => println!("   {budget:>6} {}", verdict(ours <= budget)),
            None => println!(),
        }
    }
}

fn verdict(holds: bool) -> &'static str {
    if holds { "holds" } else { "OVER" }
}
