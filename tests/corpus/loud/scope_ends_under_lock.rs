//! A scope is waited for under a lock that its threads take.
use std::sync::Mutex;
use std::thread;

pub struct Index {
    words: Mutex<Vec<String>>,
}

impl Index {
    fn add(&self, word: &str) {
        self.words.lock().unwrap().push(word.to_owned());
    }

    pub fn build(&self, texts: &[&str]) {
        let mut words = self.words.lock().unwrap();
        words.clear();
        thread::scope(|scope| { // found: wait-while-holding
            for text in texts {
                scope.spawn(move || text.split(' ').for_each(|word| self.add(word)));
            }
        });
    }
}

fn main() {
    Index { words: Mutex::default() }.build(&["a b", "c"]);
}
