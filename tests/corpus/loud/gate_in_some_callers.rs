// One caller of a private function does not hold the lock that the others do, or the function is
// called through a pointer, or other crates may call it too.
use std::sync::Mutex;
use std::thread;

pub struct Desk {
    gate: Mutex<()>,
    inbox: Mutex<Vec<u32>>,
    outbox: Mutex<Vec<u32>>,
}

impl Desk {
    pub fn send(&self) {
        let _gate = self.gate.lock().unwrap();
        self.forward();
    }

    pub fn send_now(&self) {
        self.forward();
    }

    pub fn answer(&self) {
        let _gate = self.gate.lock().unwrap();
        self.back();
    }

    fn forward(&self) {
        let mut inbox = self.inbox.lock().unwrap();
        self.outbox.lock().unwrap().append(&mut inbox); // found: lock-order
    }

    fn back(&self) {
        let mut outbox = self.outbox.lock().unwrap();
        self.inbox.lock().unwrap().append(&mut outbox);
    }
}

pub struct Table {
    gate: Mutex<()>,
    rows: Mutex<u32>,
    cells: Mutex<u32>,
}

fn by_rows(table: &Table) {
    let rows = table.rows.lock().unwrap();
    println!("{}", *rows * *table.cells.lock().unwrap()); // found: lock-order
}

fn by_cells(table: &Table) {
    let cells = table.cells.lock().unwrap();
    println!("{}", *cells * *table.rows.lock().unwrap());
}

fn print(table: &Table) {
    let gate = table.gate.lock().unwrap();
    by_rows(table);
    by_cells(table);
    drop(gate);
}

pub struct Shelf {
    gate: Mutex<()>,
    books: Mutex<u32>,
    maps: Mutex<u32>,
}

impl Shelf {
    pub fn count(&self) {
        let _gate = self.gate.lock().unwrap();
        // SAFETY: The gate is held.
        println!("{} {}", unsafe { self.books_first() }, self.maps_first());
    }

    /// # Safety
    /// The caller keeps others out.
    pub unsafe fn books_first(&self) -> u32 {
        let books = self.books.lock().unwrap();
        *books + *self.maps.lock().unwrap() // found: lock-order
    }

    fn maps_first(&self) -> u32 {
        let maps = self.maps.lock().unwrap();
        *maps + *self.books.lock().unwrap()
    }
}

const PRINTERS: [fn(&Table); 1] = [by_rows];

fn main() {
    let desk = Desk { gate: Mutex::new(()), inbox: Mutex::default(), outbox: Mutex::default() };
    let table = Table { gate: Mutex::new(()), rows: Mutex::new(1), cells: Mutex::new(1) };
    let shelf = Shelf { gate: Mutex::new(()), books: Mutex::new(1), maps: Mutex::new(1) };
    thread::scope(|scope| {
        scope.spawn(|| shelf.count());
        scope.spawn(|| desk.send());
        scope.spawn(|| desk.send_now());
        scope.spawn(|| desk.answer());
        scope.spawn(|| print(&table));
        scope.spawn(|| PRINTERS[0](&table));
    });
}
