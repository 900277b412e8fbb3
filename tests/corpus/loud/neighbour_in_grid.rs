//! Two elements of one vector, by the numbers that a function is given.
use std::sync::Mutex;

pub struct Grid {
    cells: Vec<Mutex<u32>>,
}

impl Grid {
    pub fn shift(&self, from: usize, to: usize) {
        let mut source = self.cells[from].lock().unwrap();
        let mut target = self.cells[to].lock().unwrap(); // found: same-class-nesting
        *target += std::mem::take(&mut *source);
    }
}

fn main() {
    let grid = Grid { cells: (0..4).map(Mutex::new).collect() };
    grid.shift(0, 1);
    grid.shift(1, 0);
}
