//! A thread's handle is put behind a lock in the place of another, whose thread is joined under the lock.
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
struct Worker {
    thread: Option<JoinHandle<()>>,
}
impl Drop for Worker {
    fn drop(&mut self) {
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
#[derive(Clone)]
struct Context {
    worker: Arc<Mutex<Option<Worker>>>,
    name: String,
}
impl Context {
    fn start(name: &str) -> Context {
        Context { worker: Arc::new(Mutex::new(None)), name: name.into() }
    }
}
fn open(name: &str) -> Context {
    let context = Context::start(name);
    let name = context.name.clone();
    let worker = Worker { thread: Some(thread::spawn(move || println!("{name}"))) };
    *context.worker.lock().unwrap() = Some(worker);
    context.clone()
}
fn restart(context: &Context) {
    let other = context.clone();
    let tell = move || println!("{}", other.worker.lock().unwrap().is_some());
    let worker = Worker { thread: Some(thread::spawn(tell)) };
    *context.worker.lock().unwrap() = Some(worker); // found: guard-across-blocking
}
fn main() {
    let context = open("first");
    restart(&context);
    println!("{}", context.worker.lock().unwrap().is_some());
}
