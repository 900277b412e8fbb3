//! An element of a collection is locked again while it is held.
use std::collections::HashMap;
use std::sync::{Arc, Mutex, RwLock};

pub struct Rooms {
    rooms: HashMap<u32, Arc<Mutex<Vec<String>>>>,
    doors: Vec<RwLock<bool>>,
}

impl Rooms {
    pub fn say(&self, id: u32, text: &str) -> usize {
        let Some(room) = self.rooms.get(&id) else { return 0 };
        let mut said = room.lock().unwrap();
        said.push(text.to_owned());
        room.lock().unwrap().len() // found: double-lock
    }

    pub fn close(&self, i: usize) {
        let door = &self.doors[i];
        if *door.read().unwrap() {
            println!("closes {i}");
        }
        let is_open = door.read().unwrap();
        if *is_open {
            *door.write().unwrap() = false; // found: double-lock
        }
    }

    pub fn clear(&self) {
        for (id, room) in &self.rooms {
            let said = room.lock().unwrap();
            if said.is_empty() {
                println!("{id} {}", room.lock().unwrap().len()); // found: double-lock
            }
        }
    }

    pub fn last(&self) -> usize {
        let room = self.rooms.values().next().unwrap();
        let said = room.lock().unwrap();
        said.len() + room.lock().unwrap().len() // found: double-lock
    }
}

fn main() {}
