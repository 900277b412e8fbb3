//! A cache that retries while a block is busy.
use std::collections::HashMap;
use std::sync::{Mutex, TryLockError};

#[derive(Default)]
pub struct Cache {
    blocks: Mutex<HashMap<u32, Vec<u8>>>,
    loads: Mutex<u64>,
}

pub enum Fetch {
    Hit(usize),
    Loaded(usize),
}

impl Cache {
    fn load(&self, id: u32) -> Vec<u8> {
        *self.loads.lock().unwrap() += 1;
        vec![id as u8; 512]
    }

    /// Puts a block, and waits politely while others have the map.
    fn put(&self, id: u32, block: Vec<u8>) -> usize {
        let size = block.len();
        loop {
            match self.blocks.try_lock() { // found: spin-no-progress
                Ok(mut blocks) => {
                    blocks.insert(id, block);
                    return size;
                }
                Err(TryLockError::WouldBlock) => {
                    std::thread::yield_now();
                }
                Err(TryLockError::Poisoned(poisoned)) => {
                    poisoned.into_inner().clear();
                    return 0;
                }
            }
        }
    }

    pub fn fetch(&self, id: u32) -> Fetch {
        let blocks = self.blocks.lock().unwrap();
        if let Some(block) = blocks.get(&id) {
            return Fetch::Hit(block.len());
        }
        let block = self.load(id);
        let size = self.put(id, block);
        Fetch::Loaded(size)
    }
}

fn main() {
    let cache = Cache::default();
    match cache.fetch(4) {
        Fetch::Hit(n) => println!("hit {n}"),
        Fetch::Loaded(n) => println!("loaded {n}"),
    }
}
