// Where an attempt to lock has failed, no guard is held: the slow way may lock.
use std::sync::{Mutex, TryLockError};

struct Counter {
    count: Mutex<u32>,
}

impl Counter {
    fn slow(&self) {
        *self.count.lock().unwrap() += 1;
    }
    fn bound_first(&self) {
        let attempt = self.count.try_lock();
        if let Ok(count) = attempt {
            println!("{count}");
            return;
        }
        self.slow();
    }
    fn asked(&self) {
        let attempt = self.count.try_lock();
        if attempt.is_err() {
            self.slow();
        }
    }
    fn asked_the_other_way(&self) {
        let attempt = self.count.try_lock();
        if attempt.is_ok() {
            return;
        }
        self.slow();
    }
    fn as_an_option(&self) {
        let attempt = self.count.try_lock().ok();
        if let Some(mut count) = attempt {
            *count += 1;
            return;
        }
        self.slow();
    }
    fn or_else(&self) {
        let attempt = self.count.try_lock();
        let Ok(mut count) = attempt else { return self.slow() };
        *count += 1;
    }
    fn matched(&self) {
        let attempt = self.count.try_lock();
        match attempt {
            Ok(mut count) => *count += 1,
            Err(TryLockError::WouldBlock) => self.slow(),
            Err(TryLockError::Poisoned(_)) => {}
        }
    }
    async fn awaited(&self) {
        let attempt = self.count.try_lock().ok();
        if let Some(mut count) = attempt {
            *count += 1;
            return;
        }
        async {}.await;
    }
}

fn main() {
    let counter = Counter { count: Mutex::new(0) };
    counter.bound_first();
    counter.asked();
    counter.asked_the_other_way();
    counter.as_an_option();
    counter.or_else();
    counter.matched();
    drop(counter.awaited());
}
