//! A local reference that leads to another lock by the time it is used again.
use std::sync::Mutex;

pub struct Item {
    m: Mutex<u32>,
}

pub fn next_in_line(items: &[Item]) -> u32 {
    let mut iter = items.iter();
    let mut one = iter.next().unwrap();
    let first = one.m.lock().unwrap();
    one = iter.next().unwrap();
    let second = one.m.lock().unwrap();
    *first + *second
}

pub fn other_index(items: &[Item]) -> u32 {
    let mut i = 0;
    let first = items[i].m.lock().unwrap();
    i += 1;
    let second = items[i].m.lock().unwrap();
    *first + *second
}

pub fn kept_from_round_to_round(items: &[Item]) {
    let mut guards = Vec::new();
    for item in items {
        guards.push(item.m.lock().unwrap());
    }
}

pub fn given_up_in_each_round(items: &[Item]) {
    for item in items {
        *item.m.lock().unwrap() += 1;
        *item.m.lock().unwrap() += 1;
    }
}

pub fn neighbours(items: &[Item]) {
    for i in 1..items.len() {
        let left = items[i - 1].m.lock().unwrap();
        *items[i].m.lock().unwrap() += *left;
    }
}

fn main() {}

pub fn follows<'a>(mut one: &'a Item, next: &'a Item) -> u32 {
    let before = one;
    one = next;
    let first = before.m.lock().unwrap();
    *first + *one.m.lock().unwrap()
}

pub fn counted(items: &[Item]) -> u32 {
    let mut i = 0;
    let j = i;
    i += 1;
    let first = items[j].m.lock().unwrap();
    *first + *items[i].m.lock().unwrap()
}
