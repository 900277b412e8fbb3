//! A spreadsheet whose observers look at the sheet that tells them.
use std::sync::{Arc, RwLock};

trait Observer: Send + Sync {
    fn changed(&self, sheet: &Sheet, cell: usize);
}

#[derive(Default)]
struct Sheet {
    cells: RwLock<Vec<f64>>,
    observers: RwLock<Vec<Arc<dyn Observer>>>,
}

impl Sheet {
    fn get(&self, cell: usize) -> f64 {
        self.cells.read().unwrap()[cell]
    }
    fn set(&self, cell: usize, value: f64) {
        self.cells.write().unwrap()[cell] = value;
        let observers = self.observers.read().unwrap().clone();
        for o in observers {
            o.changed(self, cell);
        }
    }
}

struct Total {
    sum: RwLock<f64>,
}

impl Observer for Total {
    fn changed(&self, sheet: &Sheet, cell: usize) {
        *self.sum.write().unwrap() += sheet.get(cell);
    }
}

fn main() {
    let sheet = Sheet::default();
    sheet.cells.write().unwrap().push(0.0);
    sheet.observers.write().unwrap().push(Arc::new(Total { sum: RwLock::new(0.0) }));
    sheet.set(0, 1.0);
}
