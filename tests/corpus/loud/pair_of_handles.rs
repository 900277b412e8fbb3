//! A chat room: the pair of its locks travels to two threads.
use std::sync::{Arc, Mutex};
use std::thread;

type Room = (Arc<Mutex<Vec<String>>>, Arc<Mutex<u64>>);

fn speak(room: &Room, line: &str) {
    let mut lines = room.0.lock().unwrap();
    lines.push(line.to_string());
    *room.1.lock().unwrap() += 1; // found: lock-order
}

fn prune((lines, count): Room) {
    let mut count = count.lock().unwrap();
    if *count > 10 {
        lines.lock().unwrap().clear(); // found: lock-order
        *count = 0;
    }
}

fn main() {
    let room: Room = (Arc::default(), Arc::default());
    let theirs = room.clone();
    let janitor = thread::spawn(move || prune(theirs));
    speak(&room, "hello");
    janitor.join().unwrap();
}
