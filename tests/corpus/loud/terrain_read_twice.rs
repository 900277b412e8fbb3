//! A terrain whose cells are read twice in one condition while another thread digs.
use std::sync::{Arc, RwLock};
use std::thread;

struct Terrain {
    heights: RwLock<Vec<i32>>,
}

impl Terrain {
    fn height(&self, x: usize) -> i32 {
        self.heights.read().unwrap()[x] // found: recursive-read
    }
    fn is_peak(&self, x: usize) -> bool {
        let heights = self.heights.read().unwrap();
        x > 0 && x + 1 < heights.len() && self.height(x - 1) < heights[x] && self.height(x + 1) < heights[x] // found: recursive-read
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
