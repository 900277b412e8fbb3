use lockdep::sync::{Arc, Barrier, Mutex};
use lockdep::thread;

fn main() {
    let inbox = Arc::new(Mutex::new(vec![1]));
    let outbox = Arc::new(Mutex::new(vec![2]));
    let both = Arc::new(Barrier::new(2));
    let threads = [(inbox.clone(), outbox.clone()), (outbox, inbox)].map(|(first, second)| {
        let both = both.clone();
        thread::spawn(move || {
            let first = first.lock().unwrap();
            both.wait();
            let second = second.lock().unwrap();
            drop((first, second));
        })
    });
    for thread in threads {
        let _ = thread.join();
    }
}
