//! id: std-guard-in-a-poll
//! expect: none
//! note: a lock of threads, taken and released within one poll, around and between those of tasks

use std::sync::{Arc, Mutex as StdMutex};
use tokio::sync::Mutex;

#[derive(Default)]
struct Service {
    counters: StdMutex<u32>,
    state: Mutex<Vec<u32>>,
}

#[tokio::main]
async fn main() {
    let service = Arc::new(Service::default());
    let tasks: Vec<_> = (0..8)
        .map(|n| {
            let service = service.clone();
            tokio::spawn(async move {
                *service.counters.lock().unwrap() += 1;
                let mut state = service.state.lock().await;
                state.push(n);
                *service.counters.lock().unwrap() += 1;
                tokio::task::yield_now().await;
                drop(state);
                *service.counters.lock().unwrap() += 1;
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(*service.counters.lock().unwrap(), 24);
}
