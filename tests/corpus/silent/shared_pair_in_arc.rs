//! The cured form of `loud/shared_pair_in_arc.rs`: two locks in a tuple behind one `Arc`, in
//! opposite orders on two threads.
use std::collections::HashMap;
use std::sync::{Arc, Mutex, RwLock};
use std::thread::{self, JoinHandle};

type Shared = Arc<(RwLock<HashMap<u64, String>>, Mutex<Vec<u64>>)>;

fn spawn_writer(shared: &Shared) -> JoinHandle<()> {
    let shared = Arc::clone(shared);
    thread::spawn(move || {
        for id in 0..100 {
            let mut names = shared.0.write().unwrap();
            shared.1.lock().unwrap().push(id);
            names.insert(id, id.to_string());
        }
    })
}

fn spawn_cleaner(shared: &Shared) -> JoinHandle<()> {
    let shared = shared.clone();
    thread::spawn(move || {
        let recent = std::mem::take(&mut *shared.1.lock().unwrap());
        for id in recent {
            shared.0.write().unwrap().remove(&id);
        }
    })
}

fn main() {
    let shared: Shared = Arc::new((RwLock::default(), Mutex::default()));
    let threads = [spawn_writer(&shared), spawn_cleaner(&shared)];
    for thread in threads {
        thread.join().unwrap();
    }
}
