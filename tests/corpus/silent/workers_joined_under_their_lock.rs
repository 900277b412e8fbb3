//! A download manager that joins its workers, and then looks at what they reported.
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

#[derive(Default)]
struct Progress {
    done: u32,
    failed: Vec<String>,
}

struct Downloads {
    progress: Arc<Mutex<Progress>>,
    workers: Vec<JoinHandle<()>>,
}

impl Downloads {
    fn add(&mut self, url: &'static str) {
        let progress = self.progress.clone();
        self.workers.push(thread::spawn(move || {
            let ok = url.starts_with("https");
            let mut p = progress.lock().unwrap();
            if ok {
                p.done += 1;
            } else {
                p.failed.push(url.to_string());
            }
        }));
    }
    fn finish(self) -> u32 {
        for w in self.workers {
            w.join().unwrap();
        }
        let progress = self.progress.lock().unwrap();
        progress.done
    }
}

fn main() {
    let mut d = Downloads { progress: Arc::default(), workers: Vec::new() };
    d.add("https://a");
    d.add("ftp://b");
    println!("{}", d.finish());
}
