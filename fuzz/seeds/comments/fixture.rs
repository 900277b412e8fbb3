//! Cycles over three locks and across crates, and a lock of the project's own making.

use std::sync::{Arc, Condvar, Mutex};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use storage::{INDEX, Store};

static FIRST: Mutex<u8> = Mutex::new(0);
static SECOND: Mutex<u8> = Mutex::new(0);
static THIRD: Mutex<u8> = Mutex::new(0);

pub fn first_to_second() {
    let first = FIRST.lock().unwrap();
    *SECOND.lock().unwrap() += *first;
}

pub fn second_to_third() {
    let second = SECOND.lock().unwrap();
    *THIRD.lock().unwrap() += *second;
}

pub fn third_to_first() {
    let third = THIRD.lock().unwrap();
    *FIRST.lock().unwrap() += *third;
}

/// `Store.blocks`, held by the guard of another crate, then `INDEX` of that crate.
pub fn scan(store: &Store) -> usize {
    let blocks = store.blocks();
    blocks.len() + INDEX.lock().unwrap().len()
}

pub fn allowed() {
    let first = FIRST.lock().unwrap();
    // lockcheck: allow(double-lock) the example of a comment that is needed
    *FIRST.lock().unwrap() += *first;
}

// lockcheck: allow(double-lock) the example of one that is not
pub fn fine() {
    *FIRST.lock().unwrap() += 1;
}

/// A lock that only `lockcheck.toml` tells of.
pub struct Gate {
    is_taken: AtomicBool,
}

pub struct Pass<'g> {
    gate: &'g Gate,
}

impl Gate {
    pub fn enter(&self) -> Pass<'_> {
        while self.is_taken.swap(true, Ordering::Acquire) {
            thread::yield_now();
        }
        Pass { gate: self }
    }

    pub fn try_enter(&self) -> Option<Pass<'_>> {
        (!self.is_taken.swap(true, Ordering::Acquire)).then_some(Pass { gate: self })
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        self.gate.is_taken.store(false, Ordering::Release);
    }
}

pub fn enters_twice(gate: &Gate) {
    let _first = gate.enter();
    let _second = gate.enter();
}

pub fn tries_the_second_time(gate: &Gate) {
    let _first = gate.enter();
    let _second = gate.try_enter();
}

static STATE: Mutex<bool> = Mutex::new(false);
static CHANGED: Condvar = Condvar::new();

pub fn waits_once() {
    let state = STATE.lock().unwrap();
    let _state = CHANGED.wait(state).unwrap();
}

pub struct Worker {
    results: Arc<Mutex<Vec<u8>>>,
}

impl Worker {
    pub fn joins_under_lock(&self) {
        let results = Arc::clone(&self.results);
        let thread = thread::spawn(move || results.lock().unwrap().push(1));
        let held = self.results.lock().unwrap();
        thread.join().unwrap();
        drop(held);
    }
}

static CONFIG: Mutex<u8> = Mutex::new(0);
static CACHE: Mutex<u8> = Mutex::new(0);

pub fn against_the_declared_order() {
    let cache = CACHE.lock().unwrap();
    *CONFIG.lock().unwrap() += *cache;
}
