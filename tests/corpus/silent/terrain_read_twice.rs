//! A terrain whose cells are read under one guard while another thread digs.
use std::sync::{Arc, RwLock};
use std::thread;

struct Terrain {
    heights: RwLock<Vec<i32>>,
}

impl Terrain {
    fn is_peak(&self, x: usize) -> bool {
        let heights = self.heights.read().unwrap();
        x > 0 && x + 1 < heights.len() && heights[x - 1] < heights[x] && heights[x + 1] < heights[x]
    }
    fn dig(&self, x: usize) {
        self.heights.write().unwrap()[x] -= 1;
    }
}

fn main() {
    let t = Arc::new(Terrain { heights: RwLock::new(vec![1, 3, 2]) });
    let digger = {
        let t = t.clone();
        thread::spawn(move || t.dig(1))
    };
    println!("{}", t.is_peak(1));
    digger.join().unwrap();
}
