//! The table that is printed, line by line: the reference, then `lockdep`, then the others.

use std::env;
use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::locks::{Learn, Orders};
use crate::measure::{Batch, Figure, compare, repeat};

/// A table of these contenders.
pub struct Table {
    contenders: &'static [&'static str],
    chosen: Vec<String>,
}

impl Table {
    /// Prints the head of the table, of which the first contender is the reference. Of its rows those
    /// are shown whose names contain a word of the command line.
    pub fn of(contenders: &'static [&'static str]) -> Table {
        print!("{:<26}{:>11} ", "ns (ratio to the first)", contenders[0]);
        for name in &contenders[1..] {
            print!("{name:>16}");
        }
        println!("   {:>6}", "budget");
        let table = Table { contenders, chosen: env::args().skip(1).collect() };
        table.row("atomic load", None, || {
            let atomic = AtomicU64::new(0);
            vec![repeat(move || _ = black_box(black_box(&atomic).load(Ordering::Relaxed)))]
        });
        table
    }

    fn shows(&self, name: &str) -> bool {
        self.chosen.is_empty() || self.chosen.iter().any(|word| name.contains(word.as_str()))
    }

    /// What one operation costs; the budget is for the second contender.
    pub fn row(&self, name: &str, budget: Option<f64>, batches: impl FnOnce() -> Vec<Batch>) {
        if !self.shows(name) {
            return;
        }
        let figures = compare(batches());
        print!("{name:<26}{:>11.1} ", figures[0].ns);
        for at in 1..self.contenders.len() {
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

    /// How many bytes a lock has.
    pub fn sizes(&self, name: &str, sizes: &[usize], budget: Option<usize>) {
        if !self.shows(name) {
            return;
        }
        print!("{name:<26}{:>9} B ", sizes[0]);
        for at in 1..self.contenders.len() {
            match sizes.get(at) {
                Some(size) => print!("{:>8}{:>8}", format!("{size} B"), ""),
                None => print!("{:>16}", "–"),
            }
        }
        match budget {
            Some(budget) => println!("   {:>4} B {}", budget, verdict(sizes[1] <= budget)),
            None => println!(),
        }
    }

    /// What an order costs that was never seen, the best of several times; `others` of contenders from
    /// the third on.
    pub fn learning(
        &self,
        name: &str,
        (count, orders): (usize, Orders),
        ours: Learn,
        others: &[Option<Learn>],
        budget: Option<f64>,
    ) {
        if !self.shows(name) {
            return;
        }
        let best = |learn: Learn, times: usize| {
            (0..times).map(|_| learn(count, orders)).fold(f64::MAX, f64::min)
        };
        let ours = best(ours, 500_000 / count);
        print!("{name:<26}{:>11} {ours:>8.0}{:>8}", "–", "");
        for at in 2..self.contenders.len() {
            match others.get(at - 2) {
                Some(Some(learn)) => print!("{:>8.0}{:>8}", best(*learn, 1), ""),
                _ => print!("{:>16}", "–"),
            }
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
