//! The cured form of `loud/thread_local_context.rs`: locks of a value that a thread-local leads
//! to, through a closure that is given it.
use std::cell::RefCell;
use std::sync::{Arc, RwLock};

struct Context {
    users: RwLock<Vec<String>>,
    rooms: RwLock<Vec<String>>,
}

thread_local! {
    static CURRENT: RefCell<Option<Arc<Context>>> = const { RefCell::new(None) };
}

fn with<R>(f: impl FnOnce(&Context) -> R) -> R {
    CURRENT.with(|current| f(current.borrow().as_ref().expect("a context")))
}

pub fn enter() {
    with(|context| {
        let mut users = context.users.write().unwrap();
        users.push("u".into());
        context.rooms.write().unwrap().push("r".into());
    });
}

pub fn list() -> usize {
    with(|context| {
        let rooms = context.rooms.read().unwrap().len();
        rooms + context.users.read().unwrap().len()
    })
}

fn main() {
    let context = Arc::new(Context { users: RwLock::default(), rooms: RwLock::default() });
    let threads: Vec<_> = [enter as fn(), || drop(list())]
        .map(|job| {
            let context = context.clone();
            std::thread::spawn(move || {
                CURRENT.set(Some(context));
                job()
            })
        })
        .into();
    threads.into_iter().for_each(|t| t.join().unwrap());
}
