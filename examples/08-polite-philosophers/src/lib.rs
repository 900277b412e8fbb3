//! Two philosophers so polite that none of them eats.

use std::sync::Mutex;

/// A table for two, with two forks.
pub struct Table {
    left: Mutex<u32>,
    right: Mutex<u32>,
}

impl Table {
    /// A table with both forks on it.
    pub fn new() -> Table {
        Table { left: Mutex::new(0), right: Mutex::new(0) }
    }

    /// Eats from the left: takes the left fork, then the right one. `pause` is called between steps.
    pub fn eat_left(&self, pause: impl Fn()) {
        dine(&self.left, &self.right, pause);
    }

    /// Eats from the right: takes the right fork, then the left one.
    pub fn eat_right(&self, pause: impl Fn()) {
        dine(&self.right, &self.left, pause);
    }
}

/// Takes both forks; puts the first one back if the second is taken, and starts again.
fn dine(first: &Mutex<u32>, second: &Mutex<u32>, pause: impl Fn()) {
    loop {
        let mut mine = first.lock().unwrap();
        pause();
        if let Ok(mut other) = second.try_lock() {
            *mine += 1;
            *other += 1;
            return;
        }
        pause();
        drop(mine);
        pause();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Barrier, mpsc};
    use std::thread;

    use super::Table;

    #[test]
    fn both_eat() {
        let table = Arc::new(Table::new());
        // Two that are equally quick, made certain.
        let step = Arc::new(Barrier::new(2));
        let (full, fed) = mpsc::channel();
        let seat = |name: &str, eat: fn(&Table, &dyn Fn())| {
            let (table, step, full) = (Arc::clone(&table), Arc::clone(&step), full.clone());
            let pause = move || drop(step.wait());
            let seat = thread::Builder::new().name(name.to_owned());
            let eat = move || {
                eat(&table, &pause);
                full.send(()).unwrap();
            };
            seat.spawn(eat).unwrap()
        };
        seat("left", |table, pause| table.eat_left(pause));
        seat("right", |table, pause| table.eat_right(pause));
        assert_eq!(fed.iter().take(2).count(), 2);
    }
}
