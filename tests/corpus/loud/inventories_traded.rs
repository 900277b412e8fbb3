//! Players trade with each other; each trade locks both inventories.
use std::sync::{Arc, Mutex};
use std::thread;

struct Player {
    name: &'static str,
    inventory: Mutex<Vec<u32>>,
}

impl Player {
    fn give(&self, other: &Player, item: u32) -> bool {
        let mut mine = self.inventory.lock().unwrap();
        let Some(at) = mine.iter().position(|i| *i == item) else { return false };
        other.inventory.lock().unwrap().push(mine.swap_remove(at)); // found: same-class-nesting
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
