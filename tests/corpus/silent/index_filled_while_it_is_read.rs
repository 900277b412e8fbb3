//! An index that is filled by main before its readers run.
use std::sync::{Arc, Mutex};
use std::thread;

#[derive(Default)]
struct Index {
    terms: Mutex<Vec<String>>,
    postings: Mutex<Vec<Vec<u32>>>,
}

impl Index {
    fn lookup(&self, at: usize) -> usize {
        let terms = self.terms.lock().unwrap();
        let postings = self.postings.lock().unwrap();
        terms[at].len() + postings[at].len()
    }
}

fn main() {
    let index = Arc::new(Index::default());
    {
        let mut postings = index.postings.lock().unwrap();
        postings.push(vec![1, 2]);
        let mut terms = index.terms.lock().unwrap();
        terms.push("rust".into());
    }
    let theirs = index.clone();
    let t = thread::spawn(move || theirs.lookup(0));
    println!("{}", t.join().unwrap());
}
