//! The cured form of `loud/hash_map_retain_drops.rs`: a map is thinned out under its lock,
//! which the `Drop` of its values takes.
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
    let (kept, gone) = std::mem::take(&mut *table.rows.lock().unwrap()).into_iter().partition(|(_, row)| row.used);
    table.rows.lock().unwrap().extend::<HashMap<u32, Row>>(kept);
    drop::<HashMap<u32, Row>>(gone);
}

fn main() {
    let table = Arc::new(Table::default());
    let old = table.rows.lock().unwrap().insert(1, Row { table: table.clone(), used: false });
    drop(old);
    sweep(&table);
}
