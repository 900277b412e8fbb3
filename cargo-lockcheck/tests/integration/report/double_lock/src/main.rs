use lockdep::sync::Mutex;

struct Cache {
    pages: Mutex<Vec<String>>,
}

impl Cache {
    fn len(&self) -> usize {
        self.pages.lock().unwrap().len()
    }

    fn trim(&self) {
        let mut pages = self.pages.lock().unwrap();
        while self.len() > 10 {
            pages.pop();
        }
    }
}

fn main() {
    Cache { pages: Mutex::new(Vec::new()) }.trim();
}
