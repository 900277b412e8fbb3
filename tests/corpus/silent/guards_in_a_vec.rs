// Guards in a collection are released with it, or when it is emptied.
use std::sync::{Mutex, MutexGuard};

fn dropped(shards: &[Mutex<u32>]) {
    let all = vec![shards[0].lock().unwrap(), shards[1].lock().unwrap()];
    drop(all);
    *shards[0].lock().unwrap() += 1;
}

fn dropped_one(count: &Mutex<u32>) {
    let all = vec![count.lock().unwrap()];
    drop(all);
    *count.lock().unwrap() += 1;
}

fn end_of_scope(count: &Mutex<u32>) {
    {
        let all = vec![count.lock().unwrap()];
        println!("{}", all.len());
    }
    *count.lock().unwrap() += 1;
}

fn emptied(count: &Mutex<u32>) {
    let mut all = Vec::new();
    all.push(count.lock().unwrap());
    all.clear();
    *count.lock().unwrap() += 1;
    all.push(count.lock().unwrap());
}

fn sum(count: &Mutex<u32>, other: &Mutex<u32>) -> u32 {
    let all = vec![count.lock().unwrap(), other.lock().unwrap()];
    let sum = all.iter().map(|count| **count).sum();
    sum
}

fn handed_on(count: &Mutex<u32>) {
    fn finish(all: Vec<MutexGuard<'_, u32>>) {
        println!("{}", all.len());
    }
    finish(vec![count.lock().unwrap()]);
    *count.lock().unwrap() += 1;
}

fn out_of_a_box(count: &Mutex<u32>) {
    let boxed = Box::new(count.lock().unwrap());
    let guard = *boxed;
    drop(guard);
    *count.lock().unwrap() += 1;
}

async fn pause() {}

async fn gone_by_then(count: &Mutex<u32>) {
    let mut all = vec![count.lock().unwrap()];
    all.clear();
    pause().await;
    drop(vec![count.lock().unwrap()]);
    pause().await;
}

fn main() {
    let shards = [Mutex::new(0), Mutex::new(0)];
    dropped(&shards);
    dropped_one(&shards[0]);
    end_of_scope(&shards[0]);
    emptied(&shards[0]);
    handed_on(&shards[0]);
    out_of_a_box(&shards[0]);
    drop(gone_by_then(&shards[0]));
    println!("{}", sum(&shards[0], &shards[1]) + sum(&shards[0], &shards[1]));
}
