//! An undo history that tries for the document which it already holds.
use std::sync::Mutex;

struct Editor {
    document: Mutex<String>,
    history: Mutex<Vec<String>>,
}

impl Editor {
    fn checkpoint(&self) -> String {
        loop {
            if let Ok(document) = self.document.try_lock() { // found: spin-no-progress
                return document.clone();
            }
            std::thread::yield_now();
        }
    }
    fn type_char(&self, c: char) {
        let mut document = self.document.lock().unwrap();
        document.push(c);
        let saved = self.checkpoint(); // found: spin-no-progress
        self.history.lock().unwrap().push(saved);
    }
}

fn main() {
    let e = Editor { document: Mutex::default(), history: Mutex::default() };
    e.type_char('x');
}
