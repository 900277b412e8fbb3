//! Players on a leader board, compared by what they have now.
use std::cmp::Ordering;
use std::sync::{Arc, RwLock};
use std::thread;

struct Player {
    score: RwLock<u32>,
}

impl PartialEq for Player {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}
impl Eq for Player {}
impl PartialOrd for Player {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Player {
    fn cmp(&self, other: &Self) -> Ordering {
        let mine = self.score.write().unwrap();
        let theirs = other.score.write().unwrap(); // found: same-class-nesting
        mine.cmp(&theirs)
    }
}

fn main() {
    let players: Vec<Arc<Player>> = (0..4).map(|n| Arc::new(Player { score: RwLock::new(n) })).collect();
    let mut theirs = players.clone();
    let t = thread::spawn(move || theirs.sort());
    let mut ours = players;
    ours.sort_by(|a, b| b.cmp(a));
    t.join().unwrap();
}
