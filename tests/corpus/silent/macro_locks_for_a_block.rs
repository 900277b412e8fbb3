//! A small interpreter whose macro locks the heap for the length of a block.
use std::sync::Mutex;

struct Heap {
    cells: Mutex<Vec<i64>>,
}

macro_rules! with_cells {
    ($heap:expr, |$cells:ident| $body:expr) => {{
        let mut $cells = $heap.cells.lock().unwrap();
        $body
    }};
}

impl Heap {
    fn alloc(&self, value: i64) -> usize {
        with_cells!(self, |cells| {
            cells.push(value);
            cells.len() - 1
        })
    }
    fn pair(&self, a: i64, b: i64) -> usize {
        let first = with_cells!(self, |cells| {
            let first = cells.len();
            cells.push(a);
            first
        });
        self.alloc(b);
        first
    }
}

fn main() {
    let h = Heap { cells: Mutex::default() };
    println!("{}", h.pair(1, 2));
}
