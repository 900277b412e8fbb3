//! Locks of functions, captured by threads, in ways that cannot block.
use std::sync::{Arc, Mutex};
use std::thread;

fn same_order() {
    let a = Arc::new(Mutex::new(1));
    let b = Arc::new(Mutex::new(2));
    let (a2, b2) = (a.clone(), b.clone());
    let t = thread::spawn(move || {
        let _a = a2.lock().unwrap();
        let _b = b2.lock().unwrap();
    });
    {
        let _a = a.lock().unwrap();
        let _b = b.lock().unwrap();
    }
    t.join().unwrap();
}

fn joined_before() {
    let a = Arc::new(Mutex::new(1));
    let b = Arc::new(Mutex::new(2));
    let (a2, b2) = (a.clone(), b.clone());
    let t = thread::spawn(move || {
        let _b = b2.lock().unwrap();
        let _a = a2.lock().unwrap();
    });
    t.join().unwrap();
    let _a = a.lock().unwrap();
    let _b = b.lock().unwrap();
}

fn set_up_before() {
    let a = Arc::new(Mutex::new(1));
    let b = Arc::new(Mutex::new(2));
    {
        let _a = a.lock().unwrap();
        let _b = b.lock().unwrap();
    }
    let (a2, b2) = (a.clone(), b.clone());
    let t = thread::spawn(move || {
        let _b = b2.lock().unwrap();
        let _a = a2.lock().unwrap();
    });
    t.join().unwrap();
}

fn two_pairs() {
    let a = Arc::new(Mutex::new(1));
    let b = Arc::new(Mutex::new(2));
    let t = {
        let a = Arc::new(Mutex::new(1));
        let b = Arc::new(Mutex::new(2));
        thread::spawn(move || {
            let _b = b.lock().unwrap();
            let _a = a.lock().unwrap();
        })
    };
    {
        let _a = a.lock().unwrap();
        let _b = b.lock().unwrap();
    }
    t.join().unwrap();
}

fn made_anew_in_each_round() {
    for _ in 0..3 {
        let a = Arc::new(Mutex::new(1));
        let b = Arc::new(Mutex::new(2));
        {
            let _a = a.lock().unwrap();
            let _b = b.lock().unwrap();
        }
        let (a2, b2) = (a.clone(), b.clone());
        thread::spawn(move || {
            let _b = b2.lock().unwrap();
            let _a = a2.lock().unwrap();
        });
    }
}

fn joined_in_a_loop() {
    let a = Arc::new(Mutex::new(1));
    let b = Arc::new(Mutex::new(2));
    let mut threads = Vec::new();
    for _ in 0..3 {
        let (a2, b2) = (a.clone(), b.clone());
        threads.push(thread::spawn(move || {
            let _b = b2.lock().unwrap();
            let _a = a2.lock().unwrap();
        }));
    }
    for thread in threads {
        thread.join().unwrap();
    }
    let _a = a.lock().unwrap();
    let _b = b.lock().unwrap();
}

fn on_one_thread() {
    let a = Mutex::new(1);
    let b = Mutex::new(2);
    {
        let _a = a.lock().unwrap();
        let _b = b.lock().unwrap();
    }
    let _b = b.lock().unwrap();
    let _a = a.lock().unwrap();
}

fn main() {
    same_order();
    joined_before();
    set_up_before();
    two_pairs();
    made_anew_in_each_round();
    joined_in_a_loop();
    on_one_thread();
}
