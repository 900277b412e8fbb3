//! Players trade with each other; no trade has both inventories at once.
use std::sync::{Arc, Mutex};
use std::thread;

struct Player {
    name: &'static str,
    inventory: Mutex<Vec<u32>>,
}

impl Player {
    fn take(&self, item: u32) -> Option<u32> {
        let mut mine = self.inventory.lock().unwrap();
        let at = mine.iter().position(|i| *i == item)?;
        Some(mine.swap_remove(at))
    }
    fn give(&self, other: &Player, item: u32) -> bool {
        let Some(item) = self.take(item) else { return false };
        other.inventory.lock().unwrap().push(item);
        println!("{} gave {item} to {}", self.name, other.name);
        true
    }
}

fn main() {
    let players: Arc<Vec<Player>> = Arc::new(
        ["ann", "ben"].into_iter().map(|name| Player { name, inventory: Mutex::new(vec![1, 2, 3]) }).collect(),
    );
    let theirs = players.clone();
    let t = thread::spawn(move || theirs[0].give(&theirs[1], 2));
    players[1].give(&players[0], 3);
    t.join().unwrap();
}
