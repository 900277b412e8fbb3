//! A counter that is shut down with its own result locked.

use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

/// Adds up what it is given, in a thread of its own.
pub struct Counter {
    total: Arc<Mutex<u64>>,
    jobs: Sender<u64>,
    worker: JoinHandle<()>,
}

impl Counter {
    /// Starts the thread, which locks `total` when there are no more jobs.
    pub fn start() -> Counter {
        let total = Arc::new(Mutex::new(0));
        let (jobs, queue) = channel::<u64>();
        let result = Arc::clone(&total);
        let count = move || {
            let sum: u64 = queue.iter().sum();
            *result.lock().unwrap() += sum;
        };
        let worker = thread::Builder::new().name("worker".to_owned()).spawn(count).unwrap();
        Counter { total, jobs, worker }
    }

    /// Adds a number.
    pub fn add(&self, number: u64) {
        self.jobs.send(number).unwrap();
    }

    /// Ends the jobs and gives the sum: locks `total`, then waits for the worker.
    pub fn finish(self) -> u64 {
        let total = self.total.lock().unwrap();
        drop(self.jobs);
        self.worker.join().unwrap();
        *total
    }
}

#[cfg(test)]
mod tests {
    use super::Counter;

    #[test]
    fn numbers_are_added() {
        let counter = Counter::start();
        counter.add(2);
        counter.add(3);
        assert_eq!(counter.finish(), 5);
    }
}
