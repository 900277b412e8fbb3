//! A status line of an embedded scheduler.
use std::sync::RwLock;

struct Scheduler {
    ready: RwLock<Vec<&'static str>>,
    blocked: RwLock<Vec<&'static str>>,
}

impl Scheduler {
    fn load(&self) -> usize {
        let ready = self.ready.write().unwrap();
        ready.len() + self.blocked.read().unwrap().len()
    }
    fn status(&self) -> String {
        let load = self.load();
        format!("running {:?}, load {}", self.ready.read().unwrap().first(), load)
    }
}

fn main() {
    let s = Scheduler { ready: RwLock::new(vec!["idle"]), blocked: RwLock::new(vec![]) };
    println!("{}", s.status());
}
