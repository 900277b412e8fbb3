//! The cured form of `loud/static_pair_by_function_pointers.rs`: two statics in opposite
//! orders, on threads that run functions out of an array.
use std::sync::Mutex;
use std::thread;

static HEAP: Mutex<Vec<u8>> = Mutex::new(Vec::new());
static LOG: Mutex<String> = Mutex::new(String::new());

fn allocate() {
    let mut heap = HEAP.lock().unwrap();
    heap.push(1);
    LOG.lock().unwrap().push('a');
}

fn report() {
    let used = HEAP.lock().unwrap().len();
    let mut log = LOG.lock().unwrap();
    log.push_str(&used.to_string());
}

fn main() {
    let jobs: [fn(); 2] = [allocate, report];
    let threads: Vec<_> = jobs.into_iter().map(thread::spawn).collect();
    threads.into_iter().for_each(|t| t.join().unwrap());
}
