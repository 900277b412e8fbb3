//! The cured form of `loud/neighbour_in_grid.rs`: two elements of one vector, by the numbers
//! that a function is given.
use std::sync::Mutex;

pub struct Grid {
    cells: Vec<Mutex<u32>>,
}

impl Grid {
    pub fn shift(&self, from: usize, to: usize) {
        let amount = std::mem::take(&mut *self.cells[from].lock().unwrap());
        *self.cells[to].lock().unwrap() += amount;
    }
}

fn main() {
    let grid = Grid { cells: (0..4).map(Mutex::new).collect() };
    grid.shift(0, 1);
    grid.shift(1, 0);
}
