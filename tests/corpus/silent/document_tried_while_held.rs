//! An undo history that tries for the document a few times after it has been let go.
use std::sync::Mutex;

struct Editor {
    document: Mutex<String>,
    history: Mutex<Vec<String>>,
}

impl Editor {
    fn checkpoint(&self) -> Option<String> {
        for _ in 0..10 {
            if let Ok(document) = self.document.try_lock() {
                return Some(document.clone());
            }
            std::thread::yield_now();
        }
        None
    }
    fn type_char(&self, c: char) {
        self.document.lock().unwrap().push(c);
        if let Some(saved) = self.checkpoint() {
            self.history.lock().unwrap().push(saved);
        }
    }
}

fn main() {
    let e = Editor { document: Mutex::default(), history: Mutex::default() };
    e.type_char('x');
}
