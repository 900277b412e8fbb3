//! Threads with locks of a function that never meet in opposite orders.
use std::sync::{Arc, Mutex, RwLock};
use std::thread;

fn one_after_the_other() {
    let a = Arc::new(Mutex::new(0));
    let b = Arc::new(Mutex::new(0));
    let first = {
        let (a, b) = (a.clone(), b.clone());
        thread::spawn(move || {
            let a = a.lock().unwrap();
            *b.lock().unwrap() += *a;
        })
    };
    first.join().unwrap();
    let second = thread::spawn(move || {
        let b = b.lock().unwrap();
        *a.lock().unwrap() += *b;
    });
    second.join().unwrap();
}

fn scopes_one_after_the_other() {
    let a = Mutex::new(0);
    let b = Mutex::new(0);
    thread::scope(|s| {
        s.spawn(|| {
            let a = a.lock().unwrap();
            *b.lock().unwrap() += *a;
        });
    });
    thread::scope(|s| {
        s.spawn(|| {
            let b = b.lock().unwrap();
            *a.lock().unwrap() += *b;
        });
    });
    let b = b.lock().unwrap();
    *a.lock().unwrap() += *b;
}

fn one_at_a_time() {
    let a = Arc::new(Mutex::new(0));
    let b = Arc::new(Mutex::new(0));
    let (a2, b2) = (a.clone(), b.clone());
    let t = thread::spawn(move || {
        let value = *b2.lock().unwrap();
        *a2.lock().unwrap() += value;
    });
    let value = *a.lock().unwrap();
    *b.lock().unwrap() += value;
    t.join().unwrap();
}

fn a_pair_for_each_worker() {
    let mut workers = Vec::new();
    let mut pairs = Vec::new();
    for _ in 0..2 {
        let a = Arc::new(Mutex::new(0));
        let b = Arc::new(RwLock::new(0));
        pairs.push((a.clone(), b.clone()));
        workers.push(thread::spawn(move || {
            let a = a.lock().unwrap();
            *b.write().unwrap() += *a;
        }));
    }
    workers.into_iter().for_each(|worker| worker.join().unwrap());
    for (a, b) in &pairs {
        let b = b.read().unwrap();
        *a.lock().unwrap() += *b;
    }
}

fn wait_for_all(workers: Vec<thread::JoinHandle<()>>) {
    for worker in workers {
        let _ = worker.join();
    }
}

fn waited_for_elsewhere() {
    let a = Arc::new(Mutex::new(0));
    let b = Arc::new(Mutex::new(0));
    let workers: Vec<_> = (0..3)
        .map(|_| {
            let (a, b) = (a.clone(), b.clone());
            thread::spawn(move || {
                let a = a.lock().unwrap();
                *b.lock().unwrap() += *a;
            })
        })
        .collect();
    wait_for_all(workers);
    let b = b.lock().unwrap();
    *a.lock().unwrap() += *b;
}

fn under_a_gate() {
    let gate = Arc::new(Mutex::new(()));
    let a = Arc::new(Mutex::new(0));
    let b = Arc::new(Mutex::new(0));
    let (gate2, a2, b2) = (gate.clone(), a.clone(), b.clone());
    let t = thread::spawn(move || {
        let _gate = gate2.lock().unwrap();
        let b = b2.lock().unwrap();
        *a2.lock().unwrap() += *b;
    });
    {
        let _gate = gate.lock().unwrap();
        let a = a.lock().unwrap();
        *b.lock().unwrap() += *a;
    }
    t.join().unwrap();
}

fn helper(a: Arc<Mutex<u32>>, b: Arc<Mutex<u32>>) {
    {
        let a = a.lock().unwrap();
        *b.lock().unwrap() += *a;
    }
    thread::spawn(move || {
        let b = b.lock().unwrap();
        *a.lock().unwrap() += *b;
    })
    .join()
    .unwrap();
}

fn all_in_a_helper() {
    let a = Arc::new(Mutex::new(0));
    let b = Arc::new(Mutex::new(0));
    helper(a.clone(), b.clone());
    let a = a.lock().unwrap();
    *b.lock().unwrap() += *a;
}

fn main() {
    one_after_the_other();
    scopes_one_after_the_other();
    one_at_a_time();
    a_pair_for_each_worker();
    waited_for_elsewhere();
    under_a_gate();
    all_in_a_helper();
}
