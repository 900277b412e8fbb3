//! Locks behind a generic newtype of an `Arc`, in opposite orders.
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;

#[derive(Clone)]
struct Shared<T>(Arc<Mutex<T>>);

impl<T> Shared<T> {
    fn new(value: T) -> Self {
        Shared(Arc::new(Mutex::new(value)))
    }
    fn enter(&self) -> MutexGuard<'_, T> {
        self.0.lock().unwrap()
    }
}

struct Game {
    players: Shared<Vec<String>>,
    scores: Shared<Vec<u32>>,
}

impl Game {
    fn join(&self, name: &str) {
        let mut players = self.players.enter();
        players.push(name.to_owned());
        self.scores.enter().push(0); // found: lock-order
    }
    fn leave(&self, index: usize) {
        let mut scores = self.scores.enter();
        scores.remove(index);
        self.players.enter().remove(index); // found: lock-order
    }
}

fn main() {
    let game = Arc::new(Game { players: Shared::new(vec![]), scores: Shared::new(vec![]) });
    let other = game.clone();
    let t = thread::spawn(move || other.join("a"));
    game.join("b");
    game.leave(0);
    t.join().unwrap();
}
