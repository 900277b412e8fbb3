//! A map is thinned out under its lock, which the `Drop` of its values takes.
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

#[derive(Default)]
struct Table {
    rows: Mutex<HashMap<u32, Row>>,
    freed: Mutex<usize>,
}

struct Row {
    table: Arc<Table>,
    used: bool,
}

impl Drop for Row {
    fn drop(&mut self) {
        let left = self.table.rows.lock().unwrap().len();
        *self.table.freed.lock().unwrap() = left;
    }
}

fn sweep(table: &Table) {
    table.rows.lock().unwrap().retain(|_, row| row.used); // found: drop-under-lock
}

fn main() {
    let table = Arc::new(Table::default());
    let old = table.rows.lock().unwrap().insert(1, Row { table: table.clone(), used: false });
    drop(old);
    sweep(&table);
}
